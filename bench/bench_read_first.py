"""Reading first in a file of 100,000 rows: seconds to each order, to a slice by words, and to a page of the table."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

from bench import _homes
from bench._row import Row
from bench.bench_texts import N_LARGE, write_csv
from explorer_core import api

SLOW = "100,000 texts are judged first, which takes a minute"
ORDERED = f"order of {N_LARGE:,} texts by a reason that reads nothing again, slowest of them, and its first page"
SLICED = f"slice of {N_LARGE:,} texts by a word"
SEARCHED = f"near-duplicates with different labels among {N_LARGE:,} texts"
PAIRED = f"minimal pairs among {N_LARGE:,} texts"


def measure() -> list[Row]:
    """By the starter LSTM of the store; not measured where it is not ready."""
    if "starter-lstm" not in _homes.ready_starters():
        note = "the starter LSTM is not ready; train it: python -m explorer_core train --starter"
        return [Row(quantity, bar, math.nan, "s", note=note) for quantity, bar in
                ((ORDERED, 2, ), (SLICED, 2), (SEARCHED, 30), (PAIRED, 60))]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder:
        table = api.read_texts([write_csv(Path(folder) / "large.csv", N_LARGE)])
        judged = api.judge([api.load_model("starter-lstm", "cpu")], table, is_kept=False)
    cheap = [about.name for about in api.list_reasons(judged) if about.extra["cost"] == "none"]
    taken_s = {}
    for reason in cheap:
        began_s = time.perf_counter()
        order = api.order_texts(judged, reason)
        order.to_frame(0, 100)
        taken_s[reason] = time.perf_counter() - began_s
    slowest = max(taken_s, key=lambda reason: taken_s[reason])
    began_s = time.perf_counter()
    found = api.select_texts(judged, api.SliceSpec(words=("not",)))
    slice_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    alike = api.order_texts(judged, "near_duplicates")
    search_s = time.perf_counter() - began_s
    began_s = time.perf_counter()
    pairs = api.find_pairs(table)
    pairs_s = time.perf_counter() - began_s
    return [
        Row(ORDERED, 2, taken_s[slowest], "s", note=slowest),
        Row(SLICED, 2, slice_s, "s", note=f"{len(found):,} texts"),
        Row(SEARCHED, 30, search_s, "s", note=f"{len(alike):,} texts; {' '.join(alike.notes) or 'whole'}"),
        Row(PAIRED, 60, pairs_s, "s", note=f"{len(pairs):,} pairs; {' '.join(pairs.notes[1:]) or 'whole'}"),
    ]
