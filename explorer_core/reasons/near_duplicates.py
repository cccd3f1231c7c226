"""Almost the same words, another label.

All pairs above a threshold are found by prefix filtering: two sets of such a likeness share one of their few rarest
words (Chaudhuri, Ganti and Kaushik 2006, A primitive operator for similarity joins; Bayardo, Ma and Srikant 2007).
"""

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

import numpy as np
import regex

from explorer_core.reasons._ranked import Ask, Ranked

ABOUT = {
    "label": "Near-duplicates with different labels",
    "sentence": "Texts that share most of their different words with a text of another label: at least 80 % of the "
    "words in either are in both (Jaccard, case ignored), the most alike first and the two texts side by side.",
    "order": 70,
    "value": "likeness",
    "needs": "labels",
    "cost": "search",
    "source": "Chaudhuri, Ganti and Kaushik 2006, A Primitive Operator for Similarity Joins in Data Cleaning",
}
LIKENESS = 0.8
MOST_COMPARED = 5_000_000
_WORD = regex.compile(r"[\p{L}\p{N}\p{M}]+|[^\s\p{L}\p{N}\p{M}]")
_TELL_EVERY = 1_000


def rank(ask: Ask) -> Ranked:
    """Each text with the text most like it that has another label."""
    rows = ask.labelled
    texts = [ask.judged.table.texts[row] for row in rows.tolist()]
    found, is_whole = alike(texts, ask.judged.true[rows].tolist(), report=ask.report)
    order = sorted(found, key=lambda place: (-found[place][0], min(place, found[place][1]), place))
    notes = (f"The search ended after {MOST_COMPARED:,} comparisons; there may be more.",) if not is_whole else ()
    return Ranked(
        rows[np.array(order, dtype=np.int64)],
        np.array([found[place][0] for place in order]),
        tuple(
            f"beside row {ask.judged.table.row_numbers[rows[found[place][1]]]}, labelled "
            f"{ask.judged.labels[ask.judged.true[rows[found[place][1]]]]}"
            for place in order
        ),
        rows[np.array([found[place][1] for place in order], dtype=np.int64)],
        notes,
    )


def alike(
    texts: Sequence[str],
    labels: Sequence[int],
    least: float = LIKENESS,
    *,
    most: int = MOST_COMPARED,
    report: Callable[[float], None] = lambda share: None,
) -> tuple[dict[int, tuple[float, int]], bool]:
    """For each text that has one, its likeness to the most alike text of another label, and that text's place.

    Args:
        texts: Any texts; one without words is like none.
        labels: Label of each.
        least: Likeness from which on texts count, in (0, 1].
        most: Pairs compared at most.
        report: Called with the share done.

    Returns:
        `{place: (likeness, other place)}`, and whether everything was compared.
    """
    members: dict[tuple[frozenset[str], int], list[int]] = defaultdict(list)
    for place, (text, label) in enumerate(zip(texts, labels, strict=True)):
        words = frozenset(_WORD.findall(text.casefold()))
        if words:
            members[words, label].append(place)
    counts = Counter(word for words, _ in members for word in words)
    seen: dict[tuple[str, int], list[int]] = defaultdict(list)  # units by a rare word and their label
    units = sorted(members, key=lambda unit: (len(unit[0]), members[unit][0]))
    kinds, best, n_compared = sorted(set(labels)), {}, 0  # type: ignore[var-annotated]
    for number, (words, label) in enumerate(units):
        if number % _TELL_EVERY == 0:
            report(number / len(units))
        size = len(words)
        prefix = sorted(words, key=lambda word: (counts[word], word))[: size - math.ceil(least * size - 1e-9) + 1]
        others = {other for word in prefix for kind in kinds if kind != label for other in seen.get((word, kind), ())}
        for other in others:
            if len(units[other][0]) < least * size:
                continue
            n_compared += 1
            shared = len(words & units[other][0])
            value = shared / (size + len(units[other][0]) - shared)
            if value >= least:
                for one, two in ((number, other), (other, number)):
                    if (value, -members[units[two]][0]) > best.get(one, (0.0, 0)):
                        best[one] = (value, -members[units[two]][0])
        if n_compared > most:
            break
        for word in prefix:
            seen[word, label].append(number)
    report(1.0)
    return {
        place: (value, -first) for number, (value, first) in best.items() for place in members[units[number]]
    }, n_compared <= most
