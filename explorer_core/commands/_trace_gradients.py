"""`trace --what gradients`, `jacobians` and `connectivity`: how far back a verdict, and training, reaches."""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from explorer_core import api
from explorer_core.api import Made
from explorer_core.commands import _output
from explorer_core.commands._traces import (
    Kind,
    by_label,
    direction_index,
    layer_index,
    number,
    plain,
    target_of,
    verdict,
)
from explorer_core.loaded import LoadedModel
from explorer_core.results import DIRECTIONS, Connectivity, GradientTrace, JacobianTrace

N_WORDS = 3  # words named for each prefix in a terminal; all are in JSON and files


def make_gradients(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """Gradients of a logit or of the loss."""
    label = None if args.label is None else int(args.label) if args.label.isdecimal() else args.label
    given: dict[str, Any] = {"target": target_of(args), "of": args.of or "logit", "label": label}
    return [Made("trace_gradients", given, api.trace_gradients(model, args.text, **given))]


def make_jacobians(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """Norms of the Jacobians of one layer and direction."""
    n_layers = int(getattr(model.module.config, "num_layers", 1))  # what is not recurrent is refused by the call
    given: dict[str, Any] = {
        "layer": layer_index(args, n_layers),
        "direction": direction_index(args) or 0,
        "norm": args.norm or "spectral",
        "target": target_of(args),
        "spectrum": not args.no_spectrum,
    }
    progress = _output.progress_line("Eigenvalues")
    return [Made("trace_jacobians", given, api.trace_jacobians(model, args.text, progress=progress, **given))]


def make_connectivity(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """What every verdict along the way rests on."""
    given = {"target": target_of(args)}
    found = api.trace_connectivity(model, args.text, progress=_output.progress_line("Walking back"), **given)
    return [Made("trace_connectivity", given, found)]


def describe_gradients(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """L2 norms by word: with respect to its vectors, and to the states of one layer and direction after it."""
    found: GradientTrace = results[0]
    direction = direction_index(args, found.directions or DIRECTIONS[:1]) or 0
    n_layers = len(found.grad_hidden) - (not found.is_recurrent)  # entry 0 of a BERT is its embedding
    layer = layer_index(args, n_layers)
    place = (layer, direction) if found.is_recurrent else (layer + 1,)
    pos = found.pos_of_words(direction)
    columns = {"grad_word": found.embedding_norm_by_word, "grad_hidden": found.hidden_norm[place][pos]}
    if found.cell_norm is not None:
        columns["grad_cell"] = found.cell_norm[place][pos]
    if found.gate_norm is not None:
        columns |= {
            f"grad_{name}": found.gate_norm[place][pos][:, index] for index, name in enumerate(found.gate_names)
        }
    return {
        "probs": by_label(found.labels, found.probs),
        "notes": list(found.reading.notes),
        "of": found.of,
        "target": found.target_label,
        "value": plain(found.value),
        "layer": layer + 1,
        "direction": found.directions[direction] if found.is_recurrent else None,
        "words": _rows(found.words, columns),
    }


def describe_jacobians(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """Every norm after each word, and how many words back it halves."""
    found: JacobianTrace = results[0]
    columns = {name: values[found.pos_of_words] for name, values in found.quantities().items()}
    return {
        "probs": by_label(found.labels, found.probs),
        "notes": list(found.reading.notes),
        "norm": found.norm,
        "target": found.labels[found.target],
        "layer": found.layer + 1,
        "direction": DIRECTIONS[found.direction],
        "half_distance_words": found.half_distance,
        "words": _rows(found.words, columns),
    }


def describe_connectivity(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """For each word the text might have stopped at, the gradient of the logit there by every word so far."""
    found: Connectivity = results[0]
    return {
        "notes": list(found.reading.notes),
        "target": found.target_label,
        "words": [
            {"word": word, "strength": plain(found.strength[index, : index + 1])}
            for index, word in enumerate(found.words)
        ],
    }


def render_gradients(found: dict[str, Any]) -> list[str]:
    """One line a word, then the verdict."""
    what = f"the {'loss with the label' if found['of'] == 'loss' else 'logit of'} {_output.cut(found['target'], 24)}"
    where = f"layer {found['layer']}" + (f" ({found['direction']})" if found["direction"] else "")
    unit = " nats" if found["of"] == "loss" else ""
    return [
        f"Gradient of {what} ({number(found['value'], signed=True)}{unit}): L2 norm by the word's vectors, and by the "
        f"states of {where} after it.",
        _table(found["words"]),
        verdict(found),
    ]


def render_jacobians(found: dict[str, Any]) -> list[str]:
    """One line a word, then where each norm halves."""
    halves = [
        f"{name.replace('_', ' ')} {'never' if back is None else f'{back} words back'}"
        for name, back in found["half_distance_words"].items()
    ]
    return [
        f"Layer {found['layer']} ({found['direction']}), {found['norm']} norms: of the last state by h_t and c_t; L2 "
        f"norm of the gradient of the logit of {_output.cut(found['target'], 24)}; what the gates promise to keep.",
        _table(found["words"]),
        f"Below half of what it is at the last word read: {', '.join(halves)}.",
        verdict(found),
    ]


def render_connectivity(found: dict[str, Any]) -> list[str]:
    """One line for each place to stop, with the words its logit rests on most."""
    names = [row["word"] for row in found["words"]]
    rows = []
    for row in found["words"]:
        order = np.argsort(-np.array(row["strength"]), kind="stable")[:N_WORDS]
        most = ", ".join(f"{_output.cut(names[index], 16)} ({number(row['strength'][index])})" for index in order)
        rows.append([row["word"], number(row["strength"][0]), number(row["strength"][-1]), most])
    return [
        f"Gradient of the logit of {_output.cut(found['target'], 24)}, had the text stopped at a word, by the vectors "
        "of the words so far (L2 norm):",
        _output.table(["stopped at", "by the first", "by this one", "rests most on"], rows),
    ]


def _rows(words: tuple[str, ...], columns: dict[str, np.ndarray]) -> list[dict[str, Any]]:
    return [
        {"word": word} | {name: plain(values[index]) for name, values in columns.items()}
        for index, word in enumerate(words)
    ]


def _table(entries: list[dict[str, Any]]) -> str:
    names = [name for name in entries[0] if name != "word"]
    rows = [[entry["word"], *(number(entry[name]) for name in names)] for entry in entries]
    return _output.table(["word", *(name.replace("_", " ") for name in names)], rows)


KINDS = {
    "gradients": Kind(
        "how a logit, or the loss, would move with each word, state and gate",
        ("of", "label", "target", "layer", "direction"), make_gradients, describe_gradients, render_gradients,
    ),
    "jacobians": Kind(
        "how the last state of a recurrent layer depends on every earlier one, and what its gates promise",
        ("norm", "target", "layer", "direction", "no_spectrum"), make_jacobians, describe_jacobians, render_jacobians,
    ),
    "connectivity": Kind(
        "which words the verdict would rest on, had the text stopped at each word", ("target",), make_connectivity,
        describe_connectivity, render_connectivity,
    ),
}  # fmt: skip
