"""Negation and other modifiers on the bench: minimal pairs by phenomenon.

A pair is right if both of its sides are (contrast sets: Gardner et al. 2020, Evaluating models' local decision
boundaries via contrast sets). How far the verdict swings says whether a network heard the edit at all, and the running
verdicts say for how many words it keeps that: a network that forgets swings at the modifier and drifts back.
"""

from __future__ import annotations

import dataclasses
import time
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from explorer_core.comparing import _lasting
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.judging.scores import wilson
from explorer_core.loaded import LoadedModel
from explorer_core.params import SEED, Knob
from explorer_core.progress import Progress
from explorer_core.results import ALL_PAIRS, ModifierBench, TextPairs
from explorer_core.text import read_text
from explorer_core.tracing import running

N_PAIRS = Knob("n_pairs", "Pairs at most", "Pairs drawn at random, where there are more.", 500, 2, 5_000, 50)
HORIZON = 8  # words after the change over which lengths are averaged
N_CURVE = 12  # words after the change that the curve shows
N_RESAMPLES = 2_000
_TAILS = (2.5, 97.5)
_PRICED = 3  # pairs tried
_MOST_AFTER = 512  # words after the change that are kept
NO_CLASSES, ALIKE, UNREADABLE, CUT, SAME = (
    "a text without a label", "two texts of the same label", "a text that some model cannot read",
    "a text longer than some model reads", "two texts of the same words",
)  # fmt: skip


def measure(
    models: Sequence[LoadedModel],
    pairs: TextPairs,
    true: np.ndarray,
    phenomena: Sequence[str],
    *,
    n_pairs: int = N_PAIRS.default,
    seed: int = 0,
    progress: Progress | None = None,
) -> ModifierBench:
    """All pairs by all networks; see `api.measure_modifiers`.

    Args:
        models: With the same classes in the same order.
        pairs: The pairs.
        true: Class of each text of their table, -1 for none.
        phenomena: Of each pair.
        n_pairs: As there.
        seed: As there.
        progress: As there.
    """
    labels = models[0].labels
    N_PAIRS.check(n_pairs), SEED.check(seed)
    report = progress or (lambda share: None)
    left_out: Counter[str] = Counter()
    kept, n_suffix = _usable(models, pairs, true, n_pairs, seed, left_out)
    if not len(kept):
        why = "; ".join(f"{n:,} with {reason}" for reason, n in left_out.items())
        raise InvalidInputError(f"No pair can be measured: {why or 'there are none'}. Give other pairs.")
    sides = np.stack([pairs.first[kept], pairs.second[kept]], axis=1)  # [pair, side]
    classes = true[sides]
    width = min(int(n_suffix.max()), _MOST_AFTER) + 1
    logits = np.zeros((len(models), len(kept), 2, len(labels)))
    effect = np.full((len(models), len(kept), width), np.nan)
    paces = np.array(
        [_pace(model, [pairs.table.texts[place] for place in sides[:_PRICED].ravel()]) for model in models]
    )
    starts = np.concatenate([[0.0], np.cumsum(paces)]) / paces.sum()
    for number, model in enumerate(models):
        order = [labels.index(label) for label in model.labels]
        for row in range(len(kept)):
            report(float(starts[number] + (starts[number + 1] - starts[number]) * row / len(kept)) * 0.98)
            margins = []
            for side in (0, 1):
                read = running.trace_running(model, pairs.table.texts[sides[row, side]])
                found = np.empty_like(read)  # [word, class], classes in the shared order
                found[:, order] = read
                logits[number, row, side] = found[-1]
                margins.append(found[:, classes[row, 0]].astype(np.float64) - found[:, classes[row, 1]])
            after = int(n_suffix[row]) + 1
            swing = margins[0][-after:] - margins[1][-after:]
            effect[number, row, : min(after, width)] = swing[:width]
    report(1.0)
    return _finish(
        models,
        pairs,
        kept,
        tuple(phenomena[place] for place in kept),
        classes,
        logits,
        effect,
        n_suffix,
        left_out,
        seed,
    )


def price(models: Sequence[LoadedModel], pairs: TextPairs, n_pairs: int) -> dict[str, float]:
    """Seconds each network takes for so many pairs, about, from reading some of them now."""
    some = np.random.default_rng(0).permutation(len(pairs))[:_PRICED]
    texts = [pairs.table.texts[place] for ends in (pairs.first, pairs.second) for place in ends[some]]
    return {model.name: _pace(model, texts) * 2 * min(n_pairs, len(pairs)) for model in models}


def _pace(model: LoadedModel, texts: Sequence[str]) -> float:
    """Seconds a text takes."""
    began_s, n_read = time.perf_counter(), 0
    for text in texts:
        try:
            running.trace_running(model, text)
        except InvalidInputError:
            continue
        n_read += 1
    return max((time.perf_counter() - began_s) / max(n_read, 1), 1e-6)


def _usable(
    models: Sequence[LoadedModel], pairs: TextPairs, true: np.ndarray, n_pairs: int, seed: int, left_out: Counter[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Places of the pairs that are measured, in their order, and the words after the last changed one of each."""
    found: dict[int, int] = {}
    for place in np.random.default_rng(seed).permutation(len(pairs)).tolist():
        if len(found) == n_pairs:
            break
        one, two = int(pairs.first[place]), int(pairs.second[place])
        if min(true[one], true[two]) < 0:
            left_out[NO_CLASSES] += 1
        elif true[one] == true[two]:
            left_out[ALIKE] += 1
        else:
            words = [_words(models, pairs.table.texts[side]) for side in (one, two)]
            why = next((each for each in words if isinstance(each, str)), None)
            if why is None and words[0] == words[1]:
                why = SAME
            if why is not None:
                left_out[why] += 1
            else:
                found[place] = shared_end(*words)  # type: ignore[arg-type]
    kept = np.array(sorted(found), dtype=np.int64)
    return kept, np.array([found[place] for place in kept.tolist()], dtype=np.int64)


def shared_end(first: Sequence[str], second: Sequence[str]) -> int:
    """Words at the end that two texts share; at least one word stands before them in each."""
    most = min(len(first), len(second)) - 1
    n_words = 0
    while n_words < most and first[-1 - n_words] == second[-1 - n_words]:
        n_words += 1
    return n_words


def _words(models: Sequence[LoadedModel], text: str) -> tuple[str, ...] | str:
    """The words of a text if every network reads all of them, else why not."""
    words: tuple[str, ...] = ()
    for model in models:
        try:
            reading = read_text(model.tokenizer, text, model.max_tokens)
        except InvalidInputError:
            return UNREADABLE
        if reading.truncated_words or reading.is_last_word_cut:
            return CUT
        words = words or reading.words
        if reading.words != words:
            return UNREADABLE
    return words


def _finish(
    models: Sequence[LoadedModel], pairs: TextPairs, kept: np.ndarray, phenomena: tuple[str, ...], true: np.ndarray,
    logits: np.ndarray, effect: np.ndarray, n_after: np.ndarray, left_out: Counter[str], seed: int,
) -> ModifierBench:  # fmt: skip
    """The bench with its groups and their intervals."""
    lasted, fell = np.full(effect.shape[:2], -1), np.zeros(effect.shape[:2], dtype=bool)
    for place in np.ndindex(lasted.shape):
        lasted[place], fell[place], _ = _lasting.lengths_of(effect[place][~np.isnan(effect[place])])
    named = Counter(one for one in phenomena if one)
    groups = (ALL_PAIRS, *(name for name, _ in sorted(named.items(), key=lambda item: (-item[1], item[0]))))
    rows = np.arange(len(kept))
    margins = logits[:, rows, :, true[:, 0]] - logits[:, rows, :, true[:, 1]]  # [pair, model, side]
    swing, is_right = (margins[..., 0] - margins[..., 1]).T, (logits.argmax(-1) == true).all(-1)  # [model, pair]
    n_pairs, found = [], []
    for name in groups:
        here = rows if name == ALL_PAIRS else np.flatnonzero([one == name for one in phenomena])
        n_pairs.append(len(here))
        drawn = draws(len(here), seed)  # the same pairs for every network
        found.append(
            [_measured(swing[number, here], is_right[number, here], lasted[number, here], fell[number, here], drawn)
             for number in range(len(models))]
        )  # fmt: skip
    measured = dataclasses.replace(
        pairs, first=pairs.first[kept], second=pairs.second[kept], distance=pairs.distance[kept],
        names=tuple(pairs.names[place] for place in kept),
    )  # fmt: skip
    return ModifierBench(
        models=tuple(model.name for model in models),
        architectures=tuple(model.architecture for model in models),
        fingerprints=tuple(model.fingerprint for model in models),
        labels=models[0].labels,
        pairs=measured,
        phenomena=phenomena,
        true=true,
        logits=logits,
        effect=effect,
        n_after=n_after,
        lasted=lasted,
        fell=fell,
        groups=groups,
        n_pairs=np.array(n_pairs),
        horizon=HORIZON,
        left_out=dict(left_out),
        n_resamples=N_RESAMPLES,
        seed=seed,
        **{  # [model, group, ...]
            name: np.array([[one[name] for one in of_group] for of_group in found]).swapaxes(0, 1)
            for name in found[0][0]
        },
    )


def _measured(
    swing: np.ndarray, is_right: np.ndarray, lasted: np.ndarray, fell: np.ndarray, drawn: np.ndarray
) -> dict[str, Any]:
    """What one network does on the pairs of one group, with intervals; arrays of shape [pair]."""
    has = lasted >= 0
    n_all, n_effects, n_to_end = len(swing), int(has.sum()), int((has & ~fell).sum())
    right_low, right_high = _share(int(is_right.sum()), n_all)
    swing_low, swing_high = np.percentile(drawn @ swing / n_all, _TAILS)
    end_low, end_high = _share(n_to_end, n_effects)
    watched, fallen = _lasting.counts(lasted, fell, N_CURVE)
    curve = _lasting.survival(watched.sum(0), fallen.sum(0)) if n_effects else np.full(N_CURVE + 1, np.nan)
    sampled = _lasting.survival(drawn @ watched, drawn @ fallen) if n_effects else curve[None]  # [sample, word]
    curve_low, curve_high = np.percentile(sampled, _TAILS, axis=0)
    lasting_low, lasting_high = np.percentile(sampled[:, 1 : HORIZON + 1].sum(1), _TAILS)
    return {
        "n_effects": n_effects,
        "right": is_right.mean(), "right_low": right_low, "right_high": right_high,
        "swing_mean": swing.mean(), "swing_low": swing_low, "swing_high": swing_high,
        "lasting": curve[1 : HORIZON + 1].sum(), "lasting_low": lasting_low, "lasting_high": lasting_high,
        "at_end": n_to_end / n_effects if n_effects else np.nan, "at_end_low": end_low, "at_end_high": end_high,
        "curve": curve, "curve_low": curve_low, "curve_high": curve_high,
    }  # fmt: skip


def draws(n_pairs: int, seed: int) -> np.ndarray:
    """How often each pair is in each bootstrap sample (Efron 1979, Bootstrap methods); float array [sample, pair]."""
    drawn = np.random.default_rng(seed).multinomial(n_pairs, np.full(n_pairs, 1 / n_pairs), size=N_RESAMPLES)
    return drawn.astype(np.float64)


def check_models(models: Sequence[LoadedModel]) -> None:
    """Refuse no network, one given twice, and networks of different classes.

    Raises:
        InvalidInputError, IncompatibleError: If so.
    """
    if not models:
        raise InvalidInputError("No model is chosen. Choose at least one.")
    if len({model.name for model in models}) < len(models):
        raise InvalidInputError("A model is chosen twice. Choose each once.")
    for model in models[1:]:
        if sorted(model.labels) != sorted(models[0].labels):
            raise IncompatibleError(
                f"{model.name[:60]!r} decides between {', '.join(model.labels[:6])[:80]}, {models[0].name[:60]!r} "
                f"between {', '.join(models[0].labels[:6])[:80]}. Compare models with the same classes."
            )


def _share(n_right: int, n_all: int) -> tuple[float, float]:
    low, high = wilson(np.array(n_right), np.array(n_all))
    return float(low), float(high)
