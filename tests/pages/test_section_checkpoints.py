"""The section Checkpoints: the same text at every saved epoch, differences in words, pairs, and bad runs."""

from __future__ import annotations

import io
import json
import runpy
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from pages._ui import cache, cache_checkpoints, sections, state, work
from pages._ui.look import Look
from pages._ui.sections.gradients import checkpoints as section
from tests.conftest import build_tiny
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE = "pages/gradients.py"
TEXT = "not unbelievably bad but great"
N_EPOCHS = 3


def save_epochs(home: Path, name: str, family: str, n_epochs: int = N_EPOCHS) -> None:
    """A finished run with so many checkpoints, each a tiny network of its own."""
    save_tiny(home, name, family)
    for epoch in range(1, n_epochs + 1):
        model, folder = build_tiny(family, seed=epoch), home / name / "checkpoints" / f"checkpoint-{epoch * 10}"
        model.module.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        state_of = {"global_step": epoch * 10, "epoch": float(epoch)}
        (folder / "trainer_state.json").write_text(json.dumps(state_of), encoding="utf-8")


@pytest.fixture
def open_section(open_app, home, warmed):
    """Open the section with one tiny run and its checkpoints."""

    def opener(family: str = "lstm", text: str = TEXT, *, n_epochs: int = N_EPOCHS, **address):
        name = f"starter-{family}"
        if not (home / name).exists():
            save_epochs(home, name, family, n_epochs)
        app = open_app(PAGE, view="Checkpoints", text=text, models=name, **address)
        for job in list(work._desk().jobs):
            assert work.wait(job, 60) is not None
        app.run()
        assert not app.exception
        return app

    return opener


def strip_of(app) -> dict:
    return json.loads(next(one.proto.json for one in app.get("bidi_component") if one.proto.id.endswith(section.STRIP)))


def charts_of(app) -> set[str]:
    return {one.proto.id.rsplit("-", 1)[-1] for one in app.get("plotly_chart")}


def trace_of(family: str = "lstm", text: str = TEXT, target: int = 1):
    models = {
        one: api.load_checkpoint(f"starter-{family}", one.step) for one in api.list_checkpoints(f"starter-{family}")
    }
    return api.trace_checkpoints(models, text, target)


def test_every_family_is_read_at_every_epoch(open_section, family):
    app = open_section(family)
    assert not app.error
    assert app.select_slider(key=section.EPOCH).options == ["epoch 1", "epoch 2", "epoch 3"]
    charts = charts_of(app)
    assert {section.VERDICT, section.CHANGES} <= charts
    assert (section.GATES in charts) == (family != "bert")
    assert (section.MAP in charts) == (family in ("rnn", "gru", "lstm"))
    assert "How to read this" in said(app)


def test_the_strip_and_the_words_move_with_the_slider(open_section):
    app = open_section(target="positive")
    trace = trace_of()
    np.testing.assert_allclose(strip_of(app)["values"], trace.running_probs[2, :, 1], rtol=1e-4)
    app.select_slider(key=section.EPOCH).set_value("epoch 2").run()
    np.testing.assert_allclose(strip_of(app)["values"], trace.running_probs[1, :, 1], rtol=1e-4)
    changes = trace.changes(1)
    most = int(np.abs(changes).argmax())
    verb, value = (
        ("gained", number(changes[most], signed=True)) if changes[most] > 0 else ("lost", number(-changes[most]))
    )
    text = said(app)
    assert f"Since epoch 1, in the logit of positive: “{trace.words[most]}” {verb} {value}" in text
    assert f"(epoch 1: {number(trace.word_steps[0, most], signed=True)})" in text
    app.select_slider(key=section.EPOCH).set_value("epoch 1").run()
    assert "This is the first epoch that was saved." in said(app)


def test_sliding_reads_nothing_again(open_section, monkeypatch):
    app = open_section()
    calls = []
    for name in ("trace_checkpoints", "load_checkpoint", "load_model"):
        monkeypatch.setattr(api, name, lambda *args, name=name, **more: calls.append(name))
    for epoch in (1, 2, 3):
        app.select_slider(key=section.EPOCH).set_value(f"epoch {epoch}").run()
        assert not app.exception
    assert not calls


def test_an_epoch_in_the_address_is_opened_and_a_wrong_one_passed_over(open_section):
    assert open_section(epoch="epoch 2").select_slider(key=section.EPOCH).value == "epoch 2"
    assert open_section(epoch="epoch <b>").select_slider(key=section.EPOCH).value == "epoch 3"


@pytest.mark.parametrize("text", ["terrible", "<b>x</b> ![a](http://h/i.png) \u202e", "so 😀 كان الفيلم رائعا"])
def test_any_text_can_be_followed_over_the_epochs(open_section, text):
    app = open_section(text=text)
    assert not app.error
    words = "\n".join(element.value for element in (*app.markdown, *app.caption))
    assert "\u202e" not in words
    assert "![a](" not in words
    assert "<b>" not in words


def test_connectivity_that_means_reading_anew_is_asked_for(open_section):
    app = open_section("bilstm")
    assert section.MAP not in charts_of(app)
    app.button(key="epoch_map").click().run()
    for job in list(work._desk().jobs):
        work.wait(job, 60)
    app.run()
    assert section.MAP in charts_of(app)


def test_a_long_text_that_is_read_anew_is_asked_for_first(open_section, monkeypatch):
    monkeypatch.setattr("explorer_core.settings.ASK_BEFORE_REREADING_WORDS", 3)
    app = open_section("bilstm")
    assert not app.get("plotly_chart")
    app.button(key="epoch_read").click().run()
    for job in list(work._desk().jobs):
        work.wait(job, 60)
    app.run()
    assert section.VERDICT in charts_of(app)


def test_pairs_are_judged_when_asked_for_and_said_in_words(open_section, monkeypatch):
    app = open_section()
    assert "Judge the pairs" in app.button(key="epoch_judge").label
    assert "on this machine" in said(app)
    app.button(key="epoch_judge").click().run()
    for job in list(work._desk().jobs):
        work.wait(job, 60)
    app.run()
    assert section.PAIRS in charts_of(app)
    assert "too few pairs to say" in said(app)
    assert "Pairs (CSV)" in {button.proto.label for button in app.get("download_button")}


def test_a_half_written_checkpoint_is_named_and_the_others_are_shown(open_section, home):
    save_epochs(home, "starter-lstm", "lstm")
    path = home / "starter-lstm" / "checkpoints" / "checkpoint-20" / "model.safetensors"
    path.write_bytes(path.read_bytes()[:-10])
    app = open_section()
    assert "checkpoint-20 was not written to its end" in said(app)
    assert app.select_slider(key=section.EPOCH).options == ["epoch 1", "epoch 3"]


def test_a_checkpoint_with_broken_weights_is_named_and_the_others_are_shown(open_section, home):
    from safetensors.numpy import load_file, save_file

    save_epochs(home, "starter-lstm", "lstm")
    path = home / "starter-lstm" / "checkpoints" / "checkpoint-20" / "model.safetensors"
    weights = load_file(path)
    weights["classifier.bias"][0] = np.nan
    save_file(weights, path, metadata={"format": "pt"})
    app = open_section()
    assert "checkpoint of step 20 is passed over" in said(app)
    assert "not finite" in said(app)
    assert app.select_slider(key=section.EPOCH).options == ["epoch 1", "epoch 3"]


def test_a_run_without_checkpoints_and_a_folder_say_why(open_section, open_app, home, tmp_path):
    save_tiny(home, "starter-lstm", "lstm")
    app = open_section()
    assert "has no checkpoint that can be read" in said(app)
    assert not app.get("plotly_chart")
    save_tiny(tmp_path / "elsewhere", "theirs", "gru")
    from pages._ui import sources

    source = str(tmp_path / "elsewhere" / "theirs")
    sources.open_source(source)
    app = open_app(PAGE, view="Checkpoints", text=TEXT, models=source)
    assert not app.exception
    assert "is no run of this store" in said(app)


def test_a_run_with_one_checkpoint_has_no_slider_and_no_change(open_section):
    app = open_section(n_epochs=1)
    assert not [one for one in app.select_slider if one.key == section.EPOCH]
    assert "Only one checkpoint of this run was kept" in said(app)
    assert section.VERDICT in charts_of(app)
    assert section.CHANGES not in charts_of(app)


def test_what_is_cancelled_is_offered_again_and_not_begun_by_itself(open_section, monkeypatch):
    app = open_section()
    info = cache.model_info("starter-lstm")
    (key,) = [key for key in work._desk().jobs if key.startswith("checkpoints")]
    assert info.fingerprint in key
    work._desk().jobs[key].state, work._desk().jobs[key].result = "cancelled", None
    app.run()
    assert "cancelled" in said(app)
    assert not app.get("plotly_chart")
    assert app.button(key="epoch_read")


@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_the_bundle_of_an_epoch_computes_its_numbers_again(open_section, family, tmp_path, monkeypatch):
    app = open_section(family)
    info, text = cache.model_info(f"starter-{family}"), app.text_area(key=state.TEXT).value
    look = Look(info, text, cache.trace(info.name, info.fingerprint, text, True), 1)
    one = api.list_checkpoints(info.name)[1]
    content = zipfile.ZipFile(io.BytesIO(cache_checkpoints.bundle(look, one, {"view": "checkpoints"})))
    told = json.loads(content.read("settings.json"))
    assert told["model"]["name"] == f"starter-{family}@20"
    kept = np.load(io.BytesIO(content.read("arrays.npz")))
    wanted = api.running_verdict(api.load_checkpoint(info.name, 20), TEXT)
    np.testing.assert_allclose(kept["trace_running.running_logits"], wanted, atol=1e-5)
    content.extractall(tmp_path)
    monkeypatch.setattr(sys, "argv", ["reproduce.py"])
    runpy.run_path(str(tmp_path / "reproduce.py"))  # leaves with a sentence where an array differs


def test_the_section_has_its_own_strip_and_fits_every_family():
    (found,) = [one for one in sections.describe("gradients") if one.name == "checkpoints"]
    assert found.own_strip
    assert set(found.kinds) == {"recurrent", "transformer"}
