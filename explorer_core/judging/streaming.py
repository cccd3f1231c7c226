"""Judging what is too large for memory: blocks of rows come in, verdicts and sums go out, nothing is held on to."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core import prediction, settings
from explorer_core.datasets import _streams
from explorer_core.datasets._columns import choose_columns
from explorer_core.datasets._labelling import why_unusable
from explorer_core.datasets._table import Table, show, show_columns
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.judging import _pieces, scores
from explorer_core.judging.spec import TextsSpec
from explorer_core.loaded import LoadedModel
from explorer_core.prediction import ReadIds
from explorer_core.results import softmax
from explorer_core.results.text_blocks import BlockVerdicts, TextBlock

_MAX_ROW_CHARS = settings.MAX_UPLOAD_MIB * 2**20  # of a text that is cut
_SAMPLE_BLOCKS = 3  # looked at to guess columns and labels


@dataclass(frozen=True)
class TextStream:
    """Rows of a file, of many Parquet files or of a Hub set, which are read as they are asked for.

    Attributes:
        origin: What is read, for a person.
        identity: What it is, as plain values: another file of the same name is another stream.
        text_column, label_column: The columns; `None` without labels.
        label_values: Labels met in the first rows, the most frequent first.
        notes: What was found and guessed.
        spec: What is done with long texts.
        tables: Opens the stream from its beginning.
    """

    origin: str
    identity: tuple[Any, ...]
    text_column: str
    label_column: str | None
    label_values: tuple[str, ...]
    notes: tuple[str, ...]
    spec: TextsSpec
    tables: Callable[[], Iterator[Table]]

    def blocks(self, is_wanted: Callable[[int], bool] = lambda number: True) -> Iterator[TextBlock]:
        """Blocks in their order; those that are not wanted are read over.

        Raises:
            InvalidInputError: If the file cannot be read further; the message says where.
        """
        for number, table in enumerate(self.tables()):
            if is_wanted(number):
                yield self._block(number, table)

    def _block(self, number: int, table: Table) -> TextBlock:
        missing = [name for name in (self.text_column, self.label_column) if name and name not in table.columns]
        if self.text_column in missing:
            raise NotFoundError(f"{table.origin}: there is no column {show(self.text_column)}.")
        cells = table.columns[self.text_column]
        is_cut = self.spec.long != "whole"
        reasons = [why_unusable(cell, _MAX_ROW_CHARS if is_cut else settings.MAX_CELL_CHARS) for cell in cells]
        good = [row for row, why in enumerate(reasons) if not why]
        labels = table.columns[self.label_column] if self.label_column and not missing else [None] * table.n_rows
        texts = [str(cells[row]).strip() for row in good]
        pieces = [
            (place, count, start, min(end, start + settings.MAX_TEXT_CHARS) if is_cut else end)
            for place, text in enumerate(texts)
            for count, (start, end) in enumerate(_pieces.cut(text, self.spec))
        ]
        places = np.array(pieces, dtype=np.int64).reshape(-1, 4)
        plain = [" ".join((labels[row] or "").split()) for row in good]
        return TextBlock(
            number=number,
            file=table.origin,
            texts=tuple(texts[place][start:end] for place, _, start, end in pieces),
            row_numbers=np.array([table.row_numbers[row] for row in good], dtype=np.int64)[places[:, 0]],
            labels=tuple(plain[place] for place, *_ in pieces),
            piece=places[:, 1],
            spans=places[:, 2:],
            has_pieces=self.spec.long in ("sentence", "window"),
            n_skipped=Counter(why for why in reasons if why),
        )


def open_stream(data: str, spec: TextsSpec, options: Mapping[str, Any] | None = None) -> TextStream:
    """A stream of texts; see `api.stream_texts`."""
    if data.startswith("hub:"):
        asked = {"id": data[4:].strip(), **(options or {})}
        identity: tuple[Any, ...] = ("hub", *sorted(map(str, asked.items())))

        def tables() -> Iterator[Table]:
            return _streams.stream_hub(asked)

        origin = asked["id"]
    else:
        paths = _streams.find_files(data)
        identity = tuple((path.name, path.stat().st_size, path.stat().st_mtime_ns) for path in paths)

        def tables() -> Iterator[Table]:
            return _streams.stream_files(paths, spec.encoding)

        origin = paths[0].name if len(paths) == 1 else f"{paths[0].name} and {len(paths) - 1} more"
    opened = tables()
    sample = list(itertools.islice(opened, _SAMPLE_BLOCKS))
    begun = [itertools.chain(sample, opened)]  # the first to read goes on from here, others begin anew

    def read() -> Iterator[Table]:
        return begun.pop() if begun else tables()

    if not sample:
        raise InvalidInputError(f"{show(origin)} has no rows.")
    first = sample[0]
    text, label = choose_columns(first, {"text_column": spec.text_column, "label_column": spec.label_column or None})
    if text is None and not spec.label_column:
        text, label = label, None
    if spec.label_column == "":
        label = None
    if text is None:
        raise InvalidInputError(
            f"No column looks like texts. The columns are: {show_columns(first)}. Choose one with --text-column."
        )
    cells = [cell for table in sample for cell in (table.columns.get(label, ()) if label else ())]
    counts = Counter(value for value in (" ".join((cell or "").split()) for cell in cells) if value)
    notes = [*first.notes, f"Texts from {show(text)}" + (f", labels from {show(label)}." if label else ".")]
    return TextStream(
        origin=origin,
        identity=identity,
        text_column=text,
        label_column=label,
        label_values=tuple(value for value, _ in counts.most_common()),
        notes=tuple(notes),
        spec=spec,
        tables=read,
    )


def judge_blocks(
    model: LoadedModel, blocks: Iterable[TextBlock], mapping: Mapping[str, str | None]
) -> Iterator[BlockVerdicts]:
    """What a network says of blocks; see `api.judge_blocks`."""
    coming = iter(blocks)

    def prepare() -> tuple[TextBlock, dict[str, int], ReadIds] | None:
        block = next(coming, None)
        if block is None:
            return None
        numbers: dict[str, int] = {}
        for text in block.texts:
            numbers.setdefault(text, len(numbers))
        return block, numbers, prediction.read_ids(model, list(numbers), may_skip=True)

    pool = ThreadPoolExecutor(2)  # a block is read and tokenised, one before it judged, while the caller writes another
    try:
        waiting, judging = pool.submit(prepare), None
        while (ready := waiting.result()) is not None:
            waiting = pool.submit(prepare)
            done, judging = judging, pool.submit(_judge, model, *ready, mapping)
            if done is not None:
                yield done.result()
        if judging is not None:
            yield judging.result()
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _judge(
    model: LoadedModel, block: TextBlock, numbers: dict[str, int], read: ReadIds, mapping: Mapping[str, str | None]
) -> BlockVerdicts:
    """Verdicts over a block whose different texts are tokenised."""
    logits = prediction.empty_logits(model, len(numbers))
    for rows, found in prediction.forward(model, read.ids):
        logits[rows] = found
    of_text = np.array([numbers[text] for text in block.texts], dtype=np.int64)
    is_read = np.array([bool(ids) for ids in read.ids], dtype=bool)
    kept = np.flatnonzero(is_read[of_text]) if len(of_text) else of_text
    rows_kept = of_text[kept]
    of_label = {value: model.labels.index(name) for value, name in mapping.items() if name is not None}
    true = np.array([of_label.get(block.labels[place], -1) for place in kept], dtype=np.int64)
    return BlockVerdicts(
        model=model.name,
        labels=model.labels,
        block=block,
        kept=kept,
        logits=logits[rows_kept],
        n_unknown=read.n_unknown[rows_kept],
        n_truncated=read.n_truncated[rows_kept],
        true=true,
    )


def sums_of(found: BlockVerdicts) -> dict[str, Any]:
    """What the scores of a whole stream need to know of a block, as plain values that are added up."""
    n_classes, labelled = len(found.labels), found.true >= 0
    probs = softmax(found.logits.astype(np.float64))
    predicted, true = probs.argmax(1), found.true
    cells = np.bincount(true[labelled] * n_classes + predicted[labelled], minlength=n_classes**2)
    right = predicted[labelled] == true[labelled]
    bins, sure = scores.bins_of(probs.max(1)[labelled]), probs.max(1)[labelled]
    return {
        "n_texts": len(true),
        "n_labelled": int(labelled.sum()),
        "n_unread": len(found.block.texts) - len(true),
        "n_skipped": dict(found.block.n_skipped),
        "n_truncated": int((found.n_truncated > 0).sum()),
        "predicted": np.bincount(predicted, minlength=n_classes).tolist(),
        "confidence": float(probs.max(1).sum()),
        "confusion": cells.reshape(n_classes, n_classes).tolist(),
        "bin_counts": np.bincount(bins, minlength=scores.N_BINS).tolist(),
        "bin_right": np.bincount(bins, weights=right, minlength=scores.N_BINS).tolist(),
        "bin_confidence": np.bincount(bins, weights=sure, minlength=scores.N_BINS).tolist(),
        "by_row": _by_row(found, labelled, right),
        "unmapped": dict(Counter(block_label for block_label in _unmapped(found)).most_common(50)),
    }


def _by_row(found: BlockVerdicts, labelled: np.ndarray, right: np.ndarray) -> list[int]:
    """Over rows: sums of right pieces squared, of right pieces times pieces, and of pieces squared."""
    _, row_of = np.unique(found.block.row_numbers[found.kept][labelled], return_inverse=True)
    n_right, n_pieces = np.bincount(row_of, weights=right), np.bincount(row_of)
    return [int(n_right @ n_right), int(n_right @ n_pieces), int(n_pieces @ n_pieces)]


def _unmapped(found: BlockVerdicts) -> Iterator[str]:
    return (found.block.labels[place] for place, true in zip(found.kept, found.true, strict=True)
            if true < 0 and found.block.labels[place])  # fmt: skip


def add_sums(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Two sums as one; `one` may be empty."""
    if not one:
        return other
    found: dict[str, Any] = {}
    for name, value in one.items():
        if isinstance(value, dict):
            found[name] = dict((Counter(value) + Counter(other[name])).most_common(50))
        else:
            found[name] = (np.asarray(value) + np.asarray(other[name])).tolist()
    return found


def scores_of(sums: Mapping[str, Any]) -> dict[str, Any]:
    """Accuracy with its Wilson interval, macro F1 and calibration error from sums; `None` without labels."""
    confusion = np.array(sums["confusion"])
    n_labelled = int(confusion.sum())
    if not n_labelled:
        return {"accuracy": None, "macro_f1": None, "ece": None, "interval": None}
    right, n_true, n_predicted = np.diagonal(confusion), confusion.sum(1), confusion.sum(0)
    occurs = n_true + n_predicted > 0
    f1 = 2 * right[occurs] / (n_true + n_predicted)[occurs]
    low, high = scores.wilson_of_rows(int(right.sum()), n_labelled, sums["by_row"])
    gaps = np.array(sums["bin_right"]) - np.array(sums["bin_confidence"])
    return {
        "accuracy": float(right.sum() / n_labelled),
        "macro_f1": float(f1.mean()),
        "ece": float(np.abs(gaps).sum() / n_labelled),
        "interval": [low, high],
    }
