"""`evaluate --report`: files judged as a whole, by one model or several, told in one web page."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from explorer_core import api
from explorer_core.commands import _evaluate_stream, _inputs, _output
from explorer_core.errors import InvalidInputError

OUT_ENDINGS = (".csv", ".jsonl", ".npz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the report goes."""
    parser.add_argument(
        "--report", metavar="PATH",
        help="judge all rows of the file --data, and tell it in one web page that needs no network (.html, 5 MB); "
        "labels are not needed",
    )  # fmt: skip
    parser.add_argument(
        "--also-model", metavar="MODEL", action="append", default=[],
        help="another model of the same classes in the report; may be given again",
    )  # fmt: skip
    parser.add_argument(
        "--also-data", metavar="PATH", action="append", default=[],
        help="another file with the same columns in the report; may be given again",
    )  # fmt: skip


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Metrics as plain values, after the page is written.

    Raises:
        InvalidInputError: If an option does not go with a report.
        NotFoundError: If there is no such file.
    """
    _inputs.check_target(args.report, (".html",))
    _inputs.check_target(args.out, OUT_ENDINGS)
    if args.split not in (None, "all"):
        raise InvalidInputError("A report is about all rows of a file. Leave --split out.")
    if args.data in (None, "starter") or args.data.startswith("hub:"):
        raise InvalidInputError("A report is about a file of texts. Give --data a file.")
    paths = [_inputs.existing_file(path) for path in (args.data, *args.also_data)]
    options = dict(option.partition("=")[::2] for option in args.data_option)
    spec = _evaluate_stream.texts_spec(args, options)
    if options:
        raise InvalidInputError(f"A report takes no option {next(iter(options))[:40]!r}; encoding is allowed.")
    table = api.read_texts(paths, spec)
    names = dict.fromkeys((args.model, *args.also_model))
    models = [api.load_model(name, args.device) for name in names]
    model = models[0]
    mapping = api.guess_labels(table.label_values, model.labels) | _evaluate_stream.given_map(args.map, model.labels)
    judged = api.judge(models, table, mapping, progress=_output.progress_line("Reading"))
    saved = [str(judged.save(Path(args.out).expanduser()))] if args.out else []
    saved.append(str(api.write_report(judged, Path(args.report).expanduser(), spec=spec)))
    scores = judged.scores[0] if judged.scores else None
    counts = table.label_counts()
    return {
        "model": model.name,
        "dataset": table.origin,
        "labels": list(judged.labels),
        "n_texts": len(judged),
        "n_labelled": int((judged.true >= 0).sum()),
        "n_skipped": dict(table.n_skipped) | ({_evaluate_stream.UNREAD: judged.n_unread} if judged.n_unread else {}),
        "n_truncated": int((judged.n_truncated[0] > 0).sum()),
        "predicted": dict(zip(judged.labels, judged.counts()[0].tolist(), strict=True)),
        "mean_confidence": float(judged.confidence[0].mean()),
        "confusion": scores.confusion.tolist() if scores else [],
        "map": mapping,
        "unmapped": {value: counts[value] for value in counts if mapping.get(value) is None},
        "notes": list(table.notes),
        "saved": " and ".join(saved),
        "accuracy": scores.accuracy if scores else None,
        "interval": list(scores.intervals["accuracy"]) if scores else None,
        "macro_f1": scores.macro_f1 if scores else None,
        "ece": scores.ece if scores else None,
        "models": [
            {"model": one.model, "accuracy": one.accuracy, "interval": list(one.intervals["accuracy"]),
             "macro_f1": one.macro_f1, "ece": one.ece}
            for one in judged.scores
        ],
        "warnings": list(api.tell_training(judged)),
    }  # fmt: skip
