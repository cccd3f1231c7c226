"""The section Sizes and saturation: every family, and a click on a dot."""

from __future__ import annotations

import json

import pytest
import streamlit as st

from explorer_core import api
from pages._ui import inside
from pages._ui.sections.states import saturation
from tests.conftest import build_tiny
from tests.pages.conftest import chart
from tests.pages.tiny import save_tiny

TEXT = "not unbelievably bad but great"


def test_every_family_and_direction_shows_sizes_values_and_saturation(open_app, home, warmed, recurrent_family):
    model = save_tiny(home, f"starter-{recurrent_family}", recurrent_family)
    app = open_app("pages/states.py", text=TEXT, view="saturation", direction="backward")
    assert not app.exception
    assert not app.error
    names = api.gate_saturation(api.trace_states(model, TEXT)).names
    assert all(name in json.dumps(chart(app, "states_values")["layout"]) for name in names)
    assert chart(app, "states_norms")["data"]
    dots = [drawn["customdata"][0] for drawn in chart(app, "states_saturation")["data"] if "customdata" in drawn]
    assert {len(place) for place in dots} == {3}


@pytest.mark.parametrize(
    "given", [{}, {"selection": {"points": []}}, {"selection": {"points": [{"customdata": [0, 0]}]}},
              {"selection": {"points": [{"customdata": [0, 0, 99]}]}}, {"selection": {"points": [{"customdata": "0"}]}},
              {"selection": {"points": [{}]}}],
)  # fmt: skip
def test_a_click_on_nothing_chooses_no_unit(monkeypatch, given):
    session = {saturation.SATURATION: given, inside.UNIT: 3}
    monkeypatch.setattr(st, "session_state", session)
    saturation._choose_dot(api.trace_states(build_tiny("lstm"), "not bad"))
    assert session[inside.UNIT] == 3


def test_a_click_on_a_dot_chooses_its_unit_with_layer_and_direction(monkeypatch):
    session = {saturation.SATURATION: {"selection": {"points": [{"customdata": [0, 1, 9]}]}}}
    monkeypatch.setattr(st, "session_state", session)
    saturation._choose_dot(api.trace_states(build_tiny("bilstm"), "not bad"))
    assert (session[inside.LAYER], session[inside.DIRECTION], session[inside.UNIT]) == ("1", "backward", 9)
