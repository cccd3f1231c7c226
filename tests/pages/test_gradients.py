"""The page Gradients and its section Over the words: every family, any text, and what is said when there is nothing to
show or too much to read."""

from __future__ import annotations

import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from explorer_core import api, settings
from explorer_core.numerals import number
from explorer_core.text import visible
from pages._ui import cache, cache_gradients, gradient_strip, long_texts, state
from pages._ui.sections.gradients import words
from tests.pages.conftest import said
from tests.pages.test_maps import numbers_of, unpacked
from tests.pages.tiny import save_tiny

PAGE = "pages/gradients.py"
TEXT = "not unbelievably bad but great"
LONG = "the film was not good at all but never dull"


@pytest.fixture
def open_gradients(open_app, home, warmed):
    """Open the page with one tiny model of a family."""

    def opener(family: str = "lstm", text: str = TEXT, **address):
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, text=text, **address)
        assert not app.exception
        return app

    return opener


def component(app, key: str):
    return next(node.proto for node in app.get("bidi_component") if node.proto.id.endswith(key))


def strip_of(app) -> dict:
    return json.loads(component(app, gradient_strip.STRIP).json)


def maps_of(app) -> tuple[dict, np.ndarray, np.ndarray]:
    head, cells = unpacked(component(app, words.MAPS).bytes)
    return head, cells, numbers_of(component(app, f"{words.MAPS}_numbers").bytes, len(head["panels"]))


def charts_of(app) -> list[str]:
    return [node.key for node in app.get("plotly_chart")]


def found_of(app, family: str = "lstm", target: int = 1, of: str = "logit"):
    info = cache.model_info(f"starter-{family}")
    text = app.text_area(key=state.TEXT).value
    return cache_gradients.gradients(info.name, info.fingerprint, text, target, of)


def equations_of(app) -> list[str]:
    return [node.proto.body for node in app.get("html") if "class='equation'" in node.proto.body]


# Every family and text ----------------------------------------------------------------------------------------------


def test_every_family_shows_its_gradients_whole(open_gradients, family):
    app = open_gradients(family, direction="backward")
    found = found_of(app, family)
    assert not app.error
    np.testing.assert_allclose(strip_of(app)["values"], found.embedding_norm_by_word, rtol=1e-5)
    head, _, exact = maps_of(app)
    assert [panel["name"] for panel in head["panels"]] == list(found.quantities())
    direction = len(found.directions) - 1 if found.is_recurrent else 0
    for values, sent in zip(found.quantities().values(), exact, strict=True):
        if found.is_recurrent:
            expected = values[1, direction, found.pos_of_words(direction)]
        else:
            expected = values[1, found.reading.last_token_of_word]  # the last but one: in the last only [CLS] has any
        np.testing.assert_array_equal(sent.reshape(-1, 16), expected.astype("<f4"))
    has_gates = family in ("lstm", "gru", "bilstm")
    assert charts_of(app) == [gradient_strip.LINES, *([gradient_strip.GATES] if has_gates else [])]
    shown = "".join(equations_of(app))
    assert shown.count("class='equation'") == {"rnn": 1, "gru": 2, "bert": 0}.get(family, 3)
    assert "It does not mean" in said(app)
    assert "arxiv.org/abs/2405.21064" in said(app)
    assert ("has no gates" in said(app)) == (family == "rnn")


@pytest.mark.parametrize(
    "text",
    ["terrible", "good " * 100, "</td><script>x</script> ![a](http://h/i.png) \u202e", "so good 😀 👩\u200d👧",
     "كان الفيلم رائعا"],
    ids=["one word", "a hundred words", "hostile", "emoji", "Arabic"],
)  # fmt: skip
def test_gradients_of_any_text_are_drawn(open_gradients, text):
    app = open_gradients(text=text)
    assert not app.error
    assert strip_of(app)["words"]
    assert charts_of(app) == [gradient_strip.LINES, gradient_strip.GATES]
    assert not [node.proto.body for node in app.get("html") if "<script" in node.proto.body]
    assert not [one.value for one in [*app.markdown, *app.caption] if "![a](" in one.value or "\u202e" in one.value]
    assert ("from right to left" in said(app)) == (strip_of(app)["dir"] == "rtl")


def test_a_hostile_label_stays_text_on_the_page(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm", labels=("<img src=x>", "![a](http://h/b.png)"))
    app = open_app(PAGE, text=TEXT, of="loss")
    assert not app.exception
    assert not app.error
    assert not [one.value for one in [*app.markdown, *app.caption] if "![a](" in one.value or "<img" in one.value]


@pytest.mark.parametrize(
    "address",
    [{"layer": "99"}, {"direction": "up"}, {"unit": "x"}, {"of": "nonsense"}, {"of": "loss", "label": "neutral"},
     {"scale": "?"}, {"target": "neutral"}, {"order": "verdict"}],
)  # fmt: skip
def test_nonsense_in_the_address_opens_the_gradients_as_they_are(open_gradients, address):
    app = open_gradients("bilstm", **address)
    assert not app.error
    assert len(charts_of(app)) == 2


# The strip ----------------------------------------------------------------------------------------------------------


def test_the_strip_tells_verdict_and_number_and_prints_its_scale(open_gradients):
    app = open_gradients(target="negative")
    found, told = found_of(app, target=0), strip_of(app)
    predicted = found.logits.argmax()
    assert told["headline"]["label"] == found.labels[predicted]
    assert told["headline"]["value"] == number(found.probs[predicted])
    assert told["headline"]["more"] == f"the logit of negative is {number(found.value, signed=True)}"
    assert told["scale"]["highName"] == number(found.embedding_norm_by_word.max())
    assert told["scale"]["text"] == "Bars: size of the gradient of the logit of negative by the word's vector (L2 norm)"
    assert told["selected"] == found.embedding_norm_by_word.argmax()


def test_every_chart_of_the_page_follows_the_chosen_word(open_gradients):
    app = open_gradients()
    assert set(charts_of(app)) <= set(strip_of(app)["charts"])
    assert strip_of(app)["group"] == maps_of(app)[0]["group"] == gradient_strip.GROUP


@pytest.mark.parametrize(
    "address", [{"of": "loss", "label": "negative"}, {"of": "Loss with a label", "label": "negative"}]
)
def test_the_loss_of_a_label_is_differentiated_where_it_is_asked_for(open_gradients, address):
    app = open_gradients(**address)
    found, told = found_of(app, target=0, of="loss"), strip_of(app)
    assert (found.of, found.target_label) == ("loss", "negative")
    np.testing.assert_allclose(told["values"], found.embedding_norm_by_word, rtol=1e-5)
    assert told["headline"]["more"] == f"the loss with label negative is {number(found.value)} nats"
    assert "the loss with label negative" in told["scale"]["text"]
    assert "the loss with label negative" in said(app)


def test_loss_and_label_are_chosen_on_the_page(open_gradients):
    app = open_gradients()
    assert gradient_strip.LABEL not in [box.key for box in app.selectbox]
    app.button_group(key=gradient_strip.OF).set_value("loss").run()
    app.selectbox(key=gradient_strip.LABEL).select("negative").run()
    assert not app.exception
    assert "the loss with label negative" in strip_of(app)["scale"]["text"]


def test_a_target_the_model_does_not_have_is_said(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm")
    save_tiny(home, "topics", "gru", labels=("sport", "politics", "weather"))
    app = open_app(PAGE, models=["starter-lstm", "topics"], text="not bad", look="topics", target="positive")
    assert not app.error
    assert "This model has no class positive; shown is" in said(app)


# Bad input ----------------------------------------------------------------------------------------------------------


def test_without_a_model_the_page_of_gradients_says_what_to_do(open_app):
    app = open_app(PAGE)
    assert not app.exception
    assert "No model to look into yet" in said(app)


@pytest.mark.parametrize("text", ["   ", "\n\t"])
def test_without_a_text_the_page_of_gradients_says_what_to_do(open_gradients, text):
    app = open_gradients(text=text)
    assert "Nothing to read yet" in said(app)
    assert not app.error


@pytest.mark.parametrize(
    ("family", "weight"), [("lstm", "rnn.weight_hh_l1"), ("bert", "bert.encoder.layer.1.output.dense.weight")]
)
def test_weights_that_are_no_numbers_are_named_instead_of_drawn(open_app, home, warmed, family, weight):
    save_tiny(home, f"starter-{family}", family)
    path = home / f"starter-{family}" / "model.safetensors"
    tensors = load_file(path)
    tensors[weight] = np.full_like(tensors[weight], np.nan)
    save_file(tensors, path, metadata={"format": "pt"})
    app = open_app(PAGE, text=TEXT)
    assert not app.exception
    (error,) = app.error
    assert "not finite" in error.value
    assert weight in error.value.replace("\\", "")
    assert not charts_of(app)


def test_weights_that_break_while_the_model_is_loaded_are_named_by_their_layer(open_gradients):
    app = open_gradients()
    info = cache.model_info("starter-lstm")
    cache.load(info.name, info.fingerprint).module.rnn.weight_hh_l1.fill_(np.nan)
    app.text_area(key=state.TEXT).input("another text").run()
    assert not app.exception
    (error,) = app.error
    assert "layer 2" in error.value
    assert "bug" not in error.value


def test_a_text_beyond_any_limit_is_refused_by_the_gradients(open_gradients):
    app = open_gradients(text="a" * (settings.MAX_TEXT_CHARS + 1))
    assert f"at most {settings.MAX_TEXT_CHARS:,}" in said(app)


# Long texts ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def read_texts(monkeypatch):
    """Every text whose gradients were traced."""
    seen, plain = [], api.trace_gradients

    def watch(model, text, *rest, **more):
        seen.append(text)
        return plain(model, text, *rest, **more)

    monkeypatch.setattr(api, "trace_gradients", watch)
    return seen


def test_a_very_long_text_is_priced_and_read_only_when_asked(open_gradients, monkeypatch, read_texts):
    monkeypatch.setattr(long_texts, "_SAMPLE_CHARS", 20)
    long = "the film was not good . " * 400
    app = open_gradients(text=long)
    assert "This text has 2,400 words" in said(app)
    assert "on this machine" in said(app)
    assert long not in read_texts
    assert not charts_of(app)
    assert app.button(key=long_texts.ASK).label == "Read all 2,400 words"
    app.button(key=long_texts.ASK).click().run()
    assert long_texts.wait(cache.model_info("starter-lstm"), long, 60)
    app.run()
    assert not app.error
    assert len(strip_of(app)["words"]) == 2400
    assert charts_of(app) == [gradient_strip.LINES, gradient_strip.GATES]


def test_a_text_that_would_be_cut_is_cut_only_with_leave(open_gradients, read_texts):
    long = f"{LONG} " * 20
    app = open_gradients("bert", text=long)
    shown = said(app)
    reading = cache.reading("starter-bert", cache.model_info("starter-bert").fingerprint, long)
    n_read, n_cut = len(reading.words), len(reading.truncated_words)
    assert n_cut > 0
    assert "It reads at most 128 tokens" in shown
    assert f"the first {n_read:,} of {n_read + n_cut:,} words" in shown
    assert f"the last {n_cut:,} would be left out" in shown
    assert long not in read_texts
    app.button(key=long_texts.ASK).click().run()
    assert long_texts.wait(cache.model_info("starter-bert"), long, 60)
    app.run()
    assert len(strip_of(app)["words"]) == n_read
    assert len(strip_of(app)["unread"]) > 0
    assert any(f"the last {n_cut:,} were not" in note for note in strip_of(app)["notes"])


def test_a_short_text_after_a_long_one_is_read_at_once(open_gradients):
    app = open_gradients("bert", text=f"{LONG} " * 20)
    assert not charts_of(app)
    app.text_area(key=state.TEXT).input(LONG).run()
    assert charts_of(app) == [gradient_strip.LINES]
    assert visible(LONG.split()[0]) == strip_of(app)["words"][0]
