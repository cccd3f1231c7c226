"""Verdicts that were settled only near the end of the text."""

import time

import numpy as np

from explorer_core.reasons._ranked import Ask, Ranked, ranked
from explorer_core.text import split_words

ABOUT = {
    "label": "Verdict flips latest",
    "sentence": "Texts whose running verdict, read after every word, changes at least once, the latest last change "
    "first: the share of the words that had been read when the final verdict began to hold.",
    "order": 40,
    "value": "share read",
    "needs": "",
    "cost": "network",
}


def rank(ask: Ask) -> Ranked:
    """Texts by when the final verdict began to hold; the model reads the texts with the smallest margin again."""
    from explorer_core.tracing import running

    network, closest = ask.ready(), ask.closest()
    rows, shares, n_words, details = [], [], [], {}
    for done, row in enumerate(closest.tolist()):
        ask.report(done / len(closest))
        decided = running.trace_running(network, ask.judged.table.texts[row]).argmax(1)
        since = settled_at(decided)
        if since:
            rows.append(row)
            shares.append((since + 1) / len(decided))
            n_words.append(len(decided))
            details[row] = _told(ask, row, decided, since, network.labels)
    ask.report(1.0)
    found = ranked(np.array(rows, dtype=np.int64), np.array(shares), np.array(n_words, dtype=float))
    note = f"{len(closest):,} of {len(ask.rows):,} texts were read word by word, those with the smallest margin."
    told = tuple(details[row] for row in found.rows.tolist())
    return Ranked(found.rows, found.values, told, notes=(note,) if len(closest) < len(ask.rows) else ())


def settled_at(decided: np.ndarray) -> int:
    """Index of the word from which on the verdict is the final one; 0 if it never changed.

    Args:
        decided: Class decided for after each word; int array [word].
    """
    other = np.flatnonzero(decided != decided[-1])
    return int(other[-1]) + 1 if len(other) else 0


def price(ask: Ask) -> float:
    """Estimated seconds, from reading one of the texts now: each prefix is read anew by some networks."""
    from explorer_core.tracing import running

    network, closest = ask.ready(), ask.closest()
    if not len(closest):
        return 0.0
    n_words = ask.judged.n_tokens[ask.model, closest].astype(float)
    middle = int(np.argsort(n_words)[len(n_words) // 2])
    text = ask.judged.table.texts[closest[middle]]
    running.trace_running(network, text)
    began_s = time.perf_counter()
    running.trace_running(network, text)
    taken_s = time.perf_counter() - began_s
    rereads = network.kind == "transformer" or getattr(network.module.config, "bidirectional", False)
    work = n_words**2 if rereads else n_words + 10  # and what a call costs by itself
    return float(taken_s * work.sum() / work[middle])


def _told(ask: Ask, row: int, decided: np.ndarray, since: int, labels: tuple[str, ...]) -> str:
    """The verdict before, and the word that turned it."""
    text = ask.judged.table.texts[row]
    spans = split_words(text)
    word = text[slice(*spans[since])][:40] if since < len(spans) else ""
    return f"{labels[decided[since - 1]]} until word {since + 1} of {len(decided)}, “{word}”"
