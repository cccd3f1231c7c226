"""What can be looked at on a page, one file each in the folder of the page, found by discovery.

A section is a module whose name does not start with an underscore, with a literal

    SECTION = {"label": ..., "question": ..., "kinds": ("recurrent",), "order": 10}

and `draw(look)`. `kinds` are kinds of models (`recurrent`, `transformer`); `needs_cell` asks for an LSTM's cell,
`needs_backward` for a network that also reads from the end; one that is `alone` is about no text, and stands without
the strip of words; one with an `own_strip` draws it itself, with other bars; `of_loss` lets a person differentiate the
loss instead of the logit. Only the chosen section is imported and drawn.
"""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from explorer_core.results import RecurrentTrace
from pages._ui import state
from pages._ui.look import Look

VIEW = state.VIEW


@dataclass(frozen=True)
class Section:
    """What a section says of itself."""

    name: str
    label: str
    question: str
    kinds: tuple[str, ...]
    order: int
    needs_cell: bool = False
    needs_backward: bool = False
    alone: bool = False
    of_loss: bool = False
    own_strip: bool = False


@functools.cache
def describe(page: str) -> tuple[Section, ...]:
    """Every section of a page in its order, read from the source without importing it."""
    found = (_read(path) for path in (Path(__file__).parent / page).glob("[!_]*.py"))
    return tuple(sorted(found, key=lambda section: section.order))


def fitting(look: Look, page: str) -> tuple[Section, ...]:
    """The sections of a page that have something to show for a model."""
    trace = look.trace if isinstance(look.trace, RecurrentTrace) else None
    has_cell = trace is not None and trace.cell is not None
    reads_back = trace is not None and len(trace.directions) > 1
    return tuple(
        section
        for section in describe(page)
        if look.info.kind in section.kinds
        and (has_cell or not section.needs_cell)
        and (reads_back or not section.needs_backward)
    )


def choose(look: Look, page: str) -> Section:
    """The choice of a section that fits a model; returns the chosen one."""
    return choose_of(fitting(look, page))


def choose_of(found: Sequence[Section]) -> Section:
    """The choice of one of some sections; returns the chosen one."""
    sections = {section.name: section for section in found}
    if VIEW not in st.session_state and st.query_params.get(VIEW) in sections:
        st.session_state[VIEW] = st.query_params[VIEW]  # a link written by hand; the app's own links hold the label
    if st.session_state.get(VIEW) not in (None, *sections):
        st.session_state[VIEW] = next(iter(sections))  # a view of another kind of model, or of another page
    chosen = st.segmented_control(
        "Look at", list(sections), default=next(iter(sections)), required=True, key=VIEW, bind="query-params",
        format_func=lambda name: sections[name].label,
    )  # fmt: skip
    return sections[chosen or next(iter(sections))]  # an empty view in the address chooses nothing


def draw(look: Any, page: str, section: Section) -> None:
    """A section with the question it answers."""
    st.markdown(f"### {section.question}")
    importlib.import_module(f"pages._ui.sections.{page}.{section.name}").draw(look)


def _read(path: Path) -> Section:
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "SECTION":
            return Section(name=path.stem, **ast.literal_eval(node.value))
    raise TypeError(f"{path.name} has no literal SECTION; every section describes itself.")
