"""What every page shares, read from the widgets in the sidebar: the models, the text and the target class.

The widgets are bound to the address (`bind="query-params"`), so a link reopens the same view.
"""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from pages._ui.examples import DEFAULT_TEXT

MODELS, TEXT, TARGET = "models", "text", "target"  # keys of the widgets, and names in the address
VIEW = "view"  # the section of a page, likewise
LOOK = "look"  # the model looked into on a page over one text, likewise
PREDICTED = "(predicted)"


def model_names() -> tuple[str, ...]:
    """The chosen models that are ready, in the order they were chosen; may be empty."""
    return tuple(st.session_state.get(MODELS) or ())


def text() -> str:
    """The text as typed; may be empty."""
    typed = st.session_state.get(TEXT)
    return DEFAULT_TEXT if typed is None else str(typed)


def target() -> str | None:
    """The label to explain; `None` stands for the class each model predicts."""
    chosen = st.session_state.get(TARGET)
    return None if chosen in (None, PREDICTED) else str(chosen)


RUN = "run"  # the model a person looks at on the page Models, in the address too
_NEXT_RUN, _NEXT_MODEL, _NEXT_MODELS = "_next_run", "_next_model", "_next_models"


def look_at(name: str) -> None:
    """Show a run on the page Models from the next run on; its widget cannot be changed once it is drawn."""
    st.session_state[_NEXT_RUN] = name


def take_next_run() -> str | None:
    """The run that `look_at` asked for, once."""
    return st.session_state.pop(_NEXT_RUN, None)


def choose_too(name: str) -> None:
    """Add a model to the chosen ones from the next run on."""
    st.session_state[_NEXT_MODEL] = name


def take_next_model() -> str | None:
    """The model that `choose_too` asked for, once."""
    return st.session_state.pop(_NEXT_MODEL, None)


def choose_these(names: Sequence[str], view: str = "") -> None:
    """Let these be the chosen models from the next run on, in this order, and open a section if one is named."""
    st.session_state[_NEXT_MODELS] = list(names), view


def take_next_models() -> list[str]:
    """The models that `choose_these` asked for, once; empty if it did not. To be called before a section is chosen."""
    names, view = st.session_state.pop(_NEXT_MODELS, ([], ""))
    if view:
        st.session_state[VIEW] = view
    return list(names)
