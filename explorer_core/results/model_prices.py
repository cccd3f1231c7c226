"""What reading costs: the time and the memory of one pass, measured on this machine."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.results.run_records import RunRecord


@dataclass(frozen=True)
class ModelPrice(Exportable):
    """One network, timed over texts of several lengths, one text at a time and many together.

    Only the network is timed: the tokenizer is not, and neither is a gradient. Every position is read, none is padded.

    Attributes:
        model, architecture, fingerprint: Which network.
        n_params: Its weights.
        weights_mib: Memory its weights and buffers take, in MiB.
        batches: Texts read together; int array [batch].
        lengths: Tokens of each text, special ones included; int array [length].
        median_s: Median seconds of one pass over a batch; [batch, length].
        low_s, high_s: Quartiles of the same.
        n_runs: Passes that were timed; int array [batch, length].
        peak_mib: Memory allocated during one pass beyond weights and input, at its highest, in MiB; NaN where the
            device does not tell; [batch, length].
        joules: Energy of the whole machine for one text, in joules, whatever else it did included; NaN where it reports
            none; [batch, length].
        device, n_threads: Where, and on how many threads.
        energy_from: What counted the energy; empty where this machine reports none.
    """

    model: str
    architecture: str
    fingerprint: str
    n_params: int
    weights_mib: float
    batches: np.ndarray
    lengths: np.ndarray
    median_s: np.ndarray
    low_s: np.ndarray
    high_s: np.ndarray
    n_runs: np.ndarray
    peak_mib: np.ndarray
    joules: np.ndarray
    device: str
    n_threads: int
    energy_from: str

    def __post_init__(self) -> None:
        shape = (len(self.batches), len(self.lengths))
        for name in ("median_s", "low_s", "high_s", "n_runs"):
            check_array(getattr(self, name), shape, name)
        assert self.peak_mib.shape == self.joules.shape == shape, "memory and energy have the shape of the times"
        assert (self.low_s <= self.median_s).all() and (self.median_s <= self.high_s).all(), "quartiles are in order"

    @property
    def texts_per_s(self) -> np.ndarray:
        """Texts read in a second, at the median; [batch, length]."""
        return self.batches[:, None] / self.median_s

    def to_frame(self) -> Any:
        """One row for each batch and length."""
        import pandas as pd

        batch, length = (index.ravel() for index in np.indices(self.median_s.shape))
        columns = ("median_s", "low_s", "high_s", "n_runs", "peak_mib", "joules")
        return pd.DataFrame(
            {
                "model": self.model,
                "texts_together": self.batches[batch],
                "tokens": self.lengths[length],
                **{name: getattr(self, name).ravel() for name in columns},
                "texts_per_s": self.texts_per_s.ravel(),
            }
        )


@dataclass(frozen=True)
class PriceList(Exportable):
    """Several networks with what each costs to read with, and what its run wrote down.

    Attributes:
        names: What each is called in a picture.
        prices: What was measured, one for each name, all over the same batches and lengths.
        records: What each run wrote down; `None` for a network that is no run of the store.
    """

    names: tuple[str, ...]
    prices: tuple[ModelPrice, ...]
    records: tuple[RunRecord | None, ...]

    def __post_init__(self) -> None:
        assert len(self.names) == len(self.prices) == len(self.records), "one name, price and record for each network"
        first = self.prices[0]
        for price in self.prices:
            assert np.array_equal(price.batches, first.batches), "the same batches"
            assert np.array_equal(price.lengths, first.lengths), "the same lengths"

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of a text; int array [length]."""
        return self.prices[0].lengths

    @property
    def batches(self) -> np.ndarray:
        """Texts read together; int array [batch]."""
        return self.prices[0].batches

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array with the model as its first axis, and the records by field."""
        found: dict[str, np.ndarray] = {"names": np.array(self.names), "batches": self.batches, "lengths": self.lengths}
        for item in dataclasses.fields(ModelPrice):
            if item.name not in found:
                found[item.name] = np.array([getattr(price, item.name) for price in self.prices])
        for item in dataclasses.fields(RunRecord):
            if item.name not in ("name", "n_params", "fingerprint", "family"):
                empty: Any = "" if item.type == "str" else np.nan
                values = [empty if record is None else getattr(record, item.name) for record in self.records]
                found[f"record_{item.name}"] = np.array(values)
        return found

    def to_frame(self) -> Any:
        """One row for each model, batch and length, with what the run wrote down beside it."""
        import pandas as pd

        parts = []
        for name, price, record in zip(self.names, self.prices, self.records, strict=True):
            kept = {} if record is None else dataclasses.asdict(record)
            more = {key: kept.get(key) for key in ("train_s", "n_steps", "accuracy", "accuracy_low", "accuracy_high")}
            sizes = {"n_params": price.n_params, "weights_mib": price.weights_mib, "train_joules": kept.get("joules")}
            parts.append(price.to_frame().assign(called=name, device=price.device, threads=price.n_threads,
                                                 **sizes, **more))  # fmt: skip
        return pd.concat(parts, ignore_index=True)
