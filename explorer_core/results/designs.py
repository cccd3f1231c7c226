"""What came out of networks designed side by side."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.designs.spec import DesignSpec
from explorer_core.results._base import Exportable
from explorer_core.results.run_records import RunRecord


@dataclass(frozen=True)
class DesignPrice:
    """What a design will cost.

    Attributes:
        seconds: Estimated time of all its runs on two CPU cores.
        disk_mib: Estimated disk of all of them.
        n_rows, n_steps: Training rows and steps of the optimiser, the same for every run.
        n_runs: Networks times seeds.
        sentence: The same for a person.
    """

    seconds: float
    disk_mib: float
    n_rows: int
    n_steps: int
    n_runs: int
    sentence: str


@dataclass(frozen=True)
class LearningLine:
    """How one run did on the validation rows after each epoch.

    Attributes:
        name: What its network is called in a picture.
        architecture: Its family.
        group: Which network of the design, counted from 0; runs of several seeds share it.
        seed: Of the training; `None` where each network has one.
        step: Steps made by the end of each epoch; int array [epoch].
        loss_nats, accuracy: On the validation rows; [epoch].
    """

    name: str
    architecture: str
    group: int
    seed: int | None
    step: np.ndarray
    loss_nats: np.ndarray
    accuracy: np.ndarray

    @property
    def label(self) -> str:
        """What the run is told by: its network, and its seed where there are several."""
        return self.name if self.seed is None else f"{self.name}, seed {self.seed}"

    def __post_init__(self) -> None:
        assert self.step.shape == self.loss_nats.shape == self.accuracy.shape, "one loss and accuracy for each epoch"


@dataclass(frozen=True)
class DesignResult(Exportable):
    """A design with what each of its runs wrote down, finished or not.

    Attributes:
        name: Of the design.
        spec: What was asked for; with it the same networks are trained again.
        network: Which network of the spec each run is, [run].
        records: What each run wrote down, [run]; network by network, seed by seed.
        lines: How each run learned, [run].
        missing: Names of runs that were deleted since.
    """

    name: str
    spec: DesignSpec
    network: tuple[int, ...]
    records: tuple[RunRecord, ...]
    lines: tuple[LearningLine, ...]
    missing: tuple[str, ...]

    def __post_init__(self) -> None:
        assert len(self.network) == len(self.records) == len(self.lines), "one record and line for each run"

    @property
    def is_done(self) -> bool:
        """Whether every run that is left is trained."""
        return all(record.state == "done" for record in self.records)

    @property
    def models(self) -> tuple[str, ...]:
        """Trained runs of the first seed, one for each network: the models to set side by side."""
        first: dict[int, str] = {}
        for network, record in zip(self.network, self.records, strict=True):
            if record.state == "done":
                first.setdefault(network, record.name)
        return tuple(first.values())

    @property
    def has_same_steps(self) -> bool | None:
        """Whether all trained runs made the same number of steps, from their records; `None` below two."""
        steps = {record.n_steps for record in self.records if record.state == "done"}
        return len(steps) == 1 if self._n_done > 1 else None

    @property
    def has_same_order(self) -> bool | None:
        """Whether all trained runs of each seed read the rows in the same order, from the digests in their records;
        `None` where there is nothing to compare.
        """
        orders: dict[int, list[str]] = {}
        for record in self.records:
            if record.state == "done" and record.row_order:
                orders.setdefault(record.seed, []).append(record.row_order)
        compared = [found for found in orders.values() if len(found) > 1]
        return all(len(set(found)) == 1 for found in compared) if compared else None

    @property
    def _n_done(self) -> int:
        return sum(record.state == "done" for record in self.records)

    def accuracies(self, network: int) -> np.ndarray:
        """Validation accuracy of each trained run of a network; [seed]."""
        pairs = zip(self.network, self.records, strict=True)
        return np.array([one.accuracy for place, one in pairs if place == network and one.has_accuracy])

    def to_plain(self) -> dict[str, Any]:
        """Spec and records as plain values for JSON; a number that is none becomes null."""
        rows = [dataclasses.asdict(record) for record in self.records]
        for row in rows:
            row |= {name: None for name, value in row.items() if isinstance(value, float) and not np.isfinite(value)}
        return {"spec": self.spec.to_plain(), "runs": rows}

    def arrays(self) -> dict[str, np.ndarray]:
        """The spec as JSON, every field of the records, and the lines by run."""
        found: dict[str, np.ndarray] = {
            "spec": np.array(json.dumps(self.spec.to_plain())),
            "network": np.array(self.network),
        }
        for item in dataclasses.fields(RunRecord):
            found[item.name] = np.array([getattr(record, item.name) for record in self.records])
        for record, line in zip(self.records, self.lines, strict=True):
            found |= {
                f"{record.name}.step": line.step,
                f"{record.name}.loss_nats": line.loss_nats,
                f"{record.name}.accuracy": line.accuracy,
            }
        return found

    def to_frame(self) -> Any:
        """One row for each run, with its network's settings."""
        import pandas as pd

        rows = [
            {"design": self.name, "label": line.label, **self.spec.networks[network].to_plain(),
             **dataclasses.asdict(record)}
            for network, record, line in zip(self.network, self.records, self.lines, strict=True)
        ]  # fmt: skip
        return pd.DataFrame(rows)
