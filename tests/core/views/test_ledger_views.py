"""The ledger under its words, its waterfall, and the two halves: what is drawn is what the results hold."""

import dataclasses
import itertools

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.palette import BLUE, NEGATIVE, POSITIVE, VERMILLION
from explorer_core.views import halves, ledger_waterfall, word_ledger
from tests.core.views.conftest import TEXTS


@pytest.fixture
def books_of(tiny_model):
    def books(family: str = "lstm", text: str = TEXTS["thirty words"], *, target=1, **sizes):
        return api.lstm_ledger(tiny_model(family, **sizes), text, target)

    return books


def drawn(figure, axis: str, kind: str = "bar"):
    return [trace for trace in figure.data if trace.type == kind and (trace.yaxis or "y") == axis]


# Under the words ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", ["lstm", "bilstm"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_every_word_has_its_bars_in_all_three_panels(books_of, family, text):
    books = books_of(family, text)
    figure = word_ledger.render(books)
    kept, lost = (np.asarray(bar.y) for bar in drawn(figure, "y"))
    assert np.allclose(kept + lost, books.written_by_entry[-1, 0])
    assert np.allclose(drawn(figure, "y2")[0].y, books.kept_share_by_entry[-1, 0])
    added = np.sum([bar.y for bar in drawn(figure, "y3")], axis=0)
    assert np.allclose(added, books.word_scores)
    assert list(drawn(figure, "y")[0].x) == list(range(len(books.words)))


def test_the_bars_under_the_words_and_the_bias_sum_to_the_logit(books_of):
    books = books_of("bilstm", num_layers=1)
    figure = word_ledger.render(books, direction=1)
    total = sum(np.sum(bar.y) for bar in drawn(figure, "y3"))
    assert total + books.bias[1] == pytest.approx(books.logits[1], abs=1e-5)
    assert word_ledger.bars(books).total == pytest.approx(total)


def test_one_unit_shows_its_own_signed_numbers(books_of):
    books = books_of("bilstm")
    bars = word_ledger.bars(books, direction=1, unit=3)
    alone = books.written[-1, 1, :, 3]
    assert np.allclose(bars.written.sum(), alone.sum())
    assert bars.kept.sum() == pytest.approx(books.cell_end[-1, 1, 3], abs=1e-5)
    assert bars.total == pytest.approx(books.pooled[1, 3] * books.weight[1, 1, 3], abs=1e-5)
    assert "i × g of unit 3" in str(word_ledger.render(books, direction=1, unit=3).layout.annotations)


def test_a_lower_layer_shows_its_cell_and_what_the_top_layer_added(books_of):
    books = books_of(num_layers=3)
    lower, top = word_ledger.bars(books, layer=0, unit=2), word_ledger.bars(books)
    assert lower.kept.sum() == pytest.approx(books.cell_end[0, 0, 2], abs=1e-5)
    assert np.array_equal(lower.added, top.added)
    assert "of layer 3, all units" in str(word_ledger.render(books, layer=0, unit=2).layout.annotations)


def test_shares_are_drawn_from_zero_to_one_whatever_they_are(books_of):
    assert word_ledger.render(books_of()).layout.yaxis2.range == pytest.approx((-0.03, 1.03))


@pytest.mark.parametrize("place", [{"layer": 2}, {"direction": 1}, {"unit": 16}, {"unit": -1}])
def test_a_place_that_is_not_there_is_refused_with_the_bounds(books_of, place):
    with pytest.raises(InvalidInputError, match=f"no {next(iter(place))} .* run from 0 to"):
        word_ledger.render(books_of(), **place)


def test_special_tokens_stand_behind_the_words_in_italics(books_of):
    books = books_of(text="not so bad", vocabulary="words", end_token=True)
    figure = word_ledger.render(books)
    assert list(figure.layout.xaxis.tickvals) == [0, 1, 2, 3]
    assert list(figure.layout.xaxis.ticktext) == ["not", "so", "bad", "<i>[END]</i>"]
    assert len(drawn(figure, "y")[0].y) == 4


@pytest.mark.parametrize(("target", "colors"), [(1, (POSITIVE, NEGATIVE)), (0, (NEGATIVE, POSITIVE))])
def test_what_speaks_for_a_class_has_its_colour(books_of, target, colors):
    books = books_of(target=target)
    bar = drawn(word_ledger.render(books), "y3")[0]
    assert all(color == colors[0 if value >= 0 else 1] for value, color in zip(bar.y, bar.marker.color, strict=True))


def test_of_many_classes_plus_is_blue_and_minus_orange(books_of):
    books = books_of(target=2, labels=("a", "b", "c"))
    assert set(drawn(word_ledger.render(books), "y3")[0].marker.color) == {BLUE, VERMILLION}


def test_a_long_text_carries_no_numbers_and_a_short_one_those_that_count(books_of):
    assert not drawn(word_ledger.render(books_of()), "y3", "scatter")
    books = books_of(text="the plot is not good")
    numbers = drawn(word_ledger.render(books), "y3", "scatter")[0]
    sizes = np.abs(books.word_scores)
    assert list(numbers.x) == list(np.flatnonzero(sizes >= sizes.max() * 0.05))


# Waterfall ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sort", ledger_waterfall.SORTS)
@pytest.mark.parametrize("family", ["lstm", "bilstm"])
@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_bars_start_where_the_one_before_ended_and_end_at_the_logit(books_of, family, text, sort):
    books = books_of(family, text)
    found = ledger_waterfall.steps(books, sort=sort)
    assert found[0].name == "bias"
    assert found[0].before == 0
    for one, other in itertools.pairwise(found):
        assert other.before == one.after
    assert found[-1].after == pytest.approx(books.logits[1], abs=1e-5)
    assert len(found) <= ledger_waterfall.MAX_WORDS + 2
    figure = ledger_waterfall.render(books, sort=sort)
    assert len(figure.layout.yaxis.ticktext) == len(found) + 1
    total = figure.data[-2]
    assert list(total.x) == [found[-1].after]


def test_words_with_a_bar_are_those_that_count_most(books_of):
    books = books_of(text=TEXTS["three hundred words"])
    by_size = ledger_waterfall.steps(books, sort="size")
    sizes = [abs(step.after - step.before) for step in by_size[1:-1]]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes == pytest.approx(sorted(np.abs(books.word_scores), reverse=True)[:15])
    assert by_size[-1].name == "the other 285 words"
    in_order = ledger_waterfall.steps(books)
    assert {step.name for step in in_order} == {step.name for step in by_size}
    places = [int(step.name.split("(")[1].rstrip(")")) for step in in_order[1:-1]]
    assert places == sorted(places)


def test_one_word_too_many_gets_its_own_bar(books_of):
    books = books_of(text="the plot is not good")
    assert [step.name for step in ledger_waterfall.steps(books, most=4)] == ["bias", "the", "plot", "is", "not", "good"]
    assert ledger_waterfall.steps(books, most=3)[-1].name == "the other 2 words"


def test_an_unknown_order_of_the_waterfall_is_refused(books_of):
    with pytest.raises(InvalidInputError, match="reading order or by size"):
        ledger_waterfall.render(books_of(), sort="alphabet")


def test_both_halves_of_a_word_meet_in_its_row(books_of):
    books = books_of("bilstm", "not bad")
    forward, backward = (trace for trace in ledger_waterfall.render(books).data[:2])
    starts = [float(value) for value in forward.base]
    assert np.allclose([float(value) for value in backward.base], np.add(starts, forward.x))
    assert forward.marker.pattern.shape is None
    assert backward.marker.pattern.shape == "/"


# Halves -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_each_half_is_drawn_where_it_has_read_a_word(tiny_model, text):
    found = api.trace_halves(tiny_model("bilstm"), text, "positive")
    figure = halves.render(found)
    forward, forward_end, backward, backward_end = figure.data
    assert np.allclose(forward.y, found.forward_by_word[:, 1])
    assert np.allclose(backward.y, found.backward_by_word[:, 1])
    assert forward_end.x[0] == len(found.words) - 1
    assert backward_end.x[0] == 0
    low, high = figure.layout.yaxis.range
    assert low < min(*forward.y, *backward.y, 0) <= max(*forward.y, *backward.y, 0) < high


def test_both_full_dots_and_the_bias_are_the_logit(tiny_model):
    found = api.trace_halves(tiny_model("bilstm", vocabulary="words", end_token=True), "not so bad", 0)
    figure = halves.render(found)
    ends = figure.data[1].y[0] + figure.data[3].y[0]
    assert ends + found.bias[0] == pytest.approx(found.logits[0], abs=1e-5)
    assert figure.data[1].x[0] == 3  # behind the last word: the closing token


# In words -----------------------------------------------------------------------------------------------------------


def test_the_figures_of_the_ledger_are_told_in_words_too(books_of, tiny_model):
    books = books_of("bilstm", "not bad \u202eat all")
    books = dataclasses.replace(books, labels=("negative", "\u202epositive"))
    for text in (word_ledger.alt_text(books), ledger_waterfall.alt_text(books)):
        assert "\\u202epositive" in text
        assert "\u202e" not in text
    assert "forward half adds" in halves.alt_text(api.trace_halves(tiny_model("bilstm"), "not bad"))
