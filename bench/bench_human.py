"""Agreement with people's marks: what it costs over the starter corpus, and what it comes to for each method."""

from __future__ import annotations

import math
import time

from bench import _homes
from bench._row import Row
from explorer_core import api
from explorer_core.training.spec import DataSpec

N_TEXTS, BAR_S = 100, 30.0
QUANTITY = f"agreement with people over {N_TEXTS} starter texts, cheap methods, LSTM"


def measure() -> list[Row]:
    """On the starter LSTM of the store; not measured where it is not ready."""
    if "starter-lstm" not in _homes.ready_starters():
        note = "the starter LSTM is not ready; train it: python -m explorer_core train --starter"
        return [Row(QUANTITY, BAR_S, math.nan, "s", note=note)]
    model, data = api.load_model("starter-lstm"), api.read_rationales(DataSpec("starter"))
    api.measure_human_agreement(model, data, n_texts=2)  # imports and first calls
    began_s = time.perf_counter()
    found = api.measure_human_agreement(model, data, n_texts=N_TEXTS)
    seconds = time.perf_counter() - began_s
    at = found.measures.index("auprc")
    parts = [f"{name} {mean:.2f}" for name, mean in zip(found.methods, found.mean[:, at], strict=True)]
    return [Row(QUANTITY, BAR_S, seconds, "s", note=f"AUPRC {', '.join(parts)}; random order {found.random[at]:.2f}")]
