"""What words did over a person's texts: every word of every text with its score, and what it comes to by word."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.results._base import Exportable, check_array, check_finite

CONFIDENCE = 0.95


@dataclass(frozen=True, eq=False)
class WordReport(Exportable):
    """Scores of the words of texts for the logit of one class; an entry is one word in one text, all its occurrences.

    Words are put into small letters (`casefold`); a word never reaches from one text into another.

    Attributes:
        model, architecture, fingerprint, labels: Which network.
        method, unit: How it was asked, and what a score is in.
        target: Index of the class whose logit is explained, the same in all texts.
        words: Different words, in alphabetical order.
        word, text: Word and text of each entry; int arrays [entry].
        n: Occurrences of the word in the text; int array [entry].
        score: Sum of their scores; float array [entry].
        is_top: Whether no word of the text has a larger sum by size; bool array [entry].
        turns: Whether the verdict would be another if the sum were taken off the logit of `target` and nothing else
            changed; bool array [entry].
        indices: Place of each text in the table that was given; int array [text].
        rows: Row of the file each text is from: several for the pieces of a long one; int array [text].
        logits: Shape [text, class].
        true: Class index by the label, -1 for none; int array [text].
        is_general: Whether the word carries sentiment in general, by the marks in the starter corpus; bool [word].
        n_given: Texts that were given; those here are drawn from them.
        n_unread: Texts among those drawn that the network cannot read.
        seed: By which they were drawn.
        is_finished: Whether all that was asked for is here; else these are the first texts.
    """

    model: str
    architecture: str
    fingerprint: str
    labels: tuple[str, ...]
    method: str
    unit: str
    target: int
    words: tuple[str, ...]
    word: np.ndarray
    text: np.ndarray
    n: np.ndarray
    score: np.ndarray
    is_top: np.ndarray
    turns: np.ndarray
    indices: np.ndarray
    rows: np.ndarray
    logits: np.ndarray
    true: np.ndarray
    is_general: np.ndarray
    n_given: int
    n_unread: int = 0
    seed: int = 0
    is_finished: bool = True

    def __post_init__(self) -> None:
        n_entries, n_texts = len(self.word), len(self.indices)
        for name in ("text", "n", "score", "is_top", "turns"):
            check_array(getattr(self, name), (n_entries,), name)
        check_array(self.logits, (n_texts, len(self.labels)), "logits")
        for name in ("rows", "true"):
            check_array(getattr(self, name), (n_texts,), name)
        check_array(self.is_general, (len(self.words),), "is_general")

    @property
    def n_texts(self) -> int:
        """Texts that were explained."""
        return len(self.indices)

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    @property
    def predicted(self) -> np.ndarray:
        """Class index decided for; int array [text]."""
        found: np.ndarray = self.logits.argmax(1)
        return found

    @cached_property
    def by_word(self) -> WordSummary:
        """What each word does over all texts."""
        return self.summary()

    def only(self, where: np.ndarray) -> WordReport:
        """The report over some of its texts.

        Args:
            where: Which; bool array [text].
        """
        kept = where[self.text]
        entries = {name: getattr(self, name)[kept] for name in ("word", "n", "score", "is_top", "turns")}
        texts = {name: getattr(self, name)[where] for name in ("indices", "rows", "logits", "true")}
        return dataclasses.replace(self, text=(np.cumsum(where) - 1)[self.text[kept]], **entries, **texts)

    def summary(self, where: np.ndarray | None = None) -> WordSummary:
        """What each word does over some texts.

        Args:
            where: Which texts; bool array [text], all if left out.
        """
        kept = np.ones(len(self.word), bool) if where is None else where[self.text]
        word, text, n, score = (getattr(self, name)[kept] for name in ("word", "text", "n", "score"))
        used, of_entry = np.unique(word, return_inverse=True)
        count = np.bincount(of_entry, n, len(used))
        n_texts = np.bincount(of_entry, minlength=len(used))
        mean = np.bincount(of_entry, score, len(used)) / np.maximum(count, 1)
        groups, of_group = np.unique(of_entry.astype(np.int64) * (self.rows.max(initial=0) + 1) + self.rows[text],
                                     return_inverse=True)  # fmt: skip
        owner = groups // (self.rows.max(initial=0) + 1)
        errors = np.bincount(of_group, score - mean[of_entry] * n, len(groups))
        half, n_rows = _half_width(errors, owner, count)
        positive = self.true[text] >= 0
        return WordSummary(
            report=self,
            where=np.ones(self.n_texts, bool) if where is None else where,
            word=used,
            count=count.astype(np.int64),
            n_texts=n_texts,
            n_rows=n_rows,
            mean=mean,
            low=mean - half,
            high=mean + half,
            top_share=np.bincount(of_entry, self.is_top[kept], len(used)) / np.maximum(n_texts, 1),
            turn_share=np.bincount(of_entry, self.turns[kept], len(used)) / np.maximum(n_texts, 1),
            n_labelled=np.bincount(of_entry, positive, len(used)).astype(np.int64),
            n_target=np.bincount(of_entry, self.true[text] == self.target, len(used)).astype(np.int64),
        )

    def mistakes(self) -> Any:
        """Words of texts that were judged wrongly, as a pandas table, the strongest pull to the wrong class first.

        The pull of a word is its score where the network wrongly decides for the explained class, and minus its score
        where it wrongly decides against it; texts in which neither is so are left out. One row a word: wrong texts
        with it, share of the labelled texts with it that are wrong, its mean pull in a wrong text, and the pull summed
        over all of them, in logits.
        """
        import pandas as pd

        labelled = self.true >= 0
        is_wrong = labelled & (self.predicted != self.true)
        sign = np.where(self.predicted == self.target, 1, np.where(self.true == self.target, -1, 0)) * is_wrong
        pull = self.score * sign[self.text]
        counted = sign[self.text] != 0
        n_wrong = np.bincount(self.word, counted, len(self.words))
        n_labelled = np.bincount(self.word, labelled[self.text], len(self.words))
        sums = np.bincount(self.word, pull, len(self.words))
        wrong = np.bincount(self.word, is_wrong[self.text], len(self.words))
        kept = np.flatnonzero(n_wrong)
        kept = kept[np.argsort(-sums[kept], kind="stable")]
        return pd.DataFrame(
            {
                "word": [self.words[place] for place in kept],
                "n_wrong_texts": n_wrong[kept].astype(int),
                "wrong_share": wrong[kept] / n_labelled[kept],
                "mean_pull": sums[kept] / n_wrong[kept],
                "sum_of_pull": sums[kept],
            }
        )

    def to_frame(self) -> Any:
        """One row a word, as `WordSummary.to_frame` over all texts."""
        return self.by_word.to_frame()


@dataclass(frozen=True, eq=False)
class WordSummary(Exportable):
    """What each word did over some texts of a report; axis [word] over the words that occur in them.

    Attributes:
        report: Where it is from.
        where: Which of its texts; bool array [text].
        word: Index of each word in `report.words`.
        count, n_texts, n_rows: Occurrences, texts and rows of the file with the word; int arrays.
        mean: Mean score of an occurrence.
        low, high: Ends of its 95 % interval. Occurrences in one row are taken together: a row is drawn as a whole
            (ratio of sums over rows, linearised; Student's t with one degree of freedom less than rows). NaN where the
            word is in one row only.
        top_share: Share of the texts with the word in which no other word's scores sum to more by size.
        turn_share: Share of the texts with the word that would be judged otherwise without its scores.
        n_labelled, n_target: Texts with the word that have a label, and those labelled with the explained class.
    """

    report: WordReport
    where: np.ndarray
    word: np.ndarray
    count: np.ndarray
    n_texts: np.ndarray
    n_rows: np.ndarray
    mean: np.ndarray
    low: np.ndarray
    high: np.ndarray
    top_share: np.ndarray
    turn_share: np.ndarray
    n_labelled: np.ndarray
    n_target: np.ndarray

    def __post_init__(self) -> None:
        check_array(self.mean, (len(self.word),), "mean scores")

    @property
    def words(self) -> tuple[str, ...]:
        """The words; shape [word]."""
        return tuple(self.report.words[place] for place in self.word)

    def to_frame(self) -> Any:
        """One row a word, the most frequent first."""
        import pandas as pd

        order = np.lexsort((self.word, -self.count))
        names = ("count", "n_texts", "mean", "low", "high", "top_share", "turn_share", "n_labelled", "n_target")
        found: dict[str, Any] = {"word": np.array(self.words, dtype=object)}
        found |= {name: getattr(self, name) for name in names}
        found["is_general"] = self.report.is_general[self.word]
        return pd.DataFrame(found).iloc[order].reset_index(drop=True)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every column by name."""
        return {str(name): np.asarray(column) for name, column in self.to_frame().items()}


@dataclass(frozen=True, eq=False)
class WordContrast(Exportable):
    """The same words in the same texts for two networks; axis [word] over words both have, largest difference first.

    Attributes:
        one, other: The reports.
        words: The words.
        n_texts: Texts with the word; int array.
        mean_one, mean_other: Mean scores.
        difference: `mean_one - mean_other`, in logits.
        low, high: Ends of its 95 % interval, rows drawn as a whole for both networks at once; NaN for a single row.
    """

    one: WordReport
    other: WordReport
    words: tuple[str, ...]
    n_texts: np.ndarray
    mean_one: np.ndarray
    mean_other: np.ndarray
    difference: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def to_frame(self) -> Any:
        """One row a word."""
        import pandas as pd

        found: dict[str, Any] = {"word": np.array(self.words, dtype=object), "n_texts": self.n_texts}
        found |= {f"mean {self.one.model}": self.mean_one, f"mean {self.other.model}": self.mean_other}
        return pd.DataFrame(found | {"difference": self.difference, "low": self.low, "high": self.high})

    def arrays(self) -> dict[str, np.ndarray]:
        """Every column by name."""
        return {str(name): np.asarray(column) for name, column in self.to_frame().items()}


def contrast_words(one: WordReport, other: WordReport) -> WordContrast:
    """Words of two networks over the same texts; see `api.contrast_words`.

    Raises:
        IncompatibleError: If the reports are of other texts, or explain other classes.
    """
    if one.target_label != other.target_label or not np.array_equal(one.indices, other.indices):
        raise IncompatibleError("Two reports are set side by side over the same texts and the same class only.")
    mine, theirs = one.by_word, other.by_word
    shared = sorted(set(mine.words) & set(theirs.words))
    places = [dict(zip(each.words, range(len(each.words)), strict=True)) for each in (mine, theirs)]
    at_one, at_other = (np.array([place[word] for word in shared], dtype=np.int64) for place in places)
    sizes = [(mine, at_one, 1.0), (theirs, at_other, -1.0)]
    keys, errors = [], []
    for summary, at, sign in sizes:
        report = summary.report
        number = np.full(len(report.words), -1)
        number[summary.word[at]] = np.arange(len(shared))
        kept = number[report.word] >= 0
        shown = number[report.word[kept]]
        keys.append(shown * (one.rows.max(initial=0) + 1) + report.rows[report.text[kept]])
        mean, count = summary.mean[at][shown], summary.count[at][shown]
        errors.append(sign * (report.score[kept] - mean * report.n[kept]) / count)
    groups, of_group = np.unique(np.concatenate(keys), return_inverse=True)
    sums = np.bincount(of_group, np.concatenate(errors), len(groups))
    half, _ = _half_width(sums, groups // (one.rows.max(initial=0) + 1), np.ones(len(shared)))
    difference = mine.mean[at_one] - theirs.mean[at_other]
    check_finite(difference, "differences")
    order = np.argsort(-np.abs(difference), kind="stable")
    return WordContrast(
        one=one,
        other=other,
        words=tuple(shared[place] for place in order),
        n_texts=mine.n_texts[at_one][order],
        mean_one=mine.mean[at_one][order],
        mean_other=theirs.mean[at_other][order],
        difference=difference[order],
        low=(difference - half)[order],
        high=(difference + half)[order],
    )


def _half_width(errors: np.ndarray, owner: np.ndarray, count: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Half the width of the interval of each word's mean, and its rows: `errors` [group] are sums over a row of what
    the scores differ from the mean, `owner` the word of each (Cochran 1977, Sampling techniques, section 6).
    """
    from scipy import stats

    n_rows = np.bincount(owner, minlength=len(count))
    squares = np.bincount(owner, errors**2, len(count))
    free = np.maximum(n_rows - 1, 1)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, free) * np.sqrt(squares * n_rows / free) / np.maximum(count, 1)
    return np.where(n_rows > 1, half, np.nan), n_rows
