"""Verdicts of a model over texts."""

from __future__ import annotations

import argparse
from typing import Any

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.errors import InvalidInputError

ABOUT = {
    "label": "Predict",
    "sentence": "Read texts and print the verdict over each.",
    "examples": (
        'predict "A film I will not forget." "Not a film I will see again."',
        "predict --model starter-bert --file reviews.txt --json",
        "cat reviews.txt | python -m explorer_core predict --out verdicts.csv",
    ),
    "order": 30,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, texts and where to save."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts to read; without any, see --file")
    parser.add_argument("--file", metavar="FILE", help="UTF-8 text, one text a line; left out: standard input")
    _inputs.add_model(parser)
    parser.add_argument("--out", metavar="PATH", help="also save the verdicts as .csv or .npz")


def run(args: argparse.Namespace) -> dict[str, Any]:
    """Predicted label and the probability of every label, for each text."""
    _inputs.check_target(args.out)
    if args.texts and args.file:
        raise InvalidInputError("Give texts, or a --file, not both.")
    texts = args.texts or _inputs.read_lines(args.file)
    model = api.load_model(args.model, args.device)
    predictions = api.predict(model, texts, progress=_output.progress_line("Reading"))
    rows = zip(predictions.texts, predictions.predicted, predictions.probs, strict=True)
    found: dict[str, Any] = {
        "model": predictions.model,
        "labels": list(predictions.labels),
        "texts": [
            {
                "text": text,
                "predicted": label,
                "probs": {name: float(prob) for name, prob in zip(predictions.labels, probs, strict=True)},
                "n_truncated": int(n_truncated),
                "n_unknown": int(n_unknown),
            }
            for (text, label, probs), n_truncated, n_unknown in zip(
                rows, predictions.n_truncated, predictions.n_unknown, strict=True
            )
        ],
    }
    return found | ({"saved": _inputs.save(predictions, args.out)} if args.out else {})


def render(found: dict[str, Any]) -> str:
    """One line a text: verdict, its probability, the text."""
    rows = [
        (row["predicted"], _output.share(row["probs"][row["predicted"]]), str(row["n_unknown"]), row["text"])
        for row in found["texts"]
    ]
    lines = [_output.table(("verdict", "probability", "unknown words", "text"), rows)]
    n_cut = sum(row["n_truncated"] > 0 for row in found["texts"])
    if n_cut:
        lines.append(f"{n_cut:,} of {len(rows):,} texts are longer than the model reads; their ends were not read.")
    if "saved" in found:
        lines.append(f"Saved to {found['saved']}")
    return "\n".join(lines)
