"""What the pages over one text say while there is no model, or nothing to read."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer_core.text import split_words


def may_look(names: Sequence[str], text: str, will_see: str) -> bool:
    """Whether there is a model and a text to look at; what is missing is said, with what to do.

    Args:
        names: The chosen models that are ready.
        text: The text as typed.
        will_see: End of the sentence "You will see ...", with its full stop.
    """
    if names and split_words(text):
        return True
    with st.container(border=True):
        if names:
            st.markdown(
                "**Nothing to read yet.** Type a sentence in the sidebar, or take one of the examples there. You will "
                f"see {will_see}"
            )
            return False
        st.markdown(
            "**No model to look into yet.** Choose one in the sidebar. If none is ready, the starter models are still "
            "training: the first takes about a minute."
        )
        st.page_link("pages/models.py", label="See how training goes")
    return False
