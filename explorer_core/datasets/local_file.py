"""A file of one's own: TXT, CSV, TSV, JSONL, Parquet or XLSX, with columns guessed and changeable."""

from __future__ import annotations

import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from explorer_core import settings
from explorer_core.datasets._decoding import decode
from explorer_core.datasets._delimited import parse_csv, parse_txt
from explorer_core.datasets._jsonl import parse_jsonl
from explorer_core.datasets._labelled_texts import DataPreview, LabelledTexts
from explorer_core.datasets._labelling import label_rows, preview_table
from explorer_core.datasets._parquet import parse_parquet
from explorer_core.datasets._plain_text import parse_blocks, parse_document
from explorer_core.datasets._table import Table, show
from explorer_core.datasets._xlsx import parse_xlsx
from explorer_core.errors import InvalidInputError, NotFoundError

ABOUT = {
    "label": "A file of yours",
    "sentence": "TXT (label, tab, text), CSV, TSV, JSONL, Parquet or XLSX with a column of texts and a column of 2 to "
    "20 labels; spam or topics work as well as sentiment.",
    "order": 20,
    "options": (
        {
            "name": "path",
            "label": "File",
            "kind": "file",
            "help": "Where the file lies on the computer that runs the app.",
            "required": True,
            "endings": ("txt", "csv", "tsv", "jsonl", "ndjson", "json", "parquet", "xlsx"),
        },
        {
            "name": "text_column",
            "label": "Column of texts",
            "kind": "column",
            "help": "Guessed from names and cells if left out.",
        },
        {
            "name": "label_column",
            "label": "Column of labels",
            "kind": "column",
            "help": "Guessed from names and cells if left out; 2 to 20 different values.",
        },
        {
            "name": "encoding",
            "label": "Encoding",
            "kind": "choice",
            "help": "How a text file writes its letters; found if left out.",
            "choices": (
                "utf-8", "utf-16", "cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "cp1255", "cp1256", "iso8859-15",
                "koi8-r", "shift_jis", "euc_jp", "gb18030", "big5", "euc_kr",
            ),
        },
        {
            "name": "class_names",
            "label": "Names of the classes",
            "kind": "names",
            "help": "What each label of the file is called, such as spam for 1. The same name twice joins labels; one "
            "without a name is left out with its rows.",
        },
    ),
}  # fmt: skip

_TEXT_PARSERS: dict[str, Callable[..., Table]] = {
    ".txt": parse_txt,
    ".csv": parse_csv,
    ".tsv": lambda origin, text, notes: parse_csv(origin, text, notes, "\t"),
    ".jsonl": parse_jsonl,
    ".ndjson": parse_jsonl,
    ".json": parse_jsonl,
}
_BINARY_PARSERS: dict[str, Callable[..., Table]] = {".parquet": parse_parquet, ".xlsx": parse_xlsx}
_TXT_WAYS = {"line": parse_txt, "block": parse_blocks, "document": parse_document}
_HOLDS_LISTS = (".jsonl", ".ndjson", ".json", ".parquet")


def read(options: Mapping[str, Any]) -> LabelledTexts:
    """Labelled and split texts of a file; rows that cannot be used are left out and told in `notes`.

    Args:
        options: `path`, and if wanted `text_column`, `label_column`, `encoding` and `class_names`: the name of each
            label, `None` for one whose rows are left out.

    Raises:
        NotFoundError: If the file or a chosen column is not there.
        InvalidInputError: If the file cannot be read or holds nothing to learn from; the message says why.
    """
    return label_rows(open_table(options), options)


def preview(options: Mapping[str, Any]) -> DataPreview:
    """Columns, guesses, histograms and sample rows of a file; `problem` says what would stop a training.

    Raises:
        NotFoundError, InvalidInputError: If the file cannot be read at all.
    """
    return preview_table(open_table(options), options)


def open_table(options: Mapping[str, Any], *, with_lists: bool = False) -> Table:
    """All columns of a file as text.

    Args:
        options: `path`, and if wanted `encoding` and `txt`: what is one text of a TXT file, a `line`, a `block` between
            blank lines or the whole `document`.
        with_lists: Whether the lists of a JSONL or Parquet file are kept, as JSON; else they count as missing.

    Raises:
        NotFoundError: If the file is not there.
        InvalidInputError: If it is no file, is empty, too large, or not what its ending says.
    """
    path, ending, data = _read_bytes(options.get("path"))
    origin = show(path.name)[1:-1]
    more = {"with_lists": with_lists} if ending in _HOLDS_LISTS else {}
    if ending in _BINARY_PARSERS:
        return _BINARY_PARSERS[ending](origin, data, (), **more)
    text, note = decode(data, options.get("encoding"))
    parse = _TXT_WAYS[options.get("txt", "line")] if ending == ".txt" else _TEXT_PARSERS[ending]
    return parse(origin, text, (note,), **more)


def _read_bytes(given: Any) -> tuple[Path, str, bytes]:
    """Path, ending and content of a regular file within the limits."""
    if not isinstance(given, (str, Path)) or not str(given).strip() or "\x00" in str(given):
        raise InvalidInputError(
            "Choose a file: the option path is the place of a TXT, CSV, TSV, JSONL, Parquet or XLSX."
        )
    path = Path(given)
    shown = show(path.name)
    ending = path.suffix.lower()
    try:
        path = path.expanduser()
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise InvalidInputError(f"{shown} is a folder. Choose one file in it.")
        if not stat.S_ISREG(mode):  # a device or pipe may never end
            raise InvalidInputError(f"{shown} is not an ordinary file.")
        if ending not in _TEXT_PARSERS and ending not in _BINARY_PARSERS:
            allowed = ", ".join(name[1:].upper() for name in (*_TEXT_PARSERS, *_BINARY_PARSERS))
            raise InvalidInputError(f"Files ending in {show(ending)} are not read; allowed: {allowed}.")
        with path.open("rb") as file:
            data = file.read(settings.MAX_FILE_MIB * 2**20 + 1)
    except FileNotFoundError as error:
        raise NotFoundError(f"There is no file {shown} at that place. Check the path.") from error
    except PermissionError as error:
        raise InvalidInputError(f"{shown} may not be read by this program. Change its permissions.") from error
    except (OSError, RuntimeError, ValueError) as error:  # loops of links, names too long or not encodable
        raise InvalidInputError(f"{shown} cannot be opened. Check the path, or copy the file elsewhere.") from error
    if len(data) > settings.MAX_FILE_MIB * 2**20:
        raise InvalidInputError(
            f"{shown} is larger than {settings.MAX_FILE_MIB} MiB, which is the most that is read. Keep fewer rows."
        )
    if not data.strip():
        raise InvalidInputError(f"{shown} is empty. Give it texts and labels.")
    return path, ending, data
