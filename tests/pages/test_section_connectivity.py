"""The section Connectivity: the map of every family, the chosen row on the strip, and what is asked for first."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import nice_limit, number
from pages._ui import cache, cache_jacobians, gradient_strip, heads, linked, state, work
from pages._ui.sections.gradients import connectivity as section
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.test_heads import unpacked
from tests.pages.tiny import save_tiny

PAGE = "pages/gradients.py"
TEXT = "not unbelievably bad but great"
ASK = "gradients_connectivity_ask"


@pytest.fixture
def open_connectivity(open_app, home, warmed):
    """Open the section with one tiny model of a family."""

    def opener(family: str = "lstm", text: str = TEXT, **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, view="Connectivity", text=text, models=f"starter-{family}", **address)
        assert not app.exception
        return app

    return opener


def component(app, key: str):
    return next((node.proto for node in app.get("bidi_component") if node.proto.id.endswith(key)), None)


def strip_of(app) -> dict:
    return json.loads(component(app, gradient_strip.STRIP).json)


def found_of(app, family: str = "lstm", target: int = 1):
    info = cache.model_info(f"starter-{family}")
    return cache_jacobians.connectivity(info.name, info.fingerprint, app.text_area(key=state.TEXT).value, target)


def choose(app, words, word: int):
    """What a click on a word, or on a row of the map, leaves behind."""
    stamp = linked.stamp(gradient_strip.GROUP, words)
    app.session_state[f"chosen:{gradient_strip.GROUP}"] = {"stamp": stamp, "word": word, "by_browser": True}
    return app.run()


def test_the_map_holds_every_number_below_the_diagonal_and_nothing_above(open_connectivity, family):
    app = open_connectivity(family)
    assert not app.error
    found = found_of(app, family)
    head, cells = unpacked(component(app, section.MAP).bytes)
    read = np.tri(len(found.words), dtype=bool)
    np.testing.assert_allclose(cells[read], found.strength[read], rtol=1e-6)
    assert np.isnan(cells[~read]).all()
    assert (head["kind"], head["limit"], head["low"]) == ("size", nice_limit(found.strength.max()), 0.0)
    assert head["unit"] == "logit per unit of word vector"
    info = cache.model_info(f"starter-{family}")
    again = api.trace_connectivity(cache.load(info.name, info.fingerprint), TEXT, 1)
    np.testing.assert_array_equal(found.strength, again.strength)


def test_the_strip_shows_the_row_of_the_chosen_word_on_one_fixed_scale(open_connectivity, family):
    app = open_connectivity(family)
    found = found_of(app, family)
    n_words = len(found.words)
    top = strip_of(app)["scale"]["high"]
    for row in (n_words - 1, 2, 0):
        app = choose(app, found.words, row)
        shown = strip_of(app)
        expected = [float(f"{value:.6g}") for value in found.strength[row, : row + 1]]
        assert shown["values"] == expected + [None] * (n_words - 1 - row)
        assert shown["numbers"][row + 1 :] == ["–"] * (n_words - 1 - row)
        assert shown["scale"]["high"] == top == nice_limit(found.strength.max())
        assert f"after word {row + 1}, “{found.words[row]}”" in shown["scale"]["text"]


def test_the_strip_is_drawn_once_and_keeps_the_headline_of_the_page(open_connectivity):
    app = open_connectivity()
    drawn = [node for node in app.get("bidi_component") if node.proto.id.endswith(gradient_strip.STRIP)]
    assert len(drawn) == 1
    assert strip_of(app)["headline"]["more"].startswith("the logit of positive is ")


def test_the_sentence_names_the_words_the_verdict_depends_on_most(open_connectivity):
    app = open_connectivity()
    found = found_of(app)
    app = choose(app, found.words, 3)
    order = np.argsort(-found.strength[3, :4])
    assert f"After word 4, “\u2068{found.words[3]}\u2069”, the logit of “\u2068positive\u2069” depends most on" in said(
        app
    )
    first = f"(word {order[0] + 1}): {number(float(found.strength[3, order[0]]))} logit per unit of its vector"
    assert first in said(app)
    assert f"(word {order[1] + 1}, {number(float(found.strength[3, order[1]]))})" in said(app)
    n_newest = int((found.strength.argmax(1) == np.arange(len(found.words))).sum())
    assert f"After {n_newest} of {len(found.words)} words the verdict depends most on the word just read." in said(app)


def test_colours_can_follow_the_exponent_on_a_printed_scale(open_connectivity):
    app = open_connectivity(scale="Logarithmic")
    head, _ = unpacked(component(app, section.MAP).bytes)
    assert head["kind"] == "log"
    assert np.log10(head["limit"] / head["low"]) == pytest.approx(round(np.log10(head["limit"] / head["low"])))
    app.segmented_control(key=section.SCALE).set_value("linear").run()
    assert unpacked(component(app, section.MAP).bytes)[0]["kind"] == "size"


@pytest.mark.parametrize("text", ["terrible", "<b>x</b> \u202e y", "so good 😀", "كان الفيلم رائعا"])
@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_any_text_is_drawn_and_said(open_connectivity, text, family):
    app = open_connectivity(family, text=text)
    assert not app.error
    assert unpacked(component(app, section.MAP).bytes)[1].shape == (len(found_of(app, family).words),) * 2
    assert "\u202e" not in "".join(each.value for each in app.markdown)


@pytest.mark.parametrize("nonsense", ["", "x", "-1"])
def test_nonsense_in_the_address_falls_back_to_the_first_choice(open_connectivity, nonsense):
    app = open_connectivity(scale=nonsense, block=nonsense)
    assert not app.error
    assert unpacked(component(app, section.MAP).bytes)[0]["kind"] == "size"


def test_a_text_too_long_for_the_map_is_drawn_block_by_block_and_the_strip_has_it_whole(open_connectivity, monkeypatch):
    monkeypatch.setattr(section, "MAX_SHOWN", 3)
    app = open_connectivity(text="good film but bad plot great")
    found = found_of(app)
    head, cells = unpacked(component(app, section.MAP).bytes)
    assert head["entries"] == list(found.words[3:])  # the block of the chosen word, which is the last
    assert head["wordOfEntry"] == [3, 4, 5]
    np.testing.assert_allclose(cells[2], found.strength[5, 3:], rtol=1e-6)
    assert len(strip_of(app)["values"]) == 6
    app.selectbox(key=section.BLOCK).set_value(0).run()
    assert unpacked(component(app, section.MAP).bytes)[0]["entries"] == list(found.words[:3])


# Priced work --------------------------------------------------------------------------------------------------------


def key_of(family: str, text: str) -> str:
    info = cache.model_info(f"starter-{family}")
    return "\0".join(("connectivity", info.name, info.fingerprint, text, "1"))


@pytest.mark.parametrize("family", ["lstm", "bilstm", "bert"])
def test_a_costly_map_is_drawn_only_when_asked_for_and_then_in_the_background(open_connectivity, family, monkeypatch):
    monkeypatch.setattr(section, "_AT_ONCE", dict.fromkeys(section._AT_ONCE, 5))
    text = "great film but bad plot"
    app = open_connectivity(family, text=text)
    assert component(app, section.MAP) is None
    assert all(value is not None for value in strip_of(app)["values"])  # the strip of the whole text meanwhile
    way = "is walked back once for all" if family == "lstm" else "has to read and walk back each of the 5"
    assert f"{way} beginnings of this text: about" in said(app)
    assert work.task(key_of(family, text)) is None
    app.button(key=ASK).click().run()
    assert work.wait(key_of(family, text), 30).state == "done"
    app.run()
    assert not app.error
    assert unpacked(component(app, section.MAP).bytes)[1].shape == (5, 5)
    work.forget(key_of(family, text))


def test_drawing_a_costly_map_can_be_cancelled(open_connectivity, monkeypatch):
    monkeypatch.setattr(section, "_AT_ONCE", dict.fromkeys(section._AT_ONCE, 5))
    text = "bad film but great plot"
    app = open_connectivity("bert", text=text)
    real = api.trace_connectivity

    def stopped(model, text, target, progress):
        work.cancel(key_of("bert", text))
        return real(model, text, target, progress)

    monkeypatch.setattr(api, "trace_connectivity", stopped)
    app.button(key=ASK).click().run()
    assert work.wait(key_of("bert", text), 30).state == "cancelled"
    app.run()
    assert "cancelled. Nothing of it was kept." in said(app)
    assert app.button(key=ASK)
    work.forget(key_of("bert", text))


# In words -----------------------------------------------------------------------------------------------------------


def test_a_verdict_that_rests_on_nothing_is_said_to():
    found = api.trace_connectivity(build_tiny("rnn"), "good film")
    found.strength[:] = 0.0
    assert section.sentence_of(found, 1).endswith("depends on no word at all: every gradient is zero.")


def test_a_matrix_of_sizes_carries_its_scale_to_the_browser():
    values = np.array([[1.0, np.nan], [2.0, 3.0]])
    matrix = heads.Matrix("title", values, "log", "rows", "columns", "{}", 3.0, 0.03, "logit")
    head, cells = unpacked(
        heads.pack_matrix(matrix, heads.Entries(("a", "b"), np.arange(2)), ("a", "b"), group="g", selected_word=1,
                          head=None)
    )  # fmt: skip
    assert (head["kind"], head["limit"], head["low"], head["unit"]) == ("log", 3.0, 0.03, "logit")
    np.testing.assert_array_equal(cells, values)
