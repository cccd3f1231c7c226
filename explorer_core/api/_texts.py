"""A person's own texts: reading them from files, and judging networks over them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer_core.api._reading_order import tell_training
from explorer_core.judging.spec import TextsSpec
from explorer_core.progress import Progress
from explorer_core.results import BlockVerdicts, Judgement, JudgingPrice, TextBlock, TextTable

if TYPE_CHECKING:
    from explorer_core.judging.streaming import TextStream
    from explorer_core.loaded import LoadedModel


def read_texts(
    paths: Sequence[str | Path] = (),
    spec: TextsSpec | None = None,
    *,
    pasted: str | None = None,
    names: Sequence[str] | None = None,
    progress: Progress | None = None,
) -> TextTable:
    """Texts with their labels and other columns from files of one's own, or from what was pasted.

    Labels are not needed. TXT, CSV, TSV, JSONL, Parquet and XLSX are read; several files follow each other, each with
    columns of its own.

    Args:
        paths: Files, at most `settings.MAX_FILES_AT_ONCE` of at most `settings.MAX_FILE_MIB` MiB each.
        spec: Which columns, and what is done with long texts; all guessed and given whole if left out.
        pasted: Texts in place of files, read as a TXT file is.
        names: What to call the files, such as the names a browser sent; their own if left out.
        progress: See `Progress`.

    Returns:
        At most `settings.MAX_TEXTS` texts; rows that cannot be read are in `skipped`, with the reason.

    Raises:
        NotFoundError: If a file or a chosen column is not there.
        InvalidInputError: If a file cannot be read, no text is left, or there are too many.
    """
    from explorer_core.judging import reading

    return reading.read_texts(paths, spec, pasted=pasted, names=names, progress=progress)


def guess_labels(values: Sequence[str], labels: Sequence[str]) -> dict[str, str | None]:
    """Class of a model that each label of a file means, `None` where nothing fits: a guess for a person to change.

    Args:
        values: Labels as the file has them, such as `TextTable.label_values`.
        labels: Classes of the model.
    """
    from explorer_core.judging import label_names

    return label_names.guess_labels(values, labels)


def judge(
    models: Sequence[LoadedModel],
    table: TextTable,
    mapping: Mapping[str, str | None] | None = None,
    *,
    seed: int = 0,
    n_resamples: int = 1_000,
    is_kept: bool = True,
    progress: Progress | None = None,
    watch: Callable[[Judgement], None] | None = None,
) -> Judgement:
    """All models over all texts: verdicts row by row, and with labels accuracy, F1, calibration and their intervals.

    Every different text is read once by each model, in batches of like length. What a model has read before is found
    again on disk by the fingerprint of its weights and the digest of the text, bit for bit, so a judgement that was
    cancelled, or whose process died, goes on where it was.

    Args:
        models: From `load_model`, with the same classes.
        table: From `read_texts`.
        mapping: Class of each label of the table, `None` for one that is left out; from `guess_labels` if not given.
        seed: Of the bootstrap and of the halves of the calibration.
        n_resamples: Bootstrap samples behind the intervals; fewer are drawn over more than 50,000 texts.
        is_kept: Whether verdicts are kept on disk (`settings.MAX_VERDICTS_MIB` for all models together).
        progress: See `Progress`.
        watch: Called with the judgement so far, whose intervals come from fewer samples: the first texts, then the
            first models.

    Raises:
        InvalidInputError: If no model is given, or no text can be read.
        IncompatibleError: If the models have different classes.
        CancelledError: If `progress` raised it.
    """
    from explorer_core.judging import judge as judging

    return judging.judge(
        models, table, mapping, seed=seed, n_resamples=n_resamples, is_kept=is_kept, progress=progress, watch=watch
    )


def price_judging(models: Sequence[LoadedModel], table: TextTable) -> tuple[JudgingPrice, ...]:
    """What `judge` will take of each model: tokens times the pace at which it reads some of these texts now.

    Texts it has read before cost nothing. Pricing itself takes well under a second a model.

    Args:
        models: From `load_model`.
        table: From `read_texts`.
    """
    from explorer_core.judging import price

    return tuple(price.price(model, table) for model in models)


def write_report(
    judged: Judgement,
    path: str | Path,
    *,
    spec: TextsSpec | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """One web page about a judgement that a colleague can open: it holds all it needs and asks no network for anything.

    Tables (accuracy, macro F1, precision and recall by class with intervals, confusion, calibration, length and unknown
    words, disagreement, most confident mistakes and closest calls with their texts), pictures that answer when touched,
    and settings, fingerprints, digest of the texts, versions and date. About 5 MB, of which 4.7 MB are plotly.js,
    whatever the number of texts. Reads in light, in dark and printed.

    Args:
        judged: From `judge`.
        path: Where to write; ends in `.html`.
        spec: How the files were read, if that shall be told.
        settings: What else to tell, as plain values by name.

    Raises:
        InvalidInputError: If the path is no place for a web page.
    """
    from explorer_core import report

    return report.write_page(Path(path), judged, spec, settings, tell_training(judged))


def reproduce_judgement(
    judged: Judgement,
    path: str | Path,
    *,
    paths: Sequence[str | Path] = (),
    pasted: str | None = None,
    names: Sequence[str] | None = None,
    spec: TextsSpec | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """One zip with which anyone who has the models can judge the same texts again and compare every number.

    It holds the files as they were given, `judged.npz`, `judged.csv`, `report.html`, `settings.json` (models with their
    fingerprints, what the labels mean, how the files are read, versions, machine) and `reproduce.py`, which checks the
    files and fingerprints, judges anew and asserts that every number agrees to 1e-5.

    Args:
        judged: From `judge`, finished.
        path: Where to write; ends in `.zip`.
        paths: The files, as given to `read_texts`; at most `settings.MAX_FILE_MIB` MiB together.
        pasted: Texts in place of files.
        names: What the files were called.
        spec: How they were read.
        settings: What else to keep in `settings.json`, as plain JSON values.

    Raises:
        InvalidInputError: If the path is no place for a zip, or the files are too large.
        IncompatibleError: If the judgement is not finished, or of other texts than these files give.
    """
    from explorer_core import report

    return report.write_bundle(
        Path(path), judged, read_texts, paths=[Path(one) for one in paths], pasted=pasted, names=names,
        spec=spec or TextsSpec(), chosen=settings, warnings=tell_training(judged),
    )  # fmt: skip


def stream_texts(data: str, spec: TextsSpec | None = None, options: Mapping[str, Any] | None = None) -> TextStream:
    """Texts of any number, block by block in constant memory.

    Args:
        data: A file, a folder of Parquet files, a pattern such as `shards/*.parquet`, or `hub:` and the id of a set.
        spec: Columns, encoding, and what is done with long texts.
        options: Of a Hub set: `config` and `split`.

    Returns:
        What yields the blocks, with the columns and labels found in the first rows.

    Raises:
        NotFoundError, OfflineError, InvalidInputError: If it cannot be read; the message says why.
    """
    from explorer_core.judging import streaming

    return streaming.open_stream(data, spec or TextsSpec(), options)


def judge_blocks(
    model: LoadedModel, blocks: Iterable[TextBlock], mapping: Mapping[str, str | None]
) -> Iterator[BlockVerdicts]:
    """What a model says of the blocks of `stream_texts`; the same block gives the same numbers in any process.

    A block is read and tokenised, and the one before it judged, in threads while the caller writes another.

    Args:
        model: From `load_model`.
        blocks: From `TextStream.blocks`.
        mapping: Class of each label value, such as from `guess_labels`.
    """
    from explorer_core.judging import streaming

    return streaming.judge_blocks(model, blocks, mapping)


def sum_blocks(sums: Mapping[str, Any], found: BlockVerdicts | Mapping[str, Any]) -> dict[str, Any]:
    """Sums over blocks, as plain values that JSON can hold: those so far (empty at first) with a further block, or with
    other sums.
    """
    from explorer_core.judging import streaming

    more = streaming.sums_of(found) if isinstance(found, BlockVerdicts) else dict(found)
    return streaming.add_sums(dict(sums), more)


def score_sums(sums: Mapping[str, Any]) -> dict[str, Any]:
    """`accuracy` with the ends of its 95 % `interval` (Wilson), `macro_f1` and `ece` of summed blocks; `None` each
    without labels.
    """
    from explorer_core.judging import streaming

    return streaming.scores_of(sums)


def forget_verdicts(fingerprint: str | None = None) -> None:
    """Delete the verdicts kept of a model, or of all."""
    from explorer_core.judging import _kept

    _kept.forget(fingerprint)


def delete_upload(path: str | Path) -> None:
    """Delete a file that `save_upload` kept; any other file is left alone."""
    from explorer_core.training import store

    store.delete_upload(Path(path))
