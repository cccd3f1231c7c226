"""What came out of a shortcut exam: where every method put the planted word, family by family."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.errors import ExplorerError, InvalidInputError
from explorer_core.exam.spec import LEARNED, ExamSpec
from explorer_core.results._base import Exportable
from explorer_core.results.exam_rows import ExamRow, mean_interval, wilson
from explorer_core.results.planted import PlantedText, planted_of, string_of
from explorer_core.text import split_words

MIN_TEXTS = 5
"""Texts that must count before a network's methods are judged."""


@dataclass(frozen=True)
class ExamPrice:
    """What an exam will cost.

    Attributes:
        seconds: Estimated time on two CPU cores.
        by_family: The same by family.
        sentence: For a person.
    """

    seconds: float
    by_family: dict[str, float]
    sentence: str


@dataclass(frozen=True)
class ExamNetwork:
    """The network of one family, and whether it learned the shortcut at all.

    Attributes:
        family: Its family.
        accuracy: Share of the planted texts it judges as the planted word says.
        plain_accuracy: Share of the same texts without the word it judges as they are.
        prob_with, prob_without: Probability of the planted class with and without the word, mean over all texts.
        train_s, score_s: Seconds of training and of asking every method.
    """

    family: str
    accuracy: float
    plain_accuracy: float
    prob_with: float
    prob_without: float
    train_s: float
    score_s: float


@dataclass(frozen=True)
class ShortcutExam(Exportable):
    """Where every method put the planted word, for the network of each family that has sat the exam.

    Attributes:
        name: Its name in the store; empty for one that was not kept.
        made: When it began (ISO 8601, UTC).
        spec: What was asked for; with it the same exam is sat again.
        label_names: Names of the two classes.
        texts: The planted texts, shape [text].
        networks: Families that have sat it so far, shape [network].
        turned: Whether the verdict follows the planted word, and without it is the other one; only such texts count;
            bool array [network, text].
        n_words: Words of each text as the network reads it; int array [network, text].
        ranks: Rank of the planted word, from 1; NaN where a method does not fit or was not asked; shape [network,
            method, text], methods as in `spec.methods`.
        hits: 1 where the planted word ranks first, else 0, where k words tie for it 1 / k; same shape.
    """

    name: str
    made: str
    spec: ExamSpec
    label_names: tuple[str, ...]
    texts: tuple[PlantedText, ...]
    networks: tuple[ExamNetwork, ...]
    turned: np.ndarray
    n_words: np.ndarray
    ranks: np.ndarray
    hits: np.ndarray

    def __post_init__(self) -> None:
        n_networks, n_texts = len(self.networks), len(self.texts)
        for name, values, shape in (
            ("turned", self.turned, (n_networks, n_texts)),
            ("n_words", self.n_words, (n_networks, n_texts)),
            ("ranks", self.ranks, (n_networks, len(self.spec.methods), n_texts)),
            ("hits", self.hits, (n_networks, len(self.spec.methods), n_texts)),
        ):
            assert values.shape == shape, f"{name} has shape {values.shape}, expected {shape}"
        assert {network.family for network in self.networks} <= set(self.spec.families)
        is_asked = ~np.isnan(self.ranks)
        assert (is_asked == ~np.isnan(self.hits)).all()
        rank_over = np.broadcast_to(self.n_words[:, None, :], self.ranks.shape)
        assert ((self.ranks >= 1) & (self.ranks <= rank_over))[is_asked].all()
        assert ((self.hits >= 0) & (self.hits <= 1))[is_asked].all()

    @classmethod
    def begin(
        cls, name: str, made: str, spec: ExamSpec, label_names: tuple[str, ...], texts: tuple[PlantedText, ...]
    ) -> ShortcutExam:
        """An exam that nobody has sat yet."""
        whole = (0, len(spec.methods), len(texts))
        turned, n_words = np.zeros((0, len(texts)), dtype=bool), np.zeros((0, len(texts)), dtype=np.int64)
        return cls(name, made, spec, label_names, texts, (), turned, n_words, np.zeros(whole), np.zeros(whole))

    def with_network(
        self, network: ExamNetwork, turned: np.ndarray, n_words: np.ndarray, ranks: np.ndarray, hits: np.ndarray
    ) -> ShortcutExam:
        """The exam with one more family; arrays without the axis of networks."""
        return dataclasses.replace(
            self,
            networks=(*self.networks, network),
            turned=np.concatenate([self.turned, turned[None]]),
            n_words=np.concatenate([self.n_words, n_words[None]]),
            ranks=np.concatenate([self.ranks, ranks[None]]),
            hits=np.concatenate([self.hits, hits[None]]),
        )

    @property
    def is_finished(self) -> bool:
        """Whether every family has sat it."""
        return len(self.networks) == len(self.spec.families)

    def problem(self, family: str) -> str:
        """Why a family's methods are not judged, as a sentence; empty where they are."""
        place = self._place(family)
        if place is None:
            return "It has not sat the exam."
        network, n_texts = self.networks[place], int(self.turned[place].sum())
        if network.accuracy < LEARNED:
            return (
                f"This network did not learn the shortcut: it follows the planted word in {100 * network.accuracy:.0f} "
                f"% of the texts, and {100 * LEARNED:.0f} % are needed."
            )
        if n_texts < MIN_TEXTS:
            return f"In {n_texts} texts the verdict hangs on the planted word alone, and {MIN_TEXTS} are needed."
        return ""

    @functools.cached_property
    def rows(self) -> tuple[ExamRow, ...]:
        """A row for each family that learned the shortcut and each method that fits it."""
        return tuple(
            self._row(place, index)
            for place, network in enumerate(self.networks)
            for index, method in enumerate(self.spec.methods)
            if self.judges(network.family, method)
        )

    def row(self, family: str, method: str) -> ExamRow | None:
        """The row of a method in a family, if there is one."""
        return next((row for row in self.rows if (row.family, row.method) == (family, method)), None)

    def judges(self, family: str, method: str) -> bool:
        """Whether there is a row of a method in a family; computes nothing."""
        place = self._place(family)
        if place is None or method not in self.spec.methods or self.problem(family):
            return False
        return not np.isnan(self.ranks[place, self.spec.methods.index(method)][self.turned[place]]).any()

    def example(self, family: str, text: int) -> dict[str, float]:
        """Rank of the planted word in one text by method, for those that were asked; empty without the family."""
        place = self._place(family)
        if place is None:
            return {}
        ranks = self.ranks[place, :, text]
        return {
            method: float(rank) for method, rank in zip(self.spec.methods, ranks, strict=True) if not math.isnan(rank)
        }

    def counts(self, family: str) -> np.ndarray:
        """Texts that count for a family, as indices; int array."""
        place = self._place(family)
        return np.zeros(0, dtype=np.int64) if place is None else np.flatnonzero(self.turned[place])

    def end_tau(self, family: str, method: str) -> float:
        """Kendall's tau-b between the rank a method gives the planted word and the number of words after it, over the
        texts that count: near 1, the method tells how near the end a word stands. 0 where one of them never changes.
        """
        from scipy import stats

        counts, place = self.counts(family), self._place(family)
        if place is None or len(counts) < MIN_TEXTS:
            return 0.0
        n_after = [len(split_words(self.texts[text].text[self.texts[text].span[1] :])) for text in counts]
        ranks = self.ranks[place, self.spec.methods.index(method), counts]
        found = float(stats.kendalltau(ranks, n_after).statistic)
        return found if math.isfinite(found) else 0.0

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array, the axes by name, and the spec as JSON."""
        names = ("accuracy", "plain_accuracy", "prob_with", "prob_without", "train_s", "score_s")
        return {
            "name": np.array(self.name),
            "made": np.array(self.made),
            "spec": np.array(self.spec.to_json()),
            "families": np.array([network.family for network in self.networks]),
            "methods": np.array(self.spec.methods),
            "texts": np.array([one.text for one in self.texts]),
            "spans": np.array([one.span for one in self.texts], dtype=np.int64).reshape(len(self.texts), 2),
            "targets": np.array([one.target for one in self.texts], dtype=np.int64),
            "turned": self.turned,
            "n_words": self.n_words,
            "ranks": self.ranks,
            "hits": self.hits,
            **{name: np.array([getattr(network, name) for network in self.networks]) for name in names},
        }

    def to_frame(self) -> Any:
        """One row for each family and method with its intervals, and how far the family's network learned the
        shortcut; a family that did not has one row, without a method.
        """
        import pandas as pd

        records: list[dict[str, Any]] = []
        for place, network in enumerate(self.networks):
            learned = {
                "family": network.family,
                "accuracy": network.accuracy,
                "plain_accuracy": network.plain_accuracy,
                "prob_with": network.prob_with,
                "prob_without": network.prob_without,
                "n_asked": self.turned.shape[1],
                "n_turned": int(self.turned[place].sum()),
                "problem": self.problem(network.family),
            }
            rows = [row for row in self.rows if row.family == network.family]
            records += [learned | vars(row) for row in rows] or [learned]
        first = ["family", "method", *ExamRow.__dataclass_fields__]
        order = list(dict.fromkeys([*first, *(records[0] if records else ())]))
        return pd.DataFrame(records).reindex(columns=order)

    def to_plain(self) -> dict[str, Any]:
        """The exam as plain values for JSON; `from_plain` gives it back."""
        return {
            "name": self.name,
            "made": self.made,
            "spec": self.spec.to_plain(),
            "label_names": list(self.label_names),
            "texts": [vars(one) for one in self.texts],
            "networks": [vars(one) for one in self.networks],
            "turned": self.turned.tolist(),
            "n_words": self.n_words.tolist(),
            "ranks": _with_gaps(self.ranks),
            "hits": _with_gaps(self.hits),
        }

    @classmethod
    def from_plain(cls, plain: Any) -> ShortcutExam:
        """An exam from `to_plain`.

        Raises:
            InvalidInputError: If anything in it is not what an exam has.
        """
        try:
            spec = ExamSpec.from_plain(plain["spec"])
            texts = tuple(planted_of(one) for one in plain["texts"])
            n_networks, n_texts = len(plain["networks"]), len(texts)
            whole = (n_networks, len(spec.methods), n_texts)
            return cls(
                name=string_of(plain["name"]),
                made=string_of(plain["made"]),
                spec=spec,
                label_names=tuple(map(string_of, plain["label_names"])),
                texts=texts,
                networks=tuple(_network(one) for one in plain["networks"]),
                turned=np.array(plain["turned"], dtype=bool).reshape(n_networks, n_texts),
                n_words=np.array(plain["n_words"], dtype=np.int64).reshape(n_networks, n_texts),
                ranks=np.array(plain["ranks"], dtype=float).reshape(whole),
                hits=np.array(plain["hits"], dtype=float).reshape(whole),
            )
        except (KeyError, TypeError, ValueError, AssertionError, ExplorerError) as error:
            raise InvalidInputError(f"This is no kept exam: {type(error).__name__}, {str(error)[:100]}.") from error

    def _place(self, family: str) -> int | None:
        return next((place for place, network in enumerate(self.networks) if network.family == family), None)

    def _row(self, place: int, index: int) -> ExamRow:
        counts = self.turned[place]
        ranks, hits, n_words = self.ranks[place, index, counts], self.hits[place, index, counts], self.n_words[place]
        precision = float(hits.mean())
        low, high = wilson(float(hits.sum()), len(hits))
        rank_low, rank_high = mean_interval(ranks, self.spec.seed)
        return ExamRow(
            family=self.networks[place].family,
            method=self.spec.methods[index],
            n_texts=len(hits),
            n_words=float(n_words[counts].mean()),
            precision=precision,
            precision_low=low,
            precision_high=high,
            mean_rank=float(ranks.mean()),
            mean_rank_low=rank_low,
            mean_rank_high=rank_high,
            random_precision=float((1 / n_words[counts]).mean()),
            random_rank=float(((n_words[counts] + 1) / 2).mean()),
        )


def _with_gaps(values: np.ndarray) -> Any:
    """Nested lists, with `None` for what is no number, which JSON can hold."""
    return json.loads(json.dumps(values.tolist()).replace("NaN", "null"))


def _network(plain: Any) -> ExamNetwork:
    found = ExamNetwork(**{name: plain[name] for name in ExamNetwork.__dataclass_fields__})
    numbers = [float(value) for name, value in vars(found).items() if name != "family"]
    assert all(map(math.isfinite, numbers)), "a number is none"
    return found
