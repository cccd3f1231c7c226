"""Work over many texts that is told its price before it is begun, then goes on in the background."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st

from pages._ui import work
from pages._ui.digest import short
from pages._ui.widgets import duration

AT_ONCE_S = 1.0  # what costs less is begun unasked


def measured(
    key: str, label: str, said: str, seconds: float, call: Callable[[work.Progress], Any], dearest: str = ""
) -> Any:
    """The answer of the work once it is there, else `None`: its price with a button, or how far it is.

    Args:
        key: Plain text that says all of what is measured.
        label: What a person reads on the button and over the bar.
        said: What will be done, as a Markdown sentence with its full stop.
        seconds: What it costs, about.
        call: The work; asked for again, it has kept its answer.
        dearest: Which part costs most, as Markdown; empty if none stands out.
    """
    task = work.task(key)
    is_known = key in st.session_state or seconds <= AT_ONCE_S
    if task is None and is_known:
        work.start(key, label, call)
    elif work.is_idle(key) and (task is None or task.state != "done"):
        with st.container(border=True):
            most = f", most of it for {dearest}" if dearest else ""
            st.markdown(f"{said} About **{duration(seconds)}** on this machine{most}.")
            if st.button(label, key=f"measure_{short(key)}", type="primary"):
                work.start(key, label, call)
                st.rerun()
        if task is None:
            return None
    found = work.draw(key, patience_s=0.5)
    if found is not None:
        st.session_state[key] = True
    return found
