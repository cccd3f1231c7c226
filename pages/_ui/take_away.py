"""Take results away: every array, every table, every picture, and all of it as a bundle that computes itself again.

Each file is made when its button is pressed, not before.
"""

from __future__ import annotations

import io
import json
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from explorer_core import api
from explorer_core.results import Exportable, RecurrentTrace, TransformerTrace, pack_arrays, pack_files, safe_csv
from pages._ui import cache, state
from pages._ui.look import Look

Result = Exportable | tuple[Exportable, Mapping[str, Any]] | tuple[Exportable, Mapping[str, Any], Mapping[str, Any]]
Figures = Mapping[str, Callable[[], Any]]

_ARRAYS = "Every array with its words and tokens, for NumPy."
_JSON = "The same arrays as plain lists under the name of their call, for any language."
_TABLE = (
    "One row for each smallest thing. A word that a spreadsheet would take for a formula (it begins with = + - or @) "
    "gets an apostrophe before it; numbers are untouched."
)
_BUNDLE = (
    "One zip: text, tokens, arrays, tables{pictures}, settings with versions and the fingerprint of the weights, and "
    "reproduce.py, a short script that computes every number again and says whether all agree to 1e-5."
)
SEVERAL = (
    "The bundle holds every model's numbers and the comparison; its script computes all of them again and says whether "
    "they agree to 1e-5."
)
_PICTURES = ", pictures as one web page that needs no network and saves each as PNG or SVG"
_CAMERA = "\n\nA single picture: the camera in the menu above it saves it as SVG."


def offer(
    key: str,
    look: Look,
    made: Mapping[str, Result | list[Result]],
    *,
    figures: Figures | None = None,
    as_json: bool = False,
) -> None:
    """Buttons for what a section shows.

    Args:
        key: Start of the keys of the buttons, and end of the files' names.
        look: What was looked at.
        made: Results by the call of the front desk that made them from the model and the text, or from their trace. A
            call with other arguments comes as `(result, arguments)`; one over a corpus as `(result, arguments,
            corpus)`, see `api.Made`; several results of one call as a list.
        figures: What draws each picture, by the name of its view.
        as_json: Whether the arrays are offered as JSON too; for results that are small.
    """
    stem = f"{look.info.name.replace('/', '-')}-{key}"
    calls = [
        as_made(call, *(result if isinstance(result, tuple) else (result,)))
        for call, results in made.items()
        for result in (results if isinstance(results, list) else [results])
    ]
    results = dict(zip(_names([one.call for one in calls]), (one.result for one in calls), strict=True))
    address = {name: value for name, value in st.query_params.to_dict().items() if name != state.TEXT}
    with st.container(horizontal=True):
        st.download_button("Arrays (npz)", lambda: npz(results), f"{stem}.npz", "application/octet-stream",
                           on_click="ignore", key=f"{key}_npz", help=_ARRAYS)  # fmt: skip
        if len(results) == 1:
            st.download_button("Table (CSV)", lambda: csv(calls[0].result), f"{stem}.csv", "text/csv",
                               on_click="ignore", key=f"{key}_csv", help=_TABLE)  # fmt: skip
        else:
            st.download_button("Tables (CSV in a zip)", lambda: csvs(results), f"{stem}-tables.zip", "application/zip",
                               on_click="ignore", key=f"{key}_csv", help=_TABLE)  # fmt: skip
        if as_json:
            st.download_button("Arrays (JSON)", lambda: plain(results), f"{stem}.json", "application/json",
                               on_click="ignore", key=f"{key}_json", help=_JSON)  # fmt: skip
        st.download_button(
            "Reproduce bundle (zip)", lambda: bundle(look, calls, figures, address), f"{stem}-bundle.zip",
            "application/zip", on_click="ignore", key=f"{key}_bundle",
            help=_BUNDLE.format(pictures=_PICTURES if figures else "") + _CAMERA,
        )  # fmt: skip


def offer_alone(
    key: str,
    stem: str,
    result: Exportable,
    said: str,
    more: Mapping[str, tuple[Callable[[], bytes], str]] | None = None,
) -> None:
    """Buttons for a result that no call makes again from one model and one text.

    Args:
        key: Start of the keys of the buttons.
        stem: Beginning of the files' names.
        result: What is taken away.
        said: Why there is no bundle of it, or of what there is one.
        more: Further files by what their buttons say: what makes each, and its name.
    """
    with st.container(horizontal=True):
        st.download_button("Arrays (npz)", lambda: npz(result), f"{stem}.npz", "application/octet-stream",
                           on_click="ignore", key=f"{key}_npz", help=_ARRAYS)  # fmt: skip
        st.download_button("Table (CSV)", lambda: csv(result), f"{stem}.csv", "text/csv", on_click="ignore",
                           key=f"{key}_csv", help=_TABLE + _CAMERA)  # fmt: skip
        for index, (label, (make, name)) in enumerate((more or {}).items()):
            st.download_button(label, make, name, on_click="ignore", key=f"{key}_more_{index}")
    st.caption(said)


def _names(calls: Sequence[str]) -> list[str]:
    """Each call once: the second of the same name is `<call>_2`, and so on."""
    return [
        f"{call}_{calls[:index].count(call) + 1}" if call in calls[:index] else call for index, call in enumerate(calls)
    ]


def as_made(
    call: str,
    result: Exportable,
    arguments: Mapping[str, Any] | None = None,
    corpus: Mapping[str, Any] | None = None,
) -> api.Made:
    """A result with its call; a trace says by itself whether its running verdict was asked for."""
    if arguments is None:
        arguments = {}
        if isinstance(result, RecurrentTrace | TransformerTrace):
            arguments = {"running": result.running_logits is not None}
    return api.Made(call, arguments, result, corpus)


def npz(results: Exportable | Mapping[str, Exportable]) -> bytes:
    """Every array of a result, or of several under `<call>.<array>`."""
    if isinstance(results, Mapping):
        if len(results) > 1:
            return pack_arrays(results)
        (results,) = results.values()
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **results.arrays())  # type: ignore[arg-type]
    return buffer.getvalue()


def csv(result: Exportable) -> bytes:
    """The table of a result."""
    return safe_csv(result.to_frame())


def csvs(results: Mapping[str, Exportable]) -> bytes:
    """A zip with the table of each result."""
    return pack_files({f"{call}.csv": csv(result) for call, result in results.items()})


def plain(results: Mapping[str, Exportable]) -> bytes:
    """Every array of each result as JSON, `{call: {array: list}}`; a number that is none becomes null."""
    found = {
        call: {name: _listed(array) for name, array in result.arrays().items()} for call, result in results.items()
    }
    return (json.dumps(found, ensure_ascii=False, allow_nan=False) + "\n").encode("utf-8", "backslashreplace")


def _listed(array: np.ndarray) -> Any:
    if array.dtype.kind != "f":
        return array.tolist()
    plain = array.astype(object)
    plain[~np.isfinite(array)] = None
    return plain.tolist()


def bundle(
    look: Look, calls: Sequence[api.Made], figures: Figures | None = None, address: Mapping[str, str] | None = None
) -> bytes:
    """The reproduce bundle; see `api.reproduce_bundle`."""
    model = cache.load(look.info.name, look.info.fingerprint)
    drawn = {name: draw() for name, draw in (figures or {}).items()}
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        path = Path(folder) / "bundle.zip"
        return api.reproduce_bundle(path, model, look.text, calls, figures=drawn, settings=address).read_bytes()


def bundle_of_several(
    infos: Sequence[cache.ModelInfo], text: str, made: Sequence[Sequence[api.Made]], compared: Sequence[api.Compared]
) -> tuple[Callable[[], bytes], str]:
    """What makes the reproduce bundle of a comparison, for `more` of `offer_alone`; see `api.reproduce_comparison`."""
    address = {name: value for name, value in st.query_params.to_dict().items() if name != state.TEXT}

    def make() -> bytes:
        models = [cache.load(info.name, info.fingerprint) for info in infos]
        with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
            path = Path(folder) / "bundle.zip"
            return api.reproduce_comparison(path, models, text, made, compared, settings=address).read_bytes()

    return make, f"{compared[0].call.replace('_', '-')}-bundle.zip"
