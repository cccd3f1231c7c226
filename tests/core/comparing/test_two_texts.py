"""One model, two texts: the same text moves nothing, states are measured as written, and every word has its column."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.distance import cosine

from explorer_core import api
from explorer_core.edits import word_columns
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import RecurrentTrace, TextRead
from tests.conftest import build_tiny
from tests.core.comparing.compared import KNOBS, equal

TEXT = "the film was not good but the acting was great"
EDITED = "the film was good but the acting was great"


def hidden_after(trace, word: int) -> list[np.ndarray]:
    """States after a word, one for each layer and direction, found token by token."""
    tokens = [pos for pos, owner in enumerate(trace.reading.word_of_token.tolist()) if owner == word]
    if isinstance(trace, RecurrentTrace):
        return [
            layer[way, tokens[-1] if way == 0 else tokens[0]] for layer in trace.hidden for way in range(len(layer))
        ]
    return [layer[tokens[-1]] for layer in trace.hidden]


def test_the_same_text_moves_exactly_nothing(family):
    found = api.compare_texts(build_tiny(family), TEXT, TEXT, 1, **KNOBS)
    assert found.in_both.all()
    assert found.is_kept.all()
    assert not found.score_difference.any()
    assert not found.state_distance.any()
    assert not found.state_turn.any()
    assert not np.diff(found.running_logits, axis=0).any()
    assert found.names == found.reading.words


def test_states_are_as_far_apart_as_a_loop_finds(family):
    model = build_tiny(family)
    found = api.compare_texts(model, TEXT, EDITED, 1, **KNOBS)
    traces = [api.trace_states(model, text, running=False) for text in (TEXT, EDITED)]
    for at, (one, two) in enumerate(found.columns.tolist()):
        got = found.state_distance[..., at].ravel(), found.state_turn[..., at].ravel()
        if min(one, two) < 0:
            assert np.isnan(got).all()
            continue
        for number, (before, after) in enumerate(
            zip(hidden_after(traces[0], one), hidden_after(traces[1], two), strict=True)
        ):
            before, after = before.astype(np.float64), after.astype(np.float64)
            size = (np.sqrt((before**2).sum()) + np.sqrt((after**2).sum())) / 2
            assert got[0][number] == pytest.approx(np.sqrt(((before - after) ** 2).sum()) / size, abs=1e-9)
            assert got[1][number] == pytest.approx(cosine(before, after), abs=1e-9)
            assert 0 <= got[0][number] <= 2 + 1e-9


def test_a_network_that_reads_one_way_knows_nothing_of_the_edit_before_it(recurrent_family):
    found = api.compare_texts(build_tiny(recurrent_family), TEXT, EDITED, 1, **KNOBS)
    edit = found.names.index("− not")
    assert not found.state_distance[0, 0, :edit].any()  # the layers above a BiLSTM's first read both ways
    assert not np.diff(found.running_logits[:, :edit], axis=0).any()
    assert found.state_distance[:, 0, edit + 1 :].all()
    if found.directions[-1] == "backward":
        assert found.state_distance[:, 1, :edit].all()  # the backward half has read the edit already


def test_scores_and_verdicts_are_those_of_the_desk(family):
    model = build_tiny(family)
    found = api.compare_texts(model, TEXT, EDITED, 1, **KNOBS)
    for side, text in enumerate((TEXT, EDITED)):
        there = found.columns[:, side] >= 0
        assert found.columns[there, side].tolist() == list(range(len(text.split())))
        scores = api.attribute(model, text, target=1, **KNOBS).scores
        np.testing.assert_array_equal(found.scores[side, there], scores)
        np.testing.assert_array_equal(found.running_logits[side, there], api.running_verdict(model, text)[:, 1])
    back = api.compare_texts(model, EDITED, TEXT, 1, **KNOBS)
    np.testing.assert_array_equal(back.score_difference, -found.score_difference)
    np.testing.assert_array_equal(back.state_distance, found.state_distance)


def test_what_was_read_before_is_not_read_again():
    model = build_tiny("gru")
    fresh = api.compare_texts(model, TEXT, EDITED, 1, **KNOBS)
    reads = tuple(
        TextRead(
            api.trace_states(model, text),
            api.attribute(model, text, target=1, **KNOBS),
            api.running_verdict(model, text),
        )
        for text in (TEXT, EDITED)
    )
    assert equal(api.compare_texts(model, TEXT, EDITED, known=reads), fresh)
    other = TextRead(reads[1].trace, api.attribute(model, EDITED, target=0, **KNOBS), None)
    with pytest.raises(IncompatibleError, match="different classes"):
        api.compare_texts(model, TEXT, EDITED, known=(reads[0], other))
    stranger = build_tiny("gru", seed=3)
    strange = TextRead(api.trace_states(stranger, EDITED), api.attribute(stranger, EDITED, target=1, **KNOBS), None)
    with pytest.raises(IncompatibleError, match="different models"):
        api.compare_texts(model, TEXT, EDITED, known=(reads[0], strange))


def test_the_verdict_word_by_word_can_be_left_out_and_a_text_must_hold_words():
    model = build_tiny("bert")
    found = api.compare_texts(model, TEXT, EDITED, running=False, method="gradient_norm")
    assert found.running_probs is None
    assert "prob_first" not in found.to_frame()
    with pytest.raises(InvalidInputError):
        api.compare_texts(model, TEXT, "  ")


def test_a_bundle_makes_the_change_again(keep, tmp_path: Path):
    model = api.load_model(keep("lstm"))
    arguments = {"other": EDITED, "target": 1, "method": "integrated_gradients", **KNOBS}
    made = api.Made("compare_texts", arguments, api.compare_texts(model, TEXT, **arguments))
    path = api.reproduce_bundle(tmp_path / "bundle.zip", model, TEXT, [made])
    assert path.stat().st_size > 1_000
    assert equal(api.compare_texts(model, TEXT, **made.arguments), made.result)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a b c", "a b c"), ("a b c", "c b a"), ("a b", "x y z"), ("a a a a", "a a"), ("", "a b"), ("a b", ""),
        ("كان الفيلم رائعا", "كان رائعا"), ("so good \U0001f60d", "so \U0001f60d \U0001f60d good"),
        ("one two three four", "one three two four"),
    ],
)  # fmt: skip
def test_every_word_has_one_column_and_both_texts_keep_their_order(first, second):
    ones, twos = first.split(), second.split()
    columns = word_columns(ones, twos)
    assert [one for one, _ in columns if one >= 0] == list(range(len(ones)))
    assert [two for _, two in columns if two >= 0] == list(range(len(twos)))
    assert all(max(column) >= 0 for column in columns)


# Edits worth trying -------------------------------------------------------------------------------------------------


def test_the_word_that_weighs_most_is_dropped_first_and_the_blanks_close():
    text = "The plot is good, but dull."
    scores = api.attribute(build_tiny("lstm"), text, "leave_one_out", 1)
    drops = [one for one in api.suggest_edits(text, scores) if one.kind == "drop"]
    assert [one.before for one in drops] == [scores.words[at] for at in np.argsort(-np.abs(scores.scores))[:4]]
    for one in drops:
        edited = one.apply(text)
        assert edited.replace(" ", "") == text.replace(" ", "").replace(one.before, "", 1)
        assert "  " not in edited
        assert edited == edited.strip()


def test_negations_go_and_come():
    def edited(text: str) -> list[str]:
        return [one.apply(text) for one in api.suggest_edits(text) if one.kind == "negate"]

    assert "The film is good" in edited("The film is not good")
    assert edited("The film is good") == ["The film is not good"]
    assert "I did like it" in edited("I didn't like it")
    assert "You can see it" in edited("You can't see it")
    assert "It would have been good" in edited("It wouldn’t have been good")
    assert edited("Wonderful acting") == []
    assert edited("") == []


def test_words_are_swapped_as_the_pairs_of_the_corpus_do():
    swaps = {(one.before, one.after) for one in api.suggest_edits("Good food, never worse") if one.kind == "swap"}
    assert {("Good", "Bad"), ("worse", "better"), ("never", "always")} <= swaps
    assert next(one.apply("Good food") for one in api.suggest_edits("Good food") if one.kind == "swap") == "Bad food"


@pytest.mark.parametrize("text", ["<b>not</b> &amp; is", "\u202egood\u2066 not", "😀", "كان جيد", "not", "is"])
def test_suggestions_change_any_text_and_leave_the_rest(text):
    for one in api.suggest_edits(text):
        edited = one.apply(text)
        assert edited != text
        assert edited.startswith(text[: one.start].rstrip()) or not text[: one.start].strip()
        assert edited.endswith(text[one.end :].lstrip())
