"""Verdicts that hang on a few words."""

import math
import time

import numpy as np

from explorer_core.reasons._ranked import Ask, Ranked

ABOUT = {
    "label": "Shortest deletion that flips",
    "sentence": "Texts whose verdict turns when a few words are taken away, the fewest words first, then the verdict "
    "that turns furthest: exact up to three words within a budget, greedy beyond.",
    "order": 80,
    "value": "deleted",
    "needs": "",
    "cost": "network",
}
BUDGET = 2_000  # texts read for one text
_BATCH = 128


def rank(ask: Ask) -> Ranked:
    """Texts by the fewest words whose absence turns the verdict; those with the smallest margin are tried."""
    from explorer_core.attribution import _flips

    network, closest = ask.ready(), ask.closest()
    found, n_none, n_greedy = [], 0, 0
    for done, row in enumerate(closest.tolist()):
        ask.report(done / len(closest))

        def part(share: float, done: int = done) -> None:
            ask.report((done + share) / len(closest))

        flips = _flips.find(network, ask.judged.table.texts[row], "auto", BUDGET, part)
        if not flips.n_words:
            n_none += 1
            continue
        n_greedy += not flips.is_exact
        said = " ".join(flips.named(0))[:80]
        told = f"without “{said}”: {flips.labels[flips.new_labels[0]]}" + ("" if flips.is_exact else " (greedy)")
        found.append((flips.n_words, float(flips.margins[0]), row, told))
    ask.report(1.0)
    found.sort()
    notes = [f"{len(closest):,} of {len(ask.rows):,} texts were tried, those with the smallest margin."]
    if n_none:
        notes.append(f"In {n_none:,} no deletion was found that turns the verdict.")
    if n_greedy:
        notes.append(f"In {n_greedy:,} fewer words may do: the budget ended before every choice was tried.")
    rows, values = np.array([one[2] for one in found], dtype=np.int64), np.array([float(one[0]) for one in found])
    return Ranked(rows, values, tuple(one[3] for one in found), notes=tuple(notes))


def price(ask: Ask) -> float:
    """Seconds at most, from reading a batch now: each text is read until its verdict turns or the budget ends."""
    from explorer_core import prediction

    network, closest = ask.ready(), ask.closest()
    if not len(closest):
        return 0.0
    n_words = ask.judged.table.n_words[closest]
    middle = ask.judged.table.texts[closest[int(np.argsort(n_words)[len(n_words) // 2])]]
    prediction.predict(network, [middle] * _BATCH)
    began_s = time.perf_counter()
    prediction.predict(network, [middle] * _BATCH)
    a_text_s = (time.perf_counter() - began_s) / _BATCH
    passes = sum(min(BUDGET, n + math.comb(n, 2) + math.comb(n, 3)) for n in n_words.tolist())
    return a_text_s * passes
