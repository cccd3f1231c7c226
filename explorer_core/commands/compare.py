"""Several models over the same texts: who is right more often, and who decides alike."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.errors import InvalidInputError
from explorer_core.results import AccuracyComparison, Judgement, TextTable, safe_csv

ABOUT = {
    "label": "Compare",
    "sentence": "Accuracy of several models over the same texts with McNemar's test of every pair, and how often they "
    "decide alike.",
    "examples": (
        "compare --models starter-rnn,starter-lstm,starter-bilstm,starter-bert",
        "compare --models starter-lstm,starter-bilstm --data reviews.csv --label-column stars --map 5=positive",
        "compare --models starter-rnn,starter-lstm --split all --out pairs.csv",
    ),
    "order": 65,
}
ENDINGS = (".csv", ".json", ".npz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Models, texts, what their labels mean, where to save."""
    parser.add_argument(
        "--models", required=True, metavar="NAMES",
        help="names with commas between (see `models`), folders, or Hub ids; two or more, with the same classes",
    )  # fmt: skip
    _inputs.add_device(parser)
    parser.add_argument(
        "--data", default="starter", metavar="DATA",
        help="`starter` (the corpus that comes with this) or a file (TXT, CSV, TSV, JSONL, Parquet, XLSX); default: "
        "starter",
    )  # fmt: skip
    _inputs.add_columns(parser)
    parser.add_argument(
        "--split", default="test",
        help="of the starter corpus: train, validation, test, held out or all; default: %(default)s",
    )  # fmt: skip
    parser.add_argument(
        "--map", action="append", default=[], metavar="LABEL=CLASS",
        help="class of a label of the file, where the guess is wrong; may be repeated",
    )  # fmt: skip
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the intervals; default: %(default)s")
    parser.add_argument(
        "--out", metavar="PATH",
        help="also save as .csv (a row a pair of models), .json (all that is printed) or .npz (every array)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Accuracies, pairs and agreement as plain values.

    Raises:
        InvalidInputError: If fewer than two models are named, or a label is mapped wrongly.
        NotFoundError, IncompatibleError: As `api.load_model`, `api.judge` and `api.compare_accuracy`.
    """
    _inputs.check_target(args.out, ENDINGS)
    names = [name.strip() for name in args.models.split(",") if name.strip()]
    if len(names) < 2:
        raise InvalidInputError("Name two models or more, with commas between: --models starter-rnn,starter-lstm.")
    table = _table(args)
    models = [api.load_model(name, args.device) for name in names]
    mapping = _mapping(args.map, table, models[0].labels)
    judged = api.judge(models, table, mapping, seed=args.seed, progress=_output.progress_line("Judging"))
    compared = api.compare_accuracy(judged, seed=args.seed)
    found = _plain(judged, compared)
    return found | ({"saved": _save(compared, found, args.out)} if args.out else {})


def render(found: dict[str, Any]) -> str:
    """Accuracies, then the pairs, the surest first, then who decides alike."""
    models = [
        (row["model"], f"{row['accuracy']:.3f} [{row['low']:.3f}, {row['high']:.3f}]", f"{row['macro_f1']:.3f}")
        for row in found["models"]
    ]
    pairs = [
        (f"{row['first']} and {row['second']}", f"{row['only_first']:,}", f"{row['only_second']:,}",
         f"{row['difference']:+.3f} [{row['low']:+.3f}, {row['high']:+.3f}]", _p(row["p"]), _p(row["p_holm"]),
         _output.share(row["alike"]), "-" if row["kappa"] is None else f"{row['kappa']:.2f}")
        for row in sorted(found["pairs"], key=lambda row: row["p"])
    ]  # fmt: skip
    head = ("pair", "only the first right", "only the second", "accuracy apart", "p", "p of all", "alike", "kappa")
    blocks = [
        _output.facts([("data", f"{found['dataset']} ({found['n_texts']:,} texts with a label)")]),
        _output.table(("model", "accuracy", "macro F1"), models),
        _output.table(head, pairs),
        "Intervals: 95 %, bootstrap. p: McNemar's exact test; p of all holds for all pairs together (Holm 1979).",
    ]
    return "\n\n".join([*blocks, f"Saved to {found['saved']}"] if "saved" in found else blocks)


def _table(args: argparse.Namespace) -> TextTable:
    if args.data == "starter":
        return api.read_starter(args.split)
    path = _inputs.existing_file(args.data, hint="; data can also be `starter`")
    spec = api.TextsSpec(text_column=args.text_column, label_column=args.label_column)
    return api.read_texts([path], spec)


def _mapping(given: list[str], table: TextTable, labels: tuple[str, ...]) -> dict[str, str | None]:
    """The guess, changed as asked."""
    mapping = api.guess_labels(table.label_values, labels)
    for one in given:
        value, is_there, name = one.rpartition("=")
        if not is_there or value not in mapping or name not in labels:
            raise InvalidInputError(
                f"--map {one[:60]!r} does not fit; a label of the file and a class are expected, such as "
                f"{next(iter(mapping), 'spam')[:30]}={labels[0][:30]}."
            )
        mapping[value] = name
    return mapping


def _plain(judged: Judgement, compared: AccuracyComparison) -> dict[str, Any]:
    agreement = judged.agreement
    assert agreement is not None
    pairs = json.loads(compared.to_frame().drop(columns="n_texts").to_json(orient="records", double_precision=15))
    for row, pair in zip(pairs, compared.pairs, strict=True):
        kappa = float(agreement.kappa[pair])
        row |= {"alike": 1 - float(agreement.differs[pair]), "kappa": None if kappa != kappa else kappa}
    return {
        "dataset": judged.table.origin,
        "n_texts": compared.n_texts,
        "n_unread": judged.n_unread,
        "n_split": agreement.n_split,
        "models": [
            {"model": one.model, "fingerprint": print_of, "accuracy": one.accuracy, "low": one.intervals["accuracy"][0],
             "high": one.intervals["accuracy"][1], "macro_f1": one.macro_f1}
            for one, print_of in zip(judged.scores, judged.fingerprints, strict=True)
        ],
        "pairs": pairs,
    }  # fmt: skip


def _save(compared: AccuracyComparison, found: dict[str, Any], path: str) -> str:
    target = Path(path).expanduser()
    if target.suffix == ".json":
        target.write_text(json.dumps(found, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    elif target.suffix == ".csv":
        frame = compared.to_frame()
        target.write_bytes(
            safe_csv(frame.assign(**{key: [row[key] for row in found["pairs"]] for key in ("alike", "kappa")}))
        )
    else:
        return _inputs.save(compared, path)
    return str(target)


def _p(value: float) -> str:
    return "< 0.0001" if value < 1e-4 else f"{value:.4f}"
