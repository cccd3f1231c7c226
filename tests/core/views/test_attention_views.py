"""Pictures of a BERT's layers and heads hold the numbers of their results, on scales that are said."""

from __future__ import annotations

import math

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.views import attention_rollout, head_summary, layer_similarity, layer_verdict
from tests.core.views.conftest import TEXTS


@pytest.fixture
def trace_of(tiny_model):
    """A trace without the running verdict, which no picture here needs."""
    return lambda text, **sizes: api.trace_states(tiny_model("bert", max_tokens=512, **sizes), text, running=False)


@pytest.fixture
def summary_of(trace_of):
    return lambda text, **sizes: api.summarise_attention(trace_of(text, **sizes))


@pytest.fixture
def verdicts_of(tiny_model):
    return lambda text, **sizes: api.trace_layer_verdicts(tiny_model("bert", **sizes), text)


# The head on every layer --------------------------------------------------------------------------------------------


def test_a_point_of_the_verdict_is_the_probability_of_its_layer(verdicts_of):
    verdicts = verdicts_of("not that bad", num_layers=3)
    (line,) = layer_verdict.render(verdicts, target=1).data
    assert np.allclose(line.y, verdicts.probs[:, 1])
    assert line.x.tolist() == [0, 1, 2, 3]
    assert line.name == "positive"


def test_logits_of_all_classes_are_drawn_on_a_scale_centred_on_zero(verdicts_of):
    verdicts = verdicts_of("not that bad", labels=("bad", "so so", "good"))
    figure = layer_verdict.render(verdicts, target=2, quantity="logit")
    assert [line.name for line in figure.data] == ["bad", "so so", "good"]
    assert all(np.allclose(line.y, verdicts.logits[:, index]) for index, line in enumerate(figure.data))
    low, high = figure.layout.yaxis.range
    assert low == -high
    assert high >= np.abs(verdicts.logits).max()


def test_of_three_classes_all_probabilities_are_drawn(verdicts_of):
    verdicts = verdicts_of("not that bad", labels=("bad", "<b>so</b>", "good"))
    figure = layer_verdict.render(verdicts, target=0)
    assert [line.name for line in figure.data] == ["bad", "&lt;b&gt;so&lt;/b&gt;", "good"]
    assert figure.layout.yaxis.range == pytest.approx((-0.03, 1.03))


@pytest.mark.parametrize("wrong", [{"target": 2}, {"target": -1}, {"target": 0, "quantity": "odds"}])
def test_a_class_or_quantity_that_is_not_there_is_refused(verdicts_of, wrong):
    with pytest.raises(InvalidInputError, match=r"run from 0 to 1|allowed: probability, logit"):
        layer_verdict.render(verdicts_of("not bad"), **wrong)


def test_layers_of_a_deep_network_are_thinned_under_the_axis(verdicts_of):
    figure = layer_verdict.render(verdicts_of("bad", num_layers=24), target=0)
    assert figure.layout.xaxis.ticktext[0] == "embedding"
    assert len(figure.layout.xaxis.ticktext) < 14


# From layer to layer ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_lines_and_map_hold_the_cosines_from_layer_to_layer(trace_of, text):
    similarity = api.compare_layers(trace_of(text, num_layers=3))
    *lines, heat = layer_similarity.render(similarity).data
    assert np.allclose([line.y for line in lines], similarity.to_next_layer, atol=1e-6)
    assert np.allclose(heat.z, similarity.to_next_layer, atol=1e-6)
    assert heat.zmax == 1
    assert heat.zmin == layer_similarity.lowest(similarity.to_next_layer) <= similarity.to_next_layer.min()


@pytest.mark.parametrize(("least", "start"), [(0.93, 0.9), (0.9, 0.8), (0.05, 0.0), (-0.01, -0.1), (-1.0, -1.0)])
def test_the_scale_of_cosines_begins_below_the_least_of_them(least, start):
    assert layer_similarity.lowest(np.array([least, 1.0])) == pytest.approx(start)


# Heads --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_a_cell_of_the_map_of_heads_is_the_number_of_its_head(summary_of, text):
    summary = summary_of(text, num_layers=3)
    for quantity, values in summary.quantities().items():
        (heat,) = head_summary.render(summary, quantity=quantity).data
        assert np.allclose(heat.z, values, atol=1e-6)
        assert heat.zmin == 0
        assert heat.zmax >= values.max() - 1e-6


def test_entropy_is_drawn_up_to_its_largest_possible_value(summary_of):
    summary = summary_of("not that bad")
    (heat,) = head_summary.render(summary, quantity="entropy").data
    assert heat.zmax == pytest.approx(math.log2(5))


def test_layers_are_counted_from_one_from_the_top_and_a_head_can_be_framed(summary_of):
    figure = head_summary.render(summary_of("not that bad"), layer=1, head=2)
    assert figure.layout.yaxis.range == (2.5, 0.5)
    assert figure.data[0].x.tolist() == [1, 2, 3, 4]
    assert {(shape.x0, shape.y0) for shape in figure.layout.shapes} == {(2.5, 1.5)}


def test_every_cell_is_numbered_where_there_is_room(summary_of):
    assert len(head_summary.render(summary_of("not bad")).layout.annotations) == 8
    wide = head_summary.render(summary_of("not bad", hidden_size=20, num_heads=20))
    assert len(wide.layout.annotations) == 0


def test_a_quantity_that_no_head_has_is_refused_with_those_there_are(summary_of):
    with pytest.raises(InvalidInputError, match="entropy, distance, opening"):
        head_summary.render(summary_of("not bad"), quantity="beauty")


def test_special_tokens_are_called_by_their_names(summary_of):
    summary = summary_of("not bad")
    assert head_summary.name_of(summary, "opening") == "Share on [CLS]"
    assert head_summary.name_of(summary, "closing") == "Share on [SEP]"


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_bars_of_rollout_and_special_tokens_sum_to_one(summary_of, text):
    summary = summary_of(text)
    (bars,) = attention_rollout.render(summary).data
    assert len(bars.y) == len(summary.words)
    assert np.sum(bars.y) + summary.reading_of_text[summary.is_special].sum() == pytest.approx(1, abs=1e-5)


def test_pictures_of_heads_and_layers_are_told_in_words(summary_of, trace_of, verdicts_of):
    summary = summary_of("not that bad")
    assert head_summary.alt_text(summary, quantity="closing").startswith("Share on [SEP] of 2 x 4 heads: largest ")
    assert attention_rollout.alt_text(summary).startswith("Rollout over 3 words; largest: ")
    similarity = api.compare_layers(trace_of("not bad"))
    assert "embedding to layer 1" in layer_similarity.alt_text(similarity)
    assert "embedding to last layer" in layer_verdict.alt_text(verdicts_of("not bad"), target=0)
