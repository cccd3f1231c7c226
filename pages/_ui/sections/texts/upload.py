"""Which texts: files or a paste, their columns, what their labels mean, and what was left out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer_core import api, settings
from explorer_core.errors import ExplorerError
from explorer_core.judging import spec as knobs
from explorer_core.results import TextTable
from explorer_core.text import visible
from pages._ui import cache_texts, figures, messages, train_on_it
from pages._ui.cache_texts import Desk
from pages._ui.digest import short

SECTION = {
    "label": "Texts",
    "question": "Which texts shall be judged?",
    "kinds": ("recurrent", "transformer"),
    "order": 10,
}
ENDINGS = ("txt", "csv", "tsv", "jsonl", "ndjson", "json", "parquet", "xlsx")
FILES, PASTE = "texts_files", "texts_paste"  # keys
_GUESSED, _NONE, _LEFT_OUT = "(guessed)", "(none)", "(left out)"
_SHOWN = 200  # rows of the preview, and of the list of those left out
_CELL_CHARS = 300
_MOST_LABELS = 20  # bars
_TXT = {"line": "a line", "block": "a block between blank lines", "document": "the whole file"}
_LONG = {
    "whole": "Whole, as far as a model reads",
    "cut": "Only the first words",
    "sentence": "In sentences",
    "window": "In windows of words",
}


def draw(desk: Desk) -> None:
    """What can be given; then, once something is, columns, labels, a preview and what was left out."""
    draw_given(desk)
    if desk.table is None:
        names = cache_texts.column_names(desk.choice.paths[0], desk.choice.spec.encoding) if desk.choice.paths else ()
        if len(names) > 1:
            with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
                choose_columns(desk.choice.spec, names)
        if desk.choice.spec != api.TextsSpec():
            st.button("Read them with guessed columns", key="texts_reset", on_click=_reset)
        return
    draw_reading(desk)
    draw_found(desk.table)
    train_on_it.offer(desk)
    draw_counts(desk.table)
    draw_labels(desk)
    draw_preview(desk.table)
    draw_skipped(desk.table)


def draw_given(desk: Desk) -> None:
    """The uploader and the box to paste into, or what is in use with a button that deletes it."""
    given = desk.choice
    if given.paths or given.pasted:
        with st.container(border=True, horizontal=True, vertical_alignment="center"):
            names = ", ".join(given.names[:4]) + (f" and {len(given.names) - 4} more" if len(given.names) > 4 else "")
            shown = messages.plain(names or "pasted text")
            st.markdown(f"In use: **{shown}**, kept on the computer that runs the app.")
            st.button("Delete them here", key="texts_delete", on_click=cache_texts.forget,
                      help="Deletes the files from this machine, and what was read of them from memory.")  # fmt: skip
        st.caption(
            "The address of this page finds them again, by a token that nobody can guess. Whoever has the address sees "
            "the texts, until you delete them here."
        )
        return
    files, paste = st.tabs(["Files", "Paste"])
    with files:
        uploads = st.file_uploader(
            "Files of texts", type=list(ENDINGS), accept_multiple_files=True, key=FILES,
            max_upload_size=settings.MAX_UPLOAD_MIB,
            help=f"TXT, CSV, TSV, JSONL, Parquet or XLSX; at most {settings.MAX_UPLOAD_MIB} MiB each, "
            f"{settings.MAX_FILES_AT_ONCE} files and {settings.MAX_TEXTS:,} texts together, "
            f"{settings.MAX_CELL_CHARS:,} characters a text. Labels are not needed.",
        )  # fmt: skip
        if uploads:
            take_files([(one.name, one.getvalue()) for one in uploads])
            st.rerun()
    with paste, st.form("texts_form", border=False):
        hint = "One text a line; a label and a tab may stand before it"
        typed = st.text_area("Texts", key=PASTE, height=180, placeholder=hint)
        if st.form_submit_button("Take these texts") and typed.strip():
            cache_texts.change(pasted=typed, paths=(), names=())
            st.rerun()
    st.caption("Nothing leaves the computer that runs the app. Files are kept until you delete them here.")


def take_files(files: list[tuple[str, bytes]]) -> None:
    """Keep uploaded files under names made from their bytes; the sender's own names are only shown."""
    paths, names = [], []
    for name, content in files[: settings.MAX_FILES_AT_ONCE]:
        ending = PurePosixPath(name).suffix.removeprefix(".").lower()
        try:
            paths.append(str(api.save_upload(content, ending)))
            names.append(name)
        except (ExplorerError, OSError) as error:
            messages.say(messages.sentence_of(error), kind="error")
    if len(files) > settings.MAX_FILES_AT_ONCE:
        messages.say(f"Only the first {settings.MAX_FILES_AT_ONCE} files were taken.", kind="warning")
    cache_texts.change(paths=tuple(paths), names=tuple(names), pasted="")


def draw_reading(desk: Desk) -> None:
    """Columns, and what is done with long texts."""
    assert desk.table is not None
    spec, names = desk.choice.spec, list(desk.table.column_names)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        if len(names) > 1:
            choose_columns(spec, names, desk.table.text_column, desk.table.label_column or "none")
        is_txt = bool(desk.choice.pasted) or any(name.lower().endswith(".txt") for name in desk.choice.names)
        if is_txt:
            _choose("txt", knobs.TXT.label, list(_TXT), spec.txt, names=_TXT, help_text=knobs.TXT.help)
        _choose("long", knobs.LONG.label, list(_LONG), spec.long, names=_LONG, help_text=knobs.LONG.help, width=280)
        if spec.long in ("cut", "window"):
            _number("n_words", knobs.WORDS, spec.n_words)
        if spec.long == "window":
            _number("n_overlap", dataclasses.replace(knobs.OVERLAP, high=spec.n_words - 1), spec.n_overlap)


def choose_columns(spec: api.TextsSpec, names: Sequence[str], text: str = "", label: str = "") -> None:
    """Which columns hold texts and labels; `text` and `label` are the guesses, if there are any."""
    guesses = [{_GUESSED: f"{found[:40]} (guessed)"} if found else {} for found in (text, label)]
    chosen = _NONE if spec.label_column == "" else spec.label_column or _GUESSED
    options = [_GUESSED, *names]
    _choose("text_column", "Column of texts", options, spec.text_column or _GUESSED, names=guesses[0])
    _choose("label_column", "Column of labels", [_GUESSED, _NONE, *names], chosen, names=guesses[1])


def _choose(
    name: str, label: str, options: list[str], value: str, *, names: dict[str, str] | None = None,
    help_text: str | None = None, width: int = 220,
) -> None:  # fmt: skip
    key = f"texts_{name}"
    shown = names or {}
    st.selectbox(
        label, options, index=options.index(value) if value in options else 0, key=key, width=width, help=help_text,
        format_func=lambda one: shown.get(one, one), on_change=_set, args=(name, key),
    )  # fmt: skip


def _number(name: str, knob: Any, value: int) -> None:
    key = f"texts_{name}"
    st.number_input(
        knob.label, int(knob.low), int(knob.high), min(value, int(knob.high)), int(knob.step), key=key, width=140,
        help=knob.help, on_change=_set, args=(name, key),
    )  # fmt: skip


def _set(name: str, key: str) -> None:
    value = st.session_state[key]
    if name in ("text_column", "label_column"):
        value = None if value == _GUESSED else "" if value == _NONE else value
    with messages.guard_callback():
        spec = cache_texts.choice().spec
        more = {"n_overlap": min(spec.n_overlap, value - 1)} if name == "n_words" else {}
        cache_texts.change(spec=dataclasses.replace(spec, **{name: value}, **more))


def _reset() -> None:
    cache_texts.change(spec=api.TextsSpec())


def draw_found(table: TextTable) -> None:
    """What was read, in one line and notes."""
    labelled = int((table.label >= 0).sum())
    said = f"**{len(table):,} texts** of {table.n_rows:,} rows from {messages.quoted(table.text_column)}"
    labels = f", {labelled:,} with a label from {messages.quoted(table.label_column)}." if table.label_column else ""
    st.markdown(said + (labels or "; no labels."))
    st.caption(" ".join(messages.plain(note) for note in table.notes[:12]))


def draw_counts(table: TextTable) -> None:
    """How long the texts are, and how many carry each label."""
    from explorer_core.views import text_histogram

    lengths, labels = table.length_counts(), dict(list(table.label_counts().items())[:_MOST_LABELS])
    labels = labels or {"no label": len(table)}
    figures.chart(text_histogram.render(lengths, labels), "texts_counts", text_histogram.alt_text(lengths, labels))
    figures.how_to_read("text_histogram")


def draw_labels(desk: Desk) -> None:
    """Which class each label means, to be changed."""
    table = desk.table
    if table is None or not table.label_values:
        return
    st.markdown("#### What the labels mean")
    if not desk.models:
        st.info("Choose a model in the sidebar; then say here which of its classes each label means.")
        return
    labels = list(desk.models[0].labels)
    mapping, counts = cache_texts.mapping_of(desk), table.label_counts()
    frame = pd.DataFrame(
        {
            "Label in the file": [visible(value)[:80] for value in table.label_values],
            "Texts": [counts[value] for value in table.label_values],
            "Class of the model": [mapping[value] or _LEFT_OUT for value in table.label_values],
        }
    )
    asked = "\0".join((table.digest, *labels))
    edited = st.data_editor(
        frame, hide_index=True, key=f"texts_labels_{short(asked)}", width=640,
        disabled=["Label in the file", "Texts"], num_rows="fixed",
        column_config={
            "Class of the model": st.column_config.SelectboxColumn(
                options=[*labels, _LEFT_OUT], required=True, help="Double-click a cell to change it."
            )
        },
    )  # fmt: skip
    chosen = {
        value: None if name == _LEFT_OUT else name
        for value, name in zip(table.label_values, edited["Class of the model"], strict=True)
    }
    changed = {value: name for value, name in chosen.items() if name != mapping[value]}
    if changed:
        cache_texts.change(mapping=dict(desk.choice.mapping) | changed)
    n_out = sum(counts[value] for value, name in chosen.items() if name is None)
    if n_out:
        st.caption(f"{n_out:,} texts count as without a label: theirs means no class of the model.")


def draw_preview(table: TextTable) -> None:
    """The first texts, as they were read."""
    frame = table.take(np.arange(min(len(table), _SHOWN))).to_frame()
    for name in frame.columns:
        if frame[name].dtype == object or str(frame[name].dtype) == "str":
            frame[name] = [visible(str(cell))[:_CELL_CHARS] for cell in frame[name]]
    st.markdown("#### The first texts")
    st.dataframe(
        frame, hide_index=True, height=260, column_config={"text": st.column_config.TextColumn(width="large")},
        alt="The first texts with their rows, words, labels and other columns.",
    )  # fmt: skip


def draw_skipped(table: TextTable) -> None:
    """Rows left out, by number and reason."""
    if not table.n_skipped:
        return
    reasons = ", ".join(f"{count:,} with {why}" for why, count in table.n_skipped.items())
    st.markdown(f"#### Left out\n{messages.plain(f'{sum(table.n_skipped.values()):,} rows: {reasons}.')}")
    rows = [{"File": visible(one.file), "Row": one.row_number, "Why": one.reason} for one in table.skipped[:_SHOWN]]
    with st.expander("Row by row"):
        st.dataframe(pd.DataFrame(rows), hide_index=True, alt="Rows that were left out, and why.")
