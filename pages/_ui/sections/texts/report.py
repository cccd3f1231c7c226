"""What was judged, taken away: as a page to read, as rows, and as a bundle that judges the same again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import streamlit as st

from explorer_core import api
from explorer_core.results import Judgement
from pages._ui import take_away
from pages._ui.cache_texts import Desk
from pages._ui.sections.texts import judge

SECTION = {
    "label": "Report",
    "question": "What shall a colleague be given?",
    "kinds": ("recurrent", "transformer"),
    "order": 90,
}
_INSIDE = """
One web page of about 5 MB (4.7 of them draw its pictures) that asks no network for anything. It reads in light, in dark
and printed, and holds:

- accuracy, macro F1 and calibration of every model with 95 % intervals; precision, recall and F1 of every class;
  confusion
- reliability, decisions and confidence, what long texts and unknown words do, as pictures that answer when touched and
  as tables
- where the models differ; of each model the ten most confident mistakes and the ten closest calls, **with their texts**
- how the files were read, what their labels mean, what was left out; fingerprints of the models, digest of the texts,
  versions and date
"""
_BUNDLE = (
    "One zip: the files as you gave them, every number, the report, settings with fingerprints, and reproduce.py, a "
    "short script that judges the same texts by the same models again and says whether every number agrees to 1e-5."
)
_SAID = "Rows hold the texts, your columns, and all that each model says of each text."


def draw(desk: Desk) -> None:
    """The page to take away with a plain list of what is in it, then rows and numbers."""
    found = judge.find(desk)
    if found is None or not found.is_finished:
        st.info("Judge the texts under **Judge** first; here you will take the result away.")
        return
    st.markdown(_INSIDE)
    with st.container(horizontal=True):
        st.download_button("Report (HTML)", lambda: page(found, desk), "report.html", "text/html", type="primary",
                           on_click="ignore", key="texts_report_html")  # fmt: skip
        st.download_button("Reproduce bundle (zip)", lambda: bundle(found, desk), "judged-bundle.zip",
                           "application/zip", on_click="ignore", key="texts_report_bundle", help=_BUNDLE)  # fmt: skip
    st.markdown("#### Rows and numbers")
    lines = {"Rows (JSON lines)": (lambda: "\n".join(found.to_jsonl()).encode(), "judged.jsonl")}
    take_away.offer_alone("texts_report", "judged", found, _SAID, lines)


def page(found: Judgement, desk: Desk) -> bytes:
    """The report; see `api.write_report`."""
    return _made("report.html", lambda path: api.write_report(found, path, spec=desk.choice.spec))


def bundle(found: Judgement, desk: Desk) -> bytes:
    """The bundle; see `api.reproduce_judgement`."""
    given = desk.choice
    return _made(
        "bundle.zip",
        lambda path: api.reproduce_judgement(
            found, path, paths=given.paths, names=given.names or None, pasted=given.pasted or None, spec=given.spec
        ),
    )


def _made(name: str, make: Callable[[Path], Path]) -> bytes:
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        return make(Path(folder) / name).read_bytes()
