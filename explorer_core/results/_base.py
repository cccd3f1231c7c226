"""What every result shares: it can be taken away, and it is checked when it is born."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.text import Reading

DIRECTIONS = ("forward", "backward")
_MAX_WORD_CHARS = 256
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class Exportable:
    """A result that can be taken away as a table (`to_frame`) or as arrays (`save`)."""

    def to_frame(self) -> Any:
        """The result as a pandas table, one row for each smallest thing; subclasses say which."""
        raise NotImplementedError  # pragma: no cover

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array of the result by name, and its plain values as zero-dimensional arrays. Words and tokens of more
        than 256 characters end there with an ellipsis; `text` has them whole.
        """
        found: dict[str, np.ndarray] = {}
        for item in dataclasses.fields(self):  # type: ignore[arg-type]
            value = getattr(self, item.name)
            if isinstance(value, Reading):
                found |= {
                    "text": np.array(value.text),
                    "words": np.array([_cut(word) for word in value.words]),
                    "tokens": np.array([_cut(token) for token in value.tokens]),
                    "token_ids": value.token_ids,
                    "word_of_token": value.word_of_token,
                }
            elif isinstance(value, Mapping):
                found[item.name] = np.array(json.dumps(dict(value)))
            elif value is not None:
                found[item.name] = np.asarray(value)
        return found

    def save(self, path: str | Path) -> Path:
        """Write the result: `.npz` holds every array, `.csv` holds `to_frame()` as `safe_csv` writes it.

        Raises:
            InvalidInputError: If the file name ends in anything else.
        """
        path = Path(path)
        if path.suffix == ".npz":
            np.savez_compressed(path, **self.arrays())  # type: ignore[arg-type]
        elif path.suffix == ".csv":
            path.write_bytes(safe_csv(self.to_frame()))
        else:
            raise InvalidInputError(f"Results are saved as .npz or .csv, not {path.suffix or 'without an ending'}.")
        return path


def safe_csv(frame: Any) -> bytes:
    """A pandas table as CSV in UTF-8 that a spreadsheet opens without running anything in it.

    A cell of text that begins as a formula does (= + - @, a tab or a line break) gets an apostrophe before it; numbers
    are untouched.
    """
    from pandas.api.types import is_bool_dtype, is_numeric_dtype

    plain = frame.set_axis([str(place) for place in range(frame.shape[1])], axis=1)  # names may come twice
    inert = {
        place: column.map(_inert)
        for place, column in plain.items()
        if not (is_numeric_dtype(column) or is_bool_dtype(column))
    }
    # with this line end a lone carriage return inside a cell is quoted too, and cannot begin a row
    written = plain.assign(**inert).to_csv(header=[*map(_inert, frame.columns)], index=False, lineterminator="\r\n")
    return bytes(written, "utf-8", "replace")


def cut_words(words: Sequence[str]) -> np.ndarray:
    """Words as an array of text, each of at most 256 characters."""
    return np.array([_cut(word) for word in words], dtype=str)


def _cut(word: str) -> str:
    """A word of bounded length: NumPy gives every word of an array the room of its longest."""
    return word if len(word) <= _MAX_WORD_CHARS else word[: _MAX_WORD_CHARS - 1] + "…"


def _inert(cell: Any) -> Any:
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_STARTS) else cell


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities over the last axis."""
    shifted = np.exp(logits - logits.max(-1, keepdims=True))
    return shifted / shifted.sum(-1, keepdims=True)


def check_array(array: np.ndarray, shape: tuple[int, ...], name: str) -> None:
    """A result with the wrong shape, or with numbers that are none, is never handed out."""
    if array.shape != shape:
        raise AssertionError(f"{name} has shape {array.shape}, expected {shape}")
    check_finite(array, name)


def check_finite(array: np.ndarray, name: str) -> None:
    """Refuse numbers that are none, in words a person can act on.

    Raises:
        InvalidInputError: If any entry is infinite or NaN.
    """
    if not np.isfinite(array).all():
        raise InvalidInputError(
            f"The model gives numbers that are not finite ({name}). Its weights are probably broken (NaN); "
            "train it again with a smaller learning rate, or load another checkpoint."
        )
