"""Where texts lie in a network's states, and on a map of two dimensions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array


@dataclass(frozen=True, eq=False)
class TextStates(Exportable):
    """One state of a network for each text.

    Attributes:
        model, architecture, fingerprint: Which network.
        what: `head`: what the head reads (the pooled state of a recurrent network, the first token of a transformer's
            last layer); `final`: the state after the whole text (of the backward direction: at the first word; of a
            transformer: its first token); `mean`: the mean over all tokens, special ones too.
        layer, direction: Where, from 0; a transformer's layer 0 is what stands before its first layer.
        indices: Place of each text among those given; int array [text].
        states: float32 array [text, unit].
        n_given: Texts that were given; those left out cannot be read.
    """

    model: str
    architecture: str
    fingerprint: str
    what: str
    layer: int
    direction: int
    indices: np.ndarray
    states: np.ndarray
    n_given: int

    def __post_init__(self) -> None:
        check_array(self.states, (len(self.indices), self.states.shape[-1]), "states")

    def to_frame(self) -> Any:
        """One row a text: its place and every unit."""
        import pandas as pd

        frame = pd.DataFrame(self.states, columns=[f"unit {unit}" for unit in range(self.states.shape[1])])
        frame.insert(0, "index", self.indices)
        return frame


@dataclass(frozen=True, eq=False)
class TextMap(Exportable):
    """Texts in two dimensions; what is near in the states is, as far as two dimensions allow, near here.

    Attributes:
        model, architecture, fingerprint, what, layer, direction: As in `TextStates`.
        method: `pca` or `tsne`.
        indices: Place of each text among those given; int array [text].
        xy: float32 array [text, 2]; of `pca` in units of the states, of `tsne` without unit.
        explained: Share of the variance each axis of `pca` has, shape [2]; `None` for `tsne`.
        perplexity: Of `tsne`; `None` for `pca`.
        seed: Of the sample and of `tsne`.
        n_units: Units of a state.
        n_given: Texts that were given; with `tsne` those here are drawn from them.
    """

    model: str
    architecture: str
    fingerprint: str
    what: str
    layer: int
    direction: int
    method: str
    indices: np.ndarray
    xy: np.ndarray
    explained: np.ndarray | None
    perplexity: float | None
    seed: int
    n_units: int
    n_given: int

    def __post_init__(self) -> None:
        check_array(self.xy, (len(self.indices), 2), "places on the map")

    def to_frame(self) -> Any:
        """One row a text: its place among those given, and on the map."""
        import pandas as pd

        return pd.DataFrame({"index": self.indices, "x": self.xy[:, 0], "y": self.xy[:, 1]})
