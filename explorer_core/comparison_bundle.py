"""One zip of a comparison: what several models make of one text, what comes of comparing it, and a script that computes
all of it again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from explorer_core import bundle
from explorer_core.bundle import Compared, Made
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.results import Exportable, pack_arrays, safe_csv
from explorer_core.text import read_text

_SCRIPT = Path(__file__).with_name("reproduce_comparison.py.txt")
_MODELS_AND_TEXT = ["models", "text"]
_OF_MODEL = ["model", "text"]


def write(
    path: Path,
    models: Sequence[LoadedModel],
    text: str,
    made: Sequence[Sequence[Made]],
    compared: Sequence[Compared],
    desk: Mapping[str, Any],
    chosen: Mapping[str, Any] | None = None,
) -> Path:
    """Write the zip; see `api.reproduce_comparison`. `desk` and `chosen` as in `bundle.write`."""
    bundle.check_target(path)
    if not models or not compared or len(made) != len(models):
        raise InvalidInputError("A bundle of a comparison needs its models, what each of them made, and what came out.")
    results: dict[str, Exportable] = {}
    described = []
    for place, (model, mine) in enumerate(zip(models, made, strict=True), start=1):
        named = dict(zip(bundle.name_calls(mine), mine, strict=True))
        for name, one in named.items():
            if bundle.what_it_takes(one.call, desk) != _OF_MODEL:
                raise IncompatibleError(f"{name[:60]!r} is no call that can be made again from a model and a text.")
            bundle.check_fits(name, one, _OF_MODEL, model, text)
            results[f"{place}.{name}"] = one.result
        calls = [{"name": name, "call": one.call, "arguments": dict(one.arguments)} for name, one in named.items()]
        described.append(bundle.describe(model)["model"] | {"calls": calls})
    for result in compared:
        _check(result, models, made, desk)
        results[result.call] = result.result
    about = bundle.describe(models[0]) | {
        "models": described,
        "compared": [
            {"call": one.call, "of": one.of, "arguments": dict(one.arguments), "one_by_one": one.one_by_one}
            for one in compared
        ],
        "settings": dict(chosen or {}),
    }
    del about["model"]
    tokens = {
        f"tokens-{place}.json": bundle.as_json(bundle.tokens_of(read_text(model.tokenizer, text, model.max_tokens)))
        for place, model in enumerate(models, start=1)
    }
    files = {
        "text.txt": text.encode("utf-8"),
        **tokens,
        "arrays.npz": pack_arrays(results),
        **{f"{name}.csv": safe_csv(one.to_frame()) for name, one in results.items()},
        "settings.json": bundle.as_json(about),
        "reproduce.py": _SCRIPT.read_bytes(),
    }
    return bundle.save(path, files)


def _check(
    one: Compared, models: Sequence[LoadedModel], made: Sequence[Sequence[Made]], desk: Mapping[str, Any]
) -> None:
    """Refuse a call that cannot be made again, and a result of other models."""
    if not one.of and bundle.names_of(one.call, desk)[: len(_MODELS_AND_TEXT)] != _MODELS_AND_TEXT:
        raise IncompatibleError(f"{one.call[:60]!r} is no call that takes several models and a text.")
    if one.of and not all(one.of in bundle.name_calls(mine) for mine in made):
        raise IncompatibleError(f"{one.call[:60]!r} compares {one.of[:60]!r}, which is not there of every model.")
    if one.of and not bundle.names_of(one.call, desk):
        raise IncompatibleError(f"{one.call[:60]!r} is no call of the front desk.")
    prints = getattr(one.result, "fingerprints", None)
    if prints is not None and not set(prints) <= {model.fingerprint for model in models}:
        raise IncompatibleError(f"{one.call} is of other weights than those of these models; make it again.")
    bundle.check_arguments(one.call, dict(one.arguments))
