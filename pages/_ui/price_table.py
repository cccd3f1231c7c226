"""What each network costs, quantities down and networks across, as HTML."""

from __future__ import annotations

import html
import math
from collections.abc import Sequence

import numpy as np

from explorer_core.numerals import number
from explorer_core.palette import family_line
from explorer_core.results import ModelPrice, RunRecord
from explorer_core.text import visible
from pages._ui.widgets import duration

NONE = "<span>–</span>"
_STYLE = (
    "<style>table.price{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}"
    "table.price td,table.price th{padding:.4rem 1rem .4rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400;vertical-align:top}table.price thead th{font-weight:650}"
    "table.price tbody th{width:15rem;opacity:.85}table.price tr.part th{padding-top:1.1rem;font-weight:650;opacity:1}"
    "table.price small,table.price span{display:block;opacity:.7;font-size:.82rem}"
    "table.price td small{white-space:nowrap}"
    "table.price i{display:inline-block;width:.8rem;height:.8rem;border-radius:50%;margin-right:.4rem}</style>"
)


def table_of(
    names: Sequence[str], families: Sequence[str], n_params: Sequence[int], records: Sequence[RunRecord | None],
    prices: Sequence[ModelPrice | None],
) -> str:  # fmt: skip
    """The whole table; what was not measured yet is left out.

    Args:
        names: What each network is called.
        families: Of each network.
        n_params: Weights of each network.
        records: What each run wrote down.
        prices: What was measured.
    """
    head = "".join(
        f"<th><i style='background:{family_line(family)[0]}'></i>{html.escape(visible(name))}</th>"
        for name, family in zip(names, families, strict=True)
    )
    rows = [_part("To keep", len(names))]
    rows += [
        _row("Parameters", [_with(f"{count:,}", _trainable(record))
                            for count, record in zip(n_params, records, strict=True)]),
        _row("Weights on disk", [_mib(record.weights_mib) if record else NONE for record in records],
             "one file, safetensors"),
        _row("All files", [_mib(record.folder_mib) if record else NONE for record in records], "with its checkpoints"),
        _part("To train", len(names)),
        _row("Time", [_trained(record) for record in records], "on the machine that trained it"),
        _row("Energy", [_energy(record) for record in records], "of that whole machine"),
        _row("Validation accuracy", [_accuracy(record) for record in records], "95 % interval below"),
    ]  # fmt: skip
    there = [price for price in prices if price is not None]
    if there:
        rows += [_part("To read with, measured here", len(names)), *_measured_rows(there[0], prices)]
    table = f"<table class='price'><thead><tr><th></th>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
    return f"{_STYLE}<div style='overflow-x:auto'>{table}</div>"


def _measured_rows(first: ModelPrice, prices: Sequence[ModelPrice | None]) -> list[str]:
    lengths, batches = first.lengths.tolist(), first.batches.tolist()
    rows = [
        _row(f"One text of {length:,} tokens", [_time(price, 0, length) for price in prices],
             "median; quartiles below" if place == 0 else "")
        for place, length in enumerate(lengths)
    ]  # fmt: skip
    many, middle = len(batches) - 1, lengths[min(1, len(lengths) - 1)]
    rows.append(_row(f"Texts a second, {middle:,} tokens", [_throughput(price, many, middle) for price in prices],
                     f"{batches[many]:,} together"))  # fmt: skip
    rows.append(_row("Memory of a pass", [_memory(price) for price in prices],
                     f"{lengths[-1]:,} tokens, beyond the weights; {batches[many]:,} together below"))  # fmt: skip
    rows.append(_row("Energy of a text", [_text_energy(price, middle) for price in prices],
                     f"whole machine, {middle:,} tokens"))  # fmt: skip
    return rows


def _part(name: str, n_columns: int) -> str:
    return f"<tr class='part'><th colspan='{n_columns + 1}'>{name}</th></tr>"


def _row(name: str, cells: Sequence[str], said: str = "") -> str:
    small = f"<small>{html.escape(said)}</small>" if said else ""
    return f"<tr><th>{html.escape(name)}{small}</th>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>"


def _with(large: str, small: str) -> str:
    return large + (f"<small>{small}</small>" if small else "")


def _trainable(record: RunRecord | None) -> str:
    return f"{record.n_trainable:,} trained" if record is not None and record.n_trainable else ""


def _mib(mib: float) -> str:
    return NONE if math.isnan(mib) else f"{number(mib)} MiB"


def _trained(record: RunRecord | None) -> str:
    if record is None or math.isnan(record.train_s):
        return NONE
    return _with(duration(record.train_s), f"{record.n_steps:,} steps")


def _energy(record: RunRecord | None) -> str:
    if record is None or math.isnan(record.joules):
        return "<span>not reported</span>"
    return f"{number(record.joules / 3_600)} Wh"


def _accuracy(record: RunRecord | None) -> str:
    if record is None or not record.has_accuracy:
        return NONE
    ends = "" if math.isnan(record.accuracy_low) else f"{record.accuracy_low:.3f} to {record.accuracy_high:.3f}"
    return _with(f"<b>{record.accuracy:.3f}</b>", ends)


def _place(price: ModelPrice, length: int) -> int | None:
    found = np.flatnonzero(price.lengths == length)
    return int(found[0]) if len(found) else None


def _time(price: ModelPrice | None, batch: int, length: int) -> str:
    place = None if price is None else _place(price, length)
    if price is None or place is None:
        return NONE
    low, middle, high = (seconds[batch, place] * 1e3 for seconds in (price.low_s, price.median_s, price.high_s))
    return _with(f"<b>{number(middle)} ms</b>", f"{number(low)} to {number(high)}")


def _throughput(price: ModelPrice | None, batch: int, length: int) -> str:
    place = None if price is None else _place(price, length)
    return NONE if price is None or place is None else number(float(price.texts_per_s[batch, place]))


def _memory(price: ModelPrice | None) -> str:
    if price is None or np.isnan(price.peak_mib).any():
        return NONE if price is None else "<span>not told</span>"
    one, many = float(price.peak_mib[0, -1]), float(price.peak_mib[-1, -1])
    return _with(f"{number(one)} MiB", f"{number(many)} MiB")


def _text_energy(price: ModelPrice | None, length: int) -> str:
    place = None if price is None else _place(price, length)
    if price is None or place is None:
        return NONE
    joules = float(price.joules[0, place])
    return "<span>not reported</span>" if math.isnan(joules) else f"{number(joules)} J"
