"""The page Words: every family, every section, what costs is asked for, and hostile words stay words."""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import re
import threading

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.results import AttributionPrice
from explorer_core.views import score_waterfall
from pages._ui import cache, cache_words, score_pictures, scored, work
from pages._ui.sections.words import baselines, flips, method, together
from tests.conftest import build_tiny
from tests.pages.conftest import chart, said, settled
from tests.pages.tiny import save_tiny

PAGE = "pages/words.py"
TEXT = "not unbelievably bad but great"


pytestmark = pytest.mark.usefixtures("nothing_left_running")


def strip_of(app) -> dict:
    return json.loads(next(node.proto for node in app.get("bidi_component") if node.proto.id.endswith("strip")).json)


def numbers(array) -> np.ndarray:
    """What a figure sends for an array: a list, or its bytes."""
    if isinstance(array, dict):
        return np.frombuffer(base64.b64decode(array["bdata"]), array["dtype"])
    return np.array(array)


def test_the_strip_shows_the_scores_of_the_desk(open_words, family):
    app = open_words(family, method="leave_one_out", target="positive")
    info = cache.model_info(f"starter-{family}")
    expected = api.attribute(cache.load(info.name, info.fingerprint), TEXT, "leave_one_out", "positive")
    assert strip_of(app)["values"] == pytest.approx(expected.scores.tolist(), rel=1e-4, abs=1e-6)
    drawn = next(one for one in chart(app, score_pictures.BARS)["data"] if one["type"] == "bar")
    assert len(drawn["customdata"]) == len(expected.words)
    assert "speaks most for" in said(app)


def test_a_complete_method_says_its_gap_and_an_unsigned_one_says_so(open_words):
    assert "the gap is" in said(open_words(method="integrated_gradients"))
    app = open_words(method="gradient_norm")
    assert "without a sign" in said(app)
    assert "hangs most on" in said(app)


def test_the_trust_card_gives_its_grade_and_its_reasons(open_words):
    app = settled(open_words(method="gradient_norm").run())
    card = next(node.proto.body for node in app.get("html") if "class='grade'" in node.proto.body)
    assert "Do not rely on it" in card  # a tiny network of random weights
    assert "shuffled weights" in card


def test_only_methods_that_fit_are_offered(open_words, family):
    offered = open_words(family).selectbox(key=scored.METHOD).options
    assert ("LSTM ledger" in offered) == (family in ("lstm", "bilstm"))
    assert ("Attention rollout" in offered) == (family == "bert")


def test_methods_stand_side_by_side_with_their_ranks(open_words):
    app = open_words("lstm", view="Side by side")
    assert len([one for one in chart(app, together.CHART)["data"] if one["type"] == "bar"]) == 3
    assert any("class='taus'" in node.proto.body for node in app.get("html"))
    assert "side" in said(app)


def test_words_on_different_sides_are_named():
    model = build_tiny("lstm")
    one = api.attribute(model, TEXT, "leave_one_out", 1)
    other = api.attribute(model, TEXT, "input_x_gradient", 1)
    (sentence,) = together.differences([one, other])
    differ = [
        word
        for word, mine, theirs in zip(one.words, one.scores, other.scores, strict=True)
        if mine * theirs < 0
        and abs(mine) > 0.05 * abs(one.scores).max()
        and abs(theirs) > 0.05 * abs(other.scores).max()
    ]
    assert all(word in sentence for word in differ)
    assert ("different sides" in sentence) == bool(differ)


def test_every_baseline_has_a_panel_or_a_reason(open_words):
    app = open_words("lstm", view="Baselines")
    n_drawn = len([one for one in chart(app, baselines.CHART)["data"] if one["type"] == "bar"])
    n_left_out = sum("has no" in one.value for one in app.caption)
    assert n_drawn + n_left_out == 5
    assert "baselines the score of" in said(app)
    info = cache.model_info("starter-lstm")
    model = cache.load(info.name, info.fingerprint)
    left_out = " ".join(one.value for one in app.caption)
    names = [one for one in ("pad", "mask", "unk", "zero", "mean") if f"no {one} token" not in left_out]
    scores = np.stack([api.attribute(model, TEXT, baseline=name).scores for name in names])
    (bars,) = (one for one in chart(app, baselines.SPREAD)["data"] if one["type"] == "bar")
    drawn = {name: numbers(bars["error_y"][name]) for name in ("array", "arrayminus")} | {"y": numbers(bars["y"])}
    np.testing.assert_allclose(drawn["y"], scores.mean(0), atol=1e-6)
    np.testing.assert_allclose(drawn["y"] + drawn["array"], scores.max(0), atol=1e-6)
    np.testing.assert_allclose(drawn["y"] - drawn["arrayminus"], scores.min(0), atol=1e-6)


def test_the_fewest_words_that_turn_the_verdict_are_named(open_words, family):
    app = settled(open_words(family, view="Flips"))
    info = cache.model_info(f"starter-{family}")
    expected = api.find_flips(cache.load(info.name, info.fingerprint), TEXT, budget=flips.BUDGET)
    if expected.n_words:
        assert any(expected.named(0)[0] in node.proto.body for node in app.get("html") if "flips" in node.proto.body)
        assert ("No fewer words do" in said(app)) == expected.is_exact
    else:
        assert "turn" in said(app)


def test_flips_that_were_cancelled_are_looked_for_again(open_words):
    app = settled(open_words("gru", view="Flips"))
    (key,) = [one for one in work._desk().jobs if one.startswith("flips")]
    job = work._desk().jobs[key]
    job.state, job.result = "cancelled", None
    app.run()
    assert not app.get("bidi_component")
    settled(app.button(key="words_flips_again").click().run())
    assert work.task(key).state == "done"


def test_flips_say_how_a_word_is_taken_away_and_what_the_bars_are(open_words):
    app = settled(open_words("gru", view="Flips"))
    info = cache.model_info("starter-gru")
    found = api.find_flips(cache.load(info.name, info.fingerprint), TEXT, budget=flips.BUDGET)
    assert f"A word is taken away {flips.removal_told(found, 'recurrent')}." in said(app)
    (shown,) = (node.proto.json for node in app.get("bidi_component") if node.proto.id.endswith(flips.STRIP))
    assert shown.count("Bars:") == 1
    unknown = dataclasses.replace(found, removal="unk")
    assert "unknown token in its place" in flips.removal_told(unknown, "transformer")
    hidden = dataclasses.replace(found, removal="drop")
    assert flips.removal_told(hidden, "transformer") != flips.removal_told(hidden, "recurrent")


def test_what_costs_much_is_asked_for_first(open_words, monkeypatch):
    monkeypatch.setattr(cache_words, "price", lambda *_: AttributionPrice(90.0, 5_000, 12.0))
    app = open_words("lstm", method="lime")
    assert "5,000 times" in said(app)
    button = next(one for one in app.button if one.label == "Score the words")
    app = settled(button.click().run().run())
    assert "speaks most for" in said(app)


def test_work_that_was_cancelled_is_offered_again(open_words, monkeypatch):
    monkeypatch.setattr(cache_words, "price", lambda *_: AttributionPrice(90.0, 5_000, 12.0))
    started = threading.Event()

    def endless(*_, _progress):
        started.set()
        while True:
            _progress(0.1)

    monkeypatch.setattr(cache_words, "attribution", endless)
    app = open_words("lstm", method="lime")
    app = next(one for one in app.button if one.label == "Score the words").click().run()
    assert started.wait(60)
    cancel = next(one for one in app.button if one.label == "Cancel")
    app = settled(cancel.click().run())
    assert "cancelled" in said(app)
    assert [one.label for one in app.button if one.label == "Score the words"]
    assert strip_of(app)["values"] == [None] * 5  # the text stands there without bars


def test_a_dear_method_names_a_cheaper_one_and_a_click_takes_it(open_words, monkeypatch):
    cheap = ("input_x_gradient", "gradient_norm")
    monkeypatch.setattr(
        cache_words, "price",
        lambda *asked: AttributionPrice(2.0 if asked[3] in cheap else 90.0, 5_000, 12.0),
    )  # fmt: skip
    app = open_words("lstm", method="lime")
    assert "Input × gradient takes about 2 s." in said(app)  # neither do the scores of LIME promise to add up
    app = settled(next(one for one in app.button if one.label == "Take Input × gradient instead").click().run())
    assert app.session_state[scored.METHOD] == "input_x_gradient"
    assert "speaks most for" in said(app)


def test_a_cheaper_method_that_does_not_add_up_says_so_beside_one_that_does(open_words, monkeypatch):
    monkeypatch.setattr(
        cache_words, "price",
        lambda *asked: AttributionPrice(2.0 if asked[3] == "input_x_gradient" else 90.0, 5_000, 12.0),
    )  # fmt: skip
    app = open_words("lstm", method="shapley_sampling")
    assert "Input × gradient takes about 2 s, but its scores do not promise to add up" in said(app)


def test_without_anything_cheap_no_other_method_is_named(open_words, monkeypatch):
    monkeypatch.setattr(cache_words, "price", lambda *_: AttributionPrice(90.0, 5_000, 12.0))
    app = open_words("lstm", method="lime")
    assert not [one for one in app.button if "instead" in one.label]


# Pictures -----------------------------------------------------------------------------------------------------------


def test_a_complete_method_has_a_waterfall_to_the_logit(open_words, family):
    app = open_words(family, show="Waterfall", target="positive")
    info = cache.model_info(f"starter-{family}")
    found = api.attribute(cache.load(info.name, info.fingerprint), TEXT, target="positive")
    drawn = [one for one in chart(app, score_pictures.WATERFALL)["data"] if one["type"] == "bar"]
    steps = score_waterfall.steps(found)
    assert drawn[0]["hovertext"] == [step.name for step in steps]
    assert len(drawn) == 2
    by_size = app.button_group(key=score_pictures.SORT).set_value("Largest first").run()
    names = next(one for one in chart(by_size, score_pictures.WATERFALL)["data"] if one["type"] == "bar")["hovertext"]
    assert names == [step.name for step in score_waterfall.steps(found, sort="size")]


def test_a_method_without_a_sum_says_why_it_has_no_waterfall(open_words):
    app = open_words(method="leave_one_out", show="Waterfall")
    assert "Leave one out does not promise that its scores add up" in said(app)
    assert "Integrated gradients" in said(app).split("These methods do:")[1]
    assert not [one for one in app.get("plotly_chart") if one.key == score_pictures.WATERFALL]


def test_a_long_text_says_how_many_words_share_a_step(open_words):
    app = settled(open_words("gru", text="good bad " * 50, show="Waterfall"))
    assert "The 40 words with the largest scores have a bar each; the other 60 share one." in said(app)


def test_the_table_has_every_word_with_score_share_rank_and_pieces(open_words):
    app = open_words("lstm", method="shapley_sampling", show="Table")
    table = app.dataframe[0].value
    info = cache.model_info("starter-lstm")
    found = api.attribute(cache.load(info.name, info.fingerprint), TEXT, "shapley_sampling")
    assert list(table["entry"]) == list(found.words)
    np.testing.assert_allclose(table["score"], found.scores)
    np.testing.assert_allclose(table["standard_error"], found.standard_error)
    assert list(table["n_pieces"]) == found.to_frame()["n_pieces"].tolist()
    assert sorted(table["rank"]) == [1, 2, 3, 4, 5]


def test_tokens_are_shown_by_strip_bars_table_and_waterfall(open_words):
    address = {"family": "bert", "scores_of": "Tokens"}
    app = open_words(**address)
    tokens = [token["text"] for token in strip_of(app)["tokens"]]
    assert strip_of(app)["view"] == "tokens"
    bars = next(one for one in chart(app, score_pictures.TOKEN_BARS)["data"] if one["type"] == "bar")
    assert bars["hovertext"] == tokens
    app = open_words(**address, show="Table")
    assert list(app.dataframe[0].value["token"]) == tokens
    app = open_words(**address, show="Waterfall")
    assert len(chart(app, score_pictures.WATERFALL)["data"][0]["hovertext"]) == len(tokens) + 2


def test_a_method_of_whole_words_says_that_it_has_no_tokens(open_words):
    app = open_words("bert", method="leave_one_out", scores_of="Tokens")
    assert "it has scores of words, and none of tokens" in said(app)
    assert chart(app, score_pictures.BARS)


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([0.5, -0.25, 0.0], "“a{b}” speaks most for **positive** (+0.500), “c” most against it (−0.250)."),
        ([-0.5, -0.25, -1.0], "No word speaks for **positive**; “d” speaks most against it (−1.00)."),
        ([0.5, 0.25, 0.75], "“d” speaks most for **positive** (+0.750); no word speaks against it."),
    ],
)
def test_the_sentence_names_a_word_for_and_against_only_where_there_is_one(scores, expected):
    found = api.attribute(build_tiny("lstm"), "a c d", "leave_one_out", 1)
    reading = dataclasses.replace(found.reading, words=("a{b}", "c", "d"))
    found = dataclasses.replace(found, scores=np.array(scores), reading=reading)
    shown = method.told(found).replace("\\", "").replace("\u2068", "").replace("\u2069", "")
    assert shown.startswith(expected)


# Samples ------------------------------------------------------------------------------------------------------------


def test_twice_as_many_samples_are_told_and_taken(open_words):
    app = open_words("lstm", method="gradient_shap", words_gradient_shap_n_samples="20")
    info = cache.model_info("starter-lstm")
    found = api.attribute(cache.load(info.name, info.fingerprint), TEXT, "gradient_shap", n_samples=20)
    error = float(np.median(found.standard_error))
    assert f"With 20 samples the standard error is {number(error)} logit" in said(app)
    assert f"With 40 expect about {number(error / math.sqrt(2))}" in said(app)
    app = settled(app.button(key=score_pictures.MORE).click().run())
    assert app.session_state[scored.knob_key("gradient_shap", "n_samples")] == 40
    assert "With 40 samples" in said(app)


def test_no_more_samples_are_offered_than_there_may_be(open_words):
    app = open_words("lstm", text="good", method="gradient_shap", words_gradient_shap_n_samples="3000")
    app = settled(app)
    assert app.button(key=score_pictures.MORE).label == "5,000 samples, the most there are"
    app = open_words("lstm", text="good", method="gradient_shap", words_gradient_shap_n_samples="5000")
    assert "More samples than that are not drawn" in said(settled(app))


# Long texts and links -----------------------------------------------------------------------------------------------


def test_words_beyond_the_limit_of_the_network_are_told_and_not_scored(open_words):
    text = "the film was not good but the acting was great " * 150
    app = settled(open_words("bert", text=text, method="gradient_norm"))
    assert not app.error
    shown = strip_of(app)
    assert shown["unread"] and shown["unreadMore"]
    assert any("126 of 1,500 words were read" in note for note in shown["notes"])
    assert len(shown["words"]) < 1_500


def test_a_link_reopens_method_settings_and_picture(open_words):
    app = open_words(
        "lstm", method="Shapley sampling", show="Waterfall", scores_of="Tokens", sort="Largest first",
        words_shapley_sampling_n_samples="10", words_shapley_sampling_removal="drop",
    )  # fmt: skip
    info = cache.model_info("starter-lstm")
    found = api.attribute(
        cache.load(info.name, info.fingerprint), TEXT, "shapley_sampling", n_samples=10, removal="drop"
    )
    assert strip_of(app)["values"] == pytest.approx(found.scores.tolist(), rel=1e-4, abs=1e-6)
    drawn = chart(app, score_pictures.WATERFALL)["data"][0]["hovertext"]
    assert drawn == [step.name for step in score_waterfall.steps(found, sort="size")]


@pytest.mark.parametrize("text", ["", "   "])
def test_no_text_is_said(open_words, text):
    assert "Nothing to read yet" in said(open_words(text=text))


def test_hostile_words_and_labels_stay_text(open_app, home, warmed):
    save_tiny(home, "starter-lstm", "lstm", labels=("<img src=x>", "![a](http://h/b.png)"))
    pages = [{"view": view} for view in ("One method", "Side by side", "Baselines", "Flips")]
    for address in (*pages, {"show": "Waterfall"}, {"show": "Table"}):
        app = settled(open_app(PAGE, text="</td><script>x</script> [a](http://h) good", **address).run())
        assert not app.exception
        assert not [one for one in app.get("html") if "<script" in one.proto.body or "<img" in one.proto.body]
        assert not [one.value for one in (*app.caption, *app.markdown) if re.search(r"!\[a\]\(|(?<!\\)<img", one.value)]


@pytest.mark.parametrize("text", ["terrible", "so good \U0001f60d", "كان الفيلم رائعا", "good bad " * 150])
def test_any_text_is_shown(open_words, text):
    app = open_words("gru", text=text, method="gradient_norm")
    assert not app.error
    assert strip_of(app)["words"]
