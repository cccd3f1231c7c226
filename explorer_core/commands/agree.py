"""Whether methods mark the words people mark, from the command line."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from explorer_core import api, registry
from explorer_core.commands import _inputs, _output
from explorer_core.results import HumanAgreement

ABOUT = {
    "label": "Agree",
    "sentence": "Say how well attribution methods find the words that people marked, beside words in random order.",
    "examples": (
        "agree --model starter-lstm",
        "agree --methods leave_one_out,lime --n-texts 50 --only-right --out agreement.csv",
        "agree --data reviews.jsonl --rationale-column spans --rationale-kind characters --out texts.jsonl",
    ),
    "order": 47,
}
ENDINGS = (".csv", ".jsonl", ".npz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, texts with rationales, methods, how many texts, where to save."""
    _inputs.add_model(parser)
    _inputs.add_data(parser, default="starter")
    parser.add_argument("--rationale-column", metavar="NAME", help="column of rationales; found by name if left out")
    parser.add_argument(
        "--rationale-kind", default="auto", metavar="KIND",
        help="what its cells are: characters or words (spans such as 0:4;10:15), mask (such as 0 1 1 0), or auto; "
        "default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--methods", metavar="NAMES",
        help=f"names with commas between, of {', '.join(registry.describe('attribution'))}; left out: the cheap ones",
    )  # fmt: skip
    parser.add_argument(
        "--n-texts", type=int, default=100, metavar="N", help="texts used at most; default: %(default)s"
    )
    parser.add_argument("--split", default="test", help="of the starter corpus; default: %(default)s")
    parser.add_argument(
        "--target", default="predicted", help="class explained: predicted or gold; default: %(default)s"
    )
    parser.add_argument("--only-right", action="store_true", help="leave out texts that are judged wrongly")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the draw of texts; default: %(default)s")
    parser.add_argument(
        "--out", metavar="PATH", help="also save as .csv (a row a method), .jsonl (a line a text) or .npz (all of it)"
    )


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Every measure with its interval, as plain values."""
    _inputs.check_target(args.out, ENDINGS)
    spec = _inputs.data_spec(args)
    data = api.read_rationales(spec, column=args.rationale_column, kind=args.rationale_kind, split=args.split)
    model = api.load_model(args.model, args.device)
    methods = None if args.methods is None else [name.strip() for name in args.methods.split(",") if name.strip()]
    result = api.measure_human_agreement(
        model, data, methods=methods, n_texts=args.n_texts, target=args.target, only_right=args.only_right,
        seed=args.seed, progress=_output.progress_line("Explaining"),
    )  # fmt: skip
    found: dict[str, Any] = {
        "model": result.model,
        "dataset": result.dataset,
        "target": result.target,
        "n_texts": len(result.texts),
        "n_wrong": result.n_wrong,
        "n_truncated": result.n_truncated,
        "left_out": dict(result.left_out),
        "rows": json.loads(result.to_frame().to_json(orient="records")),
        "notes": list(result.notes),
    }
    return found | ({"saved": _save(result, args.out)} if args.out else {})


def render(found: dict[str, Any]) -> str:
    """A table of methods, and what was left out."""
    measures = [name for name in found["rows"][0] if f"{name}_low" in found["rows"][0]]
    rows = [(row["method"], *(_cell(row, name) for name in measures)) for row in found["rows"]]
    facts = [
        ("model", found["model"]),
        ("data", f"{found['dataset']} ({found['n_texts']:,} texts, {found['n_wrong']:,} judged wrongly)"),
        ("class explained", found["target"]),
    ]
    facts += [("left out", f"{n:,} with {why}") for why, n in found["left_out"].items()]
    if found["n_truncated"]:
        facts.append(("cut", f"{found['n_truncated']:,} texts, of which only the words that were read count"))
    blocks = [
        _output.facts(facts),
        _output.table(("method", *(name.replace("_", " ") for name in measures)), rows),
        "Means over texts with 95 % intervals; of random order, what 95 of 100 orders come to.",
        *(_output.cut(note, 200) for note in found["notes"]),
    ]
    return "\n\n".join([*blocks, f"Saved to {found['saved']}"] if "saved" in found else blocks)


def _cell(row: dict[str, Any], name: str) -> str:
    return f"{row[name]:.3f} [{row[f'{name}_low']:.3f}, {row[f'{name}_high']:.3f}]"


def _save(result: HumanAgreement, path: str) -> str:
    if not path.endswith(".jsonl"):
        return _inputs.save(result, path)
    target = Path(path).expanduser()
    lines = result.texts_frame().to_json(orient="records", lines=True, force_ascii=False)
    target.write_text(lines if lines.endswith("\n") else f"{lines}\n", encoding="utf-8")
    return str(target)
