"""How well a model does on labelled texts."""

from __future__ import annotations

import argparse
from typing import Any

from explorer_core import api
from explorer_core.commands import _evaluate_report, _evaluate_stream, _inputs, _output, _shards
from explorer_core.errors import InvalidInputError

ABOUT = {
    "label": "Evaluate",
    "sentence": "Accuracy, macro F1, calibration and confusion on labelled texts, and pairs right on both sides.",
    "examples": (
        "evaluate --model starter-lstm",
        "evaluate --model starter-bert --data reviews.csv --label-column stars --split all",
        "evaluate --data hub:stanfordnlp/sst2 --data-option split=validation --split all --out rows.csv",
        "evaluate --data reviews.csv --report report.html --out rows.jsonl --also-model starter-bert",
        "evaluate --stream --data million.csv --out rows.jsonl --map spam=positive",
        "torchrun --nproc-per-node 4 -m explorer_core evaluate --stream --data 'shards/*.parquet' --out rows.jsonl",
    ),
    "order": 60,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, data, split, where to save."""
    _inputs.add_model(parser)
    _inputs.add_data(parser, default="starter")
    parser.add_argument("--split", help="train, validation, test or all; default: test")
    parser.add_argument(
        "--out",
        metavar="PATH",
        help="also save the verdict over every text as .csv or .npz; of a stream, .jsonl or .csv; beside a report, "
        "any of the three",
    )
    _evaluate_report.add_arguments(parser)
    _evaluate_stream.add_arguments(parser)


def run(args: argparse.Namespace) -> dict[str, Any] | None:
    """Metrics as plain values; shares are in [0, 1]. `None` in all processes but the first.

    Raises:
        InvalidInputError: If an option does not go with the others.
    """
    if args.stream or _shards.is_one_of_many():
        if args.report:
            raise InvalidInputError("A report holds all rows in memory; leave --stream out, or --report.")
        if args.also_model or args.also_data:
            raise InvalidInputError("--also-model and --also-data go with --report.")
        return _evaluate_stream.run(args)
    if args.report:
        return _evaluate_report.run(args)
    if args.also_model or args.also_data:
        raise InvalidInputError("--also-model and --also-data go with --report.")
    if args.map or args.no_labels or args.long != "whole":
        raise InvalidInputError("--map, --no-labels and --long go with --stream or --report.")
    _inputs.check_target(args.out)
    data = _inputs.data_spec(args)
    model = api.load_model(args.model, args.device)
    result = api.evaluate(model, data, split=args.split or "test", progress=_output.progress_line("Reading"))
    found: dict[str, Any] = {
        "model": result.model,
        "dataset": result.dataset,
        "n_texts": len(result.true),
        "labels": list(result.labels),
        "accuracy": result.accuracy,
        "macro_f1": result.macro_f1,
        "ece": result.ece,
        "confusion": result.confusion.tolist(),
        "groups": {name: dict(shares) for name, shares in result.groups.items()},
        "pairs_right": dict(result.pairs_right),
    }
    return found | ({"saved": _inputs.save(result, args.out)} if args.out else {})


def render(found: dict[str, Any]) -> str:
    """Metrics, confusion, then shares by group."""
    if "n_labelled" in found:
        return _evaluate_stream.render(found)
    blocks = [
        _output.facts(
            [
                ("model", found["model"]),
                ("data", f"{found['dataset']} ({found['n_texts']:,} texts)"),
                ("accuracy", _output.share(found["accuracy"])),
                ("macro F1", f"{found['macro_f1']:.3f}"),
                ("calibration error", f"{found['ece']:.3f}"),
            ]
        ),
        _output.table(
            ("true \\ predicted", *found["labels"]),
            [
                (label, *(f"{count:,}" for count in counts))
                for label, counts in zip(found["labels"], found["confusion"], strict=True)
            ],
        ),
    ]
    blocks += [_shares(name, "right", shares) for name, shares in found["groups"].items() if shares]
    if found["pairs_right"]:
        blocks.append(_shares("pairs", "both sides right", found["pairs_right"]))
    if "saved" in found:
        blocks.append(f"Saved to {found['saved']}")
    return "\n\n".join(blocks)


def _shares(name: str, what: str, shares: dict[str, float]) -> str:
    return _output.table((name, what), [(group, _output.share(value)) for group, value in shares.items()])
