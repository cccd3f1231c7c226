"""What an exam says, in sentences made from its numbers."""

from __future__ import annotations

from collections.abc import Sequence

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.palette import family_label
from explorer_core.results.exam import ShortcutExam
from explorer_core.results.exam_rows import ExamRow

ALWAYS, SELDOM = 0.9, 0.5
"""Precision at 1 from which on a method finds the word nearly always, and below which it misses it more often."""
CLEAR = 0.5
"""Kendall's tau from which on a rank is said to follow the distance from the end."""


def exam_finding_of(result: ShortcutExam) -> tuple[str, ...]:
    """The finding first, then a sentence for each family."""
    if not result.rows:
        told = [f"{family_label(network.family)}: {result.problem(network.family)}" for network in result.networks]
        return ("No network has learned the shortcut so far, so no method can be judged.", *told)
    families = (_family(result, network.family) for network in result.networks)
    return (_first(result), *families, *_near_the_end(result))


def method_label(method: str) -> str:
    """What a person calls a method."""
    about = registry.describe("attribution").get(method)
    return about.label if about else method


def _first(result: ShortcutExam) -> str:
    families = list(dict.fromkeys(row.family for row in result.rows))
    by_method = {method: [row for row in result.rows if row.method == method] for method in result.spec.methods}
    by_method = {method: rows for method, rows in by_method.items() if rows}
    sure = [method for method, rows in by_method.items() if all(row.precision >= ALWAYS for row in rows)]
    poor = [method for method, rows in by_method.items() if any(row.precision < SELDOM for row in rows)]
    is_everywhere = all(row.precision < SELDOM for method in poor for row in by_method[method])
    has_several = len(families) > 1
    where = "in every family" if has_several else f"in the {family_label(families[0])}"
    said = (
        f"{_listed(sure)} {'puts' if len(sure) == 1 else 'put'} the planted word first in at least "
        f"{100 * ALWAYS:.0f} % of the texts {where}"
        if sure
        else f"No method puts the planted word first in {100 * ALWAYS:.0f} % of the texts {where}"
    )
    if poor:
        said += f"; {_listed(poor)} {'misses' if len(poor) == 1 else 'miss'} it more often than not"
        said += ("" if is_everywhere else " in at least one") if has_several else ""
    return f"{said}."


def _family(result: ShortcutExam, family: str) -> str:
    if problem := result.problem(family):
        return f"{family_label(family)}: {problem}"
    rows = sorted((row for row in result.rows if row.family == family), key=lambda row: -row.precision)
    sure = [row for row in rows if row.precision >= ALWAYS]
    rest = [f"{method_label(row.method)} {_share(row)}" for row in rows if row.precision < ALWAYS]
    n_methods = f"{len(sure)} of {len(rows)} methods" if len(rows) > 1 else f"{len(sure)} of 1 method"
    said = f"{family_label(family)}: {n_methods} in at least {100 * ALWAYS:.0f} %"
    if rest:
        said += f"; {', '.join(rest)}"
    return (
        f"{said}. A random order would find it in {100 * rows[0].random_precision:.0f} % of these {rows[0].n_texts} "
        f"texts of {number(rows[0].n_words)} words."
    )


def _near_the_end(result: ShortcutExam) -> tuple[str, ...]:
    """Why a method misses the word, where its rank follows the distance from the end."""
    parts = []
    for method in result.spec.methods:
        poor = [row.family for row in result.rows if row.method == method and row.precision < SELDOM]
        taus = {family: result.end_tau(family, method) for family in poor}
        told = [
            f"{number(tau, digits=2)} in the {family_label(family)}" for family, tau in taus.items() if tau >= CLEAR
        ]
        if told:
            parts.append(f"{method_label(method)} {', '.join(told)}")
    if not parts:
        return ()
    return (
        "Where the word is missed, its rank often follows how many words stand after it (Kendall's tau: "
        f"{'; '.join(parts)}): such a method tells how near the end a word is more than what it did.",
    )


def _share(row: ExamRow) -> str:
    return f"in {100 * row.precision:.0f} % ({100 * row.precision_low:.0f} to {100 * row.precision_high:.0f})"


def _listed(methods: Sequence[str]) -> str:
    labels = [method_label(method) for method in methods]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"
