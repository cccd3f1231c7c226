"""Prices made up, so that every number in a picture is known."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from explorer_core.results import ModelPrice, PriceList, RunRecord


def made_price(model: str = "a", architecture: str = "lstm", **changes: Any) -> ModelPrice:
    """A network that takes 1 ms and 1 µs a token, in two batches."""
    lengths, batches = np.array([8, 32, 128]), np.array([1, 16])
    median_s = 1e-3 + 1e-6 * batches[:, None] * lengths
    fields: dict[str, Any] = {
        "model": model, "architecture": architecture, "fingerprint": "f", "n_params": 1_000, "weights_mib": 4.0,
        "batches": batches, "lengths": lengths, "median_s": median_s, "low_s": median_s * 0.9, "high_s": median_s * 1.5,
        "n_runs": np.full((2, 3), 7), "peak_mib": np.full((2, 3), 1.5), "joules": np.full((2, 3), math.nan),
        "device": "cpu", "n_threads": 2, "energy_from": "",
    }  # fmt: skip
    return ModelPrice(**(fields | changes))


def made_record(name: str = "a", family: str = "lstm", **changes: Any) -> RunRecord:
    """A run that was right in 80 of 100 rows."""
    fields: dict[str, Any] = {
        "name": name, "family": family, "state": "done", "n_params": 1_000, "n_trainable": 500, "weights_mib": 4.0,
        "folder_mib": 20.0, "train_s": 65.0, "n_steps": 120, "row_order": "ab", "joules": math.nan, "seed": 0,
        "accuracy": 0.8, "accuracy_low": 0.711, "accuracy_high": 0.867, "loss_nats": 0.5, "macro_f1": 0.8,
        "test_accuracy": math.nan, "n_validation": 100, "trained_on": "some rows", "fingerprint": "f",
    }  # fmt: skip
    return RunRecord(**(fields | changes))


def made_prices(*names: str) -> PriceList:
    """Networks of two families, the last of them no run of the store."""
    families = ["lstm", "bert", "rnn"]
    prices = [made_price(name, families[place % 3]) for place, name in enumerate(names)]
    records = [made_record(name, families[place % 3]) for place, name in enumerate(names)]
    return PriceList(names, tuple(prices), (*records[:-1], None))
