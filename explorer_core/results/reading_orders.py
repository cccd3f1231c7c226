"""Which texts to read first, and how a slice of texts fares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.results.judgements import Judgement

_AT_ONCE = 10_000  # rows of a file written together


@dataclass(frozen=True, eq=False)
class TextSlice(Exportable):
    """Some of the texts that were judged, and how the networks fare on them beside all.

    Attributes:
        models: Names of the networks.
        said: What was asked for, in words; "all texts" if nothing was.
        rows: Places of the texts in the judgement, rising; int array [row].
        n_all: Texts that were judged.
        n_labelled, n_all_labelled: Of the slice and of all texts, those with a label.
        accuracy, all_accuracy: Share judged right of those with a label, in [0, 1]; NaN without any; shape [model].
        interval, all_interval: Ends of the 95 % interval (Wilson); NaN without labels; shape [model, 2].
    """

    models: tuple[str, ...]
    said: str
    rows: np.ndarray
    n_all: int
    n_labelled: int
    n_all_labelled: int
    accuracy: np.ndarray
    interval: np.ndarray
    all_accuracy: np.ndarray
    all_interval: np.ndarray

    def __post_init__(self) -> None:
        assert self.accuracy.shape == self.all_accuracy.shape == (len(self.models),)
        assert self.interval.shape == self.all_interval.shape == (len(self.models), 2)

    def __len__(self) -> int:
        return len(self.rows)

    def to_frame(self) -> Any:
        """One row for each network: accuracy and interval of the slice and of all texts."""
        import pandas as pd

        found: dict[str, Any] = {"slice": self.said, "model": self.models, "n_texts": len(self), "n_all": self.n_all}
        for start, name in (("", "interval"), ("all_", "all_interval")):
            ends = getattr(self, name)
            found |= {f"n_{start}labelled": getattr(self, f"n_{start}labelled")}
            found |= {f"{start}accuracy": getattr(self, f"{start}accuracy")}
            found |= {f"{start}low": ends[:, 0], f"{start}high": ends[:, 1]}
        return pd.DataFrame(found)


@dataclass(frozen=True, eq=False)
class ReadingOrder(Exportable):
    """Texts in the order in which a reason has them read.

    Attributes:
        reason: Name of the reason.
        model: Name of the network that is asked about.
        judged: What the networks said.
        rows: Places of the texts in the judgement, the first to read first; int array [row].
        value_name: What `values` are.
        values: What the texts are ranked by; float array [row].
        details: What there is to see in each text; shape [row], or empty.
        partner: Place in the judgement of the text each belongs with, -1 for none; int array [row], or empty.
        n_slice: Texts among which it looked.
        notes: What was left out or is not known, one sentence each.
    """

    reason: str
    model: str
    judged: Judgement
    rows: np.ndarray
    value_name: str
    values: np.ndarray
    details: tuple[str, ...]
    partner: np.ndarray
    n_slice: int
    notes: tuple[str, ...]

    def __post_init__(self) -> None:
        check_array(self.values, (len(self.rows),), "values")
        assert len(self.details) in (0, len(self.rows))
        assert len(self.partner) in (0, len(self.rows))

    def __len__(self) -> int:
        return len(self.rows)

    def to_frame(self, start: int = 0, stop: int | None = None) -> Any:
        """One row for each text in reading order: its rank, what it is ranked by, then all of `Judgement.to_frame`.

        Args:
            start: First rank, from 0.
            stop: One behind the last.
        """
        part = slice(start, stop)
        found: dict[str, Any] = {
            "rank": np.arange(len(self))[part] + 1,
            f"ranked by {self.value_name}": self.values[part],
        }
        if self.details:
            found["why"] = self.details[part]
        if len(self.partner):
            numbers = np.append(self.judged.table.row_numbers, -1)
            found["partner row"] = numbers[self.partner[part]]
        frame = self.judged.rows_frame(self.rows[part], taken=found)
        for place, (name, column) in enumerate(found.items()):
            frame.insert(place, name, column)
        return frame

    def to_jsonl(self) -> Iterator[str]:
        """One JSON object a text, with the keys of `to_frame`; numbers as they are, missing ones `null`."""
        for start in range(0, len(self), _AT_ONCE):
            lines = self.to_frame(start, start + _AT_ONCE).to_json(orient="records", lines=True, double_precision=15)
            yield from (line for line in lines.split("\n") if line)

    def save(self, path: str | Path) -> Path:
        """As `Exportable.save`; `.jsonl` holds `to_jsonl()`."""
        path = Path(path)
        if path.suffix != ".jsonl":
            return super().save(path)
        with path.open("w", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in self.to_jsonl())
        return path

    def arrays(self) -> dict[str, np.ndarray]:
        """The order and its numbers, and every array of the judgement under `judged.`."""
        found = {name: np.asarray(getattr(self, name)) for name in ("reason", "model", "rows", "values", "partner")}
        found |= {"details": np.array(self.details), "notes": np.array(self.notes)}
        return found | {f"judged.{name}": array for name, array in self.judged.arrays().items()}
