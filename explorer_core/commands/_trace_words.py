"""`trace --what ledger`, `halves` and `memory`: what each word wrote, added and left behind."""

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
    target_index,
    target_of,
    verdict,
)
from explorer_core.loaded import LoadedModel
from explorer_core.results import BiLstmHalves, LstmLedger, MemoryTrace, Trace

N_UNITS = 8  # units listed under the words


def make_ledger(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """The books of an LSTM or BiLSTM."""
    given: dict[str, Any] = {"target": target_of(args), "tanh_share": args.tanh_share or "proportional"}
    return [Made("lstm_ledger", given, api.lstm_ledger(model, args.text, **given))]


def make_halves(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """The two halves of a bidirectional network."""
    given = {"target": target_of(args)}
    return [Made("trace_halves", given, api.trace_halves(model, args.text, **given))]


def make_memory(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """Memory promised and measured."""
    given = {"swap": args.swap or "unknown"}
    memory = api.trace_memory(model, args.text, progress=_output.progress_line("Swapping words"), **given)
    return [Made("trace_memory", given, memory)]


def describe_ledger(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """What each word and special token wrote into the cell, how much was kept, and what it added to the logit."""
    ledger: LstmLedger = results[0]
    layer = layer_index(args, len(ledger.written))
    direction = direction_index(args, ledger.directions)
    taken = slice(None) if direction is None else slice(direction, direction + 1)
    written = ledger.written_by_entry[layer, taken].sum(0)
    kept = ledger.kept_by_entry[layer, taken].sum(0)
    share = np.divide(kept, written, out=np.ones_like(kept), where=written > 0)
    names = ("word", "is_special", "written", "kept_share", "added")
    rows = zip(ledger.entries.names, ~ledger.entries.is_word, written, share, ledger.entry_scores.sum(0), strict=True)
    return _about(ledger) | {
        "target": ledger.labels[ledger.target],
        "tanh_share": ledger.tanh_share,
        "layer": layer + 1,
        "direction": args.direction or " and ".join(ledger.directions),
        "words": [dict(zip(names, map(plain, row), strict=True)) for row in rows],
        "bias": plain(ledger.bias[ledger.target]),
        "logit": plain(ledger.logits[ledger.target]),
        "residuals": {
            "cell": ledger.cell_residual,
            "hidden": ledger.hidden_residual,
            "logit": ledger.logit_residual,
        },
    }


def describe_halves(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """What either half has added to the logit of one class after each word it has read."""
    halves: BiLstmHalves = results[0]
    columns = zip(halves.words, halves.forward_by_word, halves.backward_by_word, strict=True)
    return _about(halves) | {
        "target": halves.labels[halves.target],
        "words": [
            {"word": word, "forward": plain(forward[halves.target]), "backward": plain(backward[halves.target])}
            for word, forward, backward in columns
        ],
        "forward": plain(halves.final[0, halves.target]),
        "backward": plain(halves.final[1, halves.target]),
        "bias": plain(halves.bias[halves.target]),
        "logit": plain(halves.logits[halves.target]),
        "residuals": {"logit": halves.logit_residual},
    }


def describe_memory(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """What a swap of each word leaves in the final state and the logit, and the units that keep what they promise
    least.
    """
    memory: MemoryTrace = results[0]
    layer = layer_index(args, len(memory.final_hidden))
    direction = direction_index(args, memory.directions) or 0
    target = target_index(args, memory.labels, memory.logits)
    columns: dict[str, np.ndarray] = {"hidden_change": memory.top_hidden_change}
    if memory.top_cell_change is not None:
        columns["cell_change"] = memory.top_cell_change
    columns["logit_change"] = memory.logit_change[:, target]
    measured = memory.unit_measured[layer, direction]
    promised = None if memory.unit_promised is None else memory.unit_promised[layer, direction]
    gap = measured if promised is None else np.abs(measured - promised)
    order = [unit for unit in np.argsort(-gap, kind="stable") if np.isfinite(gap[unit])][:N_UNITS]
    return _about(memory) | {
        "swap": memory.swap,
        "target": memory.labels[target],
        "layer": layer + 1,
        "direction": memory.directions[direction],
        "words": [
            {"word": word} | {name: plain(values[index]) for name, values in columns.items()}
            for index, word in enumerate(memory.words)
        ],
        "units": [
            {
                "unit": int(unit),
                "half_life_tokens": None
                if memory.half_life is None
                else plain(memory.half_life[layer, direction, unit]),
                "promised": None if promised is None else plain(promised[unit]),
                "measured": plain(measured[unit]),
            }
            for unit in order
        ],
    }


def render_ledger(found: dict[str, Any]) -> list[str]:
    """One line a word, then bias and sum."""
    rows = [
        [row["word"], number(row["written"]), _output.share(row["kept_share"]), number(row["added"], signed=True)]
        for row in found["words"]
    ]
    rows += [
        ["(bias)", "", "", number(found["bias"], signed=True)],
        ["(sum)", "", "", number(found["logit"], signed=True)],
    ]
    target = _output.cut(found["target"], 24)
    return [
        f"Written into the cell of layer {found['layer']} ({found['direction']}), kept to the end, and added to the "
        f"logit of {target} (tanh share: {found['tanh_share']}):",
        _output.table(["word", "written", "kept", "added"], rows),
        f"The sum differs from the network's logit by {found['residuals']['logit']:.1e}.",
        verdict(found),
    ]


def render_halves(found: dict[str, Any]) -> list[str]:
    """One line a word, then the sum."""
    rows = [
        [row["word"], number(row["forward"], signed=True), number(row["backward"], signed=True)]
        for row in found["words"]
    ]
    parts = [f"{name} {number(found[name], signed=True)}" for name in ("forward", "backward", "bias")]
    return [
        f"Added to the logit of {_output.cut(found['target'], 24)} so far: the forward half has read from the first "
        "word to this one, the backward half from the last word to this one.",
        _output.table(["word", "forward", "backward"], rows),
        f"{', '.join(parts)}: together {number(found['logit'], signed=True)}.",
        verdict(found),
    ]


def render_memory(found: dict[str, Any]) -> list[str]:
    """One line a word, then one for each of the units whose promise and measurement lie furthest apart."""
    names = [name for name in found["words"][0] if name != "word"]
    rows = [
        [row["word"], *(number(row[name], signed=name == "logit_change") for name in names)] for row in found["words"]
    ]
    lines = [
        f"What is left at the end of a swap ({found['swap']}) of each word: relative change of the final state, change "
        f"of the logit of {_output.cut(found['target'], 24)}.",
        _output.table(["word", *(name.replace("_", " ") for name in names)], rows),
    ]
    if found["units"]:
        units = [
            [str(row["unit"]), *(number(row[name]) for name in ("half_life_tokens", "promised", "measured"))]
            for row in found["units"]
        ]
        lines += [
            f"Units of layer {found['layer']} ({found['direction']}) whose gates promise what they do not keep, first "
            "the furthest apart:",
            _output.table(["unit", "half-life (tokens)", "promised", "measured"], units),
        ]
    return [*lines, verdict(found)]


def _about(trace: Trace) -> dict[str, Any]:
    return {"probs": by_label(trace.labels, trace.probs), "notes": list(trace.reading.notes)}


KINDS = {
    "ledger": Kind(
        "what each word wrote into the cell of an LSTM or BiLSTM, kept, and added to the logit",
        ("target", "tanh_share", "layer", "direction"), make_ledger, describe_ledger, render_ledger,
    ),
    "halves": Kind(
        "what the forward and the backward half of a BiLSTM added to the logit", ("target",), make_halves,
        describe_halves, render_halves,
    ),
    "memory": Kind(
        "what the gates promise to remember of each word, and what swapping it measures",
        ("swap", "target", "layer", "direction"), make_memory, describe_memory, render_memory,
    ),
}  # fmt: skip
