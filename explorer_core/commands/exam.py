"""The shortcut exam: plant a word that surely decides, train small networks, and see which method finds it."""

from __future__ import annotations

import argparse
import dataclasses
import json
from pathlib import Path
from typing import Any

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.commands._traces import number
from explorer_core.exam.spec import KNOBS
from explorer_core.palette import family_label
from explorer_core.results import ShortcutExam, exam_finding_of
from explorer_core.results.exam_finding import method_label

ABOUT = {
    "label": "Exam",
    "sentence": "Plant a word that surely decides, train a network of each family on it, and ask every attribution "
    "method which word did.",
    "examples": (
        "exam",
        "exam --families lstm,bilstm --shortcut position --methods lime,leave_one_out --out exam.csv",
        "exam --families bert --texts 20 --price",
        "exam --list",
    ),
    "order": 75,
}
_FLAGS = {"n_texts": "--texts", "n_train": "--train-texts", "hidden_size": "--units"}  # where it is not the knob's name
_LISTS = {
    "families": "rnn, gru, lstm, bilstm, bert, with commas between; all but bert if left out",
    "methods": "attribution methods with commas between; all if left out",
    "words": "the two planted words, the first for the first class, such as blick,wug",
}
_ENDINGS = (".json", *_inputs.RESULT_ENDINGS)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Every setting of the exam, and where to save."""
    parser.add_argument("--spec", metavar="FILE", help="settings as JSON, as the app gives them; the flags change them")
    for name, said in _LISTS.items():
        parser.add_argument(f"--{name}", metavar="A,B", help=said)
    for name, knob in KNOBS.items():
        bounds = ", ".join(map(str, knob.choices)) or f"{knob.low} to {knob.high}"
        parser.add_argument(
            _FLAGS.get(name, f"--{name.replace('_', '-')}"), dest=name, type=str if knob.choices else int, metavar="X",
            help=f"{knob.help} {bounds}",
        )  # fmt: skip
    _inputs.add_data(parser, None)
    parser.add_argument("--price", action="store_true", help="say what it would cost, and train nothing")
    parser.add_argument("--list", action="store_true", help="list the kept exams, the newest first, and sit none")
    parser.add_argument("--show", metavar="EXAM", help="show a kept exam, and sit none")
    parser.add_argument("--out", metavar="PATH", help="save everything (.json, .npz), or a row for each method (.csv)")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """What came out, as plain values; shares are in [0, 1].

    Raises:
        InvalidInputError: If a setting is not allowed, or the data cannot be planted.
        NotFoundError: If there is no such file or exam.
    """
    _inputs.check_target(args.out, _ENDINGS)
    if args.list:
        return {"exams": [_listed(exam) for exam in api.list_exams()]}
    if args.show:
        return described(api.load_exam(args.show), args.out)
    spec = spec_of(args)
    price = api.price_exam(spec)
    if args.price:
        return {"spec": spec.to_plain(), "price": dataclasses.asdict(price)}
    n_families = len(spec.families)
    doing = f"Training and asking {n_families} {'networks' if n_families > 1 else 'network'}"
    return described(api.run_exam(spec, progress=_output.progress_line(doing)), args.out)


def render(found: dict[str, Any]) -> str:
    """A row for each family and method, how far each network learned the shortcut, and what that says."""
    if "exams" in found:
        if not found["exams"]:
            return "No exam is kept. Sit one with: exam"
        rows = [
            [one["name"], one["shortcut"], ", ".join(one["families"]), str(one["n_texts"])] for one in found["exams"]
        ]
        return _output.table(["exam", "shortcut", "families", "texts"], rows)
    if "rows" not in found:
        return str(found["price"]["sentence"])
    head = ["family", "method", "precision at 1", "95 % interval", "mean rank", "95 % interval", "random", "texts"]
    rows = [
        [
            family_label(row["family"]),
            method_label(row["method"]),
            number(row["precision"]),
            f"{number(row['precision_low'])} to {number(row['precision_high'])}",
            number(row["mean_rank"]),
            f"{number(row['mean_rank_low'])} to {number(row['mean_rank_high'])}",
            f"{number(row['random_precision'])}, {number(row['random_rank'])}",
            str(row["n_texts"]),
        ]
        for row in found["rows"]
    ]
    learned = _output.table(
        ["network", "follows the word", "p with it", "p without it", "trained", "asked"],
        [
            [
                family_label(one["family"]),
                _output.share(one["accuracy"]),
                number(one["prob_with"]),
                number(one["prob_without"]),
                f"{one['train_s']:.0f} s",
                f"{one['score_s']:.0f} s",
            ]
            for one in found["networks"]
        ],
    )
    parts = [learned, *([_output.table(head, rows)] if rows else []), "\n".join(found["finding"])]
    kept = f"Saved to {found['saved']}" if "saved" in found else f"Kept as {found['name']}"
    return "\n\n".join([*parts, kept])


def spec_of(args: argparse.Namespace) -> api.ExamSpec:
    """The spec a person asked for.

    Raises:
        InvalidInputError: If a setting is not allowed.
        NotFoundError: If there is no such file of settings.
    """
    given: dict[str, Any] = {name: getattr(args, name) for name in KNOBS if getattr(args, name) is not None}
    for name in _LISTS:
        if (text := getattr(args, name)) is not None:
            given[name] = tuple(part.strip() for part in text.split(","))
    if args.data is not None or args.text_column or args.label_column or args.data_option:
        given["data"] = _inputs.data_spec(args)
    if args.spec is None:
        return api.ExamSpec(**given)
    spec = api.ExamSpec.from_json(_inputs.existing_file(args.spec).read_text(encoding="utf-8", errors="replace"))
    if "shortcut" in given and given["shortcut"] != spec.shortcut:
        given.setdefault("words", ())  # those of the other shortcut would not fit
    return dataclasses.replace(spec, **given)


def described(exam: ShortcutExam, out: str | None) -> dict[str, Any]:
    """An exam as plain values, saved where that was asked for."""
    found: dict[str, Any] = {
        "name": exam.name,
        "made": exam.made,
        "spec": exam.spec.to_plain(),
        "networks": [
            vars(network) | {"n_texts": len(exam.counts(network.family)), "problem": exam.problem(network.family)}
            for network in exam.networks
        ],
        "rows": [vars(row) for row in exam.rows],
        "finding": list(exam_finding_of(exam)),
    }
    if out is None:
        return found
    path = Path(out).expanduser()
    if path.suffix != ".json":
        return found | {"saved": _inputs.save(exam, out)}
    path.write_text(json.dumps(exam.to_plain() | {"rows": found["rows"]}, indent=2), "utf-8")
    return found | {"saved": str(path)}


def _cell(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list) else str(value)


def _listed(exam: ShortcutExam) -> dict[str, Any]:
    return {
        "name": exam.name,
        "made": exam.made,
        "shortcut": exam.spec.shortcut,
        "families": [network.family for network in exam.networks],
        "n_texts": len(exam.texts),
        "is_finished": exam.is_finished,
    }
