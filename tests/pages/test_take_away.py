"""What a person takes away: arrays, tables and a bundle that computes itself again, from every section of every family;
and the sentences under the pictures."""

from __future__ import annotations

import html
import io
import json
import runpy
import sys
import zipfile

import numpy as np
import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from explorer_core import api, registry
from explorer_core.corpus import _texts
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.results import Exportable, pack_files
from pages._ui import cache, sections, take_away
from pages._ui.look import Look
from tests.conftest import FAMILIES, RECURRENT_FAMILIES
from tests.pages.tiny import save_tiny

PAGES = ("states", "gradients", "words")
TEXT = "not bad at all , =1+1"
CELLS = ("lstm", "bilstm")
OVER_A_CORPUS = ("units", "pattern")
ON_A_PRESS = ("human",)  # measures over many texts, and has no bundle
OF_OTHER_WEIGHTS = ("checkpoints",)  # has a bundle of the chosen epoch; its own test computes it again
CORPUS = LabelledTexts(
    ("the film was good", "a dull plot , never lovely", "we loved it", "it was bad") * 3,
    np.tile([1, 0, 1, 0], 3), ("negative", "positive"), np.full(12, "train"), "small corpus", "Small.",
)  # fmt: skip


def fits(section: sections.Section, family: str) -> bool:
    """Whether a section over a text is tried for a family; those over a corpus are alike for all that have one kind."""
    kind = "recurrent" if family in RECURRENT_FAMILIES else "transformer"
    has_it = kind in section.kinds and (family in CELLS or not section.needs_cell)
    is_tried = section.name not in OVER_A_CORPUS or family in ("lstm", "bert")
    is_own = section.alone or section.name in OF_OTHER_WEIGHTS + ON_A_PRESS
    return has_it and is_tried and not is_own and (family == "bilstm" or section.name != "halves")


@pytest.fixture
def look(home, warmed):
    """`look(family)`: a tiny model over a text, as a section is given it."""

    def make(family: str = "lstm", text: str = TEXT) -> Look:
        save_tiny(home, f"starter-{family}", family)
        info = cache.model_info(f"starter-{family}")
        return Look(info, text, cache.trace(info.name, info.fingerprint, text, True), 1)

    return make


@pytest.fixture
def offered(open_app, home, warmed, monkeypatch):
    """`offered(page, family, section)` opens a section, and returns the app and all it offers to take away."""
    found = []
    plain = take_away.offer

    def watch(key, look, made, *, figures=None, **more):
        found.append((look, made, figures))
        plain(key, look, made, figures=figures, **more)

    monkeypatch.setattr(take_away, "offer", watch)

    monkeypatch.setattr(api, "read_data", lambda spec: CORPUS)
    monkeypatch.setattr(_texts, "read", lambda spec: CORPUS)

    def opener(page: str, family: str, section: str, **address):
        model = save_tiny(home, f"starter-{family}", family)
        if section in OVER_A_CORPUS:
            api.index_states(cache.load(f"starter-{family}", model.fingerprint), CORPUS)
        labels = {one.name: one.label for one in sections.describe(page)}
        app = open_app(f"pages/{page}.py", text=TEXT, view=labels[section], **address)
        assert not app.exception
        assert app.session_state[sections.VIEW] == section
        assert found
        return app, found[-1:]

    return opener


def unzipped(content: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def first_and_last(families: list[str]) -> list[str]:
    """Two of the families a section fits: the calls of every family have tests of their own."""
    return list(dict.fromkeys([*families[:1], *families[-1:]]))


@pytest.mark.long
@pytest.mark.parametrize(
    ("page", "family", "section"),
    [
        (page, family, section.name)
        for page in PAGES
        for section in sections.describe(page)
        for family in first_and_last([name for name in FAMILIES if fits(section, name)])
    ],
)
def test_what_a_section_offers_can_be_computed_again(offered, page, family, section, tmp_path, monkeypatch):
    app, offers = offered(page, family, section)
    assert not app.error
    for look, made, figures in offers:
        calls = [
            take_away.as_made(call, *(value if isinstance(value, tuple) else (value,)))
            for call, values in made.items()
            for value in (values if isinstance(values, list) else [values])
        ]
        assert calls
        assert all(isinstance(one.result, Exportable) for one in calls)
        for name, content in unzipped(take_away.bundle(look, calls, figures)).items():
            (tmp_path / name).write_bytes(content)
        assert (tmp_path / "figures.html").exists() == bool(figures)
        monkeypatch.setattr(sys, "argv", ["reproduce.py"])
        runpy.run_path(str(tmp_path / "reproduce.py"))  # leaves with a sentence where an array differs


@pytest.mark.parametrize(
    "chosen",
    [
        {"show": "Waterfall", "method": "Shapley sampling", "words_shapley_sampling_n_samples": "10"},
        {"show": "Table", "method": "SmoothGrad", "scores_of": "Tokens", "words_smooth_grad_seed": "3"},
    ],
)
def test_a_bundle_of_words_holds_the_settings_that_were_chosen(offered, chosen, tmp_path, monkeypatch):
    _, ((look, made, figures),) = offered("words", "bilstm", "method", **chosen)
    found, arguments = made["attribute"]
    assert "10" in str(arguments["n_samples"]) or arguments["seed"] == 3
    assert ("score_waterfall" in figures) == (chosen["show"] == "Waterfall")
    for name, content in unzipped(take_away.bundle(look, [take_away.as_made("attribute", found, arguments)])).items():
        (tmp_path / name).write_bytes(content)
    monkeypatch.setattr(sys, "argv", ["reproduce.py"])
    runpy.run_path(str(tmp_path / "reproduce.py"))


def test_arrays_as_json_equal_the_arrays(offered):
    app, ((_, made, _),) = offered("words", "lstm", "method")
    found, _ = made["attribute"]
    listed = json.loads(take_away.plain({"attribute": found}))["attribute"]
    assert set(listed) == set(found.arrays())
    np.testing.assert_array_equal(listed["scores"], found.scores)
    assert listed["words"] == list(found.words)
    assert "Arrays (JSON)" in [button.proto.label for button in app.get("download_button")]


def test_numbers_that_are_none_become_null_in_json():
    class Half(Exportable):
        def arrays(self):
            return {"values": np.array([[1.5, np.nan], [np.inf, -2.0]]), "name": np.array("\ud800a")}

    listed = json.loads(take_away.plain({"some": Half()}))
    assert listed["some"]["values"] == [[1.5, None], [None, -2.0]]


def test_buttons_make_nothing_before_they_are_pressed(offered, monkeypatch):
    for name in ("npz", "csv", "csvs", "plain", "bundle"):
        monkeypatch.setattr(take_away, name, lambda *_: pytest.fail("made before the press"))
    app, offers = offered("states", "lstm", "gates")
    labels = [button.proto.label for button in app.get("download_button")]
    assert len(offers) == 1
    assert labels[0] == "Arrays (npz)"
    assert labels[-1] == "Reproduce bundle (zip)"


def test_the_bundle_of_a_page_keeps_the_address_without_the_text(look):
    one = look()
    calls = [take_away.as_made("trace_states", one.trace)]
    found = unzipped(take_away.bundle(one, calls, None, {"view": "gates", "unit": "7"}))
    settings = json.loads(found["settings.json"])
    assert settings["settings"] == {"view": "gates", "unit": "7"}
    assert settings["calls"][0]["arguments"] == {"running": True}
    assert found["text.txt"].decode() == TEXT


def test_a_trace_without_its_running_verdict_is_made_again_without_it(look):
    one = look("bilstm")
    trace = cache.trace(*one.key, False)
    assert take_away.as_made("trace_states", trace).arguments == {"running": False}


def test_several_results_are_one_file_of_arrays_and_one_of_tables(look):
    one = look()
    results = {"trace_states": one.trace, "lstm_ledger": api.lstm_ledger(cache.load(*one.key[:2]), TEXT)}
    arrays = np.load(io.BytesIO(take_away.npz(results)))
    assert np.array_equal(arrays["trace_states.hidden"], one.trace.hidden)
    assert {name.split(".")[0] for name in arrays.files} == set(results)
    tables = unzipped(take_away.csvs(results))
    assert set(tables) == {"trace_states.csv", "lstm_ledger.csv"}
    assert len(pd.read_csv(io.BytesIO(tables["trace_states.csv"]))) == one.trace.hidden.size


def test_one_result_keeps_the_plain_names_of_its_arrays(look):
    trace = look().trace
    for given in (trace, {"trace_states": trace}):
        assert set(np.load(io.BytesIO(take_away.npz(given))).files) == set(trace.arrays())


def test_a_table_of_a_page_holds_no_formula_and_equals_that_of_the_core(look, tmp_path):
    trace = look().trace
    table = take_away.csv(trace)
    assert table == trace.save(tmp_path / "trace.csv").read_bytes()
    tokens = pd.read_csv(io.BytesIO(table))["token"].astype(str)
    assert "'=" in set(tokens)
    assert not tokens.str.startswith(("=", "+", "-", "@")).any()


def test_a_zip_of_the_same_files_has_the_same_bytes():
    assert pack_files({"a": b"1", "b.npz": b"2"}) == pack_files({"a": b"1", "b.npz": b"2"})


# Under the pictures -------------------------------------------------------------------------------------------------


def test_every_view_is_captioned_with_its_sentences_formula_and_source_as_they_stand():
    def page() -> None:
        from explorer_core import registry
        from pages._ui import figures

        for view in registry.describe("views"):
            figures.how_to_read(view)

    views = registry.describe("views").values()
    app = AppTest.from_function(page).run()
    for about, caption, more in zip(views, app.caption, app.get("html"), strict=True):
        assert caption.value.startswith("**How to read this.** ")
        shown = caption.value.replace("\\", "") + html.unescape(more.proto.body)
        assert all(about.extra[name] in shown for name in ("how", "does_not_show", "formula", "source"))


def test_a_formula_with_marks_of_markdown_is_shown_as_it_stands():
    def page() -> None:
        from pages._ui import figures

        figures.small("A *b*.", "c_d_e.", "x*y*z [a](http://b) :red[c] $d$", "`e` <b>")

    app = AppTest.from_function(page).run()
    said, more = app.caption[0].value, app.get("html")[0].proto.body
    assert "*b*" not in said and "_d_" not in said
    assert "A *b*." in said.replace("\\", "")
    assert "x*y*z [a](http://b) :red[c] $d$" in more
    assert "`e` &lt;b&gt;" in more
