"""Attention heads as pictures: a grid of all heads, and one matrix of words by words with its exact numbers.

The grid gets one byte a cell, pooled where a text is long; the one matrix gets float32, so that what is read off it is
exact. The chosen head and word never travel with the grid's bytes, so a click sends a few characters.
"""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer_core.text import visible
from pages._ui import linked

MAX_SIDE = 100  # entries of a thumbnail, at most
MAX_GRID_BYTES = 1_400_000

_grid = linked.element("unrolled_head_grid", "heads")
_matrix = linked.element("unrolled_word_matrix", "heads")


@dataclass(frozen=True)
class Matrix:
    """One matrix of entries by entries.

    Attributes:
        title: Heading.
        values: Shape [row, column].
        kind: `share` (cividis, from 0, coloured by the square root), `signed` (-1 to 1, orange, neutral, blue), `size`
            (cividis, from 0) or `log` (cividis, by the exponent, from `low`). What is NaN is not there.
        rows, columns: What an entry does as a row, and as a column.
        list_title: Heading of the list of a row's largest values; `{}` stands for the row's entry.
        limit: End of the scale, but of a signed one.
        low: Where a logarithmic scale begins; what is below is drawn as its beginning.
        unit: What stands before the scale; left out, attention or cosine.
    """

    title: str
    values: np.ndarray
    kind: str
    rows: str
    columns: str
    list_title: str
    limit: float = 1.0
    low: float = 0.0
    unit: str = ""


@dataclass(frozen=True)
class Entries:
    """What stands along both axes of a matrix: names, and the word of each, -1 for special tokens; int [entry]."""

    names: Sequence[str]
    word_of_entry: np.ndarray


def head_grid(
    key: str,
    cells: np.ndarray,
    words: Sequence[str],
    *,
    notes: Sequence[str],
    n_entries: int,
    group: str,
    head_key: str,
) -> None:
    """Draw the patterns of all heads, layers as rows from the first on top; a click chooses a head.

    Args:
        key: Streamlit key of the element.
        cells: From `thumbnails`.
        words: Words of the text; they name the choice.
        notes: A line about each head, layer by layer.
        n_entries: Entries of the patterns before pooling.
        group: Elements of one group tell each other the chosen head.
        head_key: Where in the session the chosen head is kept, as `name_head` has it.
    """
    n_layers, n_heads = cells.shape[:2]

    def choose(said: object) -> None:
        if isinstance(said, list | tuple) and len(said) == 2:
            layer, head = linked.as_index(said[0], n_layers), linked.as_index(said[1], n_heads)
            if layer is not None and head is not None:
                st.session_state[head_key] = name_head(layer, head)

    data = pack_grid(cells, words, notes=notes, n_entries=n_entries, group=group)
    _grid(key=key, data=data, on_head_change=linked.on_change(key, "head", choose))


def word_matrix(
    key: str,
    matrix: Matrix,
    entries: Entries,
    words: Sequence[str],
    *,
    group: str,
    selected_word: int | None,
    head: tuple[int, int] | None = None,
) -> None:
    """Draw one matrix with its entries on both axes, and the largest values of the chosen word's row.

    Args:
        key: Streamlit key of the element.
        matrix: What is drawn.
        entries: What stands along its axes.
        words: Words of the text; they name the choice.
        group: Elements of one group choose the same word together.
        selected_word: Word chosen at first.
        head: Layer and head it belongs to, from 0; the grid of the group frames it.
    """

    def choose(said: object) -> None:
        word = linked.as_index(said, len(words))
        if word is not None:
            linked.choose_word(group, words, word)

    data = pack_matrix(matrix, entries, words, group=group, selected_word=selected_word, head=head)
    _matrix(key=key, data=data, on_word_change=linked.on_change(key, "word", choose))


def name_head(layer: int, head: int) -> str:
    """A head in the address: layer and head counted from 1, such as `3.7`."""
    return f"{layer + 1}.{head + 1}"


def read_head(name: str) -> tuple[int, int]:
    """Layer and head, from 0, of a name made by `name_head`."""
    layer, _, head = name.partition(".")
    return int(layer) - 1, int(head) - 1


def thumbnails(pattern: np.ndarray) -> np.ndarray:
    """Patterns as bytes of the square root of each weight, small enough for a browser.

    Args:
        pattern: Shape [layer, head, query, key], in [0, 1].

    Returns:
        uint8 [layer, head, side, side]; where there are more entries than `side_of` allows, a cell is the largest
        weight of its block.
    """
    side = side_of(pattern)
    n_entries = pattern.shape[-1]
    if side < n_entries:
        edges = np.arange(side) * n_entries // side
        pattern = np.maximum.reduceat(np.maximum.reduceat(pattern, edges, axis=-2), edges, axis=-1)
    return np.rint(np.sqrt(np.clip(pattern, 0, 1)) * 255).astype(np.uint8)


def side_of(pattern: np.ndarray) -> int:
    """Cells along a thumbnail: one an entry, within `MAX_SIDE` and `MAX_GRID_BYTES`."""
    n_all = pattern.shape[0] * pattern.shape[1]
    return min(pattern.shape[-1], MAX_SIDE, max(math.isqrt(MAX_GRID_BYTES // n_all), 1))


def pack_grid(cells: np.ndarray, words: Sequence[str], *, notes: Sequence[str], n_entries: int, group: str) -> bytes:
    """What the browser gets of a grid; see `head_grid`."""
    n_layers, n_heads, side, _ = cells.shape
    head = {
        "kind": "grid",
        "group": group,
        "stamp": linked.stamp(group, words),
        "nLayers": n_layers,
        "nHeads": n_heads,
        "side": side,
        "nEntries": n_entries,
        "notes": list(notes),
    }
    return _pack(head, cells)


def pack_matrix(
    matrix: Matrix,
    entries: Entries,
    words: Sequence[str],
    *,
    group: str,
    selected_word: int | None,
    head: tuple[int, int] | None,
) -> bytes:
    """What the browser gets of one matrix; see `word_matrix`."""
    about = {
        "kind": matrix.kind,
        "limit": matrix.limit,
        "low": matrix.low,
        "unit": matrix.unit,
        "group": group,
        "stamp": linked.stamp(group, words),
        "selectedWord": selected_word,
        "head": head,
        "title": matrix.title,
        "rows": matrix.rows,
        "columns": matrix.columns,
        "listTitle": matrix.list_title,
        "entries": [visible(name) for name in entries.names],
        "wordOfEntry": [int(word) for word in entries.word_of_entry],
    }
    return _pack(about, np.ascontiguousarray(matrix.values, dtype="<f4"))


def _pack(head: dict[str, object], cells: np.ndarray) -> bytes:
    """`<uint32 length of the header><JSON header, padded to 4><cells>`, little-endian."""
    header = json.dumps(head, ensure_ascii=False).encode("utf-8", "replace")
    header += b" " * (-len(header) % 4)
    return struct.pack("<I", len(header)) + header + cells.tobytes()
