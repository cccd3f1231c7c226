"""Which words made a prediction, from the command line."""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer_core import api, registry
from explorer_core.commands import _attribute_stream, _inputs, _output, _shards
from explorer_core.errors import InvalidInputError
from explorer_core.results import WordAttribution, safe_csv

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel

ABOUT = {
    "label": "Attribute",
    "sentence": "Score every word of texts by what it did to the logit of a class, and say how far that holds.",
    "examples": (
        'attribute "It is not good, but the ending is a triumph."',
        'attribute --method shapley_sampling --knob n_samples=100 --trust "Not a film I will see again."',
        "attribute --model starter-bert --file reviews.txt --out words.jsonl",
        "attribute --method lstm_ledger --data million.csv --out words.jsonl",
        "torchrun --nproc-per-node 4 -m explorer_core attribute --data 'shards/*.parquet' --out words.csv",
    ),
    "order": 45,
}
ENDINGS = (".jsonl", ".csv", ".npz")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Texts, model, method and its settings, target, trust, where to save."""
    parser.add_argument("texts", nargs="*", metavar="TEXT", help="texts to explain; without any, see --file")
    parser.add_argument("--file", metavar="FILE", help="UTF-8 text, one text a line; left out: standard input")
    _inputs.add_model(parser)
    parser.add_argument(
        "--method", default="integrated_gradients", metavar="NAME",
        help=f"one of {', '.join(registry.describe('attribution'))}; default: %(default)s",
    )  # fmt: skip
    parser.add_argument("--target", metavar="CLASS", help="label or number of the class; left out: the predicted one")
    parser.add_argument(
        "--knob", action="append", default=[], metavar="NAME=VALUE",
        help="a setting of the method, such as baseline=mask, n_samples=100 or seed=1; may be repeated",
    )  # fmt: skip
    parser.add_argument("--trust", action="store_true", help="also measure how far the scores may be believed")
    parser.add_argument("--full", action="store_true", help="with the slow measurements; implies --trust")
    parser.add_argument(
        "--out", metavar="PATH",
        help="also save as .jsonl (a line a text; called again, it goes on where it stopped), .csv (a row a word) or "
        ".npz (one text)",
    )  # fmt: skip
    _attribute_stream.add_arguments(parser)


def run(args: argparse.Namespace) -> dict[str, Any] | None:
    """Scores of every text, as plain values; of a stream how much it was. `None` in all processes but the first.

    Raises:
        InvalidInputError: If an option does not go with the others.
    """
    if args.data is not None or _shards.is_one_of_many():

        def describe(model: LoadedModel, text: str, found: WordAttribution) -> dict[str, Any]:
            return described(found) | _trust(model, text, found, _depth(args))

        streamed = _attribute_stream.run(args, parse_knobs(args.method, args.knob), _depth(args), describe)
        return None if streamed is None else streamed | {"is_stream": True}
    if args.text_column or args.data_option:
        raise InvalidInputError("--text-column and --data-option go with --data.")
    _inputs.check_target(args.out, ENDINGS)
    if args.texts and args.file:
        raise InvalidInputError("Give texts, or a --file, not both.")
    texts = args.texts or _inputs.read_lines(args.file)
    if args.out and args.out.endswith(".npz") and len(texts) > 1:
        raise InvalidInputError("An .npz holds one text. Save many as .jsonl or .csv.")
    knobs = parse_knobs(args.method, args.knob)
    model = api.load_model(args.model, args.device)
    about = {"model": model.name, "fingerprint": model.fingerprint, "method": args.method, "knobs": knobs,
             "target": _attribute_stream.target_of(args.target, model.labels), "trust": _depth(args)}  # fmt: skip
    path = Path(args.out).expanduser() if args.out else None
    done = read_done(path, about) if path is not None and path.suffix == ".jsonl" else {}
    progress = _output.progress_line("Explaining")
    rows, frames = [], []
    left_out: list[dict[str, Any]] = []
    for index, text in enumerate(texts):
        row = done.get(index) if index in done and done[index]["text"] == text else None
        if row is None:
            try:
                found = api.attribute(model, text, args.method, about["target"], **knobs)
            except InvalidInputError as error:
                left_out.append({"index": index, "text": text, "why": str(error)})
                if len(left_out) == len(texts):  # nothing was read, or what is wrong is no text
                    raise
                continue
            row = {"index": index, "text": text, "settings": about} | described(found)
            row |= _trust(model, text, found, _depth(args))
            if path is not None and path.suffix == ".npz":
                found.save(path)
            if path is not None and path.suffix == ".jsonl":
                append(path, row)
            frames.append(found.to_frame().assign(text_index=index, text=text))
        rows.append(row)
        if progress is not None:
            progress((index + 1) / len(texts))
    if path is not None and path.suffix == ".csv":
        import pandas as pd

        path.write_bytes(safe_csv(pd.concat(frames, ignore_index=True)))
    kept = sum(index in done and done[index]["text"] == text for index, text in enumerate(texts))
    found_all = {"model": model.name, "method": args.method, "texts": rows, "n_found_done": kept, "left_out": left_out}
    return found_all | ({"saved": str(path)} if path is not None else {})


def render(found: dict[str, Any]) -> str:
    """A table of words for each text, with what it adds up to and the trust card; of a stream how much it was."""
    if found.get("is_stream"):
        return _attribute_stream.render(found)
    blocks = []
    for row in found["texts"]:
        n_columns = 3 if row["standard_error"] else 2
        words = [
            (word, _output.number(score, signed=row["signed"]), *(() if n_columns == 2 else (_output.number(error),)))
            for word, score, error in zip(
                row["words"], row["scores"], row["standard_error"] or row["scores"], strict=True
            )
        ]
        lines = [_output.table(("word", f"score ({row['unit']})", "standard error")[:n_columns], words)]
        lines.append(f"logit of {_output.cut(row['target'])}: {_output.number(row['value'], signed=True)}")
        if row["convergence_delta"] is not None:
            lines.append(f"the scores miss {_output.number(abs(row['convergence_delta']))} of the logit's move")
        lines += [_output.cut(note, 200) for note in row["notes"]]
        if "trust" in row:
            lines.append(f"trust: {row['trust']['grade']}")
            lines += [f"  {line['verdict']:<9}{line['said']}" for line in row["trust"]["lines"]]
        blocks.append("\n".join(lines))
    for why, n_texts in Counter(one["why"] for one in found["left_out"]).items():
        blocks.append(f"Left out {n_texts:,} of {len(found['texts']) + len(found['left_out']):,} texts: {why}")
    if found["n_found_done"]:
        blocks.append(f"{found['n_found_done']:,} of {len(found['texts']):,} texts had been explained before.")
    if "saved" in found:
        blocks.append(f"Saved to {found['saved']}")
    return "\n\n".join(blocks)


def parse_knobs(method: str, given: Sequence[str]) -> dict[str, Any]:
    """Settings of a method from `NAME=VALUE`; numbers where numbers are meant.

    Raises:
        NotFoundError: If there is no such method.
        InvalidInputError: If it has no such setting, or the value is no number where one is meant.
    """
    allowed = {knob.name: knob for knob in registry.load("attribution", method).KNOBS}
    found: dict[str, Any] = {}
    for name, _, value in (one.partition("=") for one in given):
        knob = allowed.get(name)
        if knob is None:
            raise InvalidInputError(
                f"{method} has no setting {name[:60]!r}; it has {', '.join(allowed) if allowed else 'none'}."
            )
        try:
            found[name] = value if knob.choices else type(knob.default)(value)
        except ValueError as error:
            raise InvalidInputError(f"{knob.label} is {value[:60]!r}; a number is expected.") from error
        knob.check(found[name])
    return found


def described(found: WordAttribution) -> dict[str, Any]:
    """An attribution as plain values."""
    return {
        "target": found.target_label,
        "probability": float(found.probs[found.target]),
        "value": found.value,
        "unit": found.unit,
        "signed": found.signed,
        "baseline": found.baseline,
        "baseline_value": found.baseline_value,
        "convergence_delta": found.convergence_delta,
        "relative_gap": found.relative_gap if found.relative_gap != float("inf") else None,
        "words": list(found.words),
        "scores": found.scores.tolist(),
        "standard_error": None if found.standard_error is None else found.standard_error.tolist(),
        "n_passes": found.n_passes,
        "notes": list(found.notes),
    }


def judged(card: Any) -> dict[str, Any]:
    """A trust card as plain values."""
    return {"grade": card.grade, "lines": json.loads(card.to_frame().to_json(orient="records"))}


def read_done(path: Path, about: dict[str, Any]) -> dict[int, dict[str, Any]]:
    """Rows of an earlier call with the same settings, by index; a line that was cut off is taken out.

    Raises:
        InvalidInputError: If the file holds something else.
    """
    if not path.exists():
        return {}
    whole, found = [], {}
    for line in _lines(path):
        try:
            row = json.loads(line)
        except ValueError:
            break  # the call before ended while it wrote this
        if not isinstance(row, dict) or row.get("settings") != json.loads(json.dumps(about)):
            raise InvalidInputError(
                f"{path.name[:60]!r} holds something else, or scores by other settings. Save to another file."
            )
        whole.append(line)
        found[row["index"]] = row
    path.write_text("".join(f"{line}\n" for line in whole), encoding="utf-8")
    return found


def append(path: Path, row: dict[str, Any]) -> None:
    """Add one line."""
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(row) + "\n")


def _lines(path: Path) -> Iterator[str]:
    try:
        yield from path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path.name[:60]!r} is no text. Save to another file.") from error


def _depth(args: argparse.Namespace) -> str:
    return "full" if args.full else "quick" if args.trust else ""


def _trust(model: LoadedModel, text: str, found: WordAttribution, depth: str) -> dict[str, Any]:
    """The trust card, if one is asked for."""
    return {"trust": judged(api.assess(model, text, found, full=depth == "full"))} if depth else {}
