"""`evaluate --stream`: files of any size, row by row in constant memory, shared by several processes."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.commands._shards import Shards
from explorer_core.errors import InvalidInputError
from explorer_core.judging import spec as knobs
from explorer_core.results import BlockVerdicts, TextBlock, safe_csv

ENDINGS = (".jsonl", ".csv")
UNREAD = "nothing the model can read"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only a stream takes."""
    group = parser.add_argument_group(
        "streaming", "Row by row in constant memory; under torchrun or accelerate launch the processes share the rows, "
        "and a call that was stopped goes on. All rows are judged; labels are not needed.",
    )  # fmt: skip
    group.add_argument(
        "--stream", action="store_true",
        help="read --data (a file, a folder or pattern of Parquet files, or hub:ID) as a stream; needs --out",
    )  # fmt: skip
    group.add_argument(
        "--map", action="append", default=[], metavar="LABEL=CLASS",
        help="class of the model that a label of the data means, nothing after = to leave it out; may be repeated",
    )  # fmt: skip
    group.add_argument("--no-labels", action="store_true", help="take no column for labels")
    group.add_argument(
        "--long", choices=knobs.LONG.choices, default=knobs.LONG.default,
        help="long texts: whole, cut after the first words, or in pieces; default: %(default)s",
    )  # fmt: skip
    for name, knob in (("--n-words", knobs.WORDS), ("--n-overlap", knobs.OVERLAP)):
        text = f"{knob.help[0].lower()}{knob.help[1:].rstrip('.')}; default: %(default)s"
        group.add_argument(name, type=int, default=knob.default, metavar="N", help=text)


def run(args: argparse.Namespace) -> dict[str, Any] | None:
    """Judge this process's blocks; the first process waits for all, puts them together and gives the metrics.

    Raises:
        InvalidInputError: If an option does not go with a stream.
        JobError: If another process ended before its part was done.
    """
    check(args)
    options = dict(option.partition("=")[::2] for option in args.data_option)
    spec = texts_spec(args, options)
    stream = api.stream_texts(args.data, spec, options)
    model = api.load_model(args.model, args.device)
    mapping = api.guess_labels(stream.label_values, model.labels) | given_map(args.map, model.labels)
    target = Path(args.out).expanduser()
    about = {
        "command": "evaluate", "model": model.fingerprint, "data": stream.identity, "text": stream.text_column,
        "label": stream.label_column, "map": mapping, "ending": target.suffix,
        "long": [spec.long, spec.n_words, spec.n_overlap],
    }  # fmt: skip
    shards = Shards(target, about)
    n_blocks = 0

    def mine() -> Iterator[TextBlock]:
        nonlocal n_blocks

        def is_wanted(number: int) -> bool:
            nonlocal n_blocks
            n_blocks = number + 1
            return shards.is_mine(number)

        yield from stream.blocks(is_wanted)

    for found in shards.each(api.judge_blocks(model, mine(), mapping)):
        shards.keep(found.block.number, lines_of(found, target.suffix), api.sum_blocks({}, found))
    if not _output.is_first_process():
        return None
    shards.wait(n_blocks)
    sums = shards.merge(n_blocks, api.sum_blocks)
    return {
        "model": model.name,
        "dataset": stream.origin,
        "labels": list(model.labels),
        "n_texts": sums["n_texts"],
        "n_labelled": sums["n_labelled"],
        "n_skipped": sums["n_skipped"] | ({UNREAD: sums["n_unread"]} if sums["n_unread"] else {}),
        "n_truncated": sums["n_truncated"],
        "predicted": dict(zip(model.labels, sums["predicted"], strict=True)),
        "mean_confidence": sums["confidence"] / max(sums["n_texts"], 1),
        "confusion": sums["confusion"],
        "map": mapping,
        "unmapped": sums["unmapped"],
        "notes": list(stream.notes),
        "saved": str(target),
    } | api.score_sums(sums)


def texts_spec(args: argparse.Namespace, options: dict[str, str]) -> api.TextsSpec:
    """How the texts are read; takes `encoding` out of the options.

    Raises:
        InvalidInputError: If a value is not allowed.
    """
    return api.TextsSpec(
        text_column=args.text_column,
        label_column="" if args.no_labels else args.label_column,
        encoding=options.pop("encoding", None),
        long=args.long,
        n_words=args.n_words,
        n_overlap=args.n_overlap,
    )


def check(args: argparse.Namespace) -> None:
    """Refuse what does not go with a stream, before anything is read.

    Raises:
        InvalidInputError: If something does not.
    """
    if args.out is None:
        raise InvalidInputError("A stream needs a place for its rows: --out rows.jsonl, or .csv.")
    _inputs.check_target(args.out, ENDINGS)
    if args.split not in (None, "all"):
        raise InvalidInputError("A stream has no splits of its own; all rows are judged. Leave --split out.")
    if args.data in (None, "starter"):
        raise InvalidInputError("The starter corpus needs no stream. Give --data a file, Parquet files, or hub:ID.")


def given_map(given: Sequence[str], labels: Sequence[str]) -> dict[str, str | None]:
    """Classes that were named for labels.

    Raises:
        InvalidInputError: If one is no class of the model.
    """
    found: dict[str, str | None] = {}
    for one in given:
        value, equals, name = one.rpartition("=")
        if not equals or (name and name not in labels):
            raise InvalidInputError(
                f"--map takes LABEL=CLASS, not {one[:60]!r}; classes: {', '.join(labels)[:200]}; nothing after = "
                "leaves the label out."
            )
        found[" ".join(value.split())] = name or None
    return found


def lines_of(found: BlockVerdicts, ending: str) -> bytes:
    """The rows of a block; the first block of a CSV has the names of the columns."""
    frame = found.to_frame()
    if ending == ".jsonl":
        text: str = frame.to_json(orient="records", lines=True, double_precision=12, force_ascii=False)
        return text.encode("utf-8", "replace") if len(frame) else b""
    written = safe_csv(frame)
    return written if found.block.number == 0 else written.partition(b"\r\n")[2]


def render(found: dict[str, Any]) -> str:
    """Metrics, confusion, and what was left out."""
    facts = [("model", found["model"]), ("data", f"{found['dataset']} ({found['n_texts']:,} texts)")]
    if found["accuracy"] is not None:
        low, high = found["interval"]
        facts += [
            ("with a label", f"{found['n_labelled']:,}"),
            ("accuracy", f"{_output.share(found['accuracy'])} ({_output.share(low)} to {_output.share(high)})"),
            ("macro F1", f"{found['macro_f1']:.3f}"),
            ("calibration error", f"{found['ece']:.3f}"),
        ]
    facts.append(("mean confidence", f"{found['mean_confidence']:.3f}"))
    blocks = [_output.facts(facts)]
    if found["accuracy"] is None:
        rows = [(label, f"{count:,}") for label, count in found["predicted"].items()]
        blocks.append(_output.table(("predicted", "texts"), rows))
    else:
        rows = [
            (label, *(f"{count:,}" for count in counts))
            for label, counts in zip(found["labels"], found["confusion"], strict=True)
        ]
        blocks.append(_output.table(("true \\ predicted", *found["labels"]), rows))
    if len(found.get("models", ())) > 1:
        others = [(one["model"], _output.share(one["accuracy"]), f"{one['macro_f1']:.3f}", f"{one['ece']:.3f}")
                  for one in found["models"]]  # fmt: skip
        blocks.append(_output.table(("model", "accuracy", "macro F1", "calibration error"), others))
    said = [*found.get("warnings", ()), *found["notes"]]
    said += [f"Left out {count:,} rows with {why}." for why, count in found["n_skipped"].items()]
    if found["n_truncated"]:
        said.append(f"{found['n_truncated']:,} texts are longer than the model reads; their ends were not read.")
    if found["unmapped"]:
        named = ", ".join(f"{label[:30]} ({count:,})" for label, count in list(found["unmapped"].items())[:6])
        said.append(f"Labels that are no class of the model: {named}; name one with --map LABEL=CLASS.")
    blocks.append("\n".join([*(_output.cut(one, 200) for one in said), f"Saved to {found['saved']}"]))
    return "\n\n".join(blocks)
