"""A finished judgement for a section of the page Texts, or the press that makes one."""

from __future__ import annotations

import streamlit as st

from explorer_core.results import Judgement
from pages._ui import cache_texts
from pages._ui.cache_texts import Desk


def finished(desk: Desk, will_see: str) -> tuple[str, Judgement] | None:
    """The judgement of the chosen models with its key; while there is none, it is offered, or drawn as it goes on.

    Args:
        desk: What the section is given.
        will_see: End of the sentence "Here you will see ...", without its full stop.
    """
    from pages._ui.sections.texts import judge  # sections are imported when they are drawn

    if desk.table is None:
        st.info(f"Give a file or paste texts under **Texts** first. Here you will see {will_see}.")
        return None
    if not desk.models:
        st.info("Choose one or more models in the sidebar.")
        return None
    models = [info for info in desk.models if sorted(info.labels) == sorted(desk.models[0].labels)]
    mapping = cache_texts.mapping_of(desk)
    key = judge.key_of(desk, models, mapping)
    judge.offer(desk, models, mapping, key)
    judged = cache_texts.boards().get(key)
    if judged is None or not judged.is_finished:
        st.caption(f"Once the texts are judged, you will see {will_see} here.")
        return None
    return key, judged
