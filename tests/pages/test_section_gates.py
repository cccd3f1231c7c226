"""The section Gates and states: orders, equations and exact numbers, for every recurrent family."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api, unit_order
from explorer_core.numerals import number
from explorer_core.results import RecurrentTrace
from pages._ui import cache, equations, inside, linked, reading, state
from pages._ui.sections.states import gates
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.test_maps import numbers_of, unpacked
from tests.pages.tiny import save_tiny

TEXT = "not unbelievably bad but great"


@pytest.fixture
def open_gates(open_app, home, warmed):
    def opener(family: str = "lstm", text: str = TEXT, **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app("pages/states.py", text=text, view="gates", **address)
        assert not app.exception
        assert not app.error
        return app

    return opener


def bytes_of(app, key: str) -> bytes:
    return next(node.proto.bytes for node in app.get("bidi_component") if node.proto.id.endswith(key))


def trace_of(app, name: str) -> RecurrentTrace:
    info = cache.model_info(name)
    return cache.trace(name, info.fingerprint, app.text_area(key=state.TEXT).value, True)


def step_of(app) -> str:
    return next(node.proto.body for node in app.get("html") if "class='equation'" in node.proto.body)


def test_every_family_and_direction_shows_exact_numbers_and_equations(open_gates, recurrent_family):
    app = open_gates(recurrent_family, direction="backward", order="similarity")
    trace = trace_of(app, f"starter-{recurrent_family}")
    direction = 1 if len(trace.directions) > 1 else 0
    head, _ = unpacked(bytes_of(app, "states_maps"))
    sent = numbers_of(bytes_of(app, "states_maps_numbers"), len(head["panels"]))
    for values, quantity in zip(sent, trace.quantities().values(), strict=True):
        assert np.array_equal(values.reshape(-1, 16), quantity[-1, direction, trace.pos_of_words(direction)])
    expected = api.order_units(trace, "similarity", layer=1, direction=direction)
    assert head["order"] == expected.order.tolist()
    assert step_of(app).count("class='equation'") == (1 if recurrent_family == "rnn" else 2)


def test_only_orders_that_mean_something_are_offered_and_others_fall_back(open_gates):
    app = open_gates("rnn", order="memory")
    assert app.selectbox(key=inside.ORDER).options == ["stored", "similarity", "verdict"]
    assert "order" not in unpacked(bytes_of(app, "states_maps"))[0]


@pytest.mark.parametrize("how", ["verdict", "memory"])
def test_the_chosen_unit_stays_itself_in_every_order(open_gates, how):
    app = open_gates(unit="5")
    before = step_of(app)
    app.selectbox(key=inside.ORDER).select(how).run()
    assert app.number_input(key=inside.UNIT).value == 5
    assert step_of(app) == before
    head, _ = unpacked(bytes_of(app, "states_maps"))
    value = api.order_units(trace_of(app, "starter-lstm"), how, layer=1).value[5]
    assert head["orderValues"][5].startswith(number(value, signed=how == "verdict"))
    assert ("half-life" if how == "memory" else "Pearson") in said(app)


def test_the_equation_is_filled_with_the_chosen_words_numbers(open_gates):
    app = open_gates(unit="7")
    trace = trace_of(app, "starter-lstm")
    app.session_state["chosen:states"] = {"stamp": linked.stamp(reading.GROUP, trace.words), "word": 3}
    app.run()
    shown, pos = step_of(app), trace.pos_of_words()[3]
    for values in (trace.cell, *(trace.gates[:, :, :, gate] for gate in range(4))):
        assert number(abs(values[1, 0, pos, 7]), digits=4) in shown
    assert number(abs(trace.cell[1, 0, pos - 1, 7]), digits=4) in shown
    assert "The cell is not the hidden state" in said(app)
    assert "after “bad” (word 3)" in said(app)


def test_a_word_of_several_tokens_says_that_the_state_before_lies_inside_it(open_gates):
    app = open_gates("bilstm", direction="backward")
    trace = trace_of(app, "starter-bilstm")
    app.session_state["chosen:states"] = {"stamp": linked.stamp(reading.GROUP, trace.words), "word": 1}
    app.run()
    assert "tokens and this is its last step" in said(app)
    assert "This direction reads from the last word to the first." in said(app)
    assert "after the token" in step_of(app)


def test_the_first_word_begins_with_nothing(open_gates):
    app = open_gates(text="terrible")
    assert "Nothing was read before this word" in said(app)


def test_hostile_words_and_labels_stay_text_in_the_section(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm", labels=("<img src=x>", "![a](http://h/b.png)"))
    app = open_app("pages/states.py", text="</td><script>x</script> good", view="gates", order="verdict")
    assert not app.exception
    assert "<script" not in step_of(app)
    assert not [one.value for one in app.caption if "![a](" in one.value or "<img" in one.value]


def test_signs_under_an_equation_add_up_on_the_page_too():
    trace = api.trace_states(build_tiny("gru"), TEXT)
    step = api.trace_unit_step(build_tiny("gru"), TEXT, layer=1, unit=4, word=3, trace=trace)
    shown = equations.draw(step)
    new, kept = step.equations[1].worked.values()
    assert number(new, signed=True, digits=4) in shown
    assert number(kept, signed=True, digits=4) in shown
    assert new + kept == pytest.approx(step.value("hidden"), abs=1e-6)
    assert "differs from h by" in shown


def test_every_order_of_the_desk_is_explained_on_the_page():
    assert set(gates._ORDERS) == set(unit_order.ORDERS) - {"stored"}
