"""How alike methods rank the words of many texts.

Attention, gradients and erasure rank the words of one text in different orders (Jain and Wallace 2019, Attention is not
explanation), and how different depends on the text: a median over texts hides what the map shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

import numpy as np

from explorer_core.attribution import _over_texts
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import AgreementMap, kendall_tau
from explorer_core.text import read_text

FEWEST_WORDS = 3  # the ranks of two words are alike or turned round, and say nothing between
_FEW = f"fewer than {FEWEST_WORDS} words"
_EACH_KIND = (("attention_rollout", "gradient_norm"), ("integrated_gradients",), ("leave_one_out",))


def compared_methods(model: LoadedModel) -> tuple[str, ...]:
    """Attention (a gradient's size where there is none), gradients along a path, and erasure."""
    fitting = _over_texts.fitting(model)
    return tuple(next(name for name in kind if name in fitting) for kind in _EACH_KIND)


def measure(
    model: LoadedModel,
    texts: Sequence[str],
    true: np.ndarray,
    row_numbers: np.ndarray,
    origin: str,
    *,
    methods: Sequence[str] | None,
    n_texts: int,
    seed: int,
    progress: Progress | None = None,
) -> AgreementMap:
    """Tau of every pair of methods over texts; see `api.map_agreement`."""
    names = _over_texts.check_methods(model, compared_methods(model) if methods is None else methods, 2)
    _over_texts.N_TEXTS.check(n_texts)
    left_out: Counter[str] = Counter()

    def use(place: int, why: str | None) -> bool:
        if why is None and len(read_text(model.tokenizer, texts[place], model.max_tokens).words) < FEWEST_WORDS:
            why = _FEW
        if why is not None:
            left_out[why] += 1
        return why is None

    order = _over_texts.draw_order(len(texts), seed)
    explained = _over_texts.explain_each(model, texts, order, names, n_texts, lambda _: None, use, progress)
    places, taus, predicted, n_words = [], [], [], []
    for place, found in explained:
        places.append(place)
        taus.append([kendall_tau(one, other) for one, other in combinations(found, 2)])
        predicted.append(int(found[0].logits.argmax()))
        n_words.append(len(found[0].words))
    if not places:
        why = "; ".join(f"{n} with {reason}" for reason, n in _over_texts.counted(left_out).items())
        raise InvalidInputError(f"No text is left to compare on: {why or 'there are none'}. Give other texts.")
    rows = np.argsort(places)
    at = np.array(places)[rows]
    tau = np.array(taus)[rows].T
    low, high = _over_texts.interval(tau, np.median, seed)
    return AgreementMap(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        dataset=origin,
        methods=names,
        texts=tuple(texts[place] for place in at),
        row_numbers=row_numbers[at],
        true=true[at],
        predicted=np.array(predicted, dtype=np.int64)[rows],
        n_words=np.array(n_words, dtype=np.int64)[rows],
        tau=tau,
        median=np.median(tau, axis=1),
        low=low,
        high=high,
        left_out=_over_texts.counted(left_out),
        seed=seed,
    )
