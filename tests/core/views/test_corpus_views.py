"""Pictures over a corpus: words of a unit, units of a pattern, labels of the matches."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.palette import BLUE, VERMILLION, class_colors
from explorer_core.results.corpus import wilson_interval
from explorer_core.unit_pattern import states_after_words, units_on
from explorer_core.views import pattern_labels, pattern_span, unit_card
from tests.core.corpus.conftest import corpus

TEXT = "it is boring , never lovely"


@pytest.fixture
def index(tiny_model):
    return api.index_states(tiny_model("lstm", num_layers=1), corpus())


@pytest.fixture
def trace(tiny_model):
    return api.trace_states(tiny_model("lstm", num_layers=1), TEXT)


def test_each_word_is_one_bar_with_its_mean_and_its_places(index):
    card = api.unit_card(index, 3, n_words=5)
    figure = unit_card.render(card)
    bars = figure.data[0]
    assert list(bars.x) == [*card.top_words.mean, *card.bottom_words.mean[::-1]]
    labels = figure.layout.yaxis.ticktext
    assert labels[0] == f"{card.top_words.words[0]} · {card.top_words.counts[0]:,}"
    assert bars.marker.color[0] == BLUE
    assert bars.marker.color[-1] == VERMILLION
    low, high = figure.layout.xaxis.range
    assert low <= min(bars.x)
    assert high >= max(bars.x)
    assert figure.layout.shapes[0].x0 == pytest.approx(card.mean)
    assert card.top_words.words[0] in unit_card.alt_text(card)


def test_a_word_at_both_ends_of_a_small_corpus_is_drawn_once(tiny_model):
    index = api.index_states(tiny_model("lstm"), ["good film", "dull film"])
    words, *_ = unit_card.rows_of(api.unit_card(index, 0))
    assert sorted(words) == ["dull", "film", "good"]


def test_a_gate_is_drawn_from_zero_to_one(tiny_model):
    index = api.index_states(tiny_model("lstm"), corpus(), quantity="forget")
    figure = unit_card.render(api.unit_card(index, 3))
    assert figure.layout.xaxis.range == (0, 1.12)
    assert figure.layout.xaxis.title.text == "mean forget gate after the word"


def test_the_units_of_a_pattern_are_lines_of_their_own_and_the_rest_one_faint_trace(trace):
    values = states_after_words(trace, 0, 0, "hidden")
    units = np.flatnonzero(units_on(values, (2, 3), 0.05))
    assert 0 < len(units) < 16
    figure = pattern_span.render(values, trace.words, (2, 3), 0.05, units)
    faint, *own = figure.data
    assert [line.name for line in own] == [f"unit {unit}" for unit in units]
    for line, unit in zip(own, units, strict=True):
        assert np.allclose(line.y, values[:, unit].astype(float))
        assert (np.asarray(line.y[2:4]) >= 0.05).all()
    drawn = np.asarray(faint.y).reshape(-1, len(trace.words) + 1)
    assert np.isnan(drawn[:, -1]).all()
    assert np.allclose(drawn[:, :-1], np.delete(values, units, axis=1).T.astype(float))
    band = figure.layout.shapes[-1]
    assert (band.x0, band.x1) == (1.5, 3.5)
    assert "words 3 to 4, boring ," in pattern_span.alt_text(values, trace.words, (2, 3), 0.05, units)


def test_a_large_layer_is_drawn_in_part(trace):
    values = np.zeros((len(trace.words), 500), dtype=np.float16)
    figure = pattern_span.render(values, trace.words, (0, 1), -1.0, np.arange(100))
    assert len(figure.data) == 1 + pattern_span.MAX_LINES
    assert len(figure.data[0].y) == pattern_span.MAX_FAINT * (len(trace.words) + 1)


def test_label_rates_are_drawn_with_their_interval_and_base(index, trace):
    found = api.find_pattern(index, trace, (0, 1), -1.0, n=12)
    rates = found.label_rates()
    figure = pattern_labels.render(found)
    base, dots = figure.data
    assert np.allclose(base.x, found.label_counts / found.label_counts.sum())
    assert np.allclose(dots.x, np.bincount(found.matches.label, minlength=2) / 12)
    assert np.allclose(np.asarray(dots.x) + dots.error_x.array, rates.high)
    assert np.allclose(np.asarray(dots.x) - dots.error_x.arrayminus, rates.low)
    assert list(base.marker.color) == list(class_colors(("negative", "positive")))
    assert "12 matches" in pattern_labels.alt_text(found)


def test_wilsons_interval_holds_the_share_at_the_normal_quantile():
    low, high = wilson_interval(np.array([3, 0, 10]), 10)
    for count, ends in zip((3, 0, 10), zip(low, high, strict=True), strict=True):
        for end in ends:
            if 0 < end < 1:  # the ends solve (p - end)^2 = z^2 end (1 - end) / n
                assert (count / 10 - end) ** 2 == pytest.approx(1.959964**2 * end * (1 - end) / 10, rel=1e-5)
    assert low[1] == 0
    assert high[2] == 1
    assert [ends.tolist() for ends in wilson_interval(np.array([0]), 0)] == [[0], [1]]


def test_of_a_long_text_the_words_around_the_span_are_drawn_at_their_own_places(tiny_model):
    trace = api.trace_states(tiny_model("lstm", num_layers=1), "it is boring , never lovely " * 20)
    values = states_after_words(trace, 0, 0, "hidden")
    figure = pattern_span.render(values, trace.words, (70, 71), -1.0, np.array([2]))
    line = figure.data[-1]
    assert list(line.x) == list(range(50, 92))
    assert np.allclose(line.y, values[50:92, 2].astype(float))
    assert figure.layout.xaxis.tickvals[0] == 50
    assert figure.layout.xaxis.range == (49.5, 91.5)
