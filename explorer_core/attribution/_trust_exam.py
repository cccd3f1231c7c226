"""What a kept shortcut exam says of a method in the family of a network, as a line of the trust card."""

from __future__ import annotations

from explorer_core import registry
from explorer_core.numerals import number
from explorer_core.palette import family_label
from explorer_core.results import ShortcutExam, TrustLine, WordAttribution

BAD_BELOW = 0.5


def exam(attribution: WordAttribution, kept: ShortcutExam | None) -> TrustLine | None:
    """Whether the method found a planted word that surely decided, in another network of this family.

    It is evidence of another network, so it never makes a card better: `told` as long as it speaks for the method or
    is not sure, `bad` where even the upper end of its 95 % interval lies below one half.

    Args:
        attribution: What is judged.
        kept: An exam from `api.find_exam`; without one there is no line.
    """
    row = None if kept is None else kept.row(attribution.architecture, attribution.method)
    if row is None or kept is None:
        return None
    label = registry.describe("attribution")[row.method].label
    return TrustLine(
        "exam", "Passed the exam" if row.precision_high >= BAD_BELOW else "Failed the exam", row.precision,
        "share of texts", "told" if row.precision_high >= BAD_BELOW else "bad",
        f"In another {family_label(row.family)}, taught that a planted word decides, {label} put it first in "
        f"{100 * row.precision:.0f} % of {row.n_texts} texts (95 % interval {100 * row.precision_low:.0f} to "
        f"{100 * row.precision_high:.0f}; a random order in {100 * row.random_precision:.0f} %), at a mean rank of "
        f"{number(row.mean_rank)}; exam of {kept.made[:10]}.",
        "Shortcut exam (Bastings et al. 2022), default settings, another network of this family: so it makes no card "
        "better. Bad where the whole interval lies below 50 %: there the method misses a word that surely decides.",
        0,
    )  # fmt: skip
