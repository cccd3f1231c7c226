"""Which rows train, validate and test: seeded, stratified, and with rows that belong together on one side."""

from __future__ import annotations

import itertools
import re
from collections.abc import Sequence

import numpy as np

SHARES = {"validation": 0.1, "test": 0.1}
_LETTERS = re.compile(r"[^\W_]+")
_NO_ASCII_LETTER = bytes(code for code in range(128) if not chr(code).isalnum())


def letters_of(text: str) -> str:
    """Letters and digits of a text in folded case: texts that share them are the same text to a reader."""
    if text.isascii():  # a table is many times faster than a pattern
        return text.lower().encode("ascii").translate(None, _NO_ASCII_LETTER).decode("ascii") or text.strip()
    return "".join(_LETTERS.findall(text.casefold())) or text.strip()


def join_rows(letters: Sequence[str], pairs: Sequence[str] | None = None) -> np.ndarray:
    """A number for each row, the same for rows with the same letters or the same pair, also through others.

    Args:
        letters: `letters_of` each text; shape [text].
        pairs: Name of the pair each row belongs to, "" for none; shape [text].

    Returns:
        int array [text]; rows with the same number must not be separated.
    """
    root = list(range(len(letters)))

    def find(row: int) -> int:
        while root[row] != row:
            root[row] = root[root[row]]
            row = root[row]
        return row

    first_by_key: dict[tuple[int, str], int] = {}
    for row, key in enumerate(letters):
        root[find(row)] = find(first_by_key.setdefault((0, key), row))
        if pairs is not None and pairs[row]:
            root[find(row)] = find(first_by_key.setdefault((1, pairs[row]), row))
    return np.array([find(row) for row in range(len(letters))], dtype=np.int64)


def split_rows(labels: np.ndarray, together: np.ndarray, seed: int = 0) -> np.ndarray:
    """Sides of an 80 / 10 / 10 split.

    Every class gets a validation row from two rows on and a test row from three on, where rows that belong together
    allow it.

    Args:
        labels: Class index of each row; int array [text].
        together: From `join_rows`; int array [text].
        seed: Same seed, same rows, same split.

    Returns:
        `train`, `validation` or `test`; string array [text].
    """
    rng = np.random.default_rng(seed)
    n_classes = int(labels.max()) + 1 if len(labels) else 0
    n_rows = np.bincount(labels, minlength=n_classes)
    missing = {
        side: np.where(n_rows >= least, np.maximum(1, np.round(n_rows * SHARES[side])), 0).astype(int)
        for side, least in (("validation", 2), ("test", 3))
    }
    split = np.full(len(labels), "train", dtype="<U10")
    _, group, size = np.unique(together, return_inverse=True, return_counts=True)
    order = np.argsort(group, kind="stable")
    starts = np.concatenate([[0], np.cumsum(size)])

    # Joined rows go by lot, so that no side is made of them; the rows that stand alone then fill the sides up.
    joined = rng.permutation(np.flatnonzero(size > 1))
    lots = rng.choice(["train", *SHARES], size=len(joined), p=[1 - sum(SHARES.values()), *SHARES.values()])
    for index, side in zip(joined, lots, strict=True):
        rows = order[starts[index] : starts[index + 1]]
        counts = np.bincount(labels[rows], minlength=n_classes)
        if side != "train" and (counts <= missing[side]).all():
            missing[side] -= counts
            split[rows] = side
    alone = rng.permutation(order[starts[:-1][size == 1]])
    for label in range(n_classes):
        rows = alone[labels[alone] == label]
        n_validation, n_test = missing["validation"][label], missing["test"][label]
        split[rows[:n_validation]] = "validation"
        split[rows[n_validation : n_validation + n_test]] = "test"
    _fill_empty_sides(split, labels, order, starts, n_rows)
    return split


def _fill_empty_sides(
    split: np.ndarray, labels: np.ndarray, order: np.ndarray, starts: np.ndarray, n_rows: np.ndarray
) -> None:
    """Move the smallest group of a class that a side lacks to it, or back to training, if the giver keeps one."""
    groups = [order[start:end] for start, end in itertools.pairwise(starts)]
    for side, least in (("train", 1), ("validation", 2), ("test", 3)):
        for label in np.flatnonzero(n_rows >= least):
            if (split[labels == label] == side).any():
                continue
            giver = "validation" if side == "train" else "train"
            offered = [rows for rows in groups if split[rows[0]] == giver and (labels[rows] == label).any()]
            if side == "train" or len(offered) > 1:
                for rows in sorted(offered, key=len)[:1]:
                    split[rows] = side
