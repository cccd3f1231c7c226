"""A person's texts, as they were read from files."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.results._base import Exportable

Column = np.ndarray | tuple[str, ...]
_LENGTH_STEPS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000)  # words in a range
_MAX_LENGTHS = 20  # ranges
_OF_TEXT = ("file", "row_numbers", "rows", "piece", "spans", "n_words")


@dataclass(frozen=True)
class Skipped:
    """A row that was left out: where it stands, and why."""

    file: str
    row_number: int
    reason: str


def _joined(words: Sequence[str]) -> bytes:
    return "\0".join(words).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, eq=False)
class TextTable(Exportable):
    """Texts of one or several files with their labels and every other column; axis [text] throughout.

    A long text may have been cut into pieces: each piece is a text here and knows its row.

    Attributes:
        origin: Short name of the file or files.
        texts: The texts.
        file_names: Name of each file, as the person calls it.
        file: Index of the file of each text; int array [text].
        row_numbers: Number of its row as a person counts it in the file; int array [text].
        rows: Number of its row among all that were kept, from 0; int array [text], never falling.
        piece: Number of the piece in its row, from 0; int array [text].
        spans: Start and end in characters of the row's text; int array [text, 2].
        n_words: Words of each text: runs between blanks, each ideograph counted for itself; int array [text].
        label_values: Labels as they stand in the files, the most frequent first; empty without labels.
        label: Index into `label_values`, -1 for none; int array [text].
        columns: Every other column by name, of shape [text]: a float array (NaN where empty) or strings.
        text_column, label_column: Names of the columns that were read; `label_column` is `None` without labels.
        column_names: All columns that may be chosen.
        skipped: Rows left out, the first `settings.MAX_SKIPPED_SHOWN` of them.
        n_skipped: How many rows were left out, by reason.
        notes: What was found, guessed or cut, one sentence each.
        n_rows: Rows of the files, also those left out.
    """

    origin: str
    texts: tuple[str, ...]
    file_names: tuple[str, ...]
    file: np.ndarray
    row_numbers: np.ndarray
    rows: np.ndarray
    piece: np.ndarray
    spans: np.ndarray
    n_words: np.ndarray
    label_values: tuple[str, ...]
    label: np.ndarray
    columns: Mapping[str, Column]
    text_column: str
    label_column: str | None
    column_names: tuple[str, ...]
    skipped: tuple[Skipped, ...]
    n_skipped: Mapping[str, int]
    notes: tuple[str, ...]
    n_rows: int

    def __post_init__(self) -> None:
        n_texts = len(self.texts)
        sizes = [len(getattr(self, name)) for name in (*_OF_TEXT, "label")]
        assert {*sizes, *(len(column) for column in self.columns.values())} <= {n_texts}, sizes
        assert self.label.max(initial=-1) < len(self.label_values)

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def has_pieces(self) -> bool:
        """Whether a row was cut into several texts."""
        return bool(self.piece.any())

    @cached_property
    def digests(self) -> tuple[bytes, ...]:
        """Digest of each text, 16 bytes; equal texts have equal ones."""
        return tuple(
            hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest() for text in self.texts
        )

    @cached_property
    def digest(self) -> str:
        """Digest of all texts, their places, labels and other columns (hexadecimal), a key of caches."""
        found = hashlib.sha256(b"".join(self.digests))
        for array in (self.file, self.row_numbers, self.label):
            found.update(np.ascontiguousarray(array, dtype=np.int64).tobytes())
        for column in self.columns.values():
            found.update(_joined(column) if isinstance(column, tuple) else np.ascontiguousarray(column).tobytes())
        found.update(_joined((*self.file_names, *self.label_values, *self.columns)))
        return found.hexdigest()[:32]

    def label_counts(self) -> dict[str, int]:
        """Texts of each label value, in the order of `label_values`."""
        counts = np.bincount(self.label[self.label >= 0], minlength=len(self.label_values))
        return {value: int(count) for value, count in zip(self.label_values, counts, strict=True)}

    def length_counts(self) -> dict[str, int]:
        """Texts by range of words, such as `{"1–10": 12, "11–20": 40}`; the last range is open where few are longer."""
        usual = int(np.ceil(np.percentile(self.n_words, 99)))
        width = next((width for width in _LENGTH_STEPS if usual <= width * _MAX_LENGTHS), -(-usual // _MAX_LENGTHS))
        n_ranges = max(-(-usual // width), 1)
        counts = np.bincount(np.clip((self.n_words - 1) // width, 0, n_ranges - 1), minlength=n_ranges)
        firsts = [place * width + 1 for place in range(n_ranges)]
        names = [f"{first}" if width == 1 else f"{first}–{first + width - 1}" for first in firsts]
        if self.n_words.max(initial=0) > n_ranges * width:
            names[-1] = f"{firsts[-1]}+"
        return {name: int(count) for name, count in zip(names, counts, strict=True)}

    def classes(self, mapping: Mapping[str, str | None], labels: Sequence[str]) -> np.ndarray:
        """Class index of each text, -1 where its label is none or left out; int array [text].

        Args:
            mapping: Class of each label value; a value that is missing or `None` is left out.
            labels: Names of the classes.

        Raises:
            InvalidInputError: If a value is mapped to no class.
        """
        unknown = [name for name in mapping.values() if name is not None and name not in labels]
        if unknown:
            raise InvalidInputError(
                f"There is no class {str(unknown[0])[:60]!r}; allowed: {', '.join(map(str, labels))}."
            )
        of_value = [-1 if (name := mapping.get(value)) is None else labels.index(name) for value in self.label_values]
        return np.array([*of_value, -1], dtype=np.int64)[self.label]

    def take(self, indices: np.ndarray) -> TextTable:
        """The texts at some indices, in that order, with all that belongs to them."""
        arrays = {name: getattr(self, name)[indices] for name in _OF_TEXT}
        columns: dict[str, Column] = {
            name: column[indices] if isinstance(column, np.ndarray) else tuple(column[index] for index in indices)
            for name, column in self.columns.items()
        }
        texts = tuple(self.texts[index] for index in indices)
        return dataclasses.replace(self, texts=texts, label=self.label[indices], columns=columns, **arrays)

    def arrays(self) -> dict[str, np.ndarray]:
        """Places, labels and other columns; texts as UTF-8 bytes with their bounds, which NumPy keeps small."""
        content = [text.encode("utf-8", "replace") for text in self.texts]
        found = {
            "texts_utf8": np.frombuffer(b"".join(content), dtype=np.uint8),
            "text_starts": np.cumsum([0, *map(len, content)]),
            "label_values": np.array(self.label_values),
            "file_names": np.array(self.file_names),
            "notes": np.array(self.notes),
        }
        found |= {name: getattr(self, name) for name in (*_OF_TEXT[1:], "label")}
        found["file_index"] = self.file  # `file` is what NumPy calls the place it saves to
        return found | {f"column.{name}": np.asarray(column) for name, column in self.columns.items()}

    def to_frame(self, taken: Collection[str] = ()) -> Any:
        """One row for each text: where it stands, its text, words and label, then every other column.

        Args:
            taken: Names that others will put beside these; a column of the file of such a name is called otherwise.
        """
        import pandas as pd

        names = np.array(self.file_names, dtype=object)
        values = np.array([*self.label_values, ""], dtype=object)
        found: dict[str, Any] = {"file": names[self.file], "row": self.row_numbers}
        if self.has_pieces:
            found |= {"piece": self.piece + 1, "start": self.spans[:, 0], "end": self.spans[:, 1]}
        found |= {"text": self.texts, "n_words": self.n_words}
        if self.label_values:
            found["label"] = values[self.label]
        own = {*found, *taken}
        free = [name for name in self.columns if name not in own]
        for name, column in self.columns.items():
            found[name if name in free else _free_name(f"column {name}", {*own, *free, *found})] = column
        return pd.DataFrame(found)


def _free_name(name: str, taken: Collection[str]) -> str:
    """The name, with a number behind it where it is taken."""
    names = (name, *(f"{name} ({copy})" for copy in range(2, len(taken) + 3)))
    return next(one for one in names if one not in taken)
