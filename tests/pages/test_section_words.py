"""The section Over the words: gates, the chain rule and the maps of the chosen word."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from pages._ui import cache, chain_rule, gradient_strip, inside, linked
from pages._ui.sections.gradients import words
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.test_gradients import PAGE, TEXT, equations_of, found_of, maps_of, strip_of
from tests.pages.tiny import save_tiny


@pytest.fixture
def open_words(open_app, home, warmed):
    def opener(family: str = "lstm", text: str = TEXT, **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, text=text, view="words", **address)
        assert not app.exception
        assert not app.error
        return app

    return opener


def choose_word(app, word: int):
    names = strip_of(app)["words"]
    app.session_state[f"chosen:{gradient_strip.GROUP}"] = {
        "stamp": linked.stamp(gradient_strip.GROUP, names), "word": word,
    }  # fmt: skip
    return app.run()


# Gates and the chain rule -------------------------------------------------------------------------------------------


def test_what_opening_a_gate_would_do_is_said_of_the_chosen_word(open_words):
    app = choose_word(open_words(), 2)
    found = found_of(app)
    slope = found.grad_gates[1, 0, found.word_of_token == 2, 1].sum()
    way = "up" if slope > 0 else "down"
    assert "At word 3, “bad”, opening a gate by 0.01 in every unit would move the logit of positive" in said(app)
    assert f"the forget gate {way} by **{number(abs(slope) / 100)}**" in said(app)


def test_the_chain_rule_is_filled_with_the_chosen_words_numbers(open_words):
    app = choose_word(open_words(unit="7"), 2)
    found = found_of(app)
    trace = cache.trace(found.model, found.fingerprint, TEXT, True)
    (shown,) = equations_of(app)
    pos = found.pos_of_words()[2]
    for value in (found.grad_cell[1, 0, pos, 7], found.grad_cell[1, 0, pos + 1, 7], trace.gates[1, 0, pos + 1, 1, 7]):
        assert number(abs(value), digits=4) in shown
    assert "differs from ∂y/∂c by" in shown
    assert "₊₁ stands for the next step, “but” (word 4)." in said(app)
    assert "If unit 7 held 0.01 more in its cell here, the logit of positive would" in said(app)


def test_the_last_step_says_that_the_chain_begins_there(open_words):
    app = choose_word(open_words(), 4)
    assert "the chain begins here" in said(app)


def test_inside_a_word_the_next_step_is_the_next_token():
    model = build_tiny("bilstm")
    trace = api.trace_states(model, TEXT)
    step = api.trace_gradient_step(model, TEXT, direction=1, word=2, trace=trace)
    assert "This direction reads from the last word to the first." in chain_rule.after(step, trace)
    assert "“unbelievably” (word 2)" in chain_rule.after(step, trace)


def test_the_first_unit_is_the_one_the_number_hangs_on_most(open_words):
    app = open_words()
    found = found_of(app)
    pos = found.pos_of_words()[found.embedding_norm_by_word.argmax()]
    assert app.session_state[inside.UNIT] == np.abs(found.grad_cell[1, 0, pos]).argmax()


# Maps ---------------------------------------------------------------------------------------------------------------


def test_a_scale_for_every_word_divides_by_its_largest_size(open_words):
    app = open_words("rnn", scale="word")
    head, _, exact = maps_of(app)
    values = found_of(app, "rnn").grad_hidden[1, 0, found_of(app, "rnn").pos_of_words()]
    np.testing.assert_allclose(exact[0].reshape(values.shape), values / np.abs(values).max(1, keepdims=True), rtol=1e-6)
    assert head["panels"][0]["limit"] == 1
    assert "divided by the largest size" in said(app)


def test_a_column_of_zeros_stays_zero_on_a_scale_of_its_own():
    found = api.trace_gradients(build_tiny("bert"), TEXT, 1)
    (panel,) = words.panels_of(found, 2, 0, np.arange(len(found.tokens)), each=True)
    assert np.abs(panel.values[0]).max() == 1  # [CLS], which the head reads
    assert not panel.values[1:].any()


def test_maps_of_gradients_can_show_every_token(open_words):
    app = open_words("bert", text="unbelievably good", columns="tokens", layer="0")
    head, _, exact = maps_of(app)
    found = found_of(app, "bert")
    assert head["columns"] == list(found.tokens)
    assert head["panels"][0]["title"] == "By embedding"
    np.testing.assert_array_equal(exact[0].reshape(-1, 16), found.grad_hidden[0])


def test_the_last_layer_of_a_bert_says_where_its_gradient_is(open_words):
    assert "Choose tokens as columns" in said(open_words("bert", layer="2"))
    assert "Choose tokens as columns" not in said(open_words("bert", layer="2", columns="tokens"))
    assert "Choose tokens as columns" not in said(open_words("bert"))


def test_units_of_the_gradient_maps_take_an_order_of_their_states(open_words):
    app = open_words(order="memory")
    assert app.selectbox(key=inside.ORDER).options == ["stored", "similarity", "verdict", "memory"]
    trace = cache.trace("starter-lstm", cache.model_info("starter-lstm").fingerprint, TEXT, True)
    assert maps_of(app)[0]["order"] == api.order_units(trace, "memory", layer=1).order.tolist()
