"""What a section of the page Compare is given: the models side by side, and the text they read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from pages._ui import cache, state, verdicts
from pages._ui.look import Look

MOST = 6  # models on one page


@dataclass(frozen=True)
class Desk:
    """Models that share their classes, over one text.

    Attributes:
        models: In the order they were chosen; at most `MOST`.
        text: The text as typed.
        left_out: A sentence for each chosen model that is not among them.
    """

    models: tuple[cache.ModelInfo, ...]
    text: str
    left_out: Sequence[str] = field(default=())

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the models."""
        return tuple(info.name for info in self.models)

    @property
    def short_names(self) -> dict[str, str]:
        """What each model is called in a picture, by its name: the family where that is enough."""
        return dict(zip(self.names, verdicts.line_names(self.models), strict=True))

    @property
    def labels(self) -> tuple[str, ...]:
        """The classes of every model."""
        return self.models[0].labels if self.models else ()

    def look(self, info: cache.ModelInfo) -> Look:
        """What one model makes of the text, from the same cache as the other pages."""
        trace = cache.trace(info.name, info.fingerprint, self.text, False)
        return Look(info, self.text, trace, self.target)

    @property
    def target(self) -> int:
        """Index of the class that is drawn for every model: the chosen one, else the positive of two, else the one the
        first model predicts.
        """
        first = self.models[0]
        return verdicts.target_class(self.labels, state.target(), cache.trace(*_key(first, self.text)).probs[None])


def desk(names: Sequence[str], text: str) -> Desk:
    """The chosen models that can stand side by side, and why the others cannot."""
    infos = cache.model_infos(names)
    fitting = [info for info in infos if info.labels == infos[0].labels]
    left_out = [
        f"{info.name} is left out: its classes are {', '.join(info.labels)[:100]}, those of {infos[0].name} are "
        f"{', '.join(infos[0].labels)[:100]}."
        for info in infos
        if info not in fitting
    ]
    left_out += [f"{info.name} is left out: at most {MOST} models stand side by side." for info in fitting[MOST:]]
    return Desk(tuple(fitting[:MOST]), text, tuple(left_out))


def needs(desk: Desk, least: int, will_see: str) -> bool:
    """Whether enough models are chosen; what is missing is said.

    Args:
        desk: What the section is given.
        least: Models it needs.
        will_see: End of the sentence "Then you will see ...", with its full stop.
    """
    if len(desk.models) >= least:
        return True
    n_missing = least - len(desk.models)
    st.info(f"Choose {n_missing} more model{'s' if n_missing > 1 else ''} in the sidebar. Then you will see {will_see}")
    return False


def _key(info: cache.ModelInfo, text: str) -> tuple[str, str, str, bool]:
    return info.name, info.fingerprint, text, False
