"""The section Vanishing: every recurrent family, what stands beside it, half-distances in words, and priced work."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import CancelledError
from explorer_core.numerals import number
from pages._ui import cache, cache_jacobians, gradient_strip, half_distances, sections, state, work
from pages._ui.sections.gradients import vanishing as section
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE = "pages/gradients.py"
TEXT = "not unbelievably bad but great"
ASK_SPECTRUM, ASK_LONG = "gradients_spectrum_ask", "gradients_vanishing_ask"


@pytest.fixture
def open_vanishing(open_app, home, warmed):
    """Open the section with one tiny model of a family, and others beside it in the store."""

    def opener(family: str = "lstm", text: str = TEXT, others=("rnn",), **address):
        for name in (family, *others):
            save_tiny(home, f"starter-{name}", name)
        app = open_app(PAGE, view="Vanishing", text=text, models=f"starter-{family}", **address)
        assert not app.exception
        return app

    return opener


def charts_of(app) -> dict[str, dict]:
    found = {}
    for node in app.get("plotly_chart"):
        for key in (gradient_strip.VANISHING, gradient_strip.SPECTRUM):
            if node.proto.id.endswith(key):
                found[key] = json.loads(node.proto.spec)
    return found


def lines_of(app) -> set[str]:
    names = (line["name"] for line in charts_of(app)[gradient_strip.VANISHING]["data"])
    return {name for name in names if not name.endswith("halves")}


def traced(app, family: str, layer: int = 1, direction: int = 0, norm: str = "spectral", target: int = 1):
    info = cache.model_info(f"starter-{family}")
    key = (info.name, info.fingerprint, app.text_area(key=state.TEXT).value, target, layer, direction, norm)
    return cache_jacobians.jacobians(*key), cache_jacobians.untrained(*key)


def test_every_recurrent_family_stands_beside_its_untrained_self_and_another(open_vanishing, recurrent_family):
    other = "lstm" if recurrent_family == "rnn" else "rnn"
    app = open_vanishing(recurrent_family, others=(other, "bert"))
    assert not app.error
    own, untrained = traced(app, recurrent_family)
    beside = traced(app, other)[0]
    assert app.selectbox(key=section.BESIDE).value == f"starter-{other}"
    assert half_distances.sentence_of(own, untrained, beside).replace("\\", "") in said(app)
    n_lines = {"rnn": 2, "gru": 3, "lstm": 4, "bilstm": 4}
    n_promises = own.kept_mean is not None
    assert len(lines_of(app)) == 2 * n_lines[recurrent_family] - n_promises + n_lines[other] - (other == "lstm")
    assert ("A GRU has no cell" in said(app)) == (recurrent_family == "gru")
    assert ("it promises nothing" in said(app)) == (recurrent_family == "rnn")
    assert "seed 0" in said(app)


def test_the_table_holds_every_line_with_its_half_distance(open_vanishing):
    app = open_vanishing("lstm")
    own, untrained = traced(app, "lstm")
    rnn = traced(app, "rnn")[0]
    frame = app.dataframe[0].value
    assert list(frame["Network"]) == ["LSTM"] * 4 + ["untrained"] * 4 + ["RNN"] * 2
    expected = [
        (number(float(trace.quantities()[line][trace.end])), half_distances.fall_of(trace, line))
        for trace in (own, untrained, rnn)
        for line in section._LINES
        if line in trace.quantities()
    ]
    assert list(zip(frame["At T"], frame["Going back, it"], strict=True)) == expected


def test_layer_direction_and_norm_are_chosen_and_kept_in_the_address(open_vanishing):
    app = open_vanishing("bilstm", direction="backward", layer="1", norm="Frobenius")
    own, untrained = traced(app, "bilstm", layer=0, direction=1, norm="frobenius")
    assert own.norm == "frobenius"
    assert half_distances.sentence_of(own, untrained, None).replace("\\", "") in said(app)
    assert "starter-rnn is not drawn: it reads forward only." in said(app)
    assert charts_of(app)[gradient_strip.VANISHING]["layout"]["yaxis"]["title"]["text"].startswith("frobenius norm")
    assert "those of layer 1 alone" in said(app)


def test_nothing_or_another_network_can_be_drawn_beside_it(open_vanishing):
    app = open_vanishing("lstm", others=("rnn", "gru"))
    app.selectbox(key=section.BESIDE).set_value(section.NOTHING).run()
    assert not any(name.startswith("RNN") for name in lines_of(app))
    app.selectbox(key=section.BESIDE).set_value("starter-gru").run()
    assert sum(name.startswith("GRU") for name in lines_of(app)) == 2


def test_only_recurrent_networks_with_the_same_classes_are_offered(open_vanishing, home):
    save_tiny(home, "other-labels", "rnn", labels=("no", "yes"))
    app = open_vanishing("lstm", others=("bert",))
    assert app.selectbox(key=section.BESIDE).options == [section.NOTHING]
    assert not app.error


def test_a_network_that_reads_other_words_is_not_drawn_and_that_is_said(open_vanishing, monkeypatch):
    real = cache.reading

    def fewer(name, fingerprint, text):
        found = real(name, fingerprint, text)
        return dataclasses.replace(found, words=found.words[:-1]) if name == "starter-rnn" else found

    monkeypatch.setattr(cache, "reading", fewer)
    app = open_vanishing("lstm")
    assert "starter-rnn is not drawn: it reads this text as other words than starter-lstm." in said(app)


@pytest.mark.parametrize("text", ["terrible", "<b>x</b> \u202e y", "so good 😀", "كان الفيلم رائعا"])
def test_any_text_is_drawn_and_said(open_vanishing, text):
    app = open_vanishing("gru", text=text)
    assert not app.error
    assert set(charts_of(app)) == {gradient_strip.VANISHING}
    assert "\u202e" not in "".join(each.value for each in app.markdown)
    assert ("no way back to measure" in said(app)) == (text == "terrible")


@pytest.mark.parametrize("nonsense", ["", "x", "-1"])
def test_nonsense_in_the_address_falls_back_to_the_first_choice(open_vanishing, nonsense):
    app = open_vanishing("lstm", norm=nonsense, beside=nonsense, layer=nonsense, direction=nonsense)
    assert not app.error
    assert app.selectbox(key=section.NORM).value == "spectral"
    assert app.selectbox(key=section.BESIDE).value == "starter-rnn"


def test_a_bert_has_no_such_section(open_app, home, warmed):
    save_tiny(home, "starter-bert", "bert")
    app = open_app(PAGE, view="Vanishing", text=TEXT, models="starter-bert")
    assert not app.exception
    assert app.session_state[sections.VIEW] != "vanishing"


# Priced work --------------------------------------------------------------------------------------------------------


def spectrum_key(text: str, layer: int = 1) -> str:
    info = cache.model_info("starter-lstm")
    return "\0".join(("spectrum", info.name, info.fingerprint, text, "1", str(layer), "0", "spectral"))


def test_every_step_is_taken_apart_only_when_asked_for_and_then_in_the_background(open_vanishing):
    text = "great but not bad"
    app = open_vanishing("lstm", text=text)
    own = traced(app, "lstm")[0]
    assert f"each of the {len(own.tokens)} steps take about" in said(app)
    assert work.task(spectrum_key(text)) is None
    app.button(key=ASK_SPECTRUM).click().run()
    assert work.wait(spectrum_key(text), 30).state == "done"
    app.run()
    assert not app.error
    assert set(charts_of(app)) == {gradient_strip.VANISHING, gradient_strip.SPECTRUM}
    found = work.task(spectrum_key(text)).result
    largest = found.singular_values[found.pos_of_words, 0]
    assert f"by **{number(float(largest.max()))}**" in said(app)
    n_growing = np.median((found.singular_values[found.pos_of_words] > 1).sum(1))
    assert f"in the median step {n_growing:g} of 32 directions grow" in said(app)
    work.forget(spectrum_key(text))


def test_taking_steps_apart_can_be_cancelled(open_vanishing, monkeypatch):
    text = "bad but not great"
    real = api.trace_jacobians

    def stopped(model, text, **more):
        def progress(share):
            work.cancel(spectrum_key(text))
            more["progress"](share)

        return real(model, text, **more | {"progress": progress})

    app = open_vanishing("lstm", text=text)
    monkeypatch.setattr(api, "trace_jacobians", stopped)
    app.button(key=ASK_SPECTRUM).click().run()
    task = work.wait(spectrum_key(text), 30)
    assert task.state == "cancelled"
    assert isinstance(task.error, CancelledError)
    app.run()
    assert "cancelled. Nothing of it was kept." in said(app)
    assert app.button(key=ASK_SPECTRUM)
    work.forget(spectrum_key(text))


def test_a_long_text_is_walked_back_only_when_asked_for(open_vanishing, monkeypatch):
    monkeypatch.setattr(section, "_AT_ONCE_TOKENS", 3)
    text = "great film but bad plot"
    app = open_vanishing("lstm", text=text)
    n_steps = len(app_tokens(app))
    assert f"Jacobians of {n_steps} steps" in said(app)
    assert not charts_of(app)
    rnn, info = cache.model_info("starter-rnn"), cache.model_info("starter-lstm")
    key = "\0".join(("vanishing", info.name, info.fingerprint, text, "1", "1", "0", "spectral", rnn.fingerprint))
    app.button(key=ASK_LONG).click().run()
    assert work.wait(key, 30).state == "done"
    app.run()
    assert not app.error
    own, untrained = traced(app, "lstm")
    assert half_distances.sentence_of(own, untrained, traced(app, "rnn")[0]).replace("\\", "") in said(app)
    work.forget(key)


def app_tokens(app):
    info = cache.model_info("starter-lstm")
    return cache.reading(info.name, info.fingerprint, app.text_area(key=state.TEXT).value).tokens


# In words -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "said_of_it", "left"),
    [
        ([0.1, 0.2, 0.4, 0.9, 1.0], "halves within 2 words", "10.0\u00a0%"),
        ([0.6, 0.7, 0.8, 0.4, 1.0], "halves within one word", "60.0\u00a0%"),
        ([0.5, 0.6, 0.7, 0.8, 1.0], "does not halve within these 5 words", "50.0\u00a0%"),
        (
            [3.0, 0.6, 0.7, 0.8, 1.0],
            "does not halve within these 5 words; it grows to 3.00 times its value",
            "300\u00a0%",
        ),
        ([0.0, 0.0, 1e-3, 1e-2, 1.0], "halves within one word", "nothing"),
        ([0.1, 0.2, 0.3, 0.4, 0.0], "is zero at the end already", "nothing"),
    ],
)
def test_a_fall_is_said_exactly(values, said_of_it, left):
    trace = api.trace_jacobians(build_tiny("rnn"), "good film but bad plot", spectrum=False)
    by_token = np.interp(np.arange(len(trace.tokens)), trace.pos_of_words, values)
    trace = dataclasses.replace(trace, grad_norm=by_token)
    assert half_distances.fall_of(trace, "grad_norm") == said_of_it
    assert half_distances.left_of(trace, "grad_norm") == left


def test_a_gradient_gone_before_the_end_mark_has_halved_at_the_last_word():
    model = build_tiny("rnn", vocabulary="words", end_token=True)
    trace = api.trace_jacobians(model, "good film", spectrum=False)
    assert len(trace.tokens) == 3
    trace = dataclasses.replace(trace, grad_norm=np.array([0.1, 0.2, 1.0]))
    assert half_distances.fall_of(trace, "grad_norm") == "has halved at the last word already"


def test_going_back_in_the_backward_direction_ends_at_the_last_word(home):
    model = build_tiny("bilstm")
    place = {"direction": 1, "target": 1}
    own = api.trace_jacobians(model, TEXT, spectrum=False, **place)
    sentence = half_distances.sentence_of(own, api.trace_untrained_jacobians(model, TEXT, **place), None)
    assert sentence.startswith("Going back from “\u2068not\u2069”")
    assert "At “\u2068great\u2069”, 4 words back" in sentence
