"""`attribute --data`: words of files of any size, row by row in constant memory, shared by several processes."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer_core import api
from explorer_core.commands import _inputs, _output
from explorer_core.commands._shards import Shards
from explorer_core.errors import InvalidInputError
from explorer_core.results import TextBlock, WordAttribution, safe_csv

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel

ENDINGS = (".jsonl", ".csv")
_UNREAD = "nothing the model can read"
Describe = Callable[["LoadedModel", str, WordAttribution], dict[str, Any]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What only a stream takes."""
    group = parser.add_argument_group(
        "streaming", "Row by row in constant memory; under torchrun or accelerate launch the processes share the rows, "
        "and a call that was stopped goes on.",
    )  # fmt: skip
    group.add_argument(
        "--data", metavar="DATA",
        help="a file (TXT, CSV, TSV, JSONL, Parquet, XLSX), a folder or pattern of Parquet files, or hub:ID, read as a "
        "stream; needs --out ending in .jsonl or .csv",
    )  # fmt: skip
    group.add_argument("--text-column", metavar="NAME", help="column that holds the texts; guessed if left out")
    group.add_argument(
        "--data-option", action="append", default=[], metavar="NAME=VALUE",
        help="another option of the data, such as encoding=cp1252, or split=validation of a Hub set; may be repeated",
    )  # fmt: skip


def run(args: argparse.Namespace, knobs: dict[str, Any], depth: str, describe: Describe) -> dict[str, Any] | None:
    """Explain this process's blocks; the first process waits for all and puts them together.

    Args:
        args: What was typed.
        knobs: Settings of the method.
        depth: How far trust is measured.
        describe: An attribution as plain values, for a line.

    Raises:
        InvalidInputError: If an option does not go with a stream.
        JobError: If another process ended before its part was done.
    """
    if args.data is None:
        raise InvalidInputError("Several processes share --data, not texts that were typed. Give a file.")
    if args.texts or args.file:
        raise InvalidInputError("Give texts, a --file or --data, not several of them.")
    if args.out is None:
        raise InvalidInputError("A stream needs a place for its rows: --out words.jsonl, or .csv.")
    _inputs.check_target(args.out, ENDINGS)
    options = dict(option.partition("=")[::2] for option in args.data_option)
    encoding = options.pop("encoding", None)
    stream = api.stream_texts(args.data, api.TextsSpec(args.text_column, "", encoding), options)
    model = api.load_model(args.model, args.device)
    target = target_of(args.target, model.labels)
    path = Path(args.out).expanduser()
    about = {
        "command": "attribute", "model": model.fingerprint, "data": stream.identity, "text": stream.text_column,
        "method": args.method, "knobs": knobs, "target": target, "trust": depth, "ending": path.suffix,
    }  # fmt: skip
    shards = Shards(path, about)
    n_blocks = 0

    def mine() -> Iterator[TextBlock]:
        def is_wanted(number: int) -> bool:
            nonlocal n_blocks
            n_blocks = number + 1
            return shards.is_mine(number)

        yield from stream.blocks(is_wanted)

    for block in shards.each(mine()):
        found = list(api.attribute_texts(model, block.texts, args.method, target, **knobs))
        there = [(place, one) for place, one in found if isinstance(one, WordAttribution)]
        if path.suffix == ".jsonl":
            lines = _json_lines(model, block, there, describe)
        else:
            lines = _csv_lines(block, there, lambda: api.attribute(model, "a", args.method, target, **knobs))
        sums: dict[str, Any] = {
            "n_texts": len(there),
            "n_words": sum(len(one.words) for _, one in there),
            "n_unread": len(found) - len(there),
            "n_skipped": dict(block.n_skipped),
            "n_truncated": sum(bool(one.reading.truncated_words) for _, one in there),
        }
        shards.keep(block.number, lines, sums)
    if not _output.is_first_process():
        return None
    shards.wait(n_blocks)
    sums = shards.merge(n_blocks, api.sum_blocks)
    skipped = sums["n_skipped"] | ({_UNREAD: sums["n_unread"]} if sums["n_unread"] else {})
    return {
        "model": model.name, "method": args.method, "dataset": stream.origin, "n_texts": sums["n_texts"],
        "n_words": sums["n_words"], "n_skipped": skipped, "n_truncated": sums["n_truncated"],
        "notes": list(stream.notes), "saved": str(path),
    }  # fmt: skip


def target_of(target: str | None, labels: tuple[str, ...]) -> int | str | None:
    """A label, or a number where no label reads like it."""
    return int(target) if target is not None and target not in labels and target.isdecimal() else target


def render(found: dict[str, Any]) -> str:
    """How much was explained, and what was left out."""
    facts = [
        ("model", found["model"]),
        ("method", found["method"]),
        ("data", f"{found['dataset']} ({found['n_texts']:,} texts, {found['n_words']:,} words)"),
    ]
    said = [*found["notes"]]
    said += [f"Left out {count:,} rows with {why}." for why, count in found["n_skipped"].items()]
    if found["n_truncated"]:
        said.append(f"{found['n_truncated']:,} texts are longer than the model reads; their ends were not read.")
    return "\n\n".join([_output.facts(facts), "\n".join([*(_output.cut(one, 200) for one in said),
                                                         f"Saved to {found['saved']}"])])  # fmt: skip


def _json_lines(
    model: LoadedModel, block: TextBlock, there: list[tuple[int, WordAttribution]], describe: Describe
) -> bytes:
    lines = []
    for place, one in there:
        row = {"file": block.file, "row": int(block.row_numbers[place]), "text": block.texts[place]}
        lines.append(json.dumps(row | describe(model, block.texts[place], one), ensure_ascii=False) + "\n")
    return "".join(lines).encode("utf-8", "replace")


def _csv_lines(
    block: TextBlock, there: list[tuple[int, WordAttribution]], sample: Callable[[], WordAttribution]
) -> bytes:
    """A row a word; the first block has the names of the columns, also where it has no texts."""
    import pandas as pd

    rows = [(block.file, int(block.row_numbers[place]), block.texts[place], one) for place, one in there]
    is_empty = not rows
    if is_empty:
        rows = [("", 0, "", sample())]
    frames = [one.to_frame().assign(file=file, row=row, text=text) for file, row, text, one in rows]
    written = safe_csv(pd.concat(frames, ignore_index=True))
    head, end, body = written.partition(b"\r\n")
    return (head + end if block.number == 0 else b"") + (b"" if is_empty else body)
