"""What a person types, turned into what the front desk takes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from explorer_core import registry, settings
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.plain import read_json
from explorer_core.results import Exportable
from explorer_core.training.spec import DataSpec

STARTER_MODEL = "starter-lstm"
RESULT_ENDINGS = (".csv", ".npz")


def add_model(parser: argparse.ArgumentParser) -> None:
    """`--model` and `--device`."""
    parser.add_argument(
        "--model", default=STARTER_MODEL, metavar="NAME",
        help="a model's name (see `models`), a model folder, or a Hub id; default: %(default)s",
    )  # fmt: skip
    add_device(parser)


def add_device(parser: Any) -> None:
    """Where the network computes."""
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or mps; default: %(default)s")


def add_columns(parser: Any) -> None:
    """Which columns of a file are read."""
    parser.add_argument("--text-column", metavar="NAME", help="column that holds the texts; guessed if left out")
    parser.add_argument("--label-column", metavar="NAME", help="column that holds the labels; guessed if left out")


def add_data(parser: Any, default: str | None) -> None:
    """`--data` and the columns that belong to it."""
    parser.add_argument(
        "--data", default=default, metavar="DATA",
        help="labelled texts: `starter` (the corpus that comes with this), a file (TXT, CSV, TSV, JSONL, Parquet, "
        "XLSX), or `hub:ID` such as hub:stanfordnlp/sst2; default: starter",
    )  # fmt: skip
    add_columns(parser)
    parser.add_argument(
        "--data-option", action="append", default=[], metavar="NAME=VALUE",
        help="another option of the source, such as max_rows=500 or split=validation of a Hub set; may be repeated",
    )  # fmt: skip


def data_spec(args: argparse.Namespace) -> DataSpec:
    """Where labelled texts come from: `starter`, a path, or `hub:` and an id, with the source's own options.

    Raises:
        InvalidInputError: If the source has no such option, or the id is empty.
        NotFoundError: If there is no such file.
    """
    data = args.data or "starter"
    options = [option.partition("=")[::2] for option in args.data_option]
    options += [(name, value) for name in ("text_column", "label_column") if (value := getattr(args, name)) is not None]
    if data == "starter":
        return DataSpec("starter", checked_options("starter", options))
    if data.startswith("hub:"):
        if not data[4:].strip():
            raise InvalidInputError("After `hub:` the id of a data set is expected, such as hub:stanfordnlp/sst2.")
        return DataSpec("hub", {"id": data[4:].strip()} | checked_options("hub", options))
    path = existing_file(data, hint="; data can also be `starter` or `hub:ID`")
    return DataSpec("local_file", {"path": str(path.resolve())} | checked_options("local_file", options))


def checked_options(source: str, given: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Options as the source describes them; numbers are turned into numbers.

    Raises:
        InvalidInputError: If the source has no such option, or its value is no number where one is meant.
    """
    about = registry.describe("datasets")[source]
    kinds = {option["name"]: option["kind"] for option in about.extra["options"] if not option.get("required")}
    found: dict[str, Any] = {}
    for name, value in given:
        if name not in kinds:
            allowed = f"its options are {', '.join(kinds)}" if kinds else "it has no options"
            raise InvalidInputError(f"The source {about.label!r} has no option {name[:60]!r}; {allowed}.")
        try:
            found[name] = int(value) if kinds[name] == "number" else value
            if kinds[name] == "names":
                found[name] = read_json(value, f"The option {name} is")
        except ValueError as error:
            raise InvalidInputError(f"The option {name} is {value[:60]!r}; a whole number is expected.") from error
    return found


def existing_file(path: str, hint: str = "") -> Path:
    """The path of a file that is there; `hint` ends the sentence that says it is not.

    Raises:
        NotFoundError: If it is not, or is a folder.
    """
    try:
        found = Path(path).expanduser()
        if found.is_file():
            return found
    except (OSError, ValueError, RuntimeError):  # a name no file can have: too long, a null character, ~nobody
        pass
    raise NotFoundError(f"There is no file {path[:60]!r}. Check the path{hint}.")


def read_lines(path: str | None) -> list[str]:
    """The texts of a file, or of standard input, one a line; blank lines are left out.

    Raises:
        NotFoundError: If there is no such file.
        InvalidInputError: If it is too large, is no UTF-8 text or holds no text.
    """
    if path is None and sys.stdin.isatty():
        raise InvalidInputError("No text was given. Type texts after the command, name a --file, or pipe one in.")
    name = "Standard input" if path is None else f"The file {path[:60]!r}"
    limit = settings.MAX_UPLOAD_MIB * 2**20
    if path is None:
        raw = sys.stdin.buffer.read(limit + 1)
    else:
        with existing_file(path).open("rb") as file:
            raw = file.read(limit + 1)
    if len(raw) > limit:
        raise InvalidInputError(f"{name} is larger than {settings.MAX_UPLOAD_MIB} MiB. Give it in parts.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{name} is not UTF-8 text. Save it as UTF-8, one text a line.") from error
    if "\0" in text:
        raise InvalidInputError(f"{name} is binary, not text. One text a line is expected.")
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        raise InvalidInputError(f"{name} holds no text. One text a line is expected.")
    return lines


def check_target(path: str | None, endings: Sequence[str] = RESULT_ENDINGS) -> None:
    """Refuse a place that a result cannot be saved to, before the work is done.

    Raises:
        InvalidInputError: If the name ends in none of the endings, or the folder is not there.
    """
    if path is None:
        return
    target = Path(path).expanduser()
    if target.suffix not in endings:
        raise InvalidInputError(f"{path[:60]!r} cannot be saved to; its name must end in {' or '.join(endings)}.")
    if not target.parent.is_dir():
        raise InvalidInputError(f"The folder of {path[:60]!r} does not exist. Make it first, or save elsewhere.")


def save(result: Exportable, path: str) -> str:
    """Write a result as `.npz` or `.csv`; returns where."""
    return str(result.save(Path(path).expanduser()))
