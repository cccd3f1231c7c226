"""`trace --what states` and `running`: states, gates and the verdict word by word."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from explorer_core import api
from explorer_core.api import Made
from explorer_core.commands import _output
from explorer_core.commands._traces import Kind, by_label, verdict
from explorer_core.loaded import LoadedModel
from explorer_core.results import RecurrentTrace, Trace, TransformerTrace, softmax


def make_states(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """The trace of the text."""
    running = not args.no_running
    trace = api.trace_states(model, args.text, running=running, progress=_output.progress_line("Reading"))
    return [Made("trace_states", {"running": running}, trace)]


def make_running(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """The verdict after every word."""
    verdicts = api.trace_running(model, args.text, progress=_output.progress_line("Reading"))
    return [Made("trace_running", {}, verdicts)]


def describe_states(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """What the state holds after the last token of each word.

    Returns:
        One entry a word: `hidden_norm` and `cell_norm` (Euclidean, over the units and directions of the top layer),
        `mean_<gate>` over the same, and `running_probs` by label when they were traced.
    """
    (trace,) = results
    return _about(trace) | {"words": word_entries(trace)}


def describe_running(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """The probability of every class after each word."""
    (running,) = results
    words = [
        {"word": word, "running_probs": by_label(running.labels, probs)}
        for word, probs in zip(running.words, running.running_probs, strict=True)
    ]
    return _about(running) | {"words": words}


def render_states(found: dict[str, Any]) -> list[str]:
    """One line a word, then the verdict."""
    entries = found["words"]
    names = [name for name in entries[0] if name not in ("word", "running_probs")]
    is_signed = {name: any(entry[name] < 0 for entry in entries) for name in names}
    has_running = "running_probs" in entries[0]
    rows = []
    for entry in entries:
        cells = [entry["word"]]
        if has_running:
            label = max(entry["running_probs"], key=entry["running_probs"].__getitem__)
            cells += [label, _output.share(entry["running_probs"][label])]
        rows.append(cells + [_output.number(entry[name], signed=is_signed[name]) for name in names])
    header = ["word", *(("verdict so far", "probability") if has_running else ())]
    return [_output.table(header + [name.replace("_", " ") for name in names], rows), verdict(found)]


def render_running(found: dict[str, Any]) -> list[str]:
    """One line a word with the probability of every class, then the verdict."""
    rows = [
        [entry["word"], *(_output.share(prob) for prob in entry["running_probs"].values())] for entry in found["words"]
    ]
    return [_output.table(["after the word", *found["labels"]], rows), verdict(found)]


def word_entries(trace: RecurrentTrace | TransformerTrace) -> list[dict[str, Any]]:
    """One entry a word; see `describe_states`."""
    last = trace.reading.last_token_of_word  # [word]
    columns: dict[str, np.ndarray] = {}
    if isinstance(trace, RecurrentTrace):
        for name, values in trace.quantities().items():
            top = values[-1][:, last]  # [direction, word, unit]
            if name in ("hidden", "cell"):
                columns[f"{name}_norm"] = np.sqrt((top.astype(np.float64) ** 2).sum((0, 2)))
            else:
                columns[f"mean_{name}"] = top.mean((0, 2))
    else:
        columns["hidden_norm"] = np.linalg.norm(trace.hidden[-1, last].astype(np.float64), axis=-1)
    entries: list[dict[str, Any]] = [
        {"word": word} | {name: float(values[index]) for name, values in columns.items()}
        for index, word in enumerate(trace.words)
    ]
    if trace.running_logits_by_word is not None:
        for entry, probs in zip(entries, softmax(trace.running_logits_by_word), strict=True):
            entry["running_probs"] = by_label(trace.labels, probs)
    return entries


def _about(trace: Trace) -> dict[str, Any]:
    return {"probs": by_label(trace.labels, trace.probs), "notes": list(trace.reading.notes)}


KINDS = {
    "states": Kind(
        "the size of the state, the mean of each gate and the verdict so far", ("no_running",), make_states,
        describe_states, render_states,
    ),
    "running": Kind("the probability of every class after each word", (), make_running, describe_running,
                    render_running),
}  # fmt: skip
