"""What can be done with a model: look at it, take it away, delete it and bring it back, open or import another."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import streamlit as st

from explorer_core import api, settings
from explorer_core.errors import ExplorerError
from explorer_core.palette import family_label
from explorer_core.results import ModelCard
from pages._ui import jobs, messages, sources, state, widgets

_DELETED = "_deleted"


def draw_one(card: ModelCard) -> None:
    """State, curves and actions of one model."""
    if card.status == "done":
        st.markdown(widgets.facts(card))
    for note in card.notes:
        st.caption(messages.plain(note))
    if is_opened(card):
        st.button("Close", key="close_source", on_click=_close, args=(card.name,), help="The folder or download stays.")
        return
    jobs.draw_run(card.name)
    export, delete, _ = st.columns([1, 1, 4])
    if card.status == "done":
        export.download_button(
            "Export as zip", data=lambda: _zip_of(card.name), file_name=f"{card.name}.zip", mime="application/zip",
            on_click="ignore", key=f"export-{card.name}", width="stretch",
        )  # fmt: skip
    if card.status not in ("queued", "running"):
        delete.button("Delete", key=f"delete-{card.name}", on_click=_delete, args=(card.name,), width="stretch")


def is_opened(card: ModelCard) -> bool:
    """Whether the card is of a folder or Hub model that was opened, not of a run in the store."""
    return any(card.name == other.name for other in sources.opened())


def draw_undo() -> None:
    """The way back from the last deletion of this session."""
    name = st.session_state.get(_DELETED)
    if name:
        st.button(f"Bring {name} back", key="undo_delete", on_click=_restore, args=(name,))


def draw_open() -> None:
    """Open a folder on this computer or a model of the Hub."""
    st.caption(
        "Any Hugging Face sequence classifier of the BERT family, or a model trained here. Weights in safetensors "
        "only; no code of the model is run."
    )
    source = st.text_input(
        "Folder or Hub id", key="open_source", placeholder="textattack/bert-base-uncased-SST-2 or /path/to/folder"
    ).strip()
    if st.button("Open", key="open_press", disabled=not source):
        with messages.guard(), st.spinner("Loading and checking the model"):
            card = sources.open_source(source)
            state.choose_too(card.name)
            messages.say(
                f"{source} is open: {family_label(card.architecture)}, classes {', '.join(card.labels)[:200]}."
            )
            st.rerun()


def draw_import() -> None:
    """Unpack a zip made by an export, or of any safe model folder."""
    upload = st.file_uploader("Zip of a model", type=["zip"], key="import_file")
    if upload is None:
        return
    suggestion = api.free_name(Path(upload.name).stem)
    name = st.text_input("Name", value=suggestion, key=f"import_name_{suggestion}").strip()
    if st.button("Import", key="import_press", type="primary"):
        with messages.guard(), st.spinner("Unpacking and checking"):
            made = _import(upload.getbuffer(), name, upload.name)
            state.look_at(made)
            state.choose_too(made)
            messages.say(f"{made} is here and ready.")
            st.rerun()


def _import(content: memoryview, name: str, given: str) -> str:
    """Unpack bytes as a model; what is refused is called as the person calls it."""
    settings.home().mkdir(parents=True, exist_ok=True)
    handle, path = tempfile.mkstemp(suffix=".zip", prefix=".import-", dir=settings.home())
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        return api.import_model(path, name)
    except ExplorerError as error:
        raise type(error)(str(error).replace(Path(path).name, given[:60])) from error
    finally:
        Path(path).unlink(missing_ok=True)


def _zip_of(name: str) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return api.export_model(name, Path(folder) / f"{name}.zip").read_bytes()


def _delete(name: str) -> None:
    with messages.guard_callback():
        api.delete_model(name)
        st.session_state[_DELETED] = name
        messages.say(f"{name} is deleted. It can be brought back until the next deletion.", kind="info")


def _restore(name: str) -> None:
    st.session_state.pop(_DELETED, None)
    with messages.guard_callback():
        api.restore_model(name)
        state.look_at(name)
        messages.say(f"{name} is back.")


def _close(source: str) -> None:
    with messages.guard_callback():
        sources.forget(source)
        messages.say(f"{source} is closed.", kind="info")
