"""What words do over many texts: scores gathered by word, and words that may be shortcuts."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import numpy as np

from explorer_core import registry
from explorer_core.attribution import _in_batches, _over_texts
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import SEED, Knob
from explorer_core.progress import Progress
from explorer_core.results import AttributionPrice, SuspectWords, TextTable, WordAttribution, WordReport
from explorer_core.tracing._target import class_of

N_TEXTS = Knob("n_texts", "Texts at most", "Texts drawn at random, where there are more.", 2_000, 2, 50_000, 100)
MIN_TEXTS = 10  # with a word, before it is tested
STRONG_SHARE = 0.1  # of the tested words, the strongest
FALSE_SHARE = 0.05  # of the words found to go with the label, wrongly so
_LOOK_EVERY_S, _TRIED = 2.0, 64
BLIND = (
    "Whether the label really depends on the word: a suspect may be a fair reason (“refund” in complaints), may stand "
    "for another word it comes with, or carry a sentiment that the starter corpus does not happen to mark. And a word "
    "marked there as sentiment is never a suspect, though a network may lean on it too much."
)


class _Gathered:
    """Entries so far."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.word: list[int] = []
        self.text: list[int] = []
        self.n: list[int] = []
        self.score: list[float] = []
        self.is_top: list[bool] = []
        self.turns: list[bool] = []
        self.places: list[int] = []
        self.logits: list[np.ndarray] = []
        self.n_unread = 0

    def add(self, place: int, found: WordAttribution) -> None:
        """Take in the scores of one text."""
        sums: dict[str, float] = {}
        counts: dict[str, int] = {}
        for word, score in zip(map(str.casefold, found.words), found.scores.tolist(), strict=True):
            sums[word] = sums.get(word, 0.0) + score
            counts[word] = counts.get(word, 0) + 1
        largest = max(map(abs, sums.values()))
        others = np.delete(found.logits, found.target)
        is_for, rest = found.logits.argmax() == found.target, float(others.max(initial=-np.inf))
        text = len(self.places)
        for word, score in sums.items():
            self.word.append(self.numbers.setdefault(word, len(self.numbers)))
            self.text.append(text)
            self.n.append(counts[word])
            self.score.append(score)
            self.is_top.append(abs(score) == largest)
            self.turns.append(bool((found.value - score > rest) != is_for))
        self.places.append(place)
        self.logits.append(found.logits)


def report(
    model: LoadedModel, table: TextTable, true: np.ndarray, method: str | None, target: int | str | None,
    general: Collection[str], n_texts: int, seed: int, progress: Progress | None,
    watch: Callable[[WordReport], None] | None,
) -> WordReport:  # fmt: skip
    """Scores of the words of many texts; see `api.report_words`."""
    method = method or _in_batches.default_method(model)
    if not _about(method).extra["signed"]:
        raise IncompatibleError(f"{_about(method).label} gives no signs, so its means say nothing. Choose another one.")
    index = class_of(model.labels, len(model.labels) - 1 if target is None else target, np.zeros(1))
    places = draw(len(table), N_TEXTS.check(n_texts), seed)
    gathered, looked_s = _Gathered(), time.monotonic()

    def finish(*, is_finished: bool) -> WordReport:
        return _finish(gathered, model, table, true, method, index, general, seed, is_finished=is_finished)

    texts = [table.texts[place] for place in places]
    for number, found in _in_batches.explain_texts(model, texts, method, index, {}, progress):
        if isinstance(found, WordAttribution):
            gathered.add(int(places[number]), found)
        else:
            gathered.n_unread += 1
        if watch is not None and gathered.places and time.monotonic() - looked_s > _LOOK_EVERY_S:
            watch(finish(is_finished=False))
            looked_s = time.monotonic()
    if not gathered.places:
        raise InvalidInputError("None of these texts holds anything the model can read. Choose another column.")
    return finish(is_finished=True)


def draw(n_given: int, n_texts: int, seed: int) -> np.ndarray:
    """Places of the texts that are explained, in a random order, so that the first of them stand for all."""
    return np.random.default_rng(SEED.check(seed)).permutation(n_given)[:n_texts]


def price(model: LoadedModel, texts: Sequence[str], method: str, n_texts: int) -> AttributionPrice:
    """What a report costs: of a method that explains many texts at once, by trying it on some."""
    n_texts = min(n_texts, len(texts))
    if not _in_batches.can_batch(method):
        return _over_texts.price(model, texts, (method,), n_texts)[method]
    tried = [texts[place] for place in draw(len(texts), _TRIED if model.kind == "recurrent" else _TRIED // 8, 0)]
    began_s = time.perf_counter()
    for _ in _in_batches.explain_texts(model, tried, method, None, {}):
        pass
    return AttributionPrice((time.perf_counter() - began_s) / max(len(tried), 1) * n_texts, n_texts, 0.0)


def _finish(
    found: _Gathered, model: LoadedModel, table: TextTable, true: np.ndarray, method: str, target: int,
    general: Collection[str], seed: int, *, is_finished: bool,
) -> WordReport:  # fmt: skip
    """The report of what was gathered, texts and words in their order whatever the order they were drawn in."""
    words = sorted(found.numbers)
    rank = np.empty(len(words), dtype=np.int32)
    rank[[found.numbers[word] for word in words]] = np.arange(len(words))
    places = np.array(found.places, dtype=np.int64)
    of_place = np.argsort(places)
    new_text = np.empty(len(places), dtype=np.int64)
    new_text[of_place] = np.arange(len(places))
    word, text = rank[found.word], new_text[found.text]
    order = np.lexsort((word, text))
    arrays = {
        name: np.array(getattr(found, name), dtype=kind)[order]
        for name, kind in (("n", np.int32), ("score", np.float64), ("is_top", bool), ("turns", bool))
    }
    indices = places[of_place]
    return WordReport(
        model=model.name,
        architecture=model.architecture,
        fingerprint=model.fingerprint,
        labels=model.labels,
        method=method,
        unit=_about(method).extra["unit"],
        target=target,
        words=tuple(words),
        word=word[order],
        text=text[order].astype(np.int32),
        indices=indices,
        rows=table.rows[indices],
        logits=np.array(found.logits)[of_place],
        true=true[indices],
        is_general=np.fromiter((word in general for word in words), bool, len(words)),
        n_given=len(table),
        n_unread=found.n_unread,
        seed=seed,
        is_finished=is_finished,
        **arrays,
    )


@dataclass(frozen=True)
class _Rows:
    """Rows with a label, and those labelled with the explained class: of all, and of those with each word [word]. The
    pieces of a long text have one label between them, so they are one row to a test.
    """

    n_labelled: int
    n_target: int
    n_labelled_with: np.ndarray
    n_target_with: np.ndarray


def _of_rows(found: WordReport) -> _Rows:
    rows, first = np.unique(found.rows, return_index=True)
    true = found.true[first]  # [row]
    n_rows, n_words = len(rows), len(found.by_word.word)
    word = np.searchsorted(found.by_word.word, found.word).astype(np.int64)
    both = np.unique(word * n_rows + np.searchsorted(rows, found.rows)[found.text])
    labels = true[both % n_rows]
    with_word = [
        np.bincount((both // n_rows)[is_in], minlength=n_words) for is_in in (labels >= 0, labels == found.target)
    ]
    return _Rows(int((true >= 0).sum()), int((true == found.target).sum()), *with_word)


def suspects(found: WordReport) -> SuspectWords:
    """Words that may be shortcuts; see `api.find_suspect_words`."""
    from scipy import stats

    summary, rows = found.by_word, _of_rows(found)
    n_labelled, n_target = rows.n_labelled, rows.n_target
    tested = (summary.n_rows >= MIN_TEXTS) & np.array([any(map(str.isalnum, word)) for word in summary.words], bool)
    bar = float(np.quantile(np.abs(summary.mean[tested]), 1 - STRONG_SHARE)) if tested.any() else 0.0
    strong = tested & (np.abs(summary.mean) >= bar) & (np.sign(summary.low) == np.sign(summary.high))
    p_value = np.ones(len(summary.word))
    if 0 < n_target < n_labelled and tested.any():
        tables = zip(rows.n_target_with[tested], rows.n_labelled_with[tested], strict=True)
        raw = [
            stats.fisher_exact([[a, n - a], [n_target - a, n_labelled - n_target - (n - a)]]).pvalue for a, n in tables
        ]
        p_value[tested] = stats.false_discovery_control(raw)
    base = n_target / n_labelled if n_labelled else float("nan")
    share = rows.n_target_with / np.maximum(rows.n_labelled_with, 1)
    is_same_side = np.sign(share - base) == np.sign(summary.mean) if n_labelled else np.zeros(len(share), bool)
    correlated = strong & (p_value <= FALSE_SHARE) & is_same_side
    chosen = np.flatnonzero(correlated & ~found.is_general[summary.word])
    chosen = chosen[np.argsort(-np.abs(summary.mean[chosen]), kind="stable")]
    rule = (
        f"Tested: words with a letter or a digit in {MIN_TEXTS} rows or more.",
        f"Strong on average: among the {STRONG_SHARE:.0%} of them with the largest mean score by size (here from "
        f"{bar:.3g} logits on), with a 95 % interval that does not hold zero.",
        f"Goes with the label: rows with the word have the class “{found.target_label}” more or less often than "
        f"others (Fisher's exact test over rows, at most {FALSE_SHARE:.0%} false finds by Benjamini and Hochberg), to "
        "the same side as its score.",
        "No general sense: the word is not among those that the starter corpus marks as carrying sentiment.",
    )
    return SuspectWords(
        report=found,
        rule=rule,
        blind=BLIND,
        words=tuple(summary.words[place] for place in chosen),
        mean=summary.mean[chosen],
        low=summary.low[chosen],
        high=summary.high[chosen],
        n_texts=summary.n_texts[chosen],
        target_share=share[chosen],
        base_share=base,
        p_value=p_value[chosen],
        n_tested=int(tested.sum()),
        n_strong=int(strong.sum()),
        n_correlated=int(correlated.sum()),
    )


def _about(method: str) -> registry.About:
    registry.load("attribution", method)
    return registry.describe("attribution")[method]
