"""How well scores of words find the words that people marked, over many texts, beside scores drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array

AUPRC, TOKEN_F1 = "auprc", "token_f1"


@dataclass(frozen=True)
class HumanAgreement(Exportable):
    """Plausibility of attribution methods: agreement with people's marks, which is not faithfulness to the network.

    Words stand one text after the other; those of text t are `starts[t]` to `starts[t + 1]`. Ties between scores go to
    the earlier word.

    Attributes:
        model, architecture, labels, fingerprint: Which network this was.
        dataset: Short name of the texts and where they come from.
        methods: Names, as `api.list_methods` gives them; shape [method].
        target: Whose logit was explained: `predicted` or `gold` class.
        measures: `auprc`: area under precision and recall, as average precision; `token_f1`: F1 of as many words with
            the largest scores as people marked; `precision_at_3`: share of marked words among the three with the
            largest scores, of all where there are fewer. All in [0, 1]; shape [measure].
        texts: Shape [text].
        row_numbers: Number of each text in its source, as a person counts; int array [text].
        true, predicted: Class of each text, and the network's; int arrays [text], `true` is -1 where unknown.
        starts: Int array [text + 1].
        words: Shape [word].
        word_spans: Start and end of each word in characters of its text; int array [word, 2].
        marked: Whether a person marked any character of the word; bool array [word].
        scores: Shape [method, word]; larger speaks more for the class, or is simply larger where there is no sign.
        values: Every measure of each method over each text; shape [method, measure, text].
        low, high: Ends of the 95 % bootstrap interval of its mean over texts; shape [method, measure].
        expected: What words in random order come to on average, in closed form; shape [measure, text].
        random_low, random_high: Between these lie 95 % of the means that words in random order come to; shape
            [measure].
        left_out: Texts that were drawn and not used, by reason.
        n_truncated: Used texts whose end the network did not read; only the words it read count.
        seed: Of the draws.
        notes: What a person should know, one sentence each.
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    dataset: str
    methods: tuple[str, ...]
    target: str
    measures: tuple[str, ...]
    texts: tuple[str, ...]
    row_numbers: np.ndarray
    true: np.ndarray
    predicted: np.ndarray
    starts: np.ndarray
    words: tuple[str, ...]
    word_spans: np.ndarray
    marked: np.ndarray
    scores: np.ndarray
    values: np.ndarray
    low: np.ndarray
    high: np.ndarray
    expected: np.ndarray
    random_low: np.ndarray
    random_high: np.ndarray
    left_out: Mapping[str, int]
    n_truncated: int
    seed: int
    notes: tuple[str, ...] = field(default=())

    def __post_init__(self) -> None:
        n_methods, n_measures, n_texts, n_words = map(len, (self.methods, self.measures, self.texts, self.words))
        check_array(self.scores, (n_methods, n_words), "scores")
        check_array(self.values, (n_methods, n_measures, n_texts), "values")
        check_array(self.low, (n_methods, n_measures), "lower ends")
        check_array(self.high, (n_methods, n_measures), "upper ends")
        check_array(self.expected, (n_measures, n_texts), "random values")
        check_array(self.random_low, (n_measures,), "lower ends of the random row")
        check_array(self.random_high, (n_measures,), "upper ends of the random row")
        assert self.starts[-1] == n_words == len(self.marked) == len(self.word_spans)
        assert len(self.starts) == n_texts + 1

    @property
    def mean(self) -> np.ndarray:
        """Mean over texts; shape [method, measure]."""
        return self.values.mean(-1)

    @property
    def random(self) -> np.ndarray:
        """Mean over texts of what words in random order come to; shape [measure]."""
        return self.expected.mean(-1)

    @property
    def n_wrong(self) -> int:
        """Texts whose label is known and judged otherwise."""
        return int(((self.true >= 0) & (self.true != self.predicted)).sum())

    @property
    def n_marked(self) -> np.ndarray:
        """Words people marked in each text; int array [text]."""
        return np.add.reduceat(self.marked.astype(np.int64), self.starts[:-1])

    def words_of(self, text: int) -> slice:
        """Where the words of a text stand."""
        return slice(int(self.starts[text]), int(self.starts[text + 1]))

    def top_words(self, method: int, text: int) -> np.ndarray:
        """As many words with the largest scores as people marked, the largest first, counted in their text."""
        rows = self.words_of(text)
        order = np.argsort(-self.scores[method, rows], kind="stable")
        return order[: int(self.marked[rows].sum())]

    def to_frame(self) -> Any:
        """One row for each method, and one for random order: mean and interval of every measure."""
        import pandas as pd

        rows = []
        named = (*zip(self.methods, self.mean, self.low, self.high, strict=True),
                 ("random", self.random, self.random_low, self.random_high))  # fmt: skip
        for name, mean, low, high in named:
            row: dict[str, Any] = {"method": name, "n_texts": len(self.texts)}
            for index, measure in enumerate(self.measures):
                row |= {measure: mean[index], f"{measure}_low": low[index], f"{measure}_high": high[index]}
            rows.append(row)
        return pd.DataFrame(rows)

    def texts_frame(self) -> Any:
        """One row for each text: its number in the source, label, prediction, and AUPRC by each method and by random
        order.
        """
        import pandas as pd

        at = self.measures.index(AUPRC)
        names = {-1: ""} | dict(enumerate(self.labels))
        columns: dict[str, Any] = {
            "row": self.row_numbers,
            "text": self.texts,
            "label": [names[int(label)] for label in self.true],
            "predicted": [names[int(label)] for label in self.predicted],
            "n_words": np.diff(self.starts),
            "n_marked": self.n_marked,
        }
        columns |= {f"auprc_{method}": self.values[index, at] for index, method in enumerate(self.methods)}
        return pd.DataFrame(columns | {"auprc_random": self.expected[at]})
