"""Reading what runs wrote down of themselves. No torch here."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from explorer_core.results import RunRecord
from explorer_core.training import _status, store

_SHAPE = ("hidden_size", "num_layers", "pooling")


def read(name: str) -> RunRecord:
    """The record of one run, in any state.

    Raises:
        NotFoundError: If there is no such run.
    """
    folder, card, status = store.run_folder(name), store.find_card(name), store.read_status(name)
    written = _status.read_json(folder / "unrolled.json") or {}
    spec = _status.read_json(folder / "spec.json") or {}
    accuracy, n_rows = _metric(card.metrics, "accuracy"), int(card.metrics.get("n_validation", 0))
    low, high = _interval(accuracy, n_rows)
    return RunRecord(
        name=name,
        family=card.architecture,
        state=card.status,
        n_params=card.n_params,
        n_trainable=_count(written.get("n_trainable")),
        weights_mib=_size_mib(folder / "model.safetensors"),
        folder_mib=card.size_mib,
        train_s=status.elapsed_s or math.nan,
        n_steps=status.step,
        row_order=str(written.get("row_order", ""))[:64],
        joules=_number(written.get("joules")),
        seed=_count(spec.get("seed")),
        accuracy=accuracy,
        accuracy_low=low,
        accuracy_high=high,
        loss_nats=_metric(card.metrics, "loss_nats"),
        macro_f1=_metric(card.metrics, "macro_f1"),
        test_accuracy=_metric(card.metrics, "test_accuracy"),
        n_validation=n_rows,
        trained_on=card.trained_on,
        fingerprint=card.fingerprint,
    )


def forward_twins(family: str, name: str, shape: dict[str, Any], labels: tuple[str, ...]) -> tuple[str, ...]:
    """Finished runs of a family that reads one way, with the layers, the units of each layer, the pooling and the
    classes given; those that learned from the same data as the named run come first, then in the order of the store.
    """
    cards = {card.name: card for card in store.list_cards()}
    learned_from = cards[name].trained_on if name in cards else None
    found = [
        card
        for card in cards.values()
        if card.status == "done" and card.architecture == family and card.labels == labels
        and _shape_of(card.name) == {key: shape.get(key) for key in _SHAPE}
    ]  # fmt: skip
    return tuple(card.name for card in sorted(found, key=lambda card: card.trained_on != learned_from))


def _shape_of(name: str) -> dict[str, Any]:
    config = _status.read_json(store.run_folder(name) / "config.json") or {}
    return {key: config.get(key) for key in _SHAPE} if not config.get("bidirectional") else {}


def _interval(share: float, n_rows: int) -> tuple[float, float]:
    if math.isnan(share) or n_rows < 1:
        return math.nan, math.nan
    from scipy.stats import binomtest

    ends = binomtest(round(share * n_rows), n_rows).proportion_ci(0.95, method="wilson")
    return float(ends.low), float(ends.high)


def _size_mib(path: Path) -> float:
    try:
        return path.stat().st_size / 2**20
    except OSError:
        return math.nan


def _metric(metrics: Any, name: str) -> float:
    return _number(metrics.get(name))


def _number(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else math.nan


def _count(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0
