"""The exam of the starters: their own test split and its pairs, and real sentences they were never tuned on."""

from __future__ import annotations

import math
import os
from collections import Counter
from pathlib import Path

from bench import _homes
from bench._row import Row
from explorer_core import api
from explorer_core.results import Evaluation
from explorer_core.training import store
from explorer_core.training.spec import DataSpec

REAL = {"SST-2 dev": "sst/sst2_dev.csv", "uci_amazon": "uci_sentences/uci_amazon.csv"}
BARS = {  # of each starter: shares right, and pairs right on both sides of the starter corpus' test split
    "starter-lstm": {"SST-2 dev": 0.72, "uci_amazon": 0.78, "pairs": 0.60},
    "starter-bilstm": {"SST-2 dev": 0.72, "uci_amazon": 0.78},
    "starter-bert": {"SST-2 dev": 0.80, "uci_amazon": 0.86, "pairs": 0.80},
}
OWN = "starter test split"


def measure() -> list[Row]:
    """A row for every bar, and a printed table of all ready starters with the pairs by phenomenon."""
    ready = _homes.ready_starters()
    results = {name: _examine(name) for name in ready}
    if results:
        print(exam_table(results) + "\n")
    return [
        _row(name, what, bar, results.get(name)) for name in store.STARTER_NAMES for what, bar in _asked(name).items()
    ]


def exam_table(results: dict[str, dict[str, Evaluation]]) -> str:
    """Markdown: one column for each model; accuracies first, then pairs right on both sides, all and by phenomenon."""
    exams = list(dict.fromkeys(exam for found in results.values() for exam in found))
    pairs = list(dict.fromkeys(name for found in results.values() for name in found[OWN].pairs_right))
    n_pairs = _pairs_by_phenomenon()
    lines = [["share right", "texts or pairs", *results], ["---", *["---:"] * (len(results) + 1)]]
    for exam in exams:
        n_texts = next(len(found[exam].true) for found in results.values() if exam in found)
        lines.append([exam, f"{n_texts:,}", *(_share(found, exam) for found in results.values())])
    for pair in pairs:
        shares = (f"{found[OWN].pairs_right[pair]:.3f}" for found in results.values())
        lines.append([f"pairs: {pair.replace('_', ' ')}", f"{n_pairs[pair]:,}", *shares])
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def _examine(name: str) -> dict[str, Evaluation]:
    """What a starter gets right, by exam; real data only where it is there."""
    model = api.load_model(name, "cpu")
    found = {OWN: api.evaluate(model, DataSpec("starter"), split="test")}
    for exam in REAL:
        if (path := _real(exam)) is not None:
            found[exam] = api.evaluate(model, DataSpec("local_file", {"path": str(path)}), split="all")
    return found


def _asked(name: str) -> dict[str, float | None]:
    """Bars of a starter, by what they are about; every starter's own test split is printed."""
    return {OWN: None, **BARS.get(name, {})}


def _row(name: str, what: str, bar: float | None, found: dict[str, Evaluation] | None) -> Row:
    quantity = f"{name}, " + (f"pairs right on both sides, {OWN}" if what == "pairs" else f"accuracy, {what}")
    if found is None:
        return Row(quantity, bar, math.nan, "", at_least=True, note=f"{name} is not trained in this store")
    if what == "pairs":
        n_pairs = _pairs_by_phenomenon()["all"]
        return Row(quantity, bar, found[OWN].pairs_right["all"], "", at_least=True, note=f"{n_pairs:,} pairs")
    if what not in found:
        return Row(quantity, bar, math.nan, "", at_least=True, note=_why_not(what))
    note = f"{len(found[what].true):,} texts, macro F1 {found[what].macro_f1:.3g}"
    return Row(quantity, bar, found[what].accuracy, "", at_least=True, note=note)


def _real(exam: str) -> Path | None:
    folder = os.environ.get("EXPLORER_TEST_DATA")
    path = Path(folder, REAL[exam]) if folder else None
    return path if path is not None and path.is_file() else None


def _why_not(exam: str) -> str:
    if not os.environ.get("EXPLORER_TEST_DATA"):
        return "EXPLORER_TEST_DATA is not set"
    return f"there is no {REAL[exam]} in EXPLORER_TEST_DATA"


def _pairs_by_phenomenon() -> Counter[str]:
    """Whole pairs of the test split, as `pairs_right` counts them."""
    data = api.read_data(DataSpec("starter"))
    rows = data.rows("test")
    n_sides = Counter(data.groups["pair"][row] for row in rows)
    first = {data.groups["pair"][row]: data.groups["phenomenon"][row] for row in reversed(rows)}
    whole = [pair for pair, count in n_sides.items() if pair and count > 1]
    return Counter({"all": len(whole)}) + Counter(first[pair] for pair in whole)


def _share(found: dict[str, Evaluation], exam: str) -> str:
    return f"{found[exam].accuracy:.3f}" if exam in found else ""
