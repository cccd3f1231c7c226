"""Agreement with people's marks: against hand-computed numbers, scikit-learn and brute force."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pytest
from sklearn import metrics

from explorer_core import api
from explorer_core.attribution import _human
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.datasets._rationales import RationaleTexts
from explorer_core.errors import CancelledError, ExplorerError, InvalidInputError
from tests.conftest import build_tiny

METHODS = ("gradient_norm", "leave_one_out", "input_x_gradient")
TEXTS = (
    "the film was not good",
    "a lovely film",
    "boring and awful plot , bad acting",
    "so good \U0001f60d really",
    "never dull but also never great",
    "we loved it",
)
SPANS = (((13, 21),), ((2, 8),), ((0, 6), (11, 16), (24, 27)), ((8, 9),), ((0, 10), (26, 31)), ((3, 8),))


def rationales(texts=TEXTS, spans=SPANS, labels=None, names=("negative", "positive")) -> RationaleTexts:
    found = np.arange(len(texts)) % 2 if labels is None else np.array(labels)
    return RationaleTexts(tuple(texts), found, tuple(names), tuple(spans), np.arange(len(texts)) + 1, "some texts")


def measured(family: str = "lstm", data: RationaleTexts | None = None, **given):
    return api.measure_human_agreement(build_tiny(family), data or rationales(), **{"methods": METHODS, **given})


# Words and characters -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "span", "words"),
    [
        ("not good", (0, 3), {"not"}),
        ("not good", (2, 5), {"not", "good"}),
        ("not good", (3, 4), set()),  # the blank between them
        ("so \U0001f469\u200d\U0001f467 good", (4, 5), {"\U0001f469\u200d\U0001f467"}),  # inside a family
        ("cafe\u0301 good", (4, 5), {"cafe\u0301"}),  # its accent only
        ("كان رائعا", (4, 9), {"رائعا"}),
    ],
)
def test_a_word_is_marked_if_any_of_its_characters_is(text: str, span: tuple[int, int], words: set[str]) -> None:
    from explorer_core.text import split_words

    spans = np.array(split_words(text))
    marked = _human.marked_words(spans, [span])
    assert {text[start:end] for (start, end), mark in zip(spans, marked, strict=True) if mark} == words


def test_marks_equal_a_look_at_every_character() -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        edges = np.sort(rng.choice(60, size=2 * rng.integers(1, 8), replace=False)).reshape(-1, 2)
        words = np.sort(rng.choice(60, size=2 * rng.integers(1, 8), replace=False)).reshape(-1, 2)
        held = {at for start, end in edges for at in range(start, end)}
        expected = [any(at in held for at in range(start, end)) for start, end in words]
        assert _human.marked_words(words, [tuple(edge) for edge in rng.permutation(edges)]).tolist() == expected
    assert not _human.marked_words(np.array([[0, 3], [4, 5]]), []).any()


# Measures -----------------------------------------------------------------------------------------------------------


def test_a_hand_computed_text() -> None:
    marked = np.array([True, False, True, False, False])
    scores = np.array([0.9, 0.8, 0.1, 0.3, -2.0])  # ranks of the marked words: 1 and 4
    auprc, f1, at_1, at_3, at_5 = _human.measures_of(marked, scores)
    assert auprc == pytest.approx((1 / 1 + 2 / 4) / 2)
    assert (f1, at_1, at_3, at_5) == pytest.approx((1 / 2, 1, 1 / 3, 2 / 5))


def test_scores_that_are_the_mask_are_perfect_and_turned_round_they_are_worst() -> None:
    rng = np.random.default_rng(1)
    for n_words, n_marked in ((2, 1), (5, 2), (30, 7), (300, 299)):
        marked = rng.permutation(np.arange(n_words) < n_marked)
        assert _human.measures_of(marked, marked.astype(float))[:3] == [1, 1, 1]
        ranked = np.where(marked, -1.0, 1.0) + rng.uniform(0, 0.1, n_words)
        worst = sum(place / (n_words - n_marked + place) for place in range(1, n_marked + 1)) / n_marked
        assert _human.measures_of(marked, ranked)[0] == pytest.approx(worst)
        assert _human.measures_of(marked, ranked)[1] == pytest.approx(max(2 * n_marked - n_words, 0) / n_marked)


def test_of_words_with_one_score_each_counts_for_its_chance() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        marked = rng.permutation(np.arange(7) < rng.integers(1, 7))
        scores = rng.integers(0, 3, 7).astype(float)
        found = _human.measures_of(marked, scores)
        orders = [rng.permutation(7) for _ in range(4_000)]  # every way to break the ties is as good as another
        ranked = [marked[order][np.argsort(-scores[order], kind="stable")] for order in orders]
        for k, value in zip((int(marked.sum()), *_human.AT), found[1:], strict=True):
            assert value == pytest.approx(np.mean([row[:k].mean() for row in ranked]), abs=0.03)
        flat = _human.measures_of(marked, np.zeros(7))
        assert flat[1:] == pytest.approx(_human.expected_of(7, int(marked.sum()))[1:])


def test_measures_equal_those_of_scikit_learn() -> None:
    rng = np.random.default_rng(2)
    for _ in range(60):
        marked = np.zeros(12, dtype=bool)
        marked[rng.choice(12, rng.integers(1, 12), replace=False)] = True
        scores = rng.normal(size=12)
        found = _human.measures_of(marked, scores)
        threshold = np.sort(scores)[-marked.sum()]
        assert found[1] == pytest.approx(metrics.f1_score(marked, scores >= threshold))
        for k, value in zip(_human.AT, found[2:], strict=True):
            assert value == pytest.approx(metrics.precision_score(marked, scores >= np.sort(scores)[-k]))
        precision, recall, _ = metrics.precision_recall_curve(marked, scores)
        assert found[0] == pytest.approx(-np.sum(np.diff(recall) * precision[:-1]))


def test_random_order_is_the_mean_over_every_order() -> None:
    for n_words in range(2, 7):
        for n_marked in range(1, n_words):
            marks = np.arange(n_words) < n_marked
            every = [
                _human.measures_of(marks, np.array(order, dtype=float))
                for order in itertools.permutations(range(n_words))
            ]
            assert _human.expected_of(n_words, n_marked) == pytest.approx(np.mean(every, axis=0).tolist())


def test_the_random_row_lies_within_its_interval() -> None:
    rng = np.random.default_rng(3)
    masks = [rng.permutation(np.arange(n) < k) for n, k in ((4, 1), (9, 3), (20, 5), (6, 5))]
    means = _human.random_means(masks, 0)
    expected = np.mean([_human.expected_of(len(mask), int(mask.sum())) for mask in masks], axis=0)
    error = means.std(0) / np.sqrt(len(means))
    assert (np.abs(means.mean(0) - expected) < 4 * error).all()
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    assert ((low <= expected) & (expected <= high)).all()


# Over texts ---------------------------------------------------------------------------------------------------------


def test_the_scores_are_those_of_the_desk_and_the_means_their_own(family: str) -> None:
    model = build_tiny(family)
    found = api.measure_human_agreement(model, rationales(), methods=METHODS)
    assert found.texts == TEXTS
    for text, given in enumerate(TEXTS):
        rows = found.words_of(text)
        for index, method in enumerate(METHODS):
            alone = api.attribute(model, given, method)
            np.testing.assert_allclose(found.scores[index, rows], alone.scores, rtol=1e-4, atol=1e-6)
            assert found.words[rows] == alone.words
        auprc = metrics.average_precision_score(found.marked[rows], found.scores[0, rows])
        assert found.values[0, 0, text] == pytest.approx(auprc)
    assert found.predicted.tolist() == api.predict(model, TEXTS).logits.argmax(1).tolist()
    assert ((found.low <= found.mean) & (found.mean <= found.high)).all()
    frame = found.to_frame()
    assert frame["method"].tolist() == [*METHODS, "random"]
    np.testing.assert_allclose(frame["auprc"], [*found.mean[:, 0], found.random[0]])
    assert found.texts_frame()["auprc_leave_one_out"].tolist() == found.values[1, 0].tolist()


def test_methods_in_another_order_only_move_the_rows() -> None:
    one, other = measured(), measured(methods=METHODS[::-1])
    np.testing.assert_array_equal(one.values, other.values[::-1])
    np.testing.assert_array_equal(one.low, other.low[::-1])
    np.testing.assert_array_equal(one.random_high, other.random_high)


def test_the_interval_is_that_of_draws_with_replacement() -> None:
    found = measured()
    drawn = np.random.default_rng(7).integers(0, len(TEXTS), (20_000, len(TEXTS)))
    low, high = np.percentile(found.values[0, 0][drawn].mean(1), [2.5, 97.5])
    assert found.low[0, 0] == pytest.approx(low, abs=0.03)
    assert found.high[0, 0] == pytest.approx(high, abs=0.03)


def test_texts_without_a_choice_are_left_out_and_counted() -> None:
    texts = (*TEXTS, "a film", "good bad", "\u200b\u200b", "dull")
    spans = (*SPANS, (), ((0, 8),), ((0, 1),), ((0, 4),))
    found = measured(data=rationales(texts, spans))
    assert found.texts == TEXTS
    assert found.left_out == {"every word marked": 2, "no word marked": 1, "nothing the model can read": 1}
    with pytest.raises(InvalidInputError, match="No text is left to measure on: 1 with no word marked"):
        measured(data=rationales(["a film"], [()]))


def test_only_words_that_were_read_count_in_a_text_that_is_cut() -> None:
    model = build_tiny("bert", max_tokens=8)
    data = rationales(["the film was not good and the acting bad and the plot dull"], [((13, 21), (54, 58))])
    found = api.measure_human_agreement(model, data, methods=["gradient_norm"])
    assert found.n_truncated == 1
    assert len(found.words) == 6
    assert int(found.marked.sum()) == 2
    beyond = rationales(["the film was not good and the acting bad and the plot dull"], [((54, 58),)])
    with pytest.raises(InvalidInputError, match="no word marked"):
        api.measure_human_agreement(model, beyond, methods=["gradient_norm"])


def test_the_class_explained_and_the_texts_used_follow_the_switches() -> None:
    model = build_tiny("lstm")
    labels = 1 - api.predict(model, TEXTS).logits.argmax(1)
    labels[:2] = 1 - labels[:2]  # the first two are judged rightly
    data = rationales(labels=labels)
    assert measured(data=data).n_wrong == len(TEXTS) - 2
    right = measured(data=data, only_right=True)
    assert right.texts == TEXTS[:2]
    assert right.left_out == {"a text judged wrongly": len(TEXTS) - 2}
    gold = measured(data=data, target="gold")
    alone = api.attribute(model, TEXTS[3], "leave_one_out", int(labels[3]))
    np.testing.assert_allclose(gold.scores[1, gold.words_of(3)], alone.scores, rtol=1e-4, atol=1e-6)


def test_labels_of_another_task_are_not_told_apart_and_gold_needs_them() -> None:
    data = rationales(names=("sports", "politics"))
    assert measured(data=data).true.tolist() == [-1] * len(TEXTS)
    with pytest.raises(ExplorerError, match="do not match"):
        measured(data=data, target="gold")
    nameless = dataclasses.replace(rationales(), labels=np.full(len(TEXTS), -1), label_names=())
    with pytest.raises(InvalidInputError, match="no labels"):
        measured(data=nameless, only_right=True)


def test_a_draw_is_the_same_from_the_same_seed_and_another_from_another() -> None:
    one, again, other = (measured(n_texts=3, seed=seed) for seed in (5, 5, 6))
    assert one.texts == again.texts
    np.testing.assert_array_equal(one.low, again.low)
    assert len(one.texts) == 3
    assert {one.texts, other.texts} <= set(itertools.combinations(TEXTS, 3))
    assert len({measured(n_texts=3, seed=seed).texts for seed in range(6)}) > 1


def test_a_labelled_set_with_spans_can_be_given_as_it_is() -> None:
    split = np.array(["test"] * 4 + ["train"] * 2)
    data = LabelledTexts(TEXTS, np.arange(6) % 2, ("negative", "positive"), split, "set", "A set.", spans=SPANS)
    assert measured(data=data).texts == TEXTS[:4]
    assert measured(data=data, split="all").texts == TEXTS


def test_work_can_be_stopped_and_says_how_far_it_is() -> None:
    shares: list[float] = []
    measured(progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(share: float) -> None:
        if share > 0.4:
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        measured(progress=stop)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"methods": []}, "At least 1 method"),
        ({"methods": "leave_one_out"}, "A list of names"),
        ({"methods": ["leave_one_out", "leave_one_out"]}, "each once"),
        ({"methods": ["magic"]}, "magic"),
        ({"methods": ["attention_rollout"]}, "attention"),
        ({"n_texts": 1}, "allowed: 2 to"),
        ({"n_texts": True}, "whole number"),
        ({"target": "wish"}, "allowed: predicted, gold"),
        ({"seed": -1}, "Seed"),
        ({"split": "nowhere", "data": api.DataSpec("starter")}, "no split"),
    ],
)
def test_what_cannot_be_asked_is_refused(given: dict, says: str) -> None:
    with pytest.raises(ExplorerError, match=says):
        measured(**given)


def test_arrays_and_tables_can_be_taken_away(tmp_path: Path) -> None:
    found = measured()
    with np.load(found.save(tmp_path / "found.npz")) as arrays:
        np.testing.assert_array_equal(arrays["values"], found.values)
    assert (tmp_path / "found.npz").exists()
    assert found.save(tmp_path / "found.csv").read_text().count("\n") == len(METHODS) + 2
