"""Which of a person's texts to read first, slices of them, and minimal pairs among them."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from explorer_core import registry
from explorer_core.errors import ExplorerError, IncompatibleError, InvalidInputError
from explorer_core.judging.spec import SliceSpec
from explorer_core.progress import Progress
from explorer_core.registry import About
from explorer_core.results import JudgedPairs, Judgement, ReadingOrder, TextPairs, TextSlice, TextTable, WordReport

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.loaded import LoadedModel
    from explorer_core.reasons._ranked import Ask

N_READ_AGAIN = 100  # texts a reason has read again, unless more are asked for


def list_reasons(judged: Judgement | None = None) -> tuple[About, ...]:
    """The reasons to read a text first, each with its definition; with a judgement, those it has something for.

    `extra["needs"]` is `labels`, `models` (at least two) or empty; `extra["cost"]` is `none`, `search` (seconds over
    many texts) or `network` (the model reads texts again).
    """
    every = tuple(registry.describe("reasons").values())
    if judged is None:
        return every
    has = {"labels": judged.has_labels, "models": len(judged.models) > 1, "": True}
    return tuple(about for about in every if has[about.extra["needs"]])


def select_texts(judged: Judgement, where: SliceSpec | None = None, *, model: int | str = 0) -> TextSlice:
    """The judged texts that a slice means, and each model's accuracy on them beside that on all.

    Args:
        judged: From `judge`.
        where: What is meant; every text if left out.
        model: Name or index of the model whose verdict `where` speaks of.

    Raises:
        NotFoundError: If there is no such column.
        InvalidInputError: If there is no such class or model, or numbers are asked of a column without.
    """
    from explorer_core.judging import slices

    return slices.select(judged, where or SliceSpec(), _model_index(judged, model))


def slice_report(report: WordReport, table: TextTable, where: SliceSpec) -> np.ndarray:
    """Which texts of a report of words a slice means; bool array [text of the report], for `report.summary` or `.only`.

    Args:
        report: From `report_words`; labels and verdicts are those it holds.
        table: The texts it was made over.
        where: What is meant.

    Raises:
        NotFoundError: If there is no such column.
        InvalidInputError: If there is no such class, or numbers are asked of a column without.
    """
    from explorer_core.judging import slices

    verdicts = slices.Verdicts(report.model, report.labels, report.true, report.predicted)
    return slices.find(table.take(report.indices), verdicts, where)[0]


def slice_choices(judged: Judgement | TextTable, column: str | None = None) -> dict[str, Any]:
    """What slices of judged texts, or of a table of texts, can be chosen from: `lengths`, the smallest and largest
    number of words in bins of about as many texts; with a column, `values`, its most frequent ones with their counts,
    and `ranges`, the ends of bins of its numbers where there are many different ones.

    Raises:
        NotFoundError: If there is no such column.
    """
    from explorer_core.judging import slices

    table = judged if isinstance(judged, TextTable) else judged.table
    found: dict[str, Any] = {"lengths": slices.length_bins(table.n_words)}
    return (
        found
        if column is None
        else found
        | {
            "values": slices.values_of(table, column),
            "ranges": slices.ranges_of(table, column),
        }
    )


def order_texts(
    judged: Judgement,
    reason: str,
    *,
    model: int | str = 0,
    among: TextSlice | None = None,
    network: LoadedModel | None = None,
    n_texts: int = N_READ_AGAIN,
    progress: Progress | None = None,
) -> ReadingOrder:
    """The texts in the order in which a reason has them read.

    Args:
        judged: From `judge`.
        reason: A name from `list_reasons`, which also tells how it ranks.
        model: Name or index of the model that is asked about.
        among: From `select_texts` of this judgement; all texts if left out.
        network: The model itself, for a reason whose cost is `network`.
        n_texts: Texts it reads again at most: those with the smallest margin.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Raises:
        NotFoundError: If there is no such reason.
        InvalidInputError: If there is no such model, or no text is to be read again.
        IncompatibleError: If the reason needs labels, a second model or the network, and has none.
    """
    about = registry.load("reasons", reason).ABOUT
    index = _model_index(judged, model)
    if about["needs"] == "labels" and not judged.has_labels:
        raise IncompatibleError(f"“{about['label']}” needs labels, and these texts have none. Choose another reason.")
    if about["needs"] == "models" and len(judged.models) < 2:
        raise IncompatibleError(f"“{about['label']}” needs two models or more. Judge the texts by another model too.")
    ask = _ask(judged, index, among, network, n_texts, progress)
    if reason == "label_errors":
        ask = dataclasses.replace(ask, trained_on=_training_letters(judged.models[index], judged.fingerprints[index]))
    found = registry.load("reasons", reason).rank(ask)
    return ReadingOrder(
        reason=reason,
        model=judged.models[index],
        judged=judged,
        rows=found.rows,
        value_name=about["value"],
        values=found.values,
        details=found.details,
        partner=found.partner,
        n_slice=len(ask.rows),
        notes=found.notes,
    )


def price_order(
    judged: Judgement,
    reason: str,
    *,
    network: LoadedModel,
    model: int | str = 0,
    among: TextSlice | None = None,
    n_texts: int = N_READ_AGAIN,
) -> float:
    """Estimated seconds of `order_texts` for a reason whose cost is `network`, from reading a text now; else 0."""
    module = registry.load("reasons", reason)
    if module.ABOUT["cost"] != "network":
        return 0.0
    return float(module.price(_ask(judged, _model_index(judged, model), among, network, n_texts, None)))


def find_pairs(
    table: TextTable,
    *,
    ids: str | None = None,
    second_text: str | None = None,
    second_label: str | None = None,
    most_edits: int = 3,
    progress: Progress | None = None,
) -> TextPairs:
    """Minimal pairs in a table: by a column of ids, by a second column of texts, or else found.

    Args:
        table: From `read_texts`; of a text in pieces, the first piece counts.
        ids: Column that holds the same value for the two texts of a pair.
        second_text: Column with the second text of each row.
        second_label: Column with its label, if there is one.
        most_edits: Without columns: texts with different labels are found that differ by at most so many words, 1 to
            12, put in, taken out or replaced, and at most one in four of the longer text's; case is ignored.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Returns:
        The pairs and the table they are in, which `judge` takes. The search is exact within its bounds on comparisons
        and pairs; `notes` say when one was met.

    Raises:
        NotFoundError: If there is no such column.
        InvalidInputError: If both ways are asked for, or a column makes no pair.
    """
    from explorer_core.judging import pairs

    if ids is not None and second_text is not None:
        raise InvalidInputError("Pairs are made by ids or by a second column of texts. Choose one of both.")
    if ids is not None:
        return pairs.by_ids(table, ids)
    if second_text is not None:
        return pairs.by_columns(table, second_text, second_label)
    return pairs.found(table, most_edits, progress=progress)


def judge_pairs(judged: Judgement, pairs: TextPairs) -> JudgedPairs:
    """How each model judges the two texts of every pair: both right, one, none, and whether its verdict turns.

    Args:
        judged: From `judge` of `pairs.table`, finished.
        pairs: From `find_pairs`.

    Raises:
        InvalidInputError: If the judgement is of other texts, or no pair can be read.
    """
    from explorer_core.judging import pairs as pairing

    return pairing.judge_pairs(judged, pairs)


def _model_index(judged: Judgement, model: int | str) -> int:
    """Index of a model by its name or index."""
    names = judged.models
    if isinstance(model, str) and model in names:
        return names.index(model)
    if isinstance(model, int) and not isinstance(model, bool) and 0 <= model < len(names):
        return model
    raise InvalidInputError(
        f"There is no model {str(model)[:60]!r} in this judgement; it has {', '.join(names)[:200]}."
    )


def _ask(
    judged: Judgement, model: int, among: TextSlice | None, network: LoadedModel | None, n_texts: int,
    progress: Progress | None,
) -> Ask:  # fmt: skip
    import numpy as np

    from explorer_core.reasons._ranked import Ask

    if n_texts < 1:
        raise InvalidInputError(f"{n_texts} texts cannot be read again; give 1 or more.")
    if among is not None and among.n_all != len(judged):
        raise IncompatibleError("The slice is of another judgement. Select it from this one.")
    rows = np.arange(len(judged)) if among is None else among.rows
    return Ask(judged, model, rows, network, n_texts, report=progress or (lambda share: None))


def tell_training(judged: Judgement) -> tuple[str, ...]:
    """One sentence for each model that read some of these texts while it was trained: how many, and how it does on the
    others. A model of which this is not known here is passed over.
    """
    import numpy as np

    from explorer_core.datasets._splitting import letters_of
    from explorer_core.judging.scores import wilson

    found, letters = [], None
    for index, name in enumerate(judged.models):
        known = _training_letters(name, judged.fingerprints[index])
        if not known:
            continue
        letters = letters or [letters_of(text) for text in judged.table.texts]
        is_new = np.fromiter((each not in known for each in letters), bool, len(letters))
        if is_new.all():
            continue
        others = is_new & (judged.true >= 0)
        n_right, n_others = int(judged.is_right[index, others].sum()), int(others.sum())
        said = f"{name} was trained on {int((~is_new).sum()):,} of these {len(judged):,} texts"
        if n_others:
            low, high = (float(end) for end in wilson(np.array(n_right), np.array(n_others)))
            said += f"; on the other {n_others:,} with a label it is right on {n_right / n_others:.1%} "
            said += f"({low:.1%} to {high:.1%}): expect that of new texts of the kind."
        else:
            said += ": its scores here say nothing of new texts."
        found.append(said)
    return tuple(found)


def _training_letters(name: str, fingerprint: str) -> frozenset[str] | None:
    """Letters of the texts a model of the store learned from, its validation and test rows left out; `None` if they
    cannot be read here.
    """
    from explorer_core.datasets._labelled_texts import read
    from explorer_core.datasets._splitting import letters_of
    from explorer_core.training import store

    if store.find_record(name, fingerprint) is None:
        return None
    try:
        spec = store.read_spec(name).data
        if spec.source == "hub":
            return None  # asking a label must not download a data set
        data = read(spec)
    except ExplorerError:
        return None
    return frozenset(letters_of(data.texts[row]) for row in data.rows("train"))
