"""The text on the page States: what the running verdict draws, and the run of words a person selects."""

from __future__ import annotations

import base64
import dataclasses
import json

import numpy as np
import pytest

from explorer_core.palette import class_colors
from pages._ui import cache, linked, reading, rereading, work
from tests.pages.tiny import save_tiny

PAGE = "pages/states.py"
TOPICS = ("sport", "politics", "weather")


def verdict_of(app) -> dict:
    chart = next(chart for chart in app.get("plotly_chart") if chart.key == reading.VERDICT)
    return json.loads(chart.proto.spec)


def numbers(array) -> np.ndarray:
    """What a figure sends for an array: a list, or its bytes."""
    if isinstance(array, dict):
        return np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"])
    return np.array(array)


def controls(app) -> list[str]:
    return [group.key for group in app.button_group if group.key in (reading.QUANTITY, reading.CLASSES)]


def test_of_two_classes_every_class_is_offered_as_logits_only(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm")
    app = open_app(PAGE, text="not bad at all")
    assert controls(app) == [reading.QUANTITY]
    assert "probability" in verdict_of(app)["layout"]["yaxis"]["title"]["text"]
    app.button_group(key=reading.QUANTITY).set_value("logit").run()
    assert controls(app) == [reading.QUANTITY, reading.CLASSES]
    assert "logit of positive" in verdict_of(app)["layout"]["yaxis"]["title"]["text"]
    info = cache.model_info("starter-lstm")
    trace = cache.trace(info.name, info.fingerprint, "not bad at all", True)
    drawn = next(line for line in verdict_of(app)["data"] if line.get("name") == "LSTM")
    target = trace.labels.index("positive")
    assert np.allclose(numbers(drawn["y"]), trace.running_logits_by_word[:, target])


def test_every_class_of_a_model_is_a_line_in_its_colour(open_app, home, warmed):
    save_tiny(home, "topics", "gru", labels=TOPICS)
    app = open_app(PAGE, models=["topics"], text="not bad at all")
    app.button_group(key=reading.CLASSES).set_value("all").run()
    lines = {line["name"]: line["line"]["color"] for line in verdict_of(app)["data"] if line.get("name")}
    assert lines == dict(zip(TOPICS, class_colors(TOPICS), strict=True))


@pytest.mark.parametrize("address", [{"verdict": "x", "classes": "y"}, {"verdict": ""}, {"classes": "Every class"}])
def test_nonsense_in_the_address_draws_the_probability_of_the_target(open_app, home, warmed, address):
    save_tiny(home, "starter-lstm", "lstm")
    app = open_app(PAGE, text="not bad", **address)
    assert not app.exception
    assert "probability of positive" in verdict_of(app)["layout"]["yaxis"]["title"]["text"]


def test_the_selected_run_of_the_page_is_that_of_its_text(open_app, home, warmed, monkeypatch):
    save_tiny(home, "starter-lstm", "lstm")
    info = cache.model_info("starter-lstm")
    trace = cache.trace(info.name, info.fingerprint, "not bad at all", True)
    monkeypatch.setattr(linked.st, "session_state", {})
    assert reading.chosen_span(trace) is None
    linked.choose_span(reading.GROUP, trace.words, (1, 2))
    assert reading.chosen_span(trace) == (1, 2)


def test_a_short_text_is_never_asked_about(open_app, home, warmed):
    save_tiny(home, "starter-bert", "bert")
    info = cache.model_info("starter-bert")
    assert rereading.may_read(info, "not bad")
    assert not rereading.may_read(info, "bad " * 200)


def test_beginnings_read_in_the_background_are_the_models_own_verdicts(home, warmed, monkeypatch):
    save_tiny(home, "starter-bilstm", "bilstm")
    info, text = cache.model_info("starter-bilstm"), "the film was good " * 40
    direct = cache.running(info.name, info.fingerprint, text)
    monkeypatch.setattr(rereading.st, "session_state", {})
    rereading.start(info, text)
    assert rereading.wait(info, text, 60)
    assert rereading.may_read(info, text)
    assert np.allclose(rereading.logits(info, text), direct, atol=1e-5)


def test_reading_that_is_cancelled_leaves_the_offer_as_it_was(home, warmed, monkeypatch):
    save_tiny(home, "starter-bilstm", "bilstm")
    info, text = cache.model_info("starter-bilstm"), "so good " * 90

    def trace(name, fingerprint, text, running, _progress):
        work.cancel(rereading._key(info, text))
        _progress(0.5)

    monkeypatch.setattr(rereading.st, "session_state", {})
    monkeypatch.setattr(cache, "trace", trace)
    rereading.start(info, text)
    assert not rereading.wait(info, text, 60)
    assert not rereading.may_read(info, text)
    assert work.is_idle(rereading._key(info, text))


def test_a_text_of_few_but_long_words_is_costly_to_read_anew():
    info = cache.ModelInfo("m", "bilstm", "BiLSTM", "recurrent", ("a", "b"), "f", rereads=True)
    assert rereading.is_costly(info, " ".join(["x" * 90] * 60))
    assert not rereading.is_costly(info, "not bad at all " * 30)
    assert not rereading.is_costly(dataclasses.replace(info, rereads=False), "x " * 5000)
