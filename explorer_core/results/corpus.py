"""What a unit does over a whole corpus: its card, the units like it, and where a pattern of units returns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import NormalDist
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array


@dataclass(frozen=True)
class WordMeans(Exportable):
    """Words at one end of a unit's scale, by the mean of the unit after them; the furthest out first.

    Attributes:
        words: In lower case; shape [word].
        mean: Mean value of the unit over all places of the word; shape [word].
        counts: Places of the word in the corpus; int array [word].
    """

    words: tuple[str, ...]
    mean: np.ndarray
    counts: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.mean, (len(self.words),), "mean")
        check_array(self.counts, (len(self.words),), "counts")

    def to_frame(self) -> Any:
        """One row for each word."""
        import pandas as pd

        return pd.DataFrame({"word": self.words, "mean": self.mean, "count": self.counts})


@dataclass(frozen=True)
class Places(Exportable):
    """Places of a corpus, each a run of words in its text, with the words around it.

    Attributes:
        document: Number of the text in the corpus, from 0; int array [place].
        first, last: First and last word of the place in its text, from 0; int arrays [place].
        value: The unit's value, or the score of the match; shape [place].
        before, inside, after: Text before, within and after the place, cut to the words around it; shape [place].
        label: Class index of the text, -1 where it has none; int array [place].
        n_words: Words of the text; int array [place].
        label_names: Names of the classes of the corpus.
    """

    document: np.ndarray
    first: np.ndarray
    last: np.ndarray
    value: np.ndarray
    before: tuple[str, ...]
    inside: tuple[str, ...]
    after: tuple[str, ...]
    label: np.ndarray
    n_words: np.ndarray
    label_names: tuple[str, ...]

    def __post_init__(self) -> None:
        shape = (len(self.inside),)
        assert len(self.before) == len(self.after) == shape[0]
        for name in ("document", "first", "last", "value", "label", "n_words"):
            check_array(getattr(self, name), shape, name)

    def __len__(self) -> int:
        return len(self.inside)

    @property
    def labels(self) -> tuple[str, ...]:
        """Label of each place's text, "" where it has none; shape [place]."""
        return tuple(self.label_names[index] if index >= 0 else "" for index in self.label)

    def to_frame(self) -> Any:
        """One row for each place."""
        import pandas as pd

        return pd.DataFrame(
            {
                "document": self.document,
                "label": self.labels,
                "n_words": self.n_words,
                "first_word": self.first,
                "last_word": self.last,
                "value": self.value,
                "before": self.before,
                "inside": self.inside,
                "after": self.after,
            }
        )


@dataclass(frozen=True)
class UnitCard(Exportable):
    """What one unit of one layer does over a corpus.

    A unit rarely stands for one idea: the card says what goes along with its value here, not what it is for.
    Correlations are Pearson's r in [-1, 1], NaN where one side is constant.

    Attributes:
        model, fingerprint, corpus: Which network over which texts.
        layer, direction, quantity, unit: Which unit; `layer` and `unit` from 0.
        n_texts, n_words: Size of the corpus.
        mean, std, low, high: Over all words; `low` and `high` are the 1st and 99th percentile.
        is_dead: Whether high - low is below 0.05: the unit hardly moves, whatever is read.
        min_count: Places a word must have to be among `top_words` and `bottom_words`.
        top_words, bottom_words: Words with the highest and the lowest mean value of the unit after them.
        top_places, bottom_places: Where the unit is highest and lowest, one place a text.
        label_corr: Between the value when a text has been read to its end and the text having each label
            (point-biserial); shape [class]. Of two classes the second mirrors the first.
        position_corr: Between the value and the word's number in its text.
        sentiment_corr: Between the mean value after a word and the word's log-odds for each label, over the words in
            at least five texts, weighted by their places; shape [class]. The log-odds compare the share of texts with
            the word among those with the label and among the others, one text added to each count.
        n_rated_words: Words behind `sentiment_corr`.
        half_life: Tokens after which half of the cell (LSTM) or of the state (GRU) is left if the keeping gate stays
            at its geometric mean over the corpus, ln(1/2) / mean ln(gate); infinite if it is never below 1, `None`
            without such a gate.
        saturation: Share of tokens at which each gate (sigmoid, 0 to 1) lies below 0.1 and above 0.9.
    """

    model: str
    fingerprint: str
    corpus: str
    layer: int
    direction: int
    quantity: str
    unit: int
    n_texts: int
    n_words: int
    label_names: tuple[str, ...]
    mean: float
    std: float
    low: float
    high: float
    is_dead: bool
    min_count: int
    top_words: WordMeans
    bottom_words: WordMeans
    top_places: Places
    bottom_places: Places
    label_corr: np.ndarray
    position_corr: float
    sentiment_corr: np.ndarray
    n_rated_words: int
    half_life: float | None
    saturation: Mapping[str, tuple[float, float]]

    def __post_init__(self) -> None:
        for name in ("label_corr", "sentiment_corr"):
            assert getattr(self, name).shape == (len(self.label_names),), name

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array and plain value; those of words and places under names such as `top_words_mean`."""
        parts = ("top_words", "bottom_words", "top_places", "bottom_places")
        found = super().arrays()
        del found["saturation"]
        found |= {
            "gate_names": np.array(tuple(self.saturation), dtype=str),
            "gate_low": np.array([low for low, _ in self.saturation.values()]),
            "gate_high": np.array([high for _, high in self.saturation.values()]),
        }
        for part in parts:
            del found[part]
            found |= {f"{part}_{name}": values for name, values in getattr(self, part).arrays().items()}
        return found

    def to_frame(self) -> Any:
        """One row for each top or bottom word and place; `kind` says which."""
        import pandas as pd

        kinds = ("top_words", "bottom_words", "top_places", "bottom_places")
        parts = [getattr(self, kind).to_frame().assign(kind=kind[:-1].replace("_", " ")) for kind in kinds]
        frame = pd.concat([part.astype(object) for part in parts], ignore_index=True)
        return frame[["kind", *(name for name in frame.columns if name != "kind")]]


@dataclass(frozen=True)
class SimilarUnits(Exportable):
    """Units that move with one unit over a corpus, and those that move against it.

    Attributes:
        unit: The unit compared with.
        like, unlike: Units by falling, and by rising, correlation; int arrays [unit].
        like_corr: Pearson's r over all words, above 0, falling; same shape as `like`.
        unlike_corr: The same below 0, rising; same shape as `unlike`.
    """

    unit: int
    like: np.ndarray
    like_corr: np.ndarray
    unlike: np.ndarray
    unlike_corr: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.like_corr, self.like.shape, "like_corr")
        check_array(self.unlike_corr, self.unlike.shape, "unlike_corr")

    def to_frame(self) -> Any:
        """One row for each unit."""
        import pandas as pd

        corr = np.concatenate([self.like_corr, self.unlike_corr])
        return pd.DataFrame({"unit": np.concatenate([self.like, self.unlike]), "correlation": corr})


@dataclass(frozen=True)
class LabelRates:
    """Shares of each label among matches with a label, and among all texts that could have matched.

    Attributes:
        n_matches: Matches with a label.
        counts, share: Of them, those with each label; [class].
        low, high: Wilson's 95 % interval of `share`; [class].
        base_counts, base: Texts with each label, and their share; [class].
    """

    n_matches: int
    counts: np.ndarray
    share: np.ndarray
    low: np.ndarray
    high: np.ndarray
    base_counts: np.ndarray
    base: np.ndarray


def wilson_interval(counts: np.ndarray, n: int, confidence: float = 0.95) -> tuple[np.ndarray, np.ndarray]:
    """Ends of the interval of a share that was found so many times in n draws (Wilson 1927); 0 and 1 without draws."""
    if not n:
        return np.zeros(len(counts)), np.ones(len(counts))
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    p = np.asarray(counts) / n
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    reach = z * np.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    return np.where(p > 0, middle - reach, 0.0), np.where(p < 1, middle + reach, 1.0)


@dataclass(frozen=True)
class PatternMatches(Exportable):
    """Where in a corpus the same units are on as over a span of a text (Strobelt et al. 2018, LSTMVis).

    Attributes:
        model, fingerprint, corpus: Which network over which texts.
        layer, direction, quantity: Which states.
        words: The words of the span.
        span: First and last word of the span in its text.
        threshold: A unit is on where its value is at least this.
        off_before, off_after: Whether a unit also had to be off at the word before and after.
        units: The pattern: units on throughout the span; int array [unit].
        matches: The best place of each text with any, by falling score, then in the order of the corpus; `value` is
            the Jaccard index in (0, 1]: units that fit in both places over units that fit in either.
        n_places, n_texts: Places of that many words in the corpus, and texts with such a place.
        label_counts: Texts of each label among those with such a place; int array [class].
    """

    model: str
    fingerprint: str
    corpus: str
    layer: int
    direction: int
    quantity: str
    words: tuple[str, ...]
    span: tuple[int, int]
    threshold: float
    off_before: bool
    off_after: bool
    units: np.ndarray
    matches: Places
    n_places: int
    n_texts: int
    label_counts: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.label_counts, (len(self.matches.label_names),), "label_counts")

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array and plain value; those of the matches under names such as `match_value`."""
        found = super().arrays()
        del found["matches"]
        return found | {f"match_{name}": values for name, values in self.matches.arrays().items()}

    def label_rates(self) -> LabelRates:
        """How often each label is among the matches, against the texts that could have matched."""
        counts = np.bincount(self.matches.label[self.matches.label >= 0], minlength=len(self.label_counts))
        n_matches, n_texts = int(counts.sum()), int(self.label_counts.sum())
        low, high = wilson_interval(counts, n_matches)
        return LabelRates(
            n_matches=n_matches,
            counts=counts,
            share=counts / max(n_matches, 1),
            low=low,
            high=high,
            base_counts=self.label_counts,
            base=self.label_counts / max(n_texts, 1),
        )

    def to_frame(self) -> Any:
        """One row for each match, the best first."""
        return self.matches.to_frame().rename(columns={"value": "score"})


@dataclass(frozen=True)
class IndexPrice(Exportable):
    """What a state index would cost on this machine, from a sample of its texts.

    `n_words` and `seconds` are estimates, unless the sample was all of it; `size_mib` is disk; `is_cut` says that the
    corpus is longer than an index may be, so that only its first texts would be read.
    """

    n_texts: int
    n_words: int
    seconds: float
    size_mib: float
    is_cut: bool

    def to_frame(self) -> Any:
        """One row."""
        import pandas as pd

        return pd.DataFrame([vars(self)])
