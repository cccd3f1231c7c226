"""What the starters cost to read with here, whether a plain clock agrees, and what keeping the order of rows costs."""

from __future__ import annotations

import math
import statistics
import time

import torch

from bench import _homes
from bench._row import Row
from explorer_core import api
from explorer_core.comparing import price
from explorer_core.loaded import LoadedModel
from explorer_core.results import ModelPrice
from explorer_core.training import store
from explorer_core.training._engine import LengthOrder

CLOCK_BAR = 1.3  # a median of blocks over the median of single passes: the first shares its calls' overhead
ESTIMATE_BAR = 3.0  # times as long as was said before the press, on an idle machine
ORDER_BAR = 0.5  # seconds for the digest of six epochs over the rows of the starter corpus
_TOKENS, _N_ROWS, _N_EPOCHS = 32, 12_797, 6


def measure() -> list[Row]:
    """A row for each starter and length, and three about the measuring itself."""
    ready = _homes.ready_starters()
    models = [api.load_model(name, "cpu") for name in ready]
    said_s = api.price_measuring(models) if models else math.nan
    began_s = time.monotonic()
    prices = {model.name: api.measure_price(model) for model in models}
    taken_s = time.monotonic() - began_s
    rows = [row for name in store.STARTER_NAMES for row in _rows(name, prices.get(name))]
    note = (
        f"{taken_s:.3g} s over {said_s:.3g} s said before, {len(models)} networks" if models else "no starter is ready"
    )
    rows.append(Row("measuring all starters, taken over estimated", ESTIMATE_BAR, taken_s / said_s, note=note))
    rows.append(_clock_row(models[0]) if models else Row("a pass by a plain clock", CLOCK_BAR, math.nan, note=note))
    return [*rows, _order_row()]


def _rows(name: str, found: ModelPrice | None) -> list[Row]:
    if found is None:
        return [Row(f"{name}, one text of {_TOKENS} tokens", None, math.nan, note="not trained in this store")]
    rows = []
    for place, length in enumerate(found.lengths.tolist()):
        low, high = found.low_s[0, place] * 1e3, found.high_s[0, place] * 1e3
        note = (
            f"quartiles {low:.3g} to {high:.3g} ms, {found.texts_per_s[-1, place]:.3g} texts a second of "
            f"{found.batches[-1]} together, {found.peak_mib[0, place]:.3g} MiB"
        )
        rows.append(Row(f"{name}, one text of {length} tokens", None, found.median_s[0, place] * 1e3, "ms", note=note))
    return rows


def _clock_row(model: LoadedModel) -> Row:
    """The median of `measure_price` and that of a loop around the same pass, turn by turn."""
    given = price.random_batch(model, 1, _TOKENS)
    ours, plain = [], []
    for _ in range(5):
        ours.append(float(api.measure_price(model, lengths=(_TOKENS,), batches=(1,)).median_s[0, 0]))
        for _ in range(40):
            start_s = time.perf_counter()
            with torch.inference_mode():
                model.module(**given)
            plain.append(time.perf_counter() - start_s)
    one, other = statistics.median(ours), statistics.median(plain)
    note = f"{one * 1e3:.3g} ms over {other * 1e3:.3g} ms by a clock"
    return Row(f"{model.name}, one text of {_TOKENS} tokens against a plain clock", CLOCK_BAR, one / other, note=note)


def _order_row() -> Row:
    """Seconds of the digest that a run keeps of the order of its rows."""
    lengths = [3 + (7 * row) % 60 for row in range(_N_ROWS)]
    start_s = time.perf_counter()
    LengthOrder(lengths, 64, 0).digest(_N_EPOCHS)
    note = f"{_N_ROWS:,} rows, {_N_EPOCHS} epochs; once at the end of a training"
    return Row("digest of the order of rows", ORDER_BAR, time.perf_counter() - start_s, "s", note=note)
