"""Numbers taken away with everything that is needed to compute them again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer_core.bundle import Compared, Made

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def reproduce_bundle(
    path: str | Path,
    model: LoadedModel,
    text: str,
    made: Sequence[Made],
    *,
    figures: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """One zip with which anyone who has the model can compute the same numbers again.

    It holds `text.txt`, `tokens.json`, `arrays.npz` (under `<call>.<array>`, nothing pickled), `<call>.csv`,
    `settings.json` (model and fingerprint of its weights, calls with their arguments, versions, machine),
    `figures.html` if there are figures, and `reproduce.py`, which checks the fingerprint, makes every call again and
    asserts that each array agrees to 1e-5. All but the time in `settings.json` is the same for the same input.

    Args:
        path: Where to write; ends in `.zip`.
        model: From `load_model`.
        text: The text, as typed.
        made: The results, each with the call that made it, such as
            `Made("trace_states", {"running": False}, trace)`.
        figures: Plotly figures by the name of their view.
        settings: What else to keep in `settings.json`, as plain JSON values.

    Raises:
        InvalidInputError: If the path is no place for a zip, or an argument is no plain value.
        IncompatibleError: If a result is of another model or text, or its call cannot be made again from both.
    """
    from explorer_core import api, bundle

    return bundle.write(Path(path), model, text, made, vars(api), figures=figures, chosen=settings)


def reproduce_comparison(
    path: str | Path,
    models: Sequence[LoadedModel],
    text: str,
    made: Sequence[Sequence[Made]],
    compared: Sequence[Compared],
    *,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """One zip with which anyone who has the models can compute a comparison of them over one text again.

    It holds `text.txt`, `tokens-<n>.json` for each model (counted from 1), `arrays.npz` (under `<n>.<call>.<array>` and
    `<comparison>.<array>`), a CSV for each, `settings.json` and `reproduce.py`, as `reproduce_bundle` does.

    Args:
        path: Where to write; ends in `.zip`.
        models: From `load_model`.
        text: The text, as typed.
        made: For each model its results, each with the call that made it from the model and the text.
        compared: What came of comparing them, such as `Compared("compare_running", "trace_running", {"target": 1},
            found)`.
        settings: What else to keep in `settings.json`, as plain JSON values.

    Raises:
        InvalidInputError: If the path is no place for a zip, or an argument is no plain value.
        IncompatibleError: If a result is of another model or text, or its call cannot be made again.
    """
    from explorer_core import api, comparison_bundle

    return comparison_bundle.write(Path(path), models, text, made, compared, vars(api), settings)
