"""Choosing labelled texts: a source, its options as the source itself names them, and a look before training."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import pandas as pd
import streamlit as st

from explorer_core import api, settings
from explorer_core.errors import ExplorerError
from explorer_core.params import Knob
from explorer_core.text import visible
from explorer_core.training.spec import DataSpec
from pages._ui import figures, messages, train_on_it
from pages._ui.digest import short
from pages._ui.widgets import knob

if TYPE_CHECKING:
    from explorer_core.datasets._labelled_texts import DataPreview, LengthHistogram


_NAMES_IN_A_ROW, _MAX_NAME_CHARS = 6, 60


def draw() -> DataSpec | None:
    """Draw the choice and the look at it.

    Returns:
        What to train on, or `None` while something is missing or cannot be used; the page then says what.
    """
    abouts = {about.name: about for about in api.list_sources()}
    first = train_on_it.SOURCE if train_on_it.given() else next(iter(abouts))
    source = st.segmented_control(
        "Data", list(abouts), default=first, required=True, format_func=lambda name: abouts[name].label,
        key="data_source",
    )  # fmt: skip
    st.caption(abouts[source].sentence)
    return draw_options(source)


def draw_options(source: str, *, key: str = "data", is_brief: bool = False) -> DataSpec | None:
    """Draw the options of a source, and the look at what they give.

    Args:
        source: Name of the source.
        key: Start of the keys of its controls.
        is_brief: Whether the look is only what cannot be used.

    Returns:
        As `draw`.
    """
    wanted = next(about for about in api.list_sources() if about.name == source).extra.get("options", ())
    options: dict[str, Any] = {}
    given = train_on_it.draw_given() if key == "data" and source == train_on_it.SOURCE else None
    for option in (option for option in wanted if option.get("required")):
        options[option["name"]] = given.path if given else _draw_option(source, option, None, key)
        if not options[option["name"]]:
            return None
    found = None  # without a first look, such as at a set whose part is not chosen yet, options are typed
    with contextlib.suppress(ExplorerError):
        found = _look(source, _frozen(options))
    others = [option for option in wanted if not option.get("required") and option["kind"] != "names"]
    for option, place in zip(others, _places(len(others)), strict=False):
        with place:
            guess = given.columns.get(option["name"]) if given else None
            options[option["name"]] = _draw_option(source, option, found, key, guess)
    options = {name: value for name, value in options.items() if value not in (None, "")}
    try:
        preview = _look(source, _frozen(options))
        for option in (option for option in wanted if option["kind"] == "names" and not is_brief):
            names = draw_names(option, list(preview.labels), given.class_names if given else {}, key)
            if names:
                options[option["name"]] = names
                preview = _look(source, _frozen(options))
    except ExplorerError as error:
        messages.show(error)
        return None
    if not is_brief:
        draw_preview(preview)
    elif preview.problem:
        st.error(messages.plain(preview.problem))
    return None if preview.problem else DataSpec(source, options)


def draw_names(
    option: Mapping[str, Any], labels: Sequence[str], first: Mapping[str, str | None], start: str
) -> dict[str, str | None]:
    """What each label of the file is called; empty if all are called as they are.

    Args:
        option: The option of the source.
        labels: As the file has them.
        first: What they are called before anyone changes it.
        start: Start of the keys of its controls.
    """
    if not 2 <= len(labels) <= settings.MAX_LABELS:
        return {}
    tag = short("\0".join((*labels, *map(str, first.values()))))
    n_columns = min(len(labels), _NAMES_IN_A_ROW)
    place = st.container() if len(labels) <= n_columns else st.expander(option["label"])
    with place:
        st.caption(f"{option['label']}. {option['help']}")
        places = st.columns(max(n_columns, _NAMES_IN_A_ROW // 2)) * -(-len(labels) // n_columns)
        named = {
            label: at.text_input(
                messages.plain(label), value=first.get(label, label) or "", key=f"{start}_name_{tag}_{index}",
                max_chars=_MAX_NAME_CHARS,
            ).strip() or None
            for index, (label, at) in enumerate(zip(labels, places, strict=False))
        }  # fmt: skip
    return {} if all(name == label for label, name in named.items()) else named


def draw_preview(preview: DataPreview) -> None:
    """Counts, histograms and three sample rows; why it cannot be trained on, if so."""
    if preview.problem:
        st.error(messages.plain(preview.problem))
    used = f"{preview.n_usable:,} of {preview.n_rows:,} rows can be used." if preview.n_rows else "There are no rows."
    st.markdown(used if not preview.problem else f"{preview.n_rows:,} rows were read.")
    for note in preview.notes[:6]:
        st.caption(messages.plain(note))
    if preview.n_rows:
        from explorer_core.views import text_histogram

        lengths = length_bins(preview.lengths)
        drawn = text_histogram.render(lengths, preview.labels)
        figures.chart(drawn, "preview_chart", text_histogram.alt_text(lengths, preview.labels))
        figures.how_to_read("text_histogram")
    if preview.samples:
        rows = [{"Label": visible(str(label)), "Text": visible(text)} for text, label in preview.samples]
        st.dataframe(
            pd.DataFrame(rows),
            hide_index=True,
            column_config={"Text": st.column_config.TextColumn(width="large")},
            alt="Three sample rows.",
        )


def length_bins(lengths: LengthHistogram) -> dict[str, int]:
    """Texts by range of words, such as `{"0-4": 12, "5-9": 40}`; the last range may be open."""
    names = [
        f"{low}" if high - low == 1 else f"{low}–{high - 1}"
        for low, high in zip(lengths.edges[:-1], lengths.edges[1:], strict=True)
    ]
    if names and lengths.is_open:
        names[-1] = f"{lengths.edges[-2]}+"
    return dict(zip(names, (int(count) for count in lengths.counts), strict=True))


def _places(n_options: int) -> list[Any]:
    return st.columns(min(max(n_options, 1), 4)) * (n_options // 4 + 1) if n_options else []


def _draw_option(
    source: str, option: Mapping[str, Any], found: DataPreview | None, start: str, wanted: str | None = None
) -> Any:
    """The control of one option of a source, by its kind."""
    key = f"{start}_{source}_{option['name']}"
    kind, label, help_text = option["kind"], option["label"], option["help"]
    if kind == "file":
        return draw_upload(label, option["endings"], key)
    if kind == "number":
        bounds = (option[name] for name in ("default", "low", "high", "step"))
        return knob(Knob(option["name"], label, help_text, *bounds), key=key)
    if found is None and not option.get("choices"):
        return st.text_input(label, key=key, help=help_text).strip()
    choices: tuple[str, ...] = tuple(option.get("choices", ()))
    guess = None
    if found is not None and kind == "column":
        choices = found.columns
        guess = wanted if wanted in choices else getattr(found, option["name"], None)
    elif found is not None:
        choices = found.choices.get(option["name"], choices)
    return st.selectbox(
        label, choices, index=choices.index(guess) if guess in choices else None, key=key, help=help_text,
        placeholder="found by itself" if choices else "nothing to choose", disabled=not choices,
    )  # fmt: skip


def draw_upload(label: str, endings: tuple[str, ...], key: str) -> str | None:
    """Path of an uploaded file, kept under a name made from its bytes: the sender's own name is never used."""
    upload = st.file_uploader(
        label, type=list(endings), key=key, max_upload_size=settings.MAX_UPLOAD_MIB,
        help=f"{', '.join(ending.upper() for ending in endings)}; at most {settings.MAX_UPLOAD_MIB} MiB.",
    )  # fmt: skip
    if upload is None:
        return None
    ending = PurePosixPath(upload.name).suffix.removeprefix(".").lower()
    try:
        return str(api.save_upload(upload.getvalue(), ending))
    except (ExplorerError, OSError) as error:
        messages.show(error)
    return None


def _frozen(options: Mapping[str, Any]) -> str:
    return json.dumps(dict(options), sort_keys=True)


@st.cache_data(max_entries=32, max_size="32MB", ttl=600, show_spinner="Reading the data")
def _look(source: str, options: str) -> DataPreview:
    return api.preview_data(DataSpec(source, json.loads(options)))
