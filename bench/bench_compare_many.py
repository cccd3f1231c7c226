"""Models against each other over many texts: what it costs beside single runs, how soon it stops, how exact it is."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence

import numpy as np

from bench import _homes
from bench._row import Row
from explorer_core import api
from explorer_core.comparing import accuracy, reasons
from explorer_core.comparing._cka import debiased_cka
from explorer_core.errors import CancelledError
from explorer_core.loaded import LoadedModel

SLOW = "four models explain 1,000 texts six times"
RECURRENT = ("starter-rnn", "starter-gru", "starter-lstm", "starter-bilstm")
WITH_BERT = ("starter-rnn", "starter-lstm", "starter-bilstm", "starter-bert")
N_RECURRENT, N_WITH_BERT, N_PAIRS, N_STATES = 1_000, 100, 200, 2_000
TOGETHER = f"RNN, GRU, LSTM and BiLSTM over {N_RECURRENT:,} texts with attributions, over the sum of single runs"
BERT_TOO = f"RNN, LSTM, BiLSTM and BERT over {N_WITH_BERT:,} texts with attributions, over the sum of single runs"
STOPS = "the same, from cancel to its end"
MODIFIERS = f"{N_PAIRS} minimal pairs by RNN, GRU, LSTM and BiLSTM, both texts after every word"
LIKENESS = f"CKA of every layer of LSTM and BiLSTM over {N_STATES:,} words, with the untrained base line"
EXACT = "largest difference to independent code"
_BAR, _ROUNDS = 1e-9, 3


def measure() -> list[Row]:
    """Exactness anywhere; times on the starters of the store, not measured where they are not ready."""
    rows = [
        Row(f"debiased CKA, {EXACT}", _BAR, _cka_error(), ""),
        Row(f"McNemar's exact p, {EXACT}", _BAR, _mcnemar_error(), ""),
        Row(f"Kendall's tau-b, {EXACT}", _BAR, _kendall_error(), ""),
    ]
    missing = sorted({*RECURRENT, *WITH_BERT} - set(_homes.ready_starters()))
    if missing:
        note = f"{', '.join(missing)} not ready; train them: python -m explorer_core train --starter"
        return rows + [Row(quantity, None, math.nan, note=note)
                       for quantity in (TOGETHER, BERT_TOO, STOPS, MODIFIERS, LIKENESS)]  # fmt: skip
    models = {name: api.load_model(name, "cpu") for name in dict.fromkeys((*RECURRENT, *WITH_BERT))}
    four, with_bert = ([models[name] for name in names] for names in (RECURRENT, WITH_BERT))
    rows += [_together(TOGETHER, four, N_RECURRENT), _together(BERT_TOO, with_bert, N_WITH_BERT), _stops(with_bert)]
    table = api.read_starter("held out")
    pairs = api.find_pairs(table, ids="pair")
    api.measure_modifiers(four, pairs, n_pairs=4)  # the first call pays for imports
    began_s = time.perf_counter()
    api.measure_modifiers(four, pairs, "phenomenon", n_pairs=N_PAIRS)
    rows.append(Row(MODIFIERS, None, time.perf_counter() - began_s, "s"))
    began_s = time.perf_counter()
    found = api.compare_states(models["starter-lstm"], models["starter-bilstm"], table.texts, "words",
                               n_states=N_STATES)  # fmt: skip
    rows.append(Row(LIKENESS, None, time.perf_counter() - began_s, "s", note=f"of {found.n_texts:,} texts"))
    return rows


def _together(quantity: str, models: Sequence[LoadedModel], n_texts: int) -> Row:
    """Each by the quick exact method of its family, alone and in the comparison by turns; the quickest of either."""
    table = api.read_starter("held out").take(np.arange(n_texts))
    judged = api.judge(models, table, n_resamples=20, is_kept=False)
    seconds: tuple[list[float], list[float]] = ([], [])
    for model in models:
        list(api.attribute_texts(model, table.texts[:16]))  # the first call pays for imports
    for _ in range(_ROUNDS):
        began_s = time.perf_counter()
        for model in models:
            list(api.attribute_texts(model, table.texts))
        seconds[0].append(time.perf_counter() - began_s)
        began_s = time.perf_counter()
        api.compare_reasons(models, judged, n_texts=n_texts)
        seconds[1].append(time.perf_counter() - began_s)
    single_s, together_s = map(min, seconds)
    return Row(quantity, 1.3, together_s / single_s, note=f"{together_s:.1f} s over {single_s:.1f} s")


def _stops(models: Sequence[LoadedModel]) -> Row:
    """Seconds between two chances to stop, the longest wait."""
    table = api.read_starter("held out").take(np.arange(N_WITH_BERT))
    judged = api.judge(models, table, n_resamples=20, is_kept=False)
    told: list[float] = []

    def tell(share: float) -> None:
        told.append(time.perf_counter())
        if share > 0.5:
            raise CancelledError("Enough.")

    try:
        api.compare_reasons(models, judged, n_texts=N_WITH_BERT, progress=tell)
    except CancelledError:
        told.append(time.perf_counter())
    return Row(STOPS, 5.0, float(np.diff(told).max()), "s", note="the longest wait between two chances")


def _cka_error() -> float:
    """Against the matrices of state by state of Song et al. 2012."""
    rng = np.random.default_rng(0)
    one = rng.normal(size=(300, 40)) + 2
    other = np.concatenate([one[:, :20], rng.normal(size=(300, 30))], axis=1)
    return abs(debiased_cka(one, other) - _dense(one, other) / math.sqrt(_dense(one, one) * _dense(other, other)))


def _dense(one: np.ndarray, other: np.ndarray) -> float:
    n = len(one)
    k, l = one @ one.T, other @ other.T  # noqa: E741 - the letters of the paper
    np.fill_diagonal(k, 0)
    np.fill_diagonal(l, 0)
    sums = k.sum() * l.sum() / ((n - 1) * (n - 2)) - 2 * (k @ l).sum() / (n - 2)
    return float((np.trace(k @ l) + sums) / (n * (n - 3)))


def _mcnemar_error() -> float:
    """Against counting all ways that coins fall."""
    worst = 0.0
    for b, c in itertools.product(range(0, 60, 7), range(0, 60, 11)):
        ways = [math.comb(b + c, k) for k in range(b + c + 1)]
        expected = sum(one for one in ways if one <= ways[b]) / 2 ** (b + c)
        worst = max(worst, abs(accuracy.mcnemar(b, c) - expected))
    return worst


def _kendall_error() -> float:
    """Against counting pairs of words."""
    rng, worst = np.random.default_rng(0), 0.0
    for _ in range(50):
        one, other = rng.integers(0, 9, 20).astype(float), rng.normal(size=20).round(1)
        up, down = np.triu_indices(20, 1)
        first, second = np.sign(one[up] - one[down]), np.sign(other[up] - other[down])
        size = math.sqrt(float((first != 0).sum()) * float((second != 0).sum()))
        worst = max(
            worst, abs(reasons.taus_of(np.stack([one, other]), [True, True])[0, 1] - float(first @ second) / size)
        )
    return worst
