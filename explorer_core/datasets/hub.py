"""Any text-classification set of the Hugging Face Hub, by id, streamed and bounded."""

from __future__ import annotations

import functools
import os
import random
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from explorer_core import settings
from explorer_core.datasets._labelled_texts import DataPreview, LabelledTexts
from explorer_core.datasets._labelling import label_rows, preview_table
from explorer_core.datasets._table import Cell, Table, as_cell, check_width, show
from explorer_core.errors import ExplorerError, InvalidInputError, NotFoundError, OfflineError
from explorer_core.params import Knob

ABOUT = {
    "label": "Hugging Face Hub",
    "sentence": "Any text-classification set of the Hub by its id, such as stanfordnlp/sst2; a bounded number of rows "
    "is drawn from it.",
    "order": 30,
    "options": (
        {
            "name": "id",
            "label": "Id of the set",
            "kind": "text",
            "help": "As in its address on the Hub: owner/name.",
            "required": True,
        },
        {"name": "config", "label": "Config", "kind": "choice", "help": "Part of the set, where it has several."},
        {"name": "split", "label": "Split", "kind": "choice", "help": "Its train split if left out."},
        {"name": "text_column", "label": "Column of texts", "kind": "column", "help": "Guessed if left out."},
        {"name": "label_column", "label": "Column of labels", "kind": "column", "help": "Guessed if left out."},
        {
            "name": "max_rows",
            "label": "Rows",
            "kind": "number",
            "help": "Rows drawn at random, the same ones each time.",
            "default": 5_000,
            "low": 100,
            "high": 20_000,
            "step": 100,
        },
    ),
}

MAX_ROWS = Knob("max_rows", "Rows", "Rows drawn at random.", 5_000, 100, settings.MAX_HUB_ROWS, 100)
ID_PATTERN = re.compile(r"(?!.*(\.\.|--))(?:[A-Za-z0-9][\w.\-]{0,95}/)?[A-Za-z0-9][\w.\-]{0,95}", re.ASCII)
_NAME_PATTERN = re.compile(r"[\w.\-+ ]{1,100}")


def read(options: Mapping[str, Any]) -> LabelledTexts:
    """Labelled and split texts of a Hub set.

    Args:
        options: `id`, and if wanted `config`, `split`, `text_column`, `label_column`, `max_rows`.

    Raises:
        NotFoundError: If there is no such set, config, split or column.
        OfflineError: If the Hub cannot be reached.
        InvalidInputError: If an option is not allowed, or the rows cannot be learned from.
    """
    return label_rows(_open_id(options), options)


def preview(options: Mapping[str, Any]) -> DataPreview:
    """Columns, guesses, histograms and sample rows of a Hub set, and the configs and splits it has.

    Raises:
        NotFoundError, OfflineError, InvalidInputError: As `read`, when no rows can be read at all.
    """
    return preview_table(_open_id(options), options)


@dataclass(frozen=True)
class Rows:
    """Rows of a set as they stream, with its flat columns.

    Attributes:
        rows: A streaming set of the library `datasets`, with the flat columns only.
        columns: Columns of text, numbers, truths or classes.
        classes: Names of the classes of a column, in their own order.
        split, splits, configs: The split chosen, and what there is to choose.
    """

    rows: Any
    columns: tuple[str, ...]
    classes: Mapping[str, tuple[str, ...]]
    split: str = ""
    splits: tuple[str, ...] = ()
    configs: tuple[str, ...] = ()

    def cell(self, column: str, value: Any) -> Cell:
        """A value as text; a class by its name, and none for -1, the Hub's way to say that a label is missing."""
        names = self.classes.get(column)
        if names is None:
            return as_cell(value)
        return names[value] if isinstance(value, int) and 0 <= value < len(names) else None


def flat_rows(path: str, stream: Any, split: str, splits: Iterable[str], configs: Iterable[str]) -> Rows:
    """The flat columns of a streaming set.

    Raises:
        InvalidInputError: If it has none, or too many.
    """
    import datasets

    features = stream.features or stream._resolve_features().features
    flat = [name for name, kind in features.items() if isinstance(kind, (datasets.Value, datasets.ClassLabel))]
    check_width(len(flat))
    if not flat:
        raise InvalidInputError(f"{show(path)} has no columns of text, only pictures, sounds or nested ones.")
    classes = {
        name: tuple(" ".join(label.split()) for label in features[name].names)
        for name in flat
        if isinstance(features[name], datasets.ClassLabel)
    }
    return Rows(stream.select_columns(flat), tuple(flat), classes, split, tuple(splits), tuple(configs))


def stream_repository(path: str, config: str | None, split: str | None) -> Rows:
    """All rows of a split of a data repository as they stream; raises as `open_repository`."""
    import datasets

    configs = datasets.get_dataset_config_names(path)
    if config is None and len(configs) > 1 and "default" not in configs:
        raise InvalidInputError(f"{show(path)} has several configs: {_listed(configs)}. Choose one.")
    if config is not None and config not in configs:
        raise NotFoundError(f"{show(path)} has no config {show(config)}. It has: {_listed(configs)}.")
    streams = datasets.load_dataset(path, name=config, streaming=True)
    splits = list(streams)
    if split is None:
        split = "train" if "train" in splits else splits[0]
    if split not in splits:
        raise NotFoundError(f"{show(path)} has no split {show(split)}. It has: {_listed(splits)}.")
    return flat_rows(path, streams[split], split, splits, configs)


def stream_id(options: Mapping[str, Any]) -> Rows:
    """All rows of a Hub set by its id as they stream; `id`, and if wanted `config` and `split`.

    Raises:
        NotFoundError, OfflineError, InvalidInputError: As `read`.
    """
    name, config, split = _checked_id(options)
    try:
        _check_there(name)
        return stream_repository(name, config, split)
    except ExplorerError:
        raise
    except Exception as error:  # the Hub's clients raise errors of four libraries
        raise _explain(name, error) from error


def open_repository(path: str, config: str | None, split: str | None, max_rows: int) -> Table:
    """Rows of a data repository: an id on the Hub, or a local folder laid out like one.

    Rows are drawn uniformly, with a fixed seed, from the first `settings.HUB_SHUFFLE_ROWS`; many sets are sorted by
    label, so the very first ones would not do. Memory holds only the rows drawn.

    Args:
        path: Id or folder. The public doors pass ids only.
        config: Part of the set, `None` for its only one.
        split: `None` for `train`, or the first one there is.
        max_rows: Rows drawn at most.

    Raises:
        NotFoundError: If there is no such config or split.
        InvalidInputError: If the set has several configs and none was chosen, or no flat columns.
    """
    found = stream_repository(path, config, split)
    stream = found.rows
    if stream.num_shards > 1:  # several files are read in turn, in any order; the rows are drawn below
        stream = stream.shuffle(seed=0, buffer_size=1)
    flat, classes = found.columns, found.classes
    drawn, n_seen = _draw(stream.select_columns(flat), max_rows)
    columns: dict[str, list[Cell]] = {name: [] for name in flat}
    for _, row in drawn:
        for name in flat:
            columns[name].append(found.cell(name, row[name]))
    notes = [f"Split {show(found.split)} of the Hub set is used and split anew into train, validation and test."]
    if n_seen > len(drawn) or n_seen == settings.HUB_SHUFFLE_ROWS:
        more = " (the set has more)" if n_seen == settings.HUB_SHUFFLE_ROWS else ""
        notes.append(f"{len(drawn):,} rows were drawn at random from the first {n_seen:,}{more}.")
    return Table(
        origin=path,
        columns=columns,
        row_numbers=[number for number, _ in drawn],
        notes=tuple(notes),
        classes=classes,
        choices={"config": found.configs, "split": found.splits},
    )


def _open_id(options: Mapping[str, Any]) -> Table:
    """Check the options and open the set; errors of the Hub become sentences."""
    max_rows = MAX_ROWS.check(options.get("max_rows", MAX_ROWS.default))
    return _open_cached(*_checked_id(options), max_rows)


def _checked_id(options: Mapping[str, Any]) -> tuple[str, str | None, str | None]:
    """Id, config and split, if they can be such."""
    name = options.get("id")
    if not isinstance(name, str) or not ID_PATTERN.fullmatch(name):
        raise InvalidInputError(f"{show(name)} is no id of a Hub set. Ids look like owner/name: stanfordnlp/sst2.")
    config, split = options.get("config"), options.get("split")
    for what, value in (("config", config), ("split", split)):
        if value is not None and not (isinstance(value, str) and _NAME_PATTERN.fullmatch(value)):
            raise InvalidInputError(f"{show(value)} cannot be a {what} of a Hub set.")
    return name, config, split


@functools.lru_cache(maxsize=2)
def _open_cached(name: str, config: str | None, split: str | None, max_rows: int) -> Table:
    """One set is looked at several times before it is trained on; it is fetched once."""
    try:
        _check_there(name)
        return open_repository(name, config, split, max_rows)
    except ExplorerError:
        raise
    except Exception as error:  # the Hub's clients raise errors of four libraries
        raise _explain(name, error) from error


def _check_there(name: str) -> None:
    """Ask the Hub once, without the long retries that loading would make."""
    from huggingface_hub import HfApi, constants

    if constants.HF_HUB_OFFLINE or os.environ.get("HF_HUB_OFFLINE", "").upper() in ("1", "ON", "YES", "TRUE"):
        raise _offline(name, "the Hub is switched off here (HF_HUB_OFFLINE)")
    HfApi().dataset_info(name, timeout=settings.HUB_TIMEOUT_S)


def _explain(name: str, error: Exception) -> ExplorerError:
    """The sentence for what went wrong between here and the Hub."""
    kinds = {kind.__name__ for kind in type(error).__mro__}
    if "GatedRepoError" in kinds or ("DatasetNotFoundError" in kinds and "gated" in str(error)):
        return InvalidInputError(
            f"The Hub set {show(name)} is open only to people who accepted its terms. Accept them on the Hub and log "
            "in with `hf auth login`, or choose another set."
        )
    if kinds & {"RepositoryNotFoundError", "DatasetNotFoundError"}:
        return NotFoundError(
            f"There is no set {show(name)} on the Hub, or it is private. Check its id: owner/name, as in its address."
        )
    if "RuntimeError" in kinds and "script" in str(error):
        return InvalidInputError(
            f"The Hub set {show(name)} would have to run code of its own, which is never done. Choose another set."
        )
    if kinds & {"ConnectionError", "TransportError", "TimeoutException", "TimeoutError", "OfflineModeIsEnabled"}:
        return _offline(name, "the Hub cannot be reached")
    if "HfHubHTTPError" in kinds:
        return OfflineError(f"The Hub did not give out {show(name)}. Try again later, or use a local file.")
    return InvalidInputError(
        f"The Hub set {show(name)} cannot be read as rows of text ({type(error).__name__}). Choose another set."
    )


def _offline(name: str, why: str) -> OfflineError:
    return OfflineError(
        f"The set {show(name)} was not loaded: {why}. Connect to the internet, or use the starter corpus or a local "
        "file; everything else works without the Hub."
    )


def _draw(stream: Iterable[dict[str, Any]], max_rows: int) -> tuple[list[tuple[int, dict[str, Any]]], int]:
    """Uniform draw from the first rows of a stream (Vitter 1985, algorithm R), in their order, and the rows seen."""
    rng = random.Random(0)
    drawn: list[tuple[int, dict[str, Any]]] = []
    n_seen = 0
    for row in stream:
        n_seen += 1
        if len(drawn) < max_rows:
            drawn.append((n_seen, row))
        elif (place := rng.randrange(n_seen)) < max_rows:
            drawn[place] = (n_seen, row)
        if n_seen == settings.HUB_SHUFFLE_ROWS:
            break
    return sorted(drawn, key=lambda numbered: numbered[0]), n_seen


def _listed(names: Iterable[str]) -> str:
    names = list(names)
    return ", ".join(show(name) for name in names[:10]) + (f" and {len(names) - 10} more" if len(names) > 10 else "")
