"""Words over a file and a map of its texts: ledgers of many texts at once, states and principal components."""

from __future__ import annotations

import math
import tempfile
import time
from pathlib import Path

from bench import _homes
from bench._row import Row
from bench.bench_texts import write_csv
from explorer_core import api

SLOW = "100,000 texts are read"
N_REPORT, N_SINGLE, N_MAP = 2_000, 100, 100_000
REPORT = f"word report by LSTM ledger over {N_REPORT:,} reviews"
FASTER = "the same, over ledgers of single texts"
STATES = f"final states of {N_MAP:,} reviews"
PCA = f"principal components of {N_MAP:,} x 128 states"


def measure() -> list[Row]:
    """On the starter LSTM of the store; not measured where it is not ready."""
    if "starter-lstm" not in _homes.ready_starters():
        note = "the starter LSTM is not ready; train it: python -m explorer_core train --starter"
        return [Row(quantity, None, math.nan, note=note) for quantity in (REPORT, FASTER, STATES, PCA)]
    model = api.load_model("starter-lstm", "cpu")
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder:
        table = api.read_texts([write_csv(Path(folder) / "reviews.csv", N_MAP)])
    api.report_words(model, table, n_texts=64)  # the first call pays for imports
    began_s = time.perf_counter()
    report = api.report_words(model, table, n_texts=N_REPORT)
    report_s = (time.perf_counter() - began_s) / report.n_texts
    began_s = time.perf_counter()
    for text in table.texts[:N_SINGLE]:
        api.attribute(model, text, report.method, report.target)
    single_s = (time.perf_counter() - began_s) / N_SINGLE
    began_s = time.perf_counter()
    states = api.states_of_texts(model, table.texts)
    states_s = time.perf_counter() - began_s
    api.project_texts(api.states_of_texts(model, table.texts[:99]))
    began_s = time.perf_counter()
    api.project_texts(states)
    pca_s = time.perf_counter() - began_s
    return [
        Row(REPORT, None, 1 / report_s, " texts/s", at_least=True, note=f"{report_s * N_REPORT:.1f} s"),
        Row(FASTER, None, report_s / single_s, note=f"{1 / single_s:,.0f} single texts/s"),
        Row(STATES, None, states_s, "s"),
        Row(PCA, None, pca_s, "s"),
    ]
