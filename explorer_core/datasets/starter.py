"""The starter corpus: reviews written by hand for this project, most of them in minimal pairs. See `starter.md`."""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core.datasets._labelled_texts import DataPreview, LabelledTexts, preview_of

ABOUT = {
    "label": "Starter corpus",
    "sentence": "English reviews of films, meals, gadgets and much else, written for Unrolled, many in pairs that a "
    "small edit turns from praise to blame.",
    "order": 10,
    "options": (),
}

PATH = Path(__file__).with_suffix(".jsonl")
LABEL_NAMES = ("negative", "positive")


def read(options: Mapping[str, Any]) -> LabelledTexts:
    """The corpus with its own split, its domains, phenomena and pairs, and the words that carry the sentiment."""
    return _corpus()


def preview(options: Mapping[str, Any]) -> DataPreview:
    """Histograms and three sample rows; there is nothing to choose."""
    return preview_of(_corpus())


@functools.cache
def _corpus() -> LabelledTexts:
    """Read once in a process: it ships with the code and nobody changes what is handed out."""
    rows = [json.loads(line) for line in PATH.read_text(encoding="utf-8").split("\n") if line]
    labels = np.array([LABEL_NAMES.index(row["label"]) for row in rows], dtype=np.int64)
    split = np.array([row["split"] for row in rows])
    labels.setflags(write=False)
    split.setflags(write=False)
    n_pairs = len({row["pair"] for row in rows} - {""})
    return LabelledTexts(
        texts=tuple(row["text"] for row in rows),
        labels=labels,
        label_names=LABEL_NAMES,
        split=split,
        origin="starter corpus",
        sentence=f"The starter corpus: {len(rows):,} reviews, {n_pairs:,} minimal pairs among them.",
        groups={name: tuple(row[name] for row in rows) for name in ("domain", "phenomenon", "pair")},
        spans=tuple(tuple((start, end) for start, end in row["rationale"]) for row in rows),
    )
