"""What the widgets of a form hold outlives them: those of a section that is left are dropped, and begin as they were
left when it is opened again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import streamlit as st


@dataclass(frozen=True)
class KeptForm:
    """The memory of one form in a session, by the keys of its widgets."""

    name: str

    def begin(self, key: str, default: Any) -> Any:
        """What a widget begins with: as it was left in this session, else its default. The same while it is drawn."""
        begun = st.session_state.setdefault(f"{self.name}_begin", {})
        if key not in st.session_state:
            begun[key] = self.held(key, default)
        return begun[key]

    def held(self, key: str, default: Any = None) -> Any:
        """What a widget held last."""
        return st.session_state.get(f"{self.name}_kept", {}).get(key, default)

    def keep(self, values: Mapping[str, Any]) -> None:
        """Remember what some widgets hold."""
        st.session_state.setdefault(f"{self.name}_kept", {}).update(values)

    def replace(self, values: Mapping[str, Any]) -> None:
        """Remember this and nothing else."""
        st.session_state[f"{self.name}_kept"] = dict(values)

    def start_from(self, values: Mapping[str, Any]) -> None:
        """A callback: every widget begins anew with this."""
        self.replace(values)
        st.session_state[f"{self.name}_begin"] = {}
