"""Can an attribution be believed? Measured on the network itself, with random attributions as the yardstick.

A method that adds up need not be faithful, and a faithful one says nothing of a network that has learned nothing. So
words are taken away in the order of their scores and the drop is compared with that of random orders (DeYoung et al.
2020; Chrysostomou and Aletras 2022), other methods are asked, and the network is compared with copies of itself whose
weights were shuffled (Adebayo et al. 2018): what it does to words must be more than they do by chance.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import torch

from explorer_core import registry
from explorer_core.attribution import _explaining, _scorer
from explorer_core.attribution._trust_case import Case, counts_of, effects, moved, shuffled
from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.numerals import number
from explorer_core.params import SEED
from explorer_core.progress import Progress
from explorer_core.results import (
    AttributionPrice,
    ModelCard,
    TrustCard,
    TrustLine,
    TrustPrice,
    WordAttribution,
    kendall_tau,
)
from explorer_core.text import read_text

N_RANDOM = 29  # random attributions beside the one that is judged
N_SHUFFLED = 5  # copies with shuffled weights
TOP = 3
OTHERS = {  # cheap methods of other kinds to agree with, those that fit first
    "leave_one_out": ("integrated_gradients", "gradient_norm"),
    "integrated_gradients": ("leave_one_out", "gradient_norm"),
}
_LEFT = ("leave_one_out", "integrated_gradients")
Line = Callable[[Any], TrustLine]


def assess(
    model: LoadedModel,
    text: str,
    attribution: WordAttribution,
    *,
    full: bool,
    seed: int,
    known: TrustCard | None,
    card: ModelCard | None,
    progress: Progress | None,
) -> TrustCard:
    """Every measurement of one attribution; see `api.assess`."""
    SEED.check(seed)
    if attribution.fingerprint != model.fingerprint or attribution.reading.text != text:
        raise IncompatibleError("This attribution is of another network or another text. Make it again and judge that.")
    scorer = _scorer.make(model, attribution.reading, attribution.target, None)
    case = Case(model, attribution, scorer, scorer.removal("auto"), seed, card=card)
    measures: list[Callable[[Case], TrustLine | None]] = [training, gap, comprehensiveness, sufficiency, agreement]
    if full:
        from explorer_core.attribution import _trust_normal as normal
        from explorer_core.attribution import _trust_slow as slow

        measures += [normal.normal_comprehensiveness, normal.normal_sufficiency]
        measures += [slow.baselines, slow.randomised, slow.without_multiplier, slow.infidelity, slow.sensitivity]
    lines: list[TrustLine] = []
    with torch.inference_mode(False):
        for index, measure in enumerate(measures):
            if progress is not None:
                case.progress = lambda share, index=index: progress((index + share) / len(measures))  # type: ignore[misc]
            case.tell(0.0)
            found = _line_of(known, measure.__name__, case) or measure(case)
            if found is not None:
                lines.append(found)
    if progress is not None:
        progress(1.0)
    return TrustCard(attribution, tuple(lines), full, seed)


def price(model: LoadedModel, text: str, method: str, knobs: Mapping[str, Any], card: ModelCard | None) -> TrustPrice:
    """What a card will cost; see `api.price_assessment`."""
    from explorer_core.attribution import _trust_normal as normal
    from explorer_core.attribution import _trust_slow as slow

    own = _explaining.price(model, text, method, knobs)
    way = _explaining.price(model, text, "integrated_gradients", {})
    reading = read_text(model.tokenizer, text, model.max_tokens)
    n_words, n_tokens = len(reading.words), len(reading.tokens)
    n_networks = 1 if has_record(card) else 1 + N_SHUFFLED
    counts = counts_of(n_words)
    n_quick = n_networks * (n_words + 1) + 2 * (N_RANDOM + 1) * len(counts)
    quick = _explaining.price_of(model, n_tokens, n_quick, False)
    n_orders = normal.expected_passes(n_words, counts[-1])
    n_more = slow.N_SAMPLES + (2 * n_orders if n_orders <= normal.MOST_PASSES else 0)
    more = _explaining.price_of(model, n_tokens, n_more, False)
    n_again = slow.N_COPIES + (len(_scorer.BASELINES) - 1 if "baseline" in knobs_of(method) else 0)
    return TrustPrice(
        AttributionPrice(quick.seconds + way.seconds, n_quick + way.n_passes, max(quick.memory_mib, way.memory_mib)),
        AttributionPrice(
            more.seconds + n_again * own.seconds, n_more + n_again * own.n_passes, max(more.memory_mib, own.memory_mib)
        ),
    )


def knobs_of(method: str) -> set[str]:
    """Names of a method's settings."""
    return {knob.name for knob in registry.load("attribution", method).KNOBS}


def has_record(card: ModelCard | None) -> bool:
    """Whether a card says how often the network is right, out of how many texts."""
    metrics = {} if card is None else card.metrics
    return {"accuracy", "n_validation", "majority"} <= set(metrics) and metrics["n_validation"] >= 1


def _line_of(known: TrustCard | None, name: str, case: Case) -> TrustLine | None:
    """A line that was measured before, by the same random numbers and on the same scores."""
    if known is None or known.seed != case.seed or not np.array_equal(known.attribution.scores, case.strength):
        return None
    return next((line for line in known.lines if line.name == name), None)


def training(case: Case) -> TrustLine:
    """Whether the network has learned anything: by its record, else by its weights."""
    if case.card is None or not has_record(case.card):
        return by_weights(case)
    metrics = case.card.metrics
    return by_record(metrics["accuracy"], int(metrics["n_validation"]), metrics["majority"])


def by_record(accuracy: float, n_texts: int, majority: float) -> TrustLine:
    """Whether the network is right more often than the commonest label on texts it did not learn from.

    The interval is exact (Clopper and Pearson 1934).
    """
    from scipy import stats

    interval = stats.binomtest(round(accuracy * n_texts), n_texts).proportion_ci(0.95)
    lowest = float(interval.low)
    verdict = "good" if lowest - majority >= 0.2 * (1 - majority) else "doubtful" if lowest > majority else "bad"
    return TrustLine(
        "training", "It has learned", accuracy, "of the validation texts", verdict,
        f"It is right in {100 * accuracy:.0f} % of {n_texts:,} validation texts (95 % interval {100 * lowest:.0f} to "
        f"{100 * interval.high:.0f} %); the commonest label alone would be in {100 * majority:.0f} %.",
        "A network that has learned nothing has nothing to explain. Good if even the lower end goes a fifth of the way "
        "from the commonest label to always right, bad if it does not pass the commonest label.",
        0,
    )  # fmt: skip


def by_weights(case: Case) -> TrustLine:
    """Whether the network does more to single words than copies of it with shuffled weights."""
    own = float(np.abs(case.effects).max())
    chance = 0.0
    for turn, twin in enumerate(shuffled(case.model, N_SHUFFLED, case.seed)):
        scorer = _scorer.make(twin, case.attribution.reading, case.attribution.target, None)
        chance = max(chance, float(np.abs(effects(scorer, case.removal)).max()))
        case.tell((turn + 1) / N_SHUFFLED)
    ratio = own / chance if chance else (float("inf") if own else 0.0)
    verdict = "good" if own > 0 and ratio >= 2 else "doubtful" if own > 0 and ratio >= 1.25 else "bad"
    shown = number(ratio) if np.isfinite(ratio) else "far more than"
    n_words = len(case.attribution.words)
    return TrustLine(
        "training", "Training shows", ratio if np.isfinite(ratio) else 1e9, "times", verdict,
        f"How well it does is not on record. Taking one word away moves the logit by up to {number(own)}; in "
        f"{N_SHUFFLED} copies with shuffled weights by up to {number(chance)} ({shown} times).",
        "A network that has learned nothing has nothing to explain. Good from 2 times on, bad below 1.25; a vanilla "
        "RNN can fail this though it has learned.",
        (N_SHUFFLED + 1) * (n_words + 1),
    )  # fmt: skip


def gap(case: Case) -> TrustLine | None:
    """Whether the scores of a complete method add up."""
    found = case.attribution.relative_gap
    if found is None or case.attribution.convergence_delta is None:
        return None
    verdict = "good" if found <= 0.01 else "doubtful" if found <= 0.1 else "bad"
    return TrustLine(
        "gap", "Adds up", found if np.isfinite(found) else 1e9, "of the move", verdict,
        f"The scores miss {number(abs(case.attribution.convergence_delta))} logits of a move of "
        f"{number(case.attribution.move or 0.0, signed=True)}.",
        "That the sum is right says the arithmetic is; it does not say the words are. Good up to 1 %, bad from 10 %.",
        0,
    )  # fmt: skip


def comprehensiveness(case: Case) -> TrustLine:
    """Drop of the probability when the highest words are taken away, against random orders."""
    drop, percentile, n_passes = _against_random(case, keep=False)
    verdict = "good" if percentile >= 90 else "doubtful" if percentile >= 60 else "bad"
    return TrustLine(
        "comprehensiveness", "Its words matter", percentile, "percentile", verdict,
        f"Without its highest words the probability {moved(drop)} on average; that is more of a fall than in "
        f"{percentile:.0f} % of {N_RANDOM} random orders.",
        "The highest 10 to 50 % of words taken away (comprehensiveness). Good from the 90th percentile on, bad below "
        "the 60th.",
        n_passes,
    )  # fmt: skip


def sufficiency(case: Case) -> TrustLine:
    """Drop of the probability when only the highest words are kept, against random orders."""
    drop, percentile, n_passes = _against_random(case, keep=True)
    verdict = "good" if percentile >= 80 else "doubtful" if percentile >= 40 else "bad"
    return TrustLine(
        "sufficiency", "Its words suffice", percentile, "percentile", verdict,
        f"With only its highest words the probability {moved(drop)} on average; that is less of a fall than in "
        f"{percentile:.0f} % of {N_RANDOM} random orders.",
        "Only the highest 10 to 50 % of words kept (sufficiency). Good from the 80th percentile on, bad below 40.",
        n_passes,
    )  # fmt: skip


def agreement(case: Case) -> TrustLine:
    """Rank correlation with other methods on the same text."""
    names = [name for name in OTHERS.get(case.attribution.method, _LEFT) if name != case.attribution.method]
    taus, overlaps = [], []
    n_passes = 0 if case.has_effects or "leave_one_out" not in names else len(case.strength) + 1
    for name in names:
        other = _erased(case) if name == "leave_one_out" else case.again(case.model, name)
        mine, theirs = case.attribution.scores, other.scores
        taus.append(kendall_tau(case.attribution, other))
        overlaps.append(_overlap(np.abs(mine), np.abs(theirs)))
        n_passes += 0 if name == "leave_one_out" else other.n_passes
    mean = float(np.mean(taus))
    verdict = "good" if mean >= 0.4 else "doubtful" if mean >= 0.1 else "bad"
    labels = [registry.describe("attribution")[name].label for name in names]
    each = ", ".join(
        f"{label} {number(tau, signed=True)} ({count} of the {min(TOP, len(case.strength))} largest alike)"
        for label, tau, count in zip(labels, taus, overlaps, strict=True)
    )
    return TrustLine(
        "agreement", "Others agree", mean, "Kendall's tau", verdict,
        f"Rank correlation with {each}.",
        "Methods that ask differently and answer alike are less likely to be wrong together. Good from a mean of 0.4 "
        "on, bad below 0.1.",
        n_passes,
    )  # fmt: skip


def _erased(case: Case) -> WordAttribution:
    """Leave one out, from what taking single words away has shown already."""
    return dataclasses.replace(
        case.attribution, method="leave_one_out", signed=True, complete=False, scores=case.effects, token_scores=None,
        standard_error=None,
    )  # fmt: skip


def _against_random(case: Case, *, keep: bool) -> tuple[float, float, int]:
    """Mean drop of the probability, its percentile among random orders (the better, the higher), and the passes."""
    n_words = len(case.strength)
    counts = counts_of(n_words)
    rng = np.random.default_rng(case.seed)
    orders = [np.argsort(-case.strength, kind="stable"), *(rng.permutation(n_words) for _ in range(N_RANDOM))]
    there = np.ones((len(orders) * len(counts) + 1, n_words), dtype=bool)
    for row, (order, count) in enumerate([(order, count) for order in orders for count in counts]):
        picked = np.isin(np.arange(n_words), order[:count])
        there[row + 1] = picked if keep else ~picked
    different, where = np.unique(there, axis=0, return_inverse=True)
    probs = case.probs(different)[where.ravel()]
    drops = (probs[0] - probs[1:]).reshape(len(orders), len(counts)).mean(1)
    better = drops[1:] > drops[0] if keep else drops[1:] < drops[0]
    alike = np.isclose(drops[1:], drops[0], rtol=0, atol=1e-9)
    percentile = 100.0 * float((better & ~alike).mean() + 0.5 * alike.mean())
    return float(drops[0]), percentile, len(different)


def _overlap(one: np.ndarray, other: np.ndarray) -> int:
    """Words among the largest of both."""
    return len(set(np.argsort(-one)[:TOP]) & set(np.argsort(-other)[:TOP]))
