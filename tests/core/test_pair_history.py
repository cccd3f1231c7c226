"""Pairs by checkpoint and phenomenon: counted by hand, with the interval of Wilson's own formula."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from explorer_core import api, evaluation, prediction
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.errors import CancelledError, IncompatibleError, NotFoundError
from explorer_core.results import Checkpoint

LABELS = ("negative", "positive")
# text, label, split, pair, phenomenon
ROWS = (
    ("good a", 1, "test", "a", "negation"), ("not good a", 0, "test", "a", "negation"),
    ("good b", 1, "validation", "b", "negation"), ("not good b", 0, "validation", "b", "negation"),
    ("good c", 1, "test", "c", "plain"), ("bad c", 0, "test", "c", "plain"),
    ("good d", 1, "train", "d", "plain"), ("bad d", 0, "train", "d", "plain"),
    ("good e", 1, "test", "e", "plain"), ("alone", 0, "test", "", "plain"),
)  # fmt: skip


@pytest.fixture
def data() -> LabelledTexts:
    texts, labels, split, pairs, phenomena = zip(*ROWS, strict=True)
    groups = {"pair": pairs, "phenomenon": phenomena}
    return LabelledTexts(texts, np.array(labels), LABELS, np.array(split), "made up", "Made up.", groups=groups)


@pytest.fixture
def seen() -> list[str]:
    """Texts that were read."""
    return []


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch, seen: list[str]) -> dict[Checkpoint, Any]:
    """At first every text with "good" in it is positive; then "not" turns it."""

    def predict(model: Any, texts: Any, *, progress: Any = None) -> Any:
        if progress is not None:
            progress(1.0)
        is_positive = [("good" in text) and not (model.knows_not and "not" in text) for text in texts]
        seen.extend(texts)
        return SimpleNamespace(logits=np.array([[0.0, 1.0] if one else [1.0, 0.0] for one in is_positive]))

    monkeypatch.setattr(prediction, "predict", predict)
    return {
        Checkpoint(step, float(step), Path("x")): SimpleNamespace(
            name=f"mine@{step}", labels=LABELS, fingerprint=f"f{step}", knows_not=knows
        )
        for step, knows in ((2, True), (1, False))
    }


def test_pairs_right_on_both_sides_are_counted_by_phenomenon_and_checkpoint(
    models: Any, data: LabelledTexts, seen: list[str]
) -> None:
    found = api.evaluate_checkpoints(models, data)
    assert (found.model, found.step.tolist(), found.fingerprints) == ("mine", [1, 2], ("f1", "f2"))
    assert found.names == ("all", "negation", "plain")
    assert found.n_pairs.tolist() == [3, 2, 1]
    assert found.n_right.tolist() == [[1, 0, 1], [3, 2, 1]]
    np.testing.assert_allclose(found.share, [[1 / 3, 0, 1], [1, 1, 1]])
    assert {"good d", "bad d", "alone", "good e"}.isdisjoint(seen)
    assert found.dataset == "made up, validation and test rows"


def test_the_interval_is_the_one_of_wilsons_formula(models: Any, data: LabelledTexts) -> None:
    found = api.evaluate_checkpoints(models, data)
    z = 1.959963984540054
    n, p = found.n_pairs.astype(float), found.share
    middle, half = (
        (p + z**2 / (2 * n)) / (1 + z**2 / n),
        z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n),
    )
    np.testing.assert_allclose(found.low, np.clip(middle - half, 0, 1), atol=1e-9)
    np.testing.assert_allclose(found.high, np.clip(middle + half, 0, 1), atol=1e-9)


def test_shares_agree_with_those_of_the_evaluation(tiny_model: Any) -> None:
    models = {Checkpoint(step, float(step), Path("x")): tiny_model("rnn", seed=step) for step in (1, 2)}
    found = api.evaluate_checkpoints(models, api.DataSpec(), splits=("test",))
    for index, model in enumerate(models.values()):
        wanted = evaluation.evaluate(model, api.DataSpec(), "test").pairs_right
        assert {name: pytest.approx(share) for name, share in wanted.items()} == dict(
            zip(found.names, found.share[index].tolist(), strict=True)
        )


def test_a_phenomenon_is_learned_from_where_its_interval_stays_above_one_half(models: Any, data: LabelledTexts) -> None:
    found = api.evaluate_checkpoints(models, data)
    assert found.learned("negation") is None  # two pairs say too little
    low = np.array([[0.6], [0.4], [0.6], [0.7]])
    many = type(found)(
        model="m", dataset="d", fingerprints=("a",) * 4, step=np.arange(4), epoch=np.arange(4.0), names=("all",),
        n_pairs=np.array([100]), n_right=np.full((4, 1), 70), low=low, high=low + 0.2,
    )  # fmt: skip
    assert many.learned("all") == 2
    assert len(many.to_frame()) == 4


def test_data_without_pairs_or_with_other_labels_is_said(models: Any, data: LabelledTexts) -> None:
    bare = LabelledTexts(data.texts, data.labels, LABELS, data.split, "made up", "Made up.")
    with pytest.raises(NotFoundError, match="made up has no pairs with both texts in validation and test"):
        api.evaluate_checkpoints(models, bare)
    for model in models.values():
        model.labels = ("spam", "ham")
    with pytest.raises(IncompatibleError, match="do not match"):
        api.evaluate_checkpoints(models, data)


def test_judging_tells_how_far_it_is_and_can_be_stopped(models: Any, data: LabelledTexts) -> None:
    shares: list[float] = []
    api.evaluate_checkpoints(models, data, progress=shares.append)
    assert shares == [0.5, 1.0]

    def enough(share: float) -> None:
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        api.evaluate_checkpoints(models, data, progress=enough)
