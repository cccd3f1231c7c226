"""State maps: any number of word x unit heat maps in one element, on canvases, from one byte a cell.

The browser first gets bytes for display (error at most 1/254 of half the range), and after them, in an element of its
own, the numbers themselves as float32, which it shows where a person points. The chosen word and unit never travel
with either, so a click sends a few characters.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st

from explorer_core.numerals import nice_limit, number
from explorer_core.results import UnitOrder
from explorer_core.text import visible
from pages._ui import linked

MAX_EXACT_BYTES = 8 * 10**6  # beyond, the numbers stay here and the browser reads values off the bytes


_element = linked.element("unrolled_state_maps", "maps", "maps_draw")
_numbers = st.components.v2.component(
    "unrolled_exact_numbers",
    html="<span hidden></span>\n<!-- keeps the numbers behind the maps -->\n",
    js=linked.BUS_JS
    + """
export default function ({ data }) {
  const id = new TextDecoder().decode(data.subarray(0, 16))
  const values = new Float32Array(data.slice(16).buffer) // a copy of its own begins where four bytes begin
  const kept = (window.unrolledExact ??= {})
  kept[id] = values
  bus.dispatchEvent(new Event("exact"))
  return () => { delete kept[id] }
}
""",
)


@dataclass(frozen=True)
class Panel:
    """One map.

    Attributes:
        name: Short name in read-outs, such as `forget`.
        title: Heading, such as `Forget gate f`.
        values: Shape [column, unit].
        kind: `signed` (orange, neutral, blue, centred on zero) or `share` (0 to 1, cividis).
        limit: End of a signed scale, both sides; what is beyond is drawn as the end.
        unit: Unit of the value; empty for a bare number.
    """

    name: str
    title: str
    values: np.ndarray
    kind: str
    limit: float = 1.0
    unit: str = ""


@dataclass(frozen=True)
class Packed:
    """Maps as they travel.

    Attributes:
        cells: From `pack`: what is needed to draw them.
        exact: From `pack_exact`; `None` where there would be more than `MAX_EXACT_BYTES` of it.
        n_units: Units of every map.
        n_exact_bytes: Size of the numbers, whether they travel or not.
    """

    cells: bytes
    exact: bytes | None
    n_units: int
    n_exact_bytes: int


@dataclass(frozen=True)
class Place:
    """What is chosen: word and unit, from 0."""

    word: int | None
    unit: int | None


def state_maps(
    key: str,
    panels: Sequence[Panel],
    words: Sequence[str],
    *,
    group: str = "text",
    columns: Sequence[str] | None = None,
    word_of_column: np.ndarray | None = None,
    selected_word: int | None = None,
    unit_key: str = "unit",
    order: UnitOrder | None = None,
) -> Place:
    """Draw maps and say which word and unit are chosen; `prepare` and `show` in one.

    Args:
        key: Streamlit key of the element.
        panels: At least one; all of the same shape [column, unit].
        words: Words of the text; they name the choice.
        group: Elements of one group choose the same word together.
        columns: Labels under the columns where they are not the words (tokens).
        word_of_column: Word of each column, -1 for none; int array [column]. Left out: columns are words.
        selected_word: Word chosen at first.
        unit_key: Where in the session the chosen unit is kept (the key of a number input, for one).
        order: Order of the rows; left out, as stored.

    Returns:
        The place chosen last.
    """
    packed = prepare(
        panels, words, group=group, columns=columns, word_of_column=word_of_column, selected_word=selected_word,
        order=order,
    )  # fmt: skip
    return show(key, packed, words, group=group, selected_word=selected_word, unit_key=unit_key)


def prepare(
    panels: Sequence[Panel],
    words: Sequence[str],
    *,
    group: str,
    columns: Sequence[str] | None = None,
    word_of_column: np.ndarray | None = None,
    selected_word: int | None = None,
    order: UnitOrder | None = None,
) -> Packed:
    """Maps as bytes, which depend on the values only and so can be kept; see `state_maps`."""
    n_columns, n_units = panels[0].values.shape
    n_exact_bytes = 4 * len(panels) * n_columns * n_units
    exact = pack_exact(panels) if n_exact_bytes <= MAX_EXACT_BYTES else None
    head = {
        "group": group,
        "stamp": linked.stamp(group, words),
        "selectedWord": selected_word,
        "columnName": "words" if columns is None else "tokens",
        "exact": None if exact is None else exact[:16].decode("ascii"),
        **_described(order),
    }
    cells = pack(
        panels,
        columns=columns if columns is not None else words,
        word_of_column=word_of_column if word_of_column is not None else np.arange(len(words)),
        head=head,
    )
    return Packed(cells, exact, n_units, n_exact_bytes)


def show(
    key: str,
    packed: Packed,
    words: Sequence[str],
    *,
    group: str,
    selected_word: int | None = None,
    unit_key: str = "unit",
) -> Place:
    """Draw prepared maps and say which word and unit are chosen; see `state_maps`."""
    words = tuple(words)

    def choose(said: object) -> None:
        if isinstance(said, list | tuple) and len(said) == 2:
            word, unit = linked.as_index(said[0], len(words)), linked.as_index(said[1], packed.n_units)
            if word is not None:
                linked.choose_word(group, words, word)
            if unit is not None:
                st.session_state[unit_key] = unit

    _element(key=key, data=packed.cells, on_place_change=linked.on_change(key, "place", choose))
    if packed.exact is None:
        st.caption(
            "Values in the maps are read off their colours (≈, to half a step of 254): the numbers themselves would be "
            f"{packed.n_exact_bytes / 1e6:.1f} MB, and at most {MAX_EXACT_BYTES / 1e6:.0f} MB go to the browser. The "
            "downloads are exact."
        )
    else:
        _numbers(key=f"{key}_numbers", data=packed.exact, width=1)
    unit = st.session_state.get(unit_key)
    return Place(linked.chosen_word(group, words, selected_word), unit if isinstance(unit, int) else None)


def _described(order: UnitOrder | None) -> dict[str, object]:
    """What the browser is told of an order: nothing where rows are as stored."""
    if order is None or order.how == "stored":
        return {}
    told: dict[str, object] = {"order": order.order.tolist()}
    if order.value is not None:
        signed = order.how == "verdict"
        ending = f" {order.unit}" if order.unit else ""
        told["orderName"] = visible(order.name)
        told["orderValues"] = [
            "none: it does not move" if value != value else number(value, signed=signed) + ending
            for value in order.value.tolist()
        ]
    return told


def panel_limit(values: np.ndarray) -> float:
    """End of a signed scale: a round number that holds 99.5 % of the values, so that a few large ones do not grey out
    the rest.
    """
    return nice_limit(float(np.quantile(np.abs(values), 0.995)))


def quantise(values: np.ndarray, kind: str, limit: float) -> np.ndarray:
    """Values as bytes: signed ones from 1 to 255 with zero at 128, shares from 0 to 255; `read_back` inverts it."""
    if kind == "signed":
        return (np.rint(np.clip(values / limit, -1, 1) * 127) + 128).astype(np.uint8)
    return np.rint(np.clip(values, 0, 1) * 255).astype(np.uint8)


def read_back(cells: np.ndarray, kind: str, limit: float) -> np.ndarray:
    """Values a byte stands for, as the browser shows them."""
    return (cells.astype(float) - 128) / 127 * limit if kind == "signed" else cells.astype(float) / 255


def pack(
    panels: Sequence[Panel], *, columns: Sequence[str], word_of_column: np.ndarray, head: dict[str, object]
) -> bytes:
    """`<uint32 length of the header><JSON header, padded to 4><bytes [panel, unit, column]>`, little-endian."""
    shape = panels[0].values.shape
    if any(panel.values.shape != shape for panel in panels):
        raise ValueError("All panels of one element have the same columns and units.")
    described = [
        {
            "name": panel.name,
            "title": panel.title,
            "kind": panel.kind,
            "limit": panel.limit,
            "unit": panel.unit,
            "isCut": bool(np.abs(panel.values).max(initial=0.0) > panel.limit),
        }
        for panel in panels
    ]
    header = json.dumps(
        {
            **head,
            "columns": [visible(column) for column in columns],
            "wordOfColumn": [int(word) for word in word_of_column],
            "nUnits": shape[1],
            "panels": described,
        },
        ensure_ascii=False,
    ).encode("utf-8", "replace")
    header += b" " * (-len(header) % 4)
    cells = b"".join(
        np.ascontiguousarray(quantise(panel.values, panel.kind, panel.limit).T).tobytes() for panel in panels
    )
    return struct.pack("<I", len(header)) + header + cells


def pack_exact(panels: Sequence[Panel]) -> bytes:
    """`<16 characters that name the values><float32 [panel, column, unit]>`, little-endian."""
    values = b"".join(np.ascontiguousarray(panel.values, dtype="<f4").tobytes() for panel in panels)
    return hashlib.blake2b(values, digest_size=8).hexdigest().encode("ascii") + values
