"""One zip that lets a stranger compute the same numbers again: text, tokens, arrays, settings, figures and a script."""

from __future__ import annotations

import inspect
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from explorer_core import settings
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.results import Exportable, pack_arrays, pack_files, safe_csv
from explorer_core.text import Reading, read_text
from explorer_core.versions import versions

TOLERANCE = 1e-5
"""How far an array computed again may lie from the one kept: absolute, and relative for values beyond 1."""

_SCRIPT = Path(__file__).with_name("reproduce.py.txt")


@dataclass(frozen=True)
class Made:
    """One result with the call of the front desk that made it.

    Attributes:
        call: Name of a function of `explorer_core.api` that takes the model and the text, or the trace of both.
        arguments: Its other arguments, as plain JSON values.
        result: What it gave.
        corpus: For a call that takes an index: `data`, the fields of a `DataSpec`, and `index`, the other arguments of
            `index_states`.
    """

    call: str
    arguments: Mapping[str, Any]
    result: Exportable
    corpus: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Compared:
    """A result about several models with the call of the front desk that made it.

    Attributes:
        call: Name of a function of `explorer_core.api`.
        of: Name of the call whose results, one of each model, are compared; empty for a call that takes the models and
            the text.
        arguments: Its other arguments, as plain JSON values.
        result: What it gave.
        one_by_one: Whether it takes the results as arguments of their own instead of as one sequence.
    """

    call: str
    of: str
    arguments: Mapping[str, Any]
    result: Exportable
    one_by_one: bool = False


def write(
    path: Path,
    model: LoadedModel,
    text: str,
    made: Sequence[Made],
    desk: Mapping[str, Any],
    *,
    figures: Mapping[str, Any] | None = None,
    chosen: Mapping[str, Any] | None = None,
) -> Path:
    """Write the zip; see `api.reproduce_bundle`. `desk` holds the functions of the front desk by name, `chosen` what it
    calls settings.
    """
    check_target(path)
    if not made:
        raise InvalidInputError("A reproduce bundle needs at least one result.")
    named = dict(zip(name_calls(made), made, strict=True))
    takes = {name: what_it_takes(one.call, desk) for name, one in named.items()}
    for name, one in named.items():
        check_fits(name, one, takes[name], model, text)
    calls = [
        {"name": name, "call": one.call, "takes": takes[name], "arguments": dict(one.arguments),
         "corpus": one.corpus}
        for name, one in named.items()
    ]  # fmt: skip
    files = {
        "text.txt": text.encode("utf-8"),
        "tokens.json": as_json(tokens_of(read_text(model.tokenizer, text, model.max_tokens))),
        "arrays.npz": pack_arrays({name: one.result for name, one in named.items()}),
        **{f"{name}.csv": safe_csv(one.result.to_frame()) for name, one in named.items()},
        "settings.json": as_json(describe(model) | {"calls": calls, "settings": dict(chosen or {})}),
        "reproduce.py": _SCRIPT.read_bytes(),
    }
    if figures:
        from explorer_core.views import _html

        files["figures.html"] = _html.page(f"What {model.name} read", text, figures).encode("utf-8")
    return save(path, files)


def save(path: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files as one zip.

    Raises:
        InvalidInputError: If the place cannot be written.
    """
    try:
        path.write_bytes(pack_files(files))
    except OSError as error:
        raise InvalidInputError(
            f"{path.name[:60]!r} could not be written: {error.strerror or error}. Choose another place."
        ) from None
    return path


def check_target(path: Path) -> None:
    """Refuse a place no zip can be written to.

    Raises:
        InvalidInputError: If the name does not end in `.zip`, or the folder is not there.
    """
    if path.suffix != ".zip":
        raise InvalidInputError(f"A reproduce bundle is one zip; {path.name[:60]!r} must end in .zip.")
    if not path.parent.is_dir():
        raise InvalidInputError(f"The folder of {path.name[:60]!r} does not exist. Make it first, or save elsewhere.")


def what_it_takes(call: str, desk: Mapping[str, Any]) -> list[str]:
    """What stands before the arguments of a call: `model` and `text`, or their `trace`, or an `index` of the model.

    Raises:
        IncompatibleError: If there is no such call, or it takes something else.
    """
    names = names_of(call, desk)
    for takes in (["model", "text"], ["trace"], ["index", "trace"], ["index"]):
        if names[: len(takes)] == takes:
            return takes
    raise IncompatibleError(f"{call[:60]!r} is no call that can be made again from one model and one text.")


def names_of(call: str, desk: Mapping[str, Any]) -> list[str]:
    """Names of what a call of the front desk takes; none if there is no such call."""
    function = None if call.startswith("_") else desk.get(call)
    return list(inspect.signature(function).parameters) if inspect.isfunction(function) else []


def name_calls(made: Sequence[Made]) -> list[str]:
    """A name for each result: its call, with a number from the second of the same call on."""
    names: list[str] = []
    for one in made:
        n_before = sum(other.call == one.call for other in made[: len(names)])
        names.append(f"{one.call}_{n_before + 1}" if n_before else one.call)
    return names


def check_fits(name: str, one: Made, takes: Sequence[str], model: LoadedModel, text: str) -> None:
    """Refuse a result of another model or another text, and arguments that JSON cannot hold."""
    if getattr(one.result, "fingerprint", model.fingerprint) != model.fingerprint:
        raise IncompatibleError(f"{name} was made with other weights than those of {model.name}; make it again.")
    reading = getattr(one.result, "reading", None)
    if isinstance(reading, Reading) and reading.text != text:
        raise IncompatibleError(f"{name} was made from another text; make it again.")
    if "index" in takes and one.corpus is None:
        raise InvalidInputError(f"{name} was made over a corpus; the bundle must know which, and how it was indexed.")
    check_arguments(name, [dict(one.arguments), one.corpus])


def check_arguments(name: str, arguments: Any) -> None:
    """Refuse arguments that JSON cannot hold.

    Raises:
        InvalidInputError: If any is no plain value.
    """
    try:
        json.dumps(arguments, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(
            f"The arguments of {name} cannot be kept in a bundle; plain numbers, words, lists and tables can."
        ) from error


def describe(model: LoadedModel) -> dict[str, Any]:
    """The model, the machine and what a comparison needs."""
    import platform

    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "model": {
            "name": model.name,
            "source": _source(model.name),
            "architecture": model.architecture,
            "labels": list(model.labels),
            "fingerprint": model.fingerprint,
            "device": model.device,
            "max_tokens": model.max_tokens,
            "notes": list(model.notes),
        },
        "tolerance": TOLERANCE,
        "seed": None,  # nothing here is random
        "versions": versions(),
        "platform": platform.platform(),
    }


def _source(name: str) -> str:
    """Where a model of that name was found; the path of a folder is nobody's business."""
    run, at, _ = name.partition("@")
    if (settings.home() / run / "config.json").is_file():
        return "a checkpoint of a run in UNROLLED_HOME" if at else "a run in UNROLLED_HOME"
    return "the Hugging Face Hub" if "/" in name else "a folder"


def tokens_of(reading: Reading) -> dict[str, Any]:
    """The words and tokens of a reading, as plain values."""
    return {
        "words": list(reading.words),
        "tokens": list(reading.tokens),
        "pieces": list(reading.pieces),
        "ids": reading.token_ids.tolist(),
        "word_of_token": reading.word_of_token.tolist(),
        "notes": list(reading.notes),
    }


def as_json(plain: Mapping[str, Any]) -> bytes:
    """The file that holds plain values."""
    return (json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode("utf-8")
