"""Metrics against independent code, and what a split, a label and a pair mean."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from explorer_core import evaluation, prediction
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.errors import ExplorerError, IncompatibleError, InvalidInputError, NotFoundError
from explorer_core.results import Predictions, softmax

LABELS = ("negative", "positive")


class Judge:
    """Stands in for a model: gives the logits it was told, text by text."""

    name = "judge"

    def __init__(self, logits: dict[str, tuple[float, ...]], labels: tuple[str, ...] = LABELS) -> None:
        self.logits, self.labels = logits, labels

    def predict(self, _model: Any, texts: list[str], progress: Any = None) -> Predictions:
        logits = np.array([self.logits[text] for text in texts], dtype=np.float32)
        none = np.zeros(len(texts), dtype=np.int64)
        return Predictions(self.name, self.labels, tuple(texts), logits, softmax(logits), none, none)


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes a judge and lets it answer for `prediction.predict`."""

    def make(*arguments: Any) -> Judge:
        found = Judge(*arguments)
        monkeypatch.setattr(prediction, "predict", found.predict)
        return found

    return make


def texts_of(
    rows: list[tuple[str, int, str]], names: tuple[str, ...] = LABELS, **groups: tuple[str, ...]
) -> LabelledTexts:
    """Labelled texts from (text, label, split) rows."""
    texts, labels, split = zip(*rows, strict=True)
    return LabelledTexts(texts, np.array(labels), names, np.array(split), "hand", "By hand.", groups=groups)


def simple_ece(probs: np.ndarray, true: np.ndarray, n_bins: int) -> float:
    """The definition of Guo et al. 2017, read off one bin at a time."""
    total = 0.0
    for number in range(n_bins):
        low, high = number / n_bins, (number + 1) / n_bins
        rows = [row for row in range(len(true)) if low < probs[row].max() <= high]
        if rows:
            accuracy = sum(probs[row].argmax() == true[row] for row in rows) / len(rows)
            confidence = sum(float(probs[row].max()) for row in rows) / len(rows)
            total += len(rows) / len(true) * abs(accuracy - confidence)
    return total


@pytest.mark.parametrize("n_classes", [2, 3, 20])
@pytest.mark.parametrize("n_bins", [1, 10, 15])
def test_calibration_error_equals_its_definition(n_classes: int, n_bins: int) -> None:
    rng = np.random.default_rng(n_classes)
    probs = softmax(rng.normal(size=(500, n_classes)) * 2)
    true = rng.integers(0, n_classes, 500)
    assert evaluation.calibration_error(probs, true, n_bins) == pytest.approx(simple_ece(probs, true, n_bins), abs=1e-9)


def test_calibration_error_is_zero_when_confidence_equals_accuracy() -> None:
    probs = np.tile([0.25, 0.75], (4, 1))
    assert evaluation.calibration_error(probs, np.array([1, 1, 1, 0])) == pytest.approx(0.0, abs=1e-12)


def test_sure_and_always_wrong_has_calibration_error_one() -> None:
    assert evaluation.calibration_error(np.tile([0.0, 1.0], (3, 1)), np.zeros(3, int)) == 1.0


def test_accuracy_f1_and_confusion_equal_hand_counts(judge: Any) -> None:
    data = texts_of([("a", 0, "test"), ("b", 0, "test"), ("c", 1, "test"), ("d", 1, "test"), ("e", 1, "train")])
    model = judge({"a": (1, 0), "b": (0, 1), "c": (0, 2), "d": (0, 3)})
    result = evaluation.evaluate(model, data)
    assert result.accuracy == 0.75
    assert result.macro_f1 == pytest.approx((2 / 3 + 4 / 5) / 2)  # F1 of negative: P 1, R 1/2; of positive: P 2/3, R 1
    assert result.confusion.tolist() == [[1, 1], [0, 2]]
    assert result.true.tolist() == [0, 0, 1, 1]
    assert result.predictions.texts == ("a", "b", "c", "d")


def test_confusion_sums_to_the_texts_and_its_diagonal_to_the_accuracy(judge: Any) -> None:
    rng = np.random.default_rng(3)
    names = tuple("abcde")
    rows = [(f"text {number}", int(rng.integers(5)), "test") for number in range(200)]
    model = judge({text: tuple(rng.normal(size=5)) for text, _, _ in rows}, names)
    result = evaluation.evaluate(model, texts_of(rows, names))
    assert result.confusion.sum() == 200
    assert np.trace(result.confusion) / 200 == pytest.approx(result.accuracy)
    assert result.confusion.sum(1).tolist() == np.bincount(result.true, minlength=5).tolist()


def test_a_class_that_never_occurs_keeps_its_row_in_the_confusion(judge: Any) -> None:
    data = texts_of([("a", 0, "test"), ("b", 1, "test")], ("good", "bad"))
    model = judge({"a": (0, 0, 1), "b": (1, 0, 0)}, ("bad", "ugly", "good"))
    result = evaluation.evaluate(model, data)
    assert result.confusion.shape == (3, 3)
    assert result.accuracy == 1.0
    assert result.macro_f1 == 1.0


def test_the_split_all_takes_every_row_in_order(judge: Any) -> None:
    data = texts_of([("a", 0, "test"), ("b", 1, "train"), ("c", 1, "validation")])
    model = judge({"a": (1, 0), "b": (0, 1), "c": (1, 0)})
    result = evaluation.evaluate(model, data, "all")
    assert result.predictions.texts == ("a", "b", "c")
    assert result.accuracy == pytest.approx(2 / 3)
    assert "all rows" in result.dataset


def test_a_split_without_rows_names_the_filled_ones(judge: Any) -> None:
    with pytest.raises(NotFoundError, match=r"'validation'.*train \(1\)"):
        evaluation.evaluate(judge({}), texts_of([("a", 0, "train")]), "validation")


def test_an_unknown_split_names_the_allowed_ones(judge: Any) -> None:
    with pytest.raises(InvalidInputError, match="train, validation, test"):
        evaluation.evaluate(judge({}), texts_of([("a", 0, "train")]), "dev")


def test_groups_count_only_rows_that_have_one(judge: Any) -> None:
    data = texts_of(
        [("a", 0, "test"), ("b", 0, "test"), ("c", 1, "test"), ("d", 1, "train")],
        domain=("films", "films", "", "films"), pair=("", "", "", ""),
    )  # fmt: skip
    result = evaluation.evaluate(judge({"a": (1, 0), "b": (0, 1), "c": (0, 1)}), data)
    assert result.groups == {"domain": {"films": 0.5}}
    assert result.pairs_right == {}


def test_a_pair_is_right_only_when_both_sides_are() -> None:
    is_right = np.array([True, True, True, False, False, False, True])
    pairs = ("p1", "p1", "p2", "p2", "p3", "p3", "")
    phenomena = ("negation", "negation", "negation", "negation", "irony", "irony", "plain")
    found = evaluation.pairs_right(is_right, pairs, phenomena)
    assert found == {"all": pytest.approx(1 / 3), "irony": 0.0, "negation": 0.5}
    assert next(iter(found)) == "all"


def test_a_pair_with_one_side_in_the_split_is_not_counted() -> None:
    assert evaluation.pairs_right(np.array([True, False, True]), ("p1", "p2", "p2")) == {"all": 0.0}
    assert evaluation.pairs_right(np.array([True]), ("p1",)) == {}


def test_pairs_right_is_never_above_accuracy_of_the_paired_texts() -> None:
    rng = np.random.default_rng(0)
    is_right = rng.random(400) < 0.8
    pairs = tuple(f"p{number // 2}" for number in range(400))
    assert evaluation.pairs_right(is_right, pairs)["all"] <= is_right.mean()


@pytest.mark.parametrize(
    ("data_labels", "model_labels", "expected"),
    [
        (("negative", "positive"), ("negative", "positive"), (0, 1)),
        (("Positive", " NEGATIVE "), ("negative", "positive"), (1, 0)),
        (("neg", "pos"), ("negative", "positive"), (0, 1)),
        (("1", "0"), ("negative", "positive"), (1, 0)),
        (("negative", "positive"), ("LABEL_0", "LABEL_1"), (0, 1)),
        (("pos",), ("1", "0"), (0,)),
        (("ham", "spam"), ("spam", "ham"), (1, 0)),
        (("2", "0"), ("0", "1", "2"), (2, 0)),
        (("neg", "neutral"), ("NEUTRAL", "negative", "positive"), (1, 0)),
        (("A", "a"), ("a", "A"), (1, 0)),
    ],
)
def test_labels_are_matched_by_name(data_labels: Any, model_labels: Any, expected: tuple[int, ...]) -> None:
    found = evaluation.match_labels(data_labels, model_labels)
    assert tuple(found[label] for label in data_labels) == expected


@pytest.mark.parametrize(
    ("data_labels", "model_labels"),
    [
        (("ham", "spam"), ("negative", "positive")),
        (("negative", "positive"), ("0", "1", "2")),  # which of three numbers is positive is not ours to guess
        (("neg", "negative"), ("negative", "positive")),
        (("1", "2"), ("negative", "positive")),
        (("0", "1", "positive"), ("negative", "positive")),
    ],
)
def test_labels_that_do_not_match_are_refused_with_both_lists(data_labels: Any, model_labels: Any) -> None:
    with pytest.raises(IncompatibleError) as caught:
        evaluation.match_labels(data_labels, model_labels)
    assert data_labels[0] in str(caught.value)
    assert model_labels[0] in str(caught.value)


def test_a_hostile_label_is_cut_in_the_message() -> None:
    with pytest.raises(ExplorerError) as caught:
        evaluation.match_labels(["<script>" * 5_000], LABELS)
    assert len(str(caught.value)) < 400


def test_labels_absent_from_the_split_need_no_match(judge: Any) -> None:
    data = texts_of([("a", 0, "test"), ("b", 2, "train")], ("negative", "positive", "neutral"))
    assert evaluation.evaluate(judge({"a": (1, 0)}), data).accuracy == 1.0


def test_an_evaluation_saves_a_row_for_every_text(judge: Any, tmp_path: Any) -> None:
    import pandas as pd

    data = texts_of([("a", 0, "test"), ('b,\n"c"', 1, "test")])
    result = evaluation.evaluate(judge({"a": (1, 0), 'b,\n"c"': (1, 0)}), data)
    frame = pd.read_csv(result.save(tmp_path / "rows.csv"))
    assert frame["text"].tolist() == ["a", 'b,\n"c"']
    assert frame["true"].tolist() == ["negative", "positive"]
    with np.load(result.save(tmp_path / "rows.npz")) as arrays:
        assert float(arrays["accuracy"]) == 0.5


def test_every_family_is_evaluated_through_its_own_logits(family: str, tiny_model: Any) -> None:
    model = tiny_model(family)
    data = texts_of([("a good film", 1, "test"), ("a bad film", 0, "test"), ("the plot", 1, "test")])
    result = evaluation.evaluate(model, data)
    own = prediction.predict(model, list(data.texts))
    assert result.accuracy == pytest.approx((own.logits.argmax(1) == data.labels).mean())
    np.testing.assert_allclose(result.predictions.logits, own.logits, atol=1e-6)
