"""What networks said of a person's texts, row by row, and what it comes to."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array, safe_csv, softmax
from explorer_core.results.judged_scores import Agreement, Effect, Scores
from explorer_core.results.text_tables import TextTable


@dataclass(frozen=True, eq=False)
class Judgement(Exportable):
    """Verdicts of networks with the same classes over the texts of a table; axes [model, text, class].

    Attributes:
        models, architectures, fingerprints: Which networks.
        labels: Names of the classes.
        table: The texts that were judged: those of a `TextTable` that every network can read, in their order.
        indices: Place of each of them in the table that was given; int array [text].
        logits: Shape [model, text, class].
        n_tokens, n_unknown, n_truncated: Tokens each network read, words unknown to it and words beyond its limit;
            int arrays [model, text].
        true: Class index of each text by its label, -1 where it has none; int array [text].
        mapping: Class of each label value of the table; `None` where it was left out.
        scores: Of each network, over the texts with a label; empty without labels.
        effects: What length and the share of unknown words do.
        agreement: How alike the networks decide; `None` with one network.
        n_unread: Texts that some network could not read; they are left out.
        is_finished: Whether all that was asked for is here; else these are the first texts or networks.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    labels: tuple[str, ...]
    table: TextTable
    indices: np.ndarray
    logits: np.ndarray
    n_tokens: np.ndarray
    n_unknown: np.ndarray
    n_truncated: np.ndarray
    true: np.ndarray
    mapping: dict[str, str | None]
    scores: tuple[Scores, ...]
    effects: tuple[Effect, ...]
    agreement: Agreement | None
    n_unread: int = 0
    is_finished: bool = True

    def __post_init__(self) -> None:
        shape = (len(self.models), len(self.table))
        check_array(self.logits, (*shape, len(self.labels)), "logits")
        for name in ("n_tokens", "n_unknown", "n_truncated"):
            check_array(getattr(self, name), shape, name)
        check_array(self.true, shape[1:], "true")

    def __len__(self) -> int:
        return len(self.table)

    @property
    def has_labels(self) -> bool:
        """Whether any text has a label that is one of the classes."""
        return bool((self.true >= 0).any())

    @cached_property
    def probs(self) -> np.ndarray:
        """Shape [model, text, class]; sums to 1 over the classes."""
        return softmax(self.logits.astype(np.float64))

    @cached_property
    def predicted(self) -> np.ndarray:
        """Class index each network decides for; int array [model, text]."""
        return self.logits.argmax(-1)

    @cached_property
    def confidence(self) -> np.ndarray:
        """Probability of the class decided for, in [0, 1]; shape [model, text]."""
        return self.probs.max(-1)

    @cached_property
    def is_right(self) -> np.ndarray:
        """Whether each network is right; bool array [model, text], `False` where there is no label."""
        return (self.predicted == self.true) & (self.true >= 0)

    @cached_property
    def margin(self) -> np.ndarray:
        """Logit of the class decided for less the next largest; shape [model, text]; 0 is the closest call."""
        top = np.sort(self.logits, axis=-1)
        return top[..., -1] - top[..., -2]

    def counts(self) -> np.ndarray:
        """Texts each network decides for each class; int array [model, class]."""
        return np.stack([np.bincount(row, minlength=len(self.labels)) for row in self.predicted])

    def to_frame(self, start: int = 0, stop: int | None = None) -> Any:
        """One row for each text: the table's columns, the true class, and for every network what it decides, how sure
        it is, whether it is right, every probability and logit, and the words it did not know or read.

        Args:
            start: First text.
            stop: One behind the last text.
        """
        return self.rows_frame(np.arange(len(self))[start:stop])

    def rows_frame(self, part: np.ndarray, taken: Collection[str] = ()) -> Any:
        """As `to_frame`, of the texts at some places, in that order; `part` is an int array, `taken` are names that
        others will put beside these.
        """
        import pandas as pd

        is_whole = len(part) == len(self) and bool((part == np.arange(len(self))).all())
        names = np.array([*self.labels, ""], dtype=object)
        found: dict[str, Any] = {}
        if self.has_labels:
            found["true"] = names[self.true[part]]
        for number, model in enumerate(self.models):
            found[f"predicted {model}"] = names[self.predicted[number, part]]
            if self.has_labels:
                right = pd.array(self.is_right[number, part], dtype="boolean")
                right[self.true[part] < 0] = pd.NA
                found[f"right {model}"] = right
            found[f"confidence {model}"] = self.confidence[number, part]
            for index, label in enumerate(self.labels):
                found[f"prob {label} {model}"] = self.probs[number, part, index]
            for index, label in enumerate(self.labels):
                found[f"logit {label} {model}"] = self.logits[number, part, index]
            for name in ("n_tokens", "n_unknown", "n_truncated"):
                found[f"{name} {model}"] = getattr(self, name)[number, part]
        frame = (self.table if is_whole else self.table.take(part)).to_frame(taken={*found, *taken})
        return pd.concat([frame, pd.DataFrame(found, index=frame.index)], axis=1)

    def to_jsonl(self) -> Iterator[str]:
        """One JSON object a text, with the keys of `to_frame`; numbers as they are, missing ones `null`."""
        for start in range(0, len(self), 10_000):
            lines = self.to_frame(start, start + 10_000).to_json(orient="records", lines=True, double_precision=15)
            yield from (line for line in lines.split("\n") if line)

    def save(self, path: str | Path) -> Path:
        """As `Exportable.save`; `.jsonl` holds `to_jsonl()`."""
        path = Path(path)
        if path.suffix == ".jsonl":
            with path.open("w", encoding="utf-8") as file:
                file.writelines(f"{line}\n" for line in self.to_jsonl())
            return path
        if path.suffix == ".csv":
            path.write_bytes(safe_csv(self.to_frame()))
            return path
        return super().save(path)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every number by network and text, scores, confusion and intervals of each network, and the texts' places."""
        found = {
            name: getattr(self, name)
            for name in ("logits", "probs", "n_tokens", "n_unknown", "n_truncated", "true", "indices")
        }
        for name in ("models", "fingerprints", "labels"):
            found[name] = np.array(getattr(self, name))
        found["mapping"] = np.array(json.dumps(self.mapping))
        for scores in self.scores:
            values = scores.to_frame()
            found[f"score_names.{scores.model}"] = (values["quantity"] + "." + values["class"]).to_numpy(str)
            found[f"scores.{scores.model}"] = values["value"].to_numpy()
            found[f"confusion.{scores.model}"] = scores.confusion
            found[f"interval_names.{scores.model}"] = np.array(list(scores.intervals))
            found[f"intervals.{scores.model}"] = np.array(list(scores.intervals.values()))  # [name, end]
        return found | {f"table.{name}": array for name, array in self.table.arrays().items()}
