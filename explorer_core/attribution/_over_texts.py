"""Scores of words over many texts: which methods are cheap, what they cost, which texts, and how far it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence

import numpy as np

from explorer_core import registry
from explorer_core.attribution import _explaining
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import SEED, Knob
from explorer_core.progress import Progress
from explorer_core.results import AttributionPrice, WordAttribution
from explorer_core.text import read_text

CHEAP_PASSES, _CHEAP_WORDS = 40, 30
_PRICED, _TRIED_S = 40, 1.0  # texts priced, about; a text that takes longer by itself is not tried
N_RESAMPLES = 2_000
CONFIDENCE = 0.95
N_TEXTS = Knob("n_texts", "Texts", "Texts drawn at random.", 100, 2, 2_000, 10)

UNREADABLE = "nothing the model can read"


def cheap_methods(model: LoadedModel) -> tuple[str, ...]:
    """Methods that fit a network and read a text of 30 words at most 40 times, in their order."""
    return tuple(name for name in fitting(model) if _passes(name) <= CHEAP_PASSES)


def fitting(model: LoadedModel) -> tuple[str, ...]:
    """Methods that fit a network, in their order."""
    found = []
    for name, about in registry.describe("attribution").items():
        try:
            _explaining.check_fits(about, model)
        except IncompatibleError:
            continue
        found.append(name)
    return tuple(found)


def check_methods(model: LoadedModel, methods: Sequence[str], least: int) -> tuple[str, ...]:
    """The methods, if there are enough, each is known and given once, and each fits.

    Raises:
        InvalidInputError, NotFoundError, IncompatibleError: If not.
    """
    if isinstance(methods, str) or not all(isinstance(name, str) for name in methods):
        raise InvalidInputError("A list of names of methods is expected, such as ['leave_one_out'].")
    if len(methods) < least or len(set(methods)) < len(methods):
        raise InvalidInputError(f"At least {least} method{'s' * (least > 1)} are expected, each once.")
    for name in methods:
        registry.load("attribution", name)
        _explaining.check_fits(registry.describe("attribution")[name], model)
    return tuple(methods)


def draw_order(n_texts: int, seed: int) -> list[int]:
    """Places of texts in the random order in which they are taken."""
    return np.random.default_rng(SEED.check(seed)).permutation(n_texts).tolist()


def price(
    model: LoadedModel, texts: Sequence[str], methods: Sequence[str], n_texts: int
) -> dict[str, AttributionPrice]:
    """What scores of all words of texts cost by each method; see `api.price_over_texts`.

    Counting passes says how texts compare, scoring one of middling length how long it takes: short texts pay for more
    than their passes.
    """
    texts = [text for text in texts[:: max(len(texts) // _PRICED, 1)] if _is_readable(model, text)]
    if not texts:
        return {method: AttributionPrice(0.0, 0, 0.0) for method in methods}
    times = n_texts / len(texts)
    middling = sorted(texts, key=len)[len(texts) // 2]
    found = {}
    for method in methods:
        prices = [_explaining.price(model, text, method, {}) for text in texts]
        of_one = _explaining.price(model, middling, method, {}).seconds
        factor = 1.0
        if of_one <= _TRIED_S:
            tries = [_seconds_of(model, middling, method) for _ in range(2 if of_one <= _TRIED_S / 5 else 1)]
            factor = min(tries) / of_one
        found[method] = AttributionPrice(
            factor * times * sum(one.seconds for one in prices),
            round(times * sum(one.n_passes for one in prices)),
            max(one.memory_mib for one in prices),
        )
    return found


def _seconds_of(model: LoadedModel, text: str, method: str) -> float:
    began = time.perf_counter()
    _explaining.explain(model, text, method, None, {}, None)
    return time.perf_counter() - began


def explain_each(
    model: LoadedModel,
    texts: Sequence[str],
    order: Sequence[int],
    methods: Sequence[str],
    n_texts: int,
    target_of: Callable[[int], int | None],
    use: Callable[[int, str | None], bool],
    progress: Progress | None,
) -> Iterator[tuple[int, list[WordAttribution]]]:
    """Every text that can be used with its scores by each method, until there are enough.

    Args:
        model: The network.
        texts: All texts.
        order: Places of texts in the order in which they are taken.
        methods: Names.
        n_texts: Enough texts.
        target_of: Class explained in a text; `None` for the predicted one.
        use: Whether a text is used, asked with its place and, where it cannot be read at all, the reason.
        progress: Called with the share done.
    """
    n_wanted, n_done = min(n_texts, len(order)), 0
    for n_seen, place in enumerate(order):
        if n_done == n_wanted:
            break
        share_before = max(n_done / n_wanted, n_seen / len(order))
        if progress is not None:
            progress(share_before)
        why = None if _is_readable(model, texts[place]) else UNREADABLE
        if not use(place, why) or why is not None:
            continue
        found = []
        for index, method in enumerate(methods):
            if progress is not None:
                progress(share_before + index / len(methods) * (1 - share_before) / (n_wanted - n_done))
            found.append(_explaining.explain(model, texts[place], method, target_of(place), {}, None))
        n_done += 1
        yield place, found
    if progress is not None:
        progress(1.0)


def interval(values: np.ndarray, statistic: Callable[..., np.ndarray], seed: int) -> tuple[np.ndarray, np.ndarray]:
    """95 % interval of a statistic over the last axis, by the percentiles of seeded draws with replacement (Efron and
    Tibshirani 1993, An introduction to the bootstrap); both ends are the statistic itself where there is one text.
    """
    from scipy import stats

    if values.shape[-1] < 2:
        only = statistic(values, axis=-1)
        return only, only
    found = stats.bootstrap(
        (values,), statistic, axis=-1, n_resamples=N_RESAMPLES, batch=250, vectorized=True, method="percentile",
        confidence_level=CONFIDENCE, rng=np.random.default_rng(seed),
    ).confidence_interval  # fmt: skip
    return np.asarray(found.low), np.asarray(found.high)


def counted(reasons: Mapping[str, int]) -> dict[str, int]:
    """Reasons that left anything out, the most frequent first."""
    return {why: n for why, n in sorted(reasons.items(), key=lambda item: -item[1]) if n}


def _passes(method: str) -> int:
    module = registry.load("attribution", method)
    return int(module.count_passes(_CHEAP_WORDS, {knob.name: knob.default for knob in module.KNOBS}))


def _is_readable(model: LoadedModel, text: str) -> bool:
    try:
        read_text(model.tokenizer, text, model.max_tokens)
    except InvalidInputError:
        return False
    return True
