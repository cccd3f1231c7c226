"""Judgements made by hand: any logits over any texts, without a network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer_core.judging import scores
from explorer_core.results import Judgement, TextTable


def make_table(texts: Sequence[str], labels: Sequence[str | None], **columns: Any) -> TextTable:
    """A table of some texts; other columns are lists of strings or float arrays."""
    n_texts, values = len(texts), tuple(dict.fromkeys(label for label in labels if label is not None))
    return TextTable(
        origin="made.csv",
        texts=tuple(texts),
        file_names=("made.csv",),
        file=np.zeros(n_texts, dtype=np.int64),
        row_numbers=np.arange(2, n_texts + 2),
        rows=np.arange(n_texts),
        piece=np.zeros(n_texts, dtype=np.int64),
        spans=np.array([(0, len(text)) for text in texts]).reshape(-1, 2),
        n_words=np.array([len(text.split()) for text in texts], dtype=np.int64),
        label_values=values,
        label=np.array([-1 if label is None else values.index(label) for label in labels], dtype=np.int64),
        columns={name: column if isinstance(column, np.ndarray) else tuple(column) for name, column in columns.items()},
        text_column="text",
        label_column="label" if values else None,
        column_names=("text", "label", *columns),
        skipped=(),
        n_skipped={},
        notes=(),
        n_rows=n_texts,
    )


def make_judgement(
    table: TextTable, logits: Any, true: Sequence[int] | None = None, n_unknown: Any = None
) -> Judgement:
    """What networks named m0, m1, ... would have said: logits of shape [model, text, class]."""
    logits = np.asarray(logits, dtype=np.float64)
    names = tuple(f"m{index}" for index in range(len(logits)))
    labels = ("negative", "positive", "mixed")[: logits.shape[2]]
    true = np.full(len(table), -1) if true is None else np.asarray(true)
    counts = np.zeros(logits.shape[:2], dtype=np.int64)
    rows = np.flatnonzero(true >= 0)
    return Judgement(
        models=names,
        architectures=("lstm",) * len(names),
        fingerprints=names,
        labels=labels,
        table=table,
        indices=np.arange(len(table)),
        logits=logits,
        n_tokens=np.broadcast_to(table.n_words, counts.shape).copy(),
        n_unknown=counts if n_unknown is None else np.asarray(n_unknown),
        n_truncated=counts,
        true=true,
        mapping={},
        scores=tuple(
            scores.score(name, labels, one[rows], true[rows], n_resamples=20)
            for name, one in zip(names, logits, strict=True)
        )
        if len(rows)
        else (),
        effects=(),
        agreement=None,
    )


def make_random_judgement() -> Judgement:
    """200 texts, two networks, three classes; every seventh text has no label."""
    rng = np.random.default_rng(3)
    words = ["good", "bad", "film", "plot", "the", "a", "never"]
    texts = [" ".join(rng.choice(words, size=rng.integers(1, 9))) + f" {row}" for row in range(200)]
    true = rng.integers(3, size=200)
    true[::7] = -1
    names = [None if label < 0 else f"label {label}" for label in true]
    made = make_table(texts, names, stars=rng.integers(5, size=200).astype(float), city=["Oslo", "Rome"] * 100)
    return make_judgement(made, rng.normal(size=(2, 200, 3)), true, rng.integers(3, size=(2, 200)))
