"""Scores of words over many texts: against people's marks, and methods against each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import AgreementMap, AttributionPrice, HumanAgreement
from explorer_core.training.spec import DataSpec

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.datasets._labelled_texts import LabelledTexts
    from explorer_core.datasets._rationales import RationaleColumns, RationaleTexts
    from explorer_core.loaded import LoadedModel


def read_rationales(
    spec: DataSpec, *, column: str | None = None, kind: str = "auto", split: str = "test"
) -> RationaleTexts:
    """Texts with the words a person marked: the starter corpus, or a file with a column of rationales.

    A cell of the column is spans of characters (`[[0,4],[10,15]]`, `0:4;10:15` or `0-4,10-15`, the second number just
    after the last character), or one number from 0 to 1 for each word between blanks (`0 1 1 0`), marked from 0.5 on;
    several such masks, one an annotator, are averaged. JSONL may hold a list of tokens in place of the text. Rows that
    cannot be read are left out and told.

    Args:
        spec: A source; options as for `read_data`.
        column: The column of rationales; found by its name when left out.
        kind: What spans count: `characters`, `words`, `mask`, or `auto` for what fits most rows.
        split: Of a source that has a split of its own; a file is taken whole.

    Raises:
        InvalidInputError: If no row can be read; the message says why.
        NotFoundError: If the file or a column is not there, or the source has no rationales.
    """
    from explorer_core.datasets import _rationales

    return _rationales.read_rationales(spec, column, kind, split)


def rationale_columns(spec: DataSpec, *, column: str | None = None) -> RationaleColumns:
    """The columns of a file, and which of them look like texts, labels and rationales.

    Raises:
        InvalidInputError, NotFoundError: If the file cannot be read, or a chosen column is not there.
    """
    from explorer_core.datasets import _rationales

    return _rationales.find_columns(spec, column)


def cheap_methods(model: LoadedModel) -> tuple[str, ...]:
    """Names of the methods that fit a model and read a text of 30 words at most 40 times."""
    from explorer_core.attribution import _over_texts

    return _over_texts.cheap_methods(model)


def compared_methods(model: LoadedModel) -> tuple[str, ...]:
    """Three names that stand for attention (of a recurrent network the size of its gradient), gradients and erasure."""
    from explorer_core.attribution import _agreement_map

    return _agreement_map.compared_methods(model)


def price_over_texts(
    model: LoadedModel, texts: Sequence[str], methods: Sequence[str], *, n_texts: int | None = None
) -> dict[str, AttributionPrice]:
    """Estimated seconds, passes and memory of scoring texts by each method, from scoring one of them now.

    Args:
        model: From `load_model`.
        texts: All texts, or those some are drawn from; a few dozen of them are priced.
        methods: Names from `list_methods`.
        n_texts: How many will be scored; all of them when left out.
    """
    from explorer_core.attribution import _over_texts

    names = _over_texts.check_methods(model, methods, 1)
    return _over_texts.price(model, texts, names, len(texts) if n_texts is None else n_texts)


def measure_human_agreement(
    model: LoadedModel,
    rationales: RationaleTexts | LabelledTexts | DataSpec,
    *,
    methods: Sequence[str] | None = None,
    n_texts: int = 100,
    target: str = "predicted",
    only_right: bool = False,
    split: str = "test",
    seed: int = 0,
    progress: Progress | None = None,
) -> HumanAgreement:
    """How well methods find the words that people marked: AUPRC, token F1 and precision at 1, 3 and 5, with 95 %
    intervals, beside words in random order.

    A word is marked if a person marked any of its characters. Signed scores are ranked as they are, for the class that
    is explained; others by size. Texts with no word marked, or every word, are left out and counted.

    Args:
        model: From `load_model`.
        rationales: From `read_rationales`, or where to read them.
        methods: Names from `list_methods`; `cheap_methods` when left out.
        n_texts: Texts used at most, drawn at random.
        target: Whose logit is explained: `predicted` class, or `gold` label.
        only_right: Whether texts judged wrongly are left out.
        split: As for `read_rationales`, where they are read here.
        seed: Of the draw, the intervals and the random orders.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Raises:
        InvalidInputError: If an argument is out of bounds, or no text is left.
        NotFoundError: If there is no such method, or there are no rationales.
        IncompatibleError: If a method does not fit the network, or `gold` and `only_right` meet labels that are not
            the model's.
    """
    from explorer_core.attribution import _human
    from explorer_core.datasets import _rationales

    if isinstance(rationales, DataSpec):
        rationales = _rationales.read_rationales(rationales, split=split)
    data = (
        rationales if isinstance(rationales, _rationales.RationaleTexts) else _rationales.of_labelled(rationales, split)
    )
    true = _true_classes(model, data.labels, data.label_names, is_needed=target == "gold" or only_right)
    return _human.measure(
        model, data, true, methods=methods, n_texts=n_texts, target=target, only_right=only_right, seed=seed,
        progress=progress,
    )  # fmt: skip


def map_agreement(
    model: LoadedModel,
    texts: Sequence[str] | LabelledTexts | DataSpec,
    *,
    methods: Sequence[str] | None = None,
    n_texts: int = 40,
    split: str = "all",
    seed: int = 0,
    progress: Progress | None = None,
) -> AgreementMap:
    """How alike methods rank the words of many texts: Kendall's tau-b of every pair over each text, and its median.

    Args:
        model: From `load_model`.
        texts: Texts, labelled or not, or where to read them; those of fewer than three words are left out.
        methods: At least two names from `list_methods`; `compared_methods` when left out.
        n_texts: Texts used at most, drawn at random.
        split: Of labelled texts: `train`, `validation`, `test` or `all`.
        seed: Of the draw and the intervals.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Raises:
        InvalidInputError: If an argument is out of bounds, or no text is left.
        NotFoundError: If there is no such method.
        IncompatibleError: If a method does not fit the network.
    """
    import numpy as np

    from explorer_core.attribution import _agreement_map
    from explorer_core.corpus import _texts
    from explorer_core.datasets._labelled_texts import LabelledTexts, read

    if isinstance(texts, DataSpec):
        texts = read(texts)
    rows = texts.rows(split) if isinstance(texts, LabelledTexts) else np.arange(len(texts))
    found = _texts.take(texts, split)
    true = _true_classes(model, found.labels, found.label_names, is_needed=False)
    return _agreement_map.measure(
        model, found.texts, true, rows + 1, found.origin, methods=methods, n_texts=n_texts, seed=seed,
        progress=progress,
    )  # fmt: skip


def _true_classes(model: LoadedModel, labels: np.ndarray, names: Sequence[str], *, is_needed: bool) -> np.ndarray:
    """Class of the model for each label, -1 where there is none; int array [text]."""
    import numpy as np

    from explorer_core.errors import IncompatibleError
    from explorer_core.evaluation import match_labels

    present = sorted({int(label) for label in labels} - {-1})
    try:
        matched = match_labels((names[label] for label in present), model.labels)
    except IncompatibleError:
        if is_needed:
            raise
        return np.full(len(labels), -1, dtype=np.int64)
    of_label = {label: matched[names[label]] for label in present}
    return np.array([of_label.get(int(label), -1) for label in labels], dtype=np.int64)
