"""How near an order of the words comes to the best one there is, and how far from the worst.

How much a verdict can fall when words are taken away depends on the network and the text, so bare drops cannot be
compared between networks. Edin et al. 2024 (Normalized AOPC) put the drop of an order on the scale between the lowest
and the highest drop that any order reaches. Up to `EXACT` words all sets of words are read and both ends are exact;
beyond, orders are searched with a beam and the ends are bounds from within.
"""

from __future__ import annotations

from itertools import combinations

import numpy as np

from explorer_core.attribution._trust_case import Case, counts_of, moved
from explorer_core.numerals import number
from explorer_core.results import TrustLine

EXACT = 10  # words, up to which every set of them is read
BEAM = 3  # orders followed at once
MOST_PASSES = 8_000


def normal_comprehensiveness(case: Case) -> TrustLine:
    """The drop without the highest words, between the lowest and the highest drop of any order."""
    return _line(case, keep=False)


def normal_sufficiency(case: Case) -> TrustLine:
    """The drop with only the highest words kept, between the highest and the lowest drop of any order."""
    return _line(case, keep=True)


def _line(case: Case, *, keep: bool) -> TrustLine:
    name, label = (
        ("normal_sufficiency", "Suffices as any could") if keep else ("normal_comprehensiveness", "Of what can fall")
    )
    what = "kept" if keep else "taken away"
    means = (
        f"NAOPC: words {what} in the order of the scores, 0 for the worst order of this text and 1 for the best, so "
        "that networks can be compared. Good from 0.8 on, bad below 0.5."
    )
    counts = counts_of(len(case.strength))
    n_needed = expected_passes(len(case.strength), counts[-1])
    if n_needed > MOST_PASSES:
        said = f"Not searched: over {len(case.strength)} words it would read the text about {n_needed:,} times."
        return TrustLine(name, label, None, "", "told", said, means, 0)
    search = Search(case, keep=keep)
    own = search.mean_drop(np.argsort(-case.strength, kind="stable"), counts)
    lowest, highest = search.ends(counts)
    ends = min(lowest, own), max(highest, own)
    lowest, highest = ends
    if highest - lowest < 1e-9:
        said = "No order changes the probability."
        return TrustLine(name, label, None, "", "told", said, means, search.n_passes)
    share = (highest - own if keep else own - lowest) / (highest - lowest)
    verdict = "good" if share >= 0.8 else "doubtful" if share >= 0.5 else "bad"
    sure = "all sets of words read" if len(case.strength) <= EXACT else f"found by a beam of {BEAM}"
    return TrustLine(
        name, label, share, "of the range", verdict,
        f"On average the probability {moved(own)}. In the worst order it {moved(ends[keep])}, in the best it "
        f"{moved(ends[not keep])} ({sure}): these scores go {number(share)} of the way.",
        means, search.n_passes,
    )  # fmt: skip


def expected_passes(n_words: int, n_away: int) -> int:
    """Texts read at most, of a search down to `n_away` words taken away."""
    if n_words <= EXACT:
        return int(2**n_words)
    return sum(2 * BEAM * (n_words - size) for size in range(n_away))


class Search:
    """Drops of the probability for sets of words, each read once.

    A set is what is taken away, or what is kept: the first words of an order.
    """

    def __init__(self, case: Case, *, keep: bool) -> None:
        self._case, self._keep = case, keep
        self._n_words = len(case.strength)
        self._whole = float(case.probs(np.ones((1, self._n_words), dtype=bool))[0])
        self._known: dict[bytes, float] = {}
        self.n_passes = 1

    def drops(self, picked: np.ndarray) -> np.ndarray:
        """Drop of the probability for each set, shape [set], of bool array [set, word]."""
        keys = [row.tobytes() for row in picked]
        new = [at for at, key in enumerate(dict.fromkeys(keys)) if key not in self._known]
        if new:
            rows = np.stack([np.frombuffer(key, dtype=bool) for key in dict.fromkeys(keys)])[new]
            probs = self._case.probs(rows if self._keep else ~rows)
            self._known |= {row.tobytes(): self._whole - float(prob) for row, prob in zip(rows, probs, strict=True)}
            self.n_passes += len(rows)
        return np.array([self._known[key] for key in keys])

    def mean_drop(self, order: np.ndarray, counts: list[int]) -> float:
        """Mean drop over the first words of an order, so many as `counts` says."""
        return float(
            self.drops(np.stack([np.isin(np.arange(self._n_words), order[:count]) for count in counts])).mean()
        )

    def ends(self, counts: list[int]) -> tuple[float, float]:
        """Lowest and highest mean drop over orders."""
        if self._n_words <= EXACT:
            return self._exact(counts)
        return -self._beam(counts, -1.0, 0.0), self._beam(counts, 1.0, 0.5)

    def _exact(self, counts: list[int]) -> tuple[float, float]:
        """From the empty set on, the best and the worst way to every set (Held and Karp's way over subsets)."""
        lowest = highest = {frozenset[int](): 0.0}
        for size in range(1, counts[-1] + 1):
            sets = [frozenset(some) for some in combinations(range(self._n_words), size)]
            gain = np.zeros(len(sets))
            if size in counts:
                gain = self.drops(np.stack([np.isin(np.arange(self._n_words), list(some)) for some in sets]))
            lowest, highest = (
                {some: float(gain[at]) + pick(before[some - {word}] for word in some) for at, some in enumerate(sets)}
                for before, pick in ((lowest, min), (highest, max))
            )
            self._case.tell(size / counts[-1])
        return min(lowest.values()) / len(counts), max(highest.values()) / len(counts)

    def _beam(self, counts: list[int], sign: float, told: float) -> float:
        """Highest mean drop times `sign` that a beam finds; orders are followed by all drops on their way."""
        beams = [(0.0, 0.0, np.zeros(self._n_words, dtype=bool))]  # on the way, at the counts, words
        for size in range(1, counts[-1] + 1):
            grown = [
                (way, total, picked | (np.arange(self._n_words) == word))
                for way, total, picked in beams
                for word in np.flatnonzero(~picked)
            ]
            drops = sign * self.drops(np.stack([picked for *_, picked in grown]))
            best: dict[bytes, tuple[float, float, np.ndarray]] = {}
            for (way, total, picked), drop in zip(grown, drops, strict=True):
                one = (way + drop, total + drop * (size in counts), picked)
                if picked.tobytes() not in best or best[picked.tobytes()][0] < one[0]:
                    best[picked.tobytes()] = one
            beams = sorted(best.values(), key=lambda one: -one[0])[:BEAM]
            self._case.tell(told + size / counts[-1] / 2)
        return max(total for _, total, _ in beams) / len(counts)
