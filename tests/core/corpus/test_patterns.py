"""Patterns of units found again, against a search that looks at every place of every text by itself."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from explorer_core import api
from explorer_core.corpus import patterns
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.unit_pattern import units_on
from tests.core.corpus.conftest import corpus

TEXT = "it is boring , never lovely a dull plot"


@pytest.fixture
def lstm(tiny_model):
    """One layer of many units: some go on and off at every word."""
    return tiny_model("lstm", num_layers=1, hidden_size=40)


def states_of(index, trace):
    """The states of a text that the index keeps of its corpus, [word, unit]."""
    about = index.about
    if hasattr(trace, "gates"):
        return trace.quantities()[about.quantity][about.layer, about.direction][trace.pos_of_words(about.direction)]
    return trace.hidden[about.layer][trace.reading.last_token_of_word]


def brute_force(index, trace, span, threshold, off_before, off_after):
    """Best score and place of every text that has one, by the definition and with Python's own sets."""
    values = states_of(index, trace).astype(np.float16).astype(np.float64)
    length = span[1] - span[0] + 1

    def fitting(rows: np.ndarray, first: int) -> set[int]:
        found = set()
        for unit in range(rows.shape[1]):
            is_on = all(rows[at, unit] >= threshold for at in range(first, first + length))
            before = first == 0 or rows[first - 1, unit] < threshold
            after = first + length == len(rows) or rows[first + length, unit] < threshold
            if is_on and (before or not off_before) and (after or not off_after):
                found.add(unit)
        return found

    pattern = fitting(values, span[0])
    best = []
    for text in range(index.about.n_texts):
        rows = index.states[:, index.starts[text] : index.starts[text + 1]].T.astype(np.float64)
        scores = []
        for first in range(len(rows) - length + 1):
            here = fitting(rows, first)
            either = pattern | here
            scores.append(len(pattern & here) / len(either) if either else 0.0)
        if scores:
            best.append((text, max(scores), scores.index(max(scores))))
    ranked = sorted((row for row in best if row[1] > 0), key=lambda row: (-row[1], row[0]))
    return pattern, ranked, len(best)


def some_threshold(index, trace, span, **more):
    """The highest of many thresholds at which there is a pattern."""
    for threshold in np.arange(0.8, -0.8, -0.02):
        if units_on(states_of(index, trace).astype(np.float16), span, threshold, **more).any():
            return float(threshold)
    return pytest.fail("no threshold leaves a pattern")


@pytest.mark.parametrize("span", [(2, 4), (3, 3), (0, 1), (7, 8), (0, 8)], ids=str)
@pytest.mark.parametrize("sides", [(False, False), (True, False), (False, True), (True, True)], ids=str)
def test_every_place_is_scored_as_by_looking_at_it_alone(lstm, span, sides):
    check_search(lstm, corpus(50), span, sides)


@pytest.mark.parametrize("threshold", [0.0, -0.05, -0.2])
def test_thresholds_below_zero_are_searched_exactly_too(lstm, threshold):
    check_search(lstm, corpus(50), (2, 4), (False, False), threshold)


def test_every_family_is_searched_exactly(family, tiny_model):
    check_search(tiny_model(family), corpus(30), (2, 3), (True, False), direction=int(family == "bilstm"))


def check_search(model, data, span, sides, threshold=None, direction=0):
    off_before, off_after = sides
    index, trace = api.index_states(model, data, direction=direction), api.trace_states(model, TEXT)
    if threshold is None:
        threshold = some_threshold(index, trace, span, off_before=off_before, off_after=off_after)
    found = api.find_pattern(index, trace, span, threshold, off_before=off_before, off_after=off_after)
    pattern, ranked, n_texts = brute_force(index, trace, span, threshold, off_before, off_after)
    assert set(found.units) == pattern
    assert found.n_texts == n_texts
    assert [tuple(row) for row in zip(found.matches.document, found.matches.first, strict=True)] == [
        (text, first) for text, _, first in ranked
    ]
    assert np.allclose(found.matches.value, [score for _, score, _ in ranked])
    assert found.matches.last.tolist() == [first + span[1] - span[0] for _, _, first in ranked]
    assert ranked, "the case shows nothing"


@pytest.mark.parametrize("chunk", [3, 64])
def test_chunks_of_any_size_give_the_same_scores(lstm, monkeypatch, chunk):
    index, trace = api.index_states(lstm, corpus(30)), api.trace_states(lstm, TEXT)
    more = {"off_before": True, "off_after": True}
    threshold = some_threshold(index, trace, (2, 4), **more)
    whole = api.find_pattern(index, trace, (2, 4), threshold, **more)
    monkeypatch.setattr(patterns, "_CHUNK_WORDS", chunk)
    parts = api.find_pattern(index, trace, (2, 4), threshold, **more)
    assert whole.to_frame().equals(parts.to_frame())


@pytest.mark.parametrize("length", [1, 2, 3, 4, 5, 8, 13])
def test_shifted_ands_are_runs_of_their_length(length):
    is_on = np.random.default_rng(0).random(200) < 0.8
    expected = [at + length <= 200 and bool(is_on[at : at + length].all()) for at in range(200)]
    assert patterns._throughout(is_on, length, 200).tolist() == expected


@pytest.mark.parametrize("span", [(0, 0), (1, 2), (8, 8), (0, 8)])
def test_a_text_of_the_corpus_finds_itself_whole(lstm, span):
    data = corpus(40)
    index = api.index_states(lstm, [*data.texts, TEXT])
    trace, more = api.trace_states(lstm, TEXT), {"off_before": True, "off_after": True}
    found = api.find_pattern(index, trace, span, some_threshold(index, trace, span, **more), **more)
    mine = found.matches.document == 40
    assert found.matches.value[mine].tolist() == [1.0]
    assert found.matches.inside[int(np.flatnonzero(mine)[0])] == " ".join(TEXT.split()[span[0] : span[1] + 1])


def test_no_match_crosses_the_end_of_a_text(lstm):
    # the second half of one text and the first of the next look like the span, but only together
    index = api.index_states(lstm, ["film good", "dull plot", "good dull", "good dull plot"])
    found = api.find_pattern(index, api.trace_states(lstm, "good dull plot"), (0, 2), -1.0)
    assert found.matches.document.tolist() == [3]
    assert (found.n_texts, found.n_places) == (1, 1)


def test_a_span_longer_than_every_text_finds_nothing(lstm):
    index = api.index_states(lstm, ["good", "dull plot"])
    found = api.find_pattern(index, api.trace_states(lstm, TEXT), (0, 6), -1.0)
    assert (len(found.matches), found.n_texts, found.n_places) == (0, 0, 0)
    assert found.to_frame().empty


def test_a_pattern_of_no_units_says_what_to_change(lstm):
    index, trace = api.index_states(lstm, corpus(5)), api.trace_states(lstm, TEXT)
    with pytest.raises(InvalidInputError, match="Lower the threshold"):
        api.find_pattern(index, trace, (0, 3), 0.999)
    with pytest.raises(InvalidInputError, match="do not ask for units to be off"):
        api.find_pattern(index, trace, (0, 3), 0.999, off_after=True)


@pytest.mark.parametrize(
    ("span", "threshold", "n", "says"),
    [
        ((3, 2), 0.1, 5, "words run from 0 to 8"),
        ((-1, 2), 0.1, 5, "words run from 0 to 8"),
        ((0, 9), 0.1, 5, "words run from 0 to 8"),
        ((0, 1), float("nan"), 5, "a number"),
        ((0, 1), 10**30, 5, "a number"),
        ((0, 1), "0.1", 5, "a number"),
        ((0, 1), 0.0, 0, "1 to 10,000"),
        ((0, 1), 0.0, 1.5, "1 to 10,000"),
        ((0, float("nan")), 0.1, 5, "two whole numbers"),
        (("0", "1"), 0.1, 5, "two whole numbers"),
        ((0,), 0.1, 5, "two whole numbers"),
        (3, 0.1, 5, "two whole numbers"),
    ],
)
def test_what_cannot_be_searched_is_refused(lstm, span, threshold, n, says):
    index, trace = api.index_states(lstm, corpus(5)), api.trace_states(lstm, TEXT)
    with pytest.raises(InvalidInputError, match=says):
        api.find_pattern(index, trace, span, threshold, n=n)


def test_a_text_of_another_network_is_refused(lstm, tiny_model):
    index = api.index_states(lstm, corpus(5))
    other = api.trace_states(tiny_model("lstm", seed=5), TEXT)
    with pytest.raises(IncompatibleError, match="another network"):
        api.find_pattern(index, other, (0, 1), 0.0)


def test_a_network_of_many_units_is_counted_without_overflow(tiny_model):
    model = tiny_model("lstm", num_layers=1, hidden_size=300)
    index, trace = api.index_states(model, corpus(6)), api.trace_states(model, TEXT)
    found = api.find_pattern(index, trace, (0, 1), -1.0)
    assert len(found.units) == 300
    assert (found.matches.value == 1.0).all()


def test_labels_are_counted_over_the_texts_that_could_match(lstm):
    data = corpus(30, n_classes=3)
    index = api.index_states(lstm, data)
    found = api.find_pattern(index, api.trace_states(lstm, TEXT), (0, 4), -1.0, n=7)
    could = [len(text.split()) >= 5 for text in data.texts]
    assert found.label_counts.tolist() == np.bincount(data.labels[could], minlength=3).tolist()
    assert len(found.matches) == 7
    assert found.matches.labels == tuple(data.label_names[data.labels[text]] for text in found.matches.document)


def test_texts_without_words_or_labels_are_passed_over(lstm):
    index = api.index_states(lstm, [" ", "good film", "\u200b", "dull", " "])
    found = api.find_pattern(index, api.trace_states(lstm, "good film"), (0, 0), -1.0)
    assert found.matches.document.tolist() == [1, 3]
    assert found.matches.labels == ("", "")
    assert found.label_counts.shape == (0,)


def test_matches_can_be_taken_away(lstm, tmp_path):
    index = api.index_states(lstm, corpus(20))
    found = api.find_pattern(index, api.trace_states(lstm, TEXT), (1, 2), 0.0)
    frame = pd.read_csv(found.save(tmp_path / "matches.csv"))
    assert frame.score.tolist() == pytest.approx(found.matches.value.tolist())
    assert list(frame.columns) == [
        "document", "label", "n_words", "first_word", "last_word", "score", "before", "inside", "after",
    ]  # fmt: skip
    kept = np.load(found.save(tmp_path / "matches.npz"))
    assert kept["units"].tolist() == found.units.tolist()
    assert kept["match_value"].tolist() == found.matches.value.tolist()
