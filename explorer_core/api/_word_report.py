"""Which words a model goes by over a person's texts."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from explorer_core.progress import Progress
from explorer_core.results import AttributionPrice, SuspectWords, TextTable, WordAttribution, WordContrast, WordReport
from explorer_core.training.spec import DataSpec

if TYPE_CHECKING:
    from explorer_core.errors import InvalidInputError
    from explorer_core.loaded import LoadedModel

_MARKED_SHARE = 0.2  # of its occurrences in the starter corpus, for a word to have a general sense


def attribute_texts(
    model: LoadedModel,
    texts: Sequence[str],
    method: str | None = None,
    target: int | str | None = None,
    *,
    progress: Progress | None = None,
    **knobs: Any,
) -> Iterator[tuple[int, WordAttribution | InvalidInputError]]:
    """`attribute` over many texts, side by side in batches of like length where the method can; scores agree with those
    of single texts to rounding.

    Args:
        model: From `load_model`.
        texts: Any number of texts.
        method: A name from `list_methods`; `report_method` if left out.
        target: Class index or label; the predicted class of each text when left out.
        progress: Called with the share done; may raise `CancelledError`.
        knobs: Settings of the method.

    Yields:
        Place of every text and its scores, in the order of the texts; for one that cannot be read, the reason.

    Raises:
        NotFoundError, InvalidInputError, IncompatibleError: As `attribute`, but for the texts.
    """
    from explorer_core.attribution import _in_batches

    return _in_batches.explain_texts(model, texts, method or _in_batches.default_method(model), target, knobs, progress)


def report_method(model: LoadedModel) -> str:
    """The method to take over many texts: signed and quick, exact where the family has such a one."""
    from explorer_core.attribution import _in_batches

    return _in_batches.default_method(model)


def report_words(
    model: LoadedModel,
    table: TextTable,
    mapping: Mapping[str, str | None] | None = None,
    *,
    method: str | None = None,
    target: int | str | None = None,
    n_texts: int = 2_000,
    seed: int = 0,
    progress: Progress | None = None,
    watch: Callable[[WordReport], None] | None = None,
) -> WordReport:
    """What every word does to the logit of one class over the texts of a table.

    Args:
        model: From `load_model`.
        table: From `read_texts`.
        mapping: Class of each label of the table; from `guess_labels` if not given.
        method: A signed method from `list_methods`; `report_method` if left out.
        target: Class index or label, the same for all texts; the last class if left out.
        n_texts: Texts drawn at random where there are more.
        seed: Of the draw.
        progress: Called with the share done; may raise `CancelledError`.
        watch: Called now and then with the report of the first texts drawn.

    Raises:
        InvalidInputError: If no text can be read, there is no such class, or the number is out of bounds.
        NotFoundError, IncompatibleError: If there is no such method, it does not fit, or it gives no signs.
    """
    from explorer_core.attribution import _word_report
    from explorer_core.judging import label_names

    mapping = label_names.guess_labels(table.label_values, model.labels) if mapping is None else mapping
    true = table.classes(mapping, model.labels)
    return _word_report.report(model, table, true, method, target, sentiment_words(), n_texts, seed, progress, watch)


def price_report(model: LoadedModel, texts: Sequence[str], method: str, n_texts: int) -> AttributionPrice:
    """Estimated seconds and passes of `report_words`, from trying some of the texts now."""
    from explorer_core.attribution import _word_report

    return _word_report.price(model, texts, method, n_texts)


def contrast_words(one: WordReport, other: WordReport) -> WordContrast:
    """Words of two models over the same texts, the largest difference of their mean scores first.

    Raises:
        IncompatibleError: If the reports are of other texts, or explain other classes.
    """
    from explorer_core.results import word_reports

    return word_reports.contrast_words(one, other)


def find_suspect_words(report: WordReport) -> SuspectWords:
    """Words that may be shortcuts: strong on average, going with the label, and without a general sense of sentiment.
    The result has the rule written out, and what it cannot know. Without labels nothing is suspected.
    """
    from explorer_core.attribution import _word_report

    return _word_report.suspects(report)


@functools.cache
def sentiment_words() -> frozenset[str]:
    """Words that carry sentiment in general, in small letters: those of the starter corpus that are marked in more than
    a fifth of their occurrences there, and at least twice or once by themselves.
    """
    from explorer_core.api._agreement import read_rationales
    from explorer_core.text import split_words

    data = read_rationales(DataSpec("starter"), split="all")
    n_all, n_marked, alone = Counter[str](), Counter[str](), set[str]()
    for text, marks in zip(data.texts, data.spans, strict=True):
        for start, end in split_words(text):
            word = text[start:end].casefold()
            n_all[word] += 1
            for low, high in marks:
                if low <= start and end <= high:
                    n_marked[word] += 1
                    alone |= {word} if (low, high) == (start, end) else set()
    return frozenset(
        word
        for word, count in n_marked.items()
        if count > _MARKED_SHARE * n_all[word] and (count > 1 or word in alone) and any(map(str.isalpha, word))
    )
