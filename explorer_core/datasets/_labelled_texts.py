"""Labelled texts with their split, and the look at them before training. Importing this is cheap."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer_core import registry
from explorer_core.errors import InvalidInputError

if TYPE_CHECKING:
    from explorer_core.training.spec import DataSpec

SPLITS = ("train", "validation", "test")
SAMPLE_CHARS = 500  # of a sample row in a preview
_IDEOGRAPH = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\U00020000-\U0003ffff]")
_BIN_WIDTHS = (1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000)
_N_BINS = 20

Spans = tuple[tuple[tuple[int, int], ...], ...]


@dataclass(frozen=True)
class LengthHistogram:
    """How many texts have how many words.

    A word is a run between blanks here, or one ideograph: close to what a model reads, and fast.

    Attributes:
        edges: Left edge of each bin in words, and the right edge of the last one; int array [bin + 1], equal steps.
        counts: Texts in each bin; int array [bin]. The last bin also holds every longer text.
        median_words, longest_words: Over all texts, in words.
    """

    edges: np.ndarray
    counts: np.ndarray
    median_words: float
    longest_words: int

    @property
    def is_open(self) -> bool:
        """Whether the last bin holds texts beyond its right edge."""
        return bool(self.longest_words >= self.edges[-1])


@dataclass(frozen=True)
class LabelledTexts:
    """Texts, their classes and the side of the split each is on.

    Rows whose letters are the same, and the two sides of a pair, are never on different sides of the split.

    Attributes:
        texts: The texts; shape [text].
        labels: Class index of each text; int64 array [text].
        label_names: Name of each class.
        split: `train`, `validation` or `test` for each text; string array [text].
        origin: Short name of where they come from.
        sentence: The same for a person, with the number of rows.
        notes: What was guessed, skipped or cut, one sentence each.
        groups: Named groupings of the rows, such as `domain`, `phenomenon` and `pair`, each of shape [text]; "" is no
            group.
        spans: The words that carry the label, as character ranges of each text; `None` where unknown.
    """

    texts: tuple[str, ...]
    labels: np.ndarray
    label_names: tuple[str, ...]
    split: np.ndarray
    origin: str
    sentence: str
    notes: tuple[str, ...] = ()
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    spans: Spans | None = None

    def __post_init__(self) -> None:
        n_texts = len(self.texts)
        sizes = [len(self.labels), len(self.split), *(len(values) for values in self.groups.values())]
        assert all(size == n_texts for size in sizes), sizes
        assert self.spans is None or len(self.spans) == n_texts

    def __len__(self) -> int:
        return len(self.texts)

    def rows(self, split: str) -> np.ndarray:
        """Indices of the texts on one side of the split, in their order; int array. `all` gives every one.

        Raises:
            InvalidInputError: If there is no such side.
        """
        if split == "all":
            return np.arange(len(self.texts))
        if split not in SPLITS:
            raise InvalidInputError(f"There is no split {str(split)[:60]!r}; allowed: {', '.join(SPLITS)}, all.")
        return np.flatnonzero(self.split == split)

    def length_histogram(self) -> LengthHistogram:
        """Texts by their number of words."""
        return count_lengths(self.texts)

    def label_histogram(self) -> dict[str, int]:
        """Texts of each class, in the order of `label_names`."""
        counts = np.bincount(self.labels, minlength=len(self.label_names))
        return {name: int(count) for name, count in zip(self.label_names, counts, strict=True)}


@dataclass(frozen=True)
class DataPreview:
    """What a person sees of a data set before training on it.

    Attributes:
        origin: Short name of where the rows come from.
        columns: Columns to choose from; empty where there is nothing to choose.
        text_column, label_column: Chosen or guessed ones; `None` if none fits.
        n_rows: Rows read, usable or not.
        n_usable: Rows that training would use; 0 while `problem` says why it cannot.
        lengths: Histogram of the texts' lengths in words, over all rows with a text.
        labels: Rows by label, most frequent first, over all rows; at most `settings.MAX_LABELS` + 1 of them.
        samples: Three rows as (text, label), long texts cut.
        notes: What was guessed, skipped or cut, one sentence each.
        problem: Why these rows cannot be trained on, as the error would say it; empty when they can.
        choices: Other options with their allowed values, such as the configs and splits of a Hub set.
    """

    origin: str
    columns: tuple[str, ...]
    text_column: str | None
    label_column: str | None
    n_rows: int
    n_usable: int
    lengths: LengthHistogram
    labels: Mapping[str, int]
    samples: tuple[tuple[str, str], ...]
    notes: tuple[str, ...] = ()
    problem: str = ""
    choices: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def read(spec: DataSpec) -> LabelledTexts:
    """Labelled texts of a source.

    Raises:
        InvalidInputError: If an option or the data cannot be used; the message says what is wrong.
        NotFoundError: If the file, Hub set, split or column is not there.
        OfflineError: If the Hub is asked for and cannot be reached.
    """
    return registry.load("datasets", spec.source).read(_check_options(spec))


def preview(spec: DataSpec) -> DataPreview:
    """Columns, guesses, histograms and three sample rows of a source.

    Rows that can be read but not trained on (one class, no labels) are shown with `problem` saying so.

    Raises:
        InvalidInputError: If nothing can be read; `NotFoundError` and `OfflineError` as for `read`.
    """
    return registry.load("datasets", spec.source).preview(_check_options(spec))


def preview_of(data: LabelledTexts) -> DataPreview:
    """The preview of texts that have no columns to choose."""
    shown = [int(np.flatnonzero(data.labels == label)[0]) for label in np.unique(data.labels)]
    shown += [row for row in range(len(data)) if row not in shown][: max(0, 3 - len(shown))]
    return DataPreview(
        origin=data.origin,
        columns=(),
        text_column=None,
        label_column=None,
        n_rows=len(data),
        n_usable=len(data),
        lengths=data.length_histogram(),
        labels=data.label_histogram(),
        samples=tuple((cut(data.texts[row]), data.label_names[data.labels[row]]) for row in shown[:3]),
        notes=data.notes,
    )


def count_words(text: str) -> int:
    """Runs between blanks, each ideograph counted for itself."""
    n_words = len(text.split())
    return n_words if text.isascii() else n_words + len(_IDEOGRAPH.findall(text))


def count_lengths(texts: Sequence[str]) -> LengthHistogram:
    """Histogram of the texts' lengths; one long text does not squeeze all others into one bin."""
    if not texts:
        return LengthHistogram(np.array([0, 1]), np.array([0]), 0.0, 0)
    lengths = np.array([count_words(text) for text in texts])
    usual = int(np.ceil(np.percentile(lengths, 99))) + 1
    width = next((width for width in _BIN_WIDTHS if usual <= width * _N_BINS), -(-usual // _N_BINS))
    edges = np.arange(0, width * -(-usual // width) + 1, width)
    counts = np.histogram(np.minimum(lengths, edges[-1] - 1), bins=edges)[0]
    return LengthHistogram(edges, counts, float(np.median(lengths)), int(lengths.max()))


def cut(text: str, n_chars: int = SAMPLE_CHARS) -> str:
    """The beginning of a text, with an ellipsis where it was cut."""
    return text if len(text) <= n_chars else text[: n_chars - 1].rstrip() + "…"


def _check_options(spec: DataSpec) -> dict[str, Any]:
    """The options that are set; a source says in `ABOUT["options"]` which ones it has."""
    known = {option["name"] for option in registry.describe("datasets")[spec.source].extra.get("options", ())}
    unknown = [str(name)[:60] for name in spec.options if name not in known]
    if unknown:
        allowed = ", ".join(sorted(known)) or "none"
        raise InvalidInputError(f"The source {spec.source} has no option {unknown[0]!r}; allowed: {allowed}.")
    return {name: value for name, value in spec.options.items() if value is not None and value != ""}
