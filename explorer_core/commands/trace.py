"""What a model remembers of a text, word by word."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.results import RecurrentTrace, TransformerTrace, softmax

ABOUT = {
    "label": "Trace",
    "sentence": "States, gates and the running verdict of one text, word by word.",
    "examples": (
        'trace --model starter-lstm --text "Slow, but worth every minute."',
        'trace --model starter-bert --text "Slow, but worth every minute." --out trace.npz',
    ),
    "order": 40,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, text, where to save."""
    _inputs.add_model(parser)
    parser.add_argument("--text", required=True, metavar="TEXT", help="the text to read")
    parser.add_argument(
        "--out", metavar="PATH", help="save every array (.npz), or a table with a row for each unit (.csv)"
    )
    parser.add_argument(
        "--no-running", action="store_true",
        help="leave out the verdict after every word, which is slow for long texts with a BiLSTM or BERT",
    )  # fmt: skip


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Words with the running verdict, the size of the states and the mean of each gate of the top layer."""
    _inputs.check_target(args.out)
    model = api.load_model(args.model, args.device)
    progress = _output.progress_line("Reading")
    trace = api.trace_states(model, args.text, running=not args.no_running, progress=progress)
    found: dict[str, Any] = {
        "model": trace.model,
        "architecture": trace.architecture,
        "fingerprint": trace.fingerprint,
        "labels": list(trace.labels),
        "probs": _by_label(trace.labels, trace.probs),
        "words": word_entries(trace),
        "notes": list(trace.reading.notes),
    }
    return found | ({"saved": _inputs.save(trace, args.out)} if args.out else {})


def render(found: dict[str, Any]) -> str:
    """One line a word, then the verdict and what was not read."""
    lines = []
    if "saved" in found:
        lines.append(f"Saved to {found['saved']}")
    else:
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
        lines.append(_output.table(header + [name.replace("_", " ") for name in names], rows))
    label = max(found["probs"], key=found["probs"].__getitem__)
    lines.append(f"Verdict of {found['model']}: {_output.cut(label)}, {_output.share(found['probs'][label])}")
    return "\n".join([*lines, *found["notes"]])


def word_entries(trace: RecurrentTrace | TransformerTrace) -> list[dict[str, Any]]:
    """What the state holds after the last token of each word.

    Returns:
        One entry a word: `hidden_norm` and `cell_norm` (Euclidean, over the units and directions of the top layer),
        `mean_<gate>` over the same, and `running_probs` by label when they were traced.
    """
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
            entry["running_probs"] = _by_label(trace.labels, probs)
    return entries


def _by_label(labels: tuple[str, ...], probs: np.ndarray) -> dict[str, float]:
    return {label: float(prob) for label, prob in zip(labels, probs, strict=True)}
