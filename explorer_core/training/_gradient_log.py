"""Recordings of gradients on disk: when they are made, of which texts, and how they are read back. No torch here.

`gradients.jsonl` of a run holds a line `start` each time training begins or goes on, with what is recorded, and a line
`record` for each recording. It grows while the run trains.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core.errors import NotFoundError
from explorer_core.results import GradientHistory
from explorer_core.training import _curves, _status

FILE = "gradients.jsonl"
N_TEXTS = 12
MAX_DISTANCES = 48  # tokens
LEAST_STEPS = 16  # of training for each recording, which costs about as much as one or two of them
NOTHING = (
    "The run {name} has recorded no gradients. Train a model with gradient recordings switched on (page Models, More "
    "settings); one that is trained already cannot be recorded afterwards."
)
_DIGITS = 6


def recording_steps(n_steps: int, wanted: int) -> tuple[int, ...]:
    """After which steps gradients are recorded, rising: before the first step, after the last one, and between.

    The k-th of N recordings after the first comes after n (k / N)^2 of n steps: close together at the beginning, where
    gradients change fastest. A short run is given fewer than wanted, one for every `LEAST_STEPS` steps.

    Args:
        n_steps: Steps of the run.
        wanted: Recordings after the one before the first step; none at all for 0.
    """
    if not wanted:
        return ()
    n = max(min(wanted, n_steps // LEAST_STEPS), 1)
    return tuple(sorted({round(n_steps * (k / n) ** 2) for k in range(n + 1)}))


def choose_texts(rows: Sequence[Mapping[str, Any]], seed: int, *, keeps_first: bool) -> tuple[np.ndarray, np.ndarray]:
    """The fixed texts: drawn by the seed among the long ones, each from so many tokens before its end on that all have
    the same length.

    Args:
        rows: Encoded rows with `input_ids` and `labels`, none empty.
        seed: Decides the draw.
        keeps_first: Whether the first token is a mark that every text begins with, and stays.

    Returns:
        Token ids, int64 array [text, pos], and classes, int64 array [text].
    """
    lengths = np.array([len(row["input_ids"]) for row in rows])
    n_long = min(2 * N_TEXTS, len(rows))
    n_pos = min(int(np.sort(lengths)[-n_long]), MAX_DISTANCES)
    long = np.flatnonzero(lengths >= n_pos)
    drawn = np.sort(np.random.default_rng(seed).choice(long, min(N_TEXTS, len(long)), replace=False))
    ids = [_last(rows[row]["input_ids"], n_pos, keeps_first=keeps_first) for row in drawn]
    return np.array(ids, dtype=np.int64), np.array([rows[row]["labels"] for row in drawn], dtype=np.int64)


def read(folder: Path, name: str, architecture: str, clip_norm: float) -> GradientHistory:
    """What a run recorded, as far as it got.

    Raises:
        NotFoundError: If it recorded nothing.
    """
    start, records = _read_records(folder / FILE)
    if start is None:
        raise NotFoundError(NOTHING.format(name=name))
    shape = tuple(start["shape"])
    group_names = tuple(dict.fromkeys(group for record in records for group in record["groups"]))
    curves = _curves.curves_of(name, _curves.read_events(folder / "progress.jsonl").events)
    return GradientHistory(
        name=name,
        architecture=architecture,
        n_steps=start["n_steps"],
        split=start["split"],
        n_texts=start["n_texts"],
        step=np.array([record["step"] for record in records], dtype=int),
        epoch=_numbers([record.get("epoch") for record in records]),
        loss_nats=_numbers([record.get("loss_nats") for record in records]),
        hidden_norm=_numbers([record["hidden"] for record in records]).reshape(len(records), *shape),
        group_names=group_names,
        group_norm=_numbers([[record["groups"].get(group) for group in group_names] for record in records]).reshape(
            len(records), len(group_names)
        ),
        train_step=curves.step,
        train_norm=curves.grad_norm,
        clip_norm=float(clip_norm),
    )


def has_recordings(folder: Path) -> bool:
    """Whether a run has begun to record."""
    try:
        return (folder / FILE).stat().st_size > 0
    except OSError:
        return False


def append(folder: Path, entries: Mapping[str, Any]) -> None:
    """Add one line, strict JSON with six significant digits."""
    with (folder / FILE).open("a", encoding="utf-8") as file:
        file.write(json.dumps({key: _plain(value) for key, value in entries.items()}, allow_nan=False) + "\n")


def _read_records(path: Path) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
    """The last start, and the recordings by step. Those made again after a resume count once."""
    start: dict[str, Any] | None = None
    found: dict[int, dict[str, Any]] = {}
    for event in _curves.read_events(path).events:
        if event["event"] == "start" and _is_start(event):
            start = event
            found = {step: record for step, record in found.items() if step <= event["step"]}
        elif event["event"] == "record" and start is not None and _fits(event, tuple(start["shape"])):
            found[event["step"]] = event
    return start, [found[step] for step in sorted(found)]


def _is_start(event: Mapping[str, Any]) -> bool:
    shape = event.get("shape")
    return (
        isinstance(shape, list)
        and len(shape) == 3
        and all(isinstance(size, int) and 0 < size <= _status.MAX_FILE_BYTES for size in shape)
        and isinstance(event.get("split"), str)
        and all(isinstance(event.get(key), int) for key in ("n_steps", "n_texts"))
    )


def _fits(event: Mapping[str, Any], shape: tuple[int, ...]) -> bool:
    try:
        return _numbers(event["hidden"]).shape == shape and isinstance(event["groups"], dict)
    except (KeyError, TypeError, ValueError):
        return False


def _numbers(values: Any) -> np.ndarray:
    """A list of numbers as an array of floats; what was no number, and is null in the file, is NaN."""
    return np.array(values, dtype=float)


def _last(ids: Sequence[int], n_pos: int, *, keeps_first: bool) -> list[int]:
    """The last tokens of a text, behind its first one where that is a mark."""
    if keeps_first and n_pos > 1:
        return [ids[0], *ids[len(ids) - n_pos + 1 :]]
    return list(ids[len(ids) - n_pos :])


def _plain(value: Any) -> Any:
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}") if np.isfinite(value) else None
    return value
