"""The section Layers: hidden states, the head on every layer, sizes, and how alike the vectors are."""

from __future__ import annotations

import base64
import json

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from pages._ui import cache, state
from pages._ui.sections.states import layers
from tests.pages.conftest import said
from tests.pages.test_heads import unpacked
from tests.pages.tiny import save_tiny


@pytest.fixture
def open_layers(open_app, home, warmed):
    def opener(**address):
        save_tiny(home, "starter-bert", "bert")
        app = open_app("pages/states.py", **address)
        assert not app.exception
        return app

    return opener


def trace_of(app):
    info = cache.model_info("starter-bert")
    return cache.trace(info.name, info.fingerprint, app.text_area(key=state.TEXT).value, True)


def matrix_of(app):
    found = next(node.proto for node in app.get("bidi_component") if node.proto.id.endswith(layers.WORDS))
    return unpacked(found.bytes)


@pytest.mark.parametrize("text", ["terrible", "<b>x</b> \u202e", "so good 😀", "كان الفيلم رائعا"])
def test_any_text_is_drawn_layer_by_layer(open_layers, text):
    app = open_layers(text=text)
    assert not app.error
    assert matrix_of(app)[1].shape == (len(trace_of(app).words),) * 2


def test_the_map_of_words_is_the_similarity_of_the_chosen_layer(open_layers):
    app = open_layers(text="not bad at all", layer="1")
    similarity = api.compare_layers(trace_of(app))
    head, cells = matrix_of(app)
    assert np.array_equal(cells, similarity.between_words[1])
    assert (head["kind"], head["title"]) == ("signed", "Cosine of the words after layer 1")
    assert number(float(similarity.mean_between_words[1]), signed=True) in said(app)


def test_centring_is_a_choice_that_is_said(open_layers):
    app = open_layers(text="not bad at all", layer="0")
    app.toggle(key=layers.CENTRED).set_value(True).run()
    head, cells = matrix_of(app)
    assert np.array_equal(cells, api.compare_layers(trace_of(app), centred=True).between_words[0])
    assert head["title"] == "Cosine of the words in the embedding, centred"


def test_the_verdict_of_every_layer_is_drawn_for_the_target_class(open_layers):
    app = open_layers(text="not bad at all", target="negative")
    info = cache.model_info("starter-bert")
    verdicts = api.trace_layer_verdicts(cache.load(info.name, info.fingerprint), "not bad at all")
    specs = [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]
    line = next(spec["data"][0] for spec in specs if spec["layout"]["xaxis"].get("title", {}).get("text") == "layer")
    assert line["name"] == "negative"
    shown = np.frombuffer(base64.b64decode(line["y"]["bdata"]), dtype=line["y"]["dtype"])
    assert np.allclose(shown, verdicts.probs[:, 0], atol=1e-6)
    assert "trained on the last layer only" in said(app)


@pytest.mark.parametrize("says", ["", "x", "nan"])
def test_nonsense_in_the_address_falls_back_to_the_first_choice(open_layers, says):
    app = open_layers(text="not bad", says=says, head=says, layer=says, unit=says)
    assert not app.error
