"""The reproduce bundle: what is in it, and that its script, in a process of its own, finds every change."""

from __future__ import annotations

import io
import json
import os
import re
import runpy
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer_core import api
from explorer_core.api import Made
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.results import pack_arrays, safe_csv
from explorer_core.views import running_verdict, state_norms

ROOT = Path(__file__).parents[2]
TEXT = "not bad at all"
HOSTILE = '<b>x</b> =1+1 \u202eevil 😀👩\u200d👧 كان الفيلم رائعا 好\r\n\ta, "b"'


@pytest.fixture
def bundled(keep: Callable[..., str], tmp_path: Path) -> Callable[..., Path]:
    """`bundled(family, text)` writes the trace of a kept tiny network as a bundle."""

    def make(family: str = "lstm", text: str = TEXT, **more: Any) -> Path:
        model = api.load_model(keep(family))
        made = [Made("trace_states", {"running": True}, api.trace_states(model, text))]
        return api.reproduce_bundle(tmp_path / "bundle.zip", model, text, made, **more)

    return make


def unpacked(path: Path) -> Path:
    folder = path.parent / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def reproduce(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """`reproduce(folder)` runs the bundle's script in this process; the sentence it leaves with, or nothing."""

    def run(folder: Path, *arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["reproduce.py", *arguments])
        try:
            runpy.run_path(str(folder / "reproduce.py"), run_name="__main__")
        except SystemExit as leaving:
            assert isinstance(leaving.code, str)
            return leaving.code
        return ""

    return run


def contents(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        return {name: archive.read(name) for name in archive.namelist()}


def change_array(folder: Path, name: str, change: Callable[[np.ndarray], np.ndarray]) -> None:
    with np.load(folder / "arrays.npz") as kept:
        arrays = {key: kept[key] for key in kept.files}
    np.savez(folder / "arrays.npz", **(arrays | {name: change(arrays.get(name))}))


# The script ---------------------------------------------------------------------------------------------------------


def test_the_script_computes_the_same_arrays_again_in_a_clean_process(bundled):
    folder = unpacked(bundled(text=HOSTILE))
    environment = {name: os.environ[name] for name in ("PATH", "UNROLLED_HOME", "HF_HUB_OFFLINE")}
    environment |= {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    script = [sys.executable, str(folder / "reproduce.py")]
    done = subprocess.run(script, cwd=folder.parent, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("arrays agree to 1e-05: trace_states.\n")
    assert done.stderr == ""


def test_the_script_makes_every_call_of_every_family_again(bundled, reproduce, family):
    assert reproduce(unpacked(bundled(family))) == ""


def test_the_script_takes_the_model_from_a_folder_too(bundled, reproduce, home):
    folder = unpacked(bundled("bert"))
    (home / "tiny-bert").rename(home.parent / "elsewhere")
    assert "could not be computed anew. There is no model 'tiny-bert'" in reproduce(folder)
    assert reproduce(folder, str(home.parent / "elsewhere")) == ""


def test_the_script_notices_other_weights(bundled, reproduce, home):
    from safetensors.numpy import load_file, save_file

    folder, weights = unpacked(bundled()), home / "tiny-lstm" / "model.safetensors"
    changed = {name: values.copy() for name, values in load_file(weights).items()}
    next(iter(changed.values())).flat[0] += 1e-3
    save_file(changed, weights, metadata={"format": "pt"})
    assert reproduce(folder).startswith("The fingerprint differs: the bundle needs the model ")


def test_the_script_notices_one_changed_number_and_says_which_array_and_how_far(bundled, reproduce):
    folder = unpacked(bundled())

    def nudge(values: np.ndarray) -> np.ndarray:
        values.flat[5] += 1e-3
        return values

    change_array(folder, "trace_states.cell", nudge)
    said = reproduce(folder)
    assert said.startswith("The array trace_states.cell differs from the one in the bundle.")
    gap = re.search(r"Max absolute difference among violations: (\S+)", said)
    assert float(gap[1]) == pytest.approx(1e-3, abs=1e-5)


def test_the_script_notices_a_changed_word_and_a_missing_array(bundled, reproduce):
    folder = unpacked(bundled())
    change_array(folder, "trace_states.words", lambda words: np.where(words == "bad", "good", words))
    assert reproduce(folder).startswith("The array trace_states.words differs")
    change_array(folder, "trace_states.other", lambda _: np.zeros(1))
    assert reproduce(folder).endswith("do not hold the same arrays: trace_states.other.")


def test_the_script_is_short_enough_to_read():
    lines = (ROOT / "explorer_core" / "reproduce.py.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 40
    assert max(map(len, lines)) <= 120


# What is in it ------------------------------------------------------------------------------------------------------


def test_the_bundle_holds_the_text_its_tokens_the_arrays_and_the_settings(bundled, family):
    found = contents(bundled(family, HOSTILE, settings={"view": "gates"}))
    assert set(found) == {
        *("text.txt", "tokens.json", "arrays.npz", "trace_states.csv", "settings.json", "reproduce.py")
    }
    assert found["text.txt"].decode("utf-8") == HOSTILE
    model = api.load_model(f"tiny-{family}")
    trace = api.trace_states(model, HOSTILE)
    tokens = json.loads(found["tokens.json"])
    assert tokens["words"] == list(trace.words)
    assert tokens["tokens"] == list(trace.tokens)
    assert tokens["ids"] == trace.reading.token_ids.tolist()
    assert tokens["word_of_token"] == trace.word_of_token.tolist()
    with np.load(io.BytesIO(found["arrays.npz"]), allow_pickle=False) as arrays:
        assert set(arrays.files) == {f"trace_states.{name}" for name in trace.arrays()}
        np.testing.assert_allclose(arrays["trace_states.hidden"], trace.hidden, atol=1e-6)
    settings = json.loads(found["settings.json"])
    assert settings["model"]["fingerprint"] == model.fingerprint
    assert settings["model"]["labels"] == ["negative", "positive"]
    assert settings["calls"] == [
        {
            "name": "trace_states",
            "call": "trace_states",
            "takes": ["model", "text"],
            "arguments": {"running": True},
            "corpus": None,
        }
    ]
    assert settings["settings"] == {"view": "gates"}
    assert settings["seed"] is None
    assert {"python", "torch", "transformers", "tokenizers", "numpy", "streamlit", "unrolled"} <= set(
        settings["versions"]
    )
    assert len(pd.read_csv(io.BytesIO(found["trace_states.csv"]))) == trace.hidden.size


def test_two_results_of_one_call_have_names_of_their_own(keep, reproduce, tmp_path):
    model = api.load_model(keep("bilstm"))
    made = [
        Made("trace_states", {"running": running}, api.trace_states(model, TEXT, running=running))
        for running in (True, False)
    ]
    path = api.reproduce_bundle(tmp_path / "bundle.zip", model, TEXT, made)
    assert {"trace_states.csv", "trace_states_2.csv"} <= set(contents(path))
    assert reproduce(unpacked(path)) == ""


def test_the_same_input_gives_the_same_bytes_but_for_the_time(bundled):
    first, second = contents(bundled()), contents(bundled())
    times = [json.loads(found.pop("settings.json")).pop("created") for found in (first, second)]
    assert first == second
    assert all(time.endswith("+00:00") for time in times)


def test_the_figures_are_one_page_that_asks_the_network_for_nothing(keep, tmp_path):
    model = api.load_model(keep("lstm"))

    def page_of(text: str, name: str) -> str:
        trace = api.trace_states(model, text)
        lines = [running_verdict.VerdictLine(name, "lstm", np.full((len(trace.words), 2), 0.5))]
        figures = {
            "state_norms": state_norms.render(trace),
            name: running_verdict.render(lines, trace.words, target=1, target_label=name),
        }
        path = api.reproduce_bundle(tmp_path / "b.zip", model, text, [Made("trace_states", {}, trace)], figures=figures)
        return contents(path)["figures.html"].decode("utf-8")

    tame = page_of("not bad", "verdict")
    wild = page_of("</script><script>alert(1)</script> <img src=x onerror=alert(2)>", "</h2><script>alert(3)</script>")
    for page in (tame, wild):
        assert "default-src 'none'" in page
        assert re.search(r'"showSendToCloud":\s*false', page)
        assert not re.search(r"<(script|link|img|iframe)[^>]* (src|href)=", page[: page.index("<script>")])
        assert page.count('id="figure-') == 2
        assert page.count("What it does not show.") == 1
    for mark in ("<script", "</script", "<img"):
        assert wild.count(mark) == tame.count(mark)
    assert "alert(1)" in wild


# What is refused ----------------------------------------------------------------------------------------------------


def test_results_of_another_model_or_text_are_refused(keep, tmp_path):
    model, other = api.load_model(keep("lstm")), api.load_model(keep("lstm", name="other", seed=5))
    trace = api.trace_states(model, TEXT)
    with pytest.raises(IncompatibleError, match="other weights"):
        api.reproduce_bundle(tmp_path / "b.zip", other, TEXT, [Made("trace_states", {}, trace)])
    with pytest.raises(IncompatibleError, match="another text"):
        api.reproduce_bundle(tmp_path / "b.zip", model, "good", [Made("trace_states", {}, trace)])
    assert not list(tmp_path.glob("*.zip"))


@pytest.mark.parametrize("call", ["load_model", "no_such_call", "__builtins__", "_hidden", "Made", "np", "../x"])
def test_a_call_that_cannot_be_made_again_is_refused(keep, tmp_path, call):
    model = api.load_model(keep("lstm"))
    with pytest.raises(IncompatibleError, match="no call that can be made again"):
        api.reproduce_bundle(tmp_path / "b.zip", model, TEXT, [Made(call, {}, api.trace_states(model, TEXT))])


@pytest.mark.parametrize("value", [np.float32(1), {1, 2}, float("nan"), object()])
def test_arguments_that_json_cannot_hold_are_refused(keep, tmp_path, value):
    model = api.load_model(keep("lstm"))
    made = [Made("trace_states", {"running": value}, api.trace_states(model, TEXT))]
    with pytest.raises(InvalidInputError, match="arguments of trace_states"):
        api.reproduce_bundle(tmp_path / "b.zip", model, TEXT, made)


@pytest.mark.parametrize("name", ["bundle", "bundle.npz", "nowhere/bundle.zip"])
def test_a_place_no_zip_can_be_written_to_is_refused(keep, tmp_path, name):
    model = api.load_model(keep("lstm"))
    with pytest.raises(InvalidInputError):
        api.reproduce_bundle(tmp_path / name, model, TEXT, [Made("trace_states", {}, api.trace_states(model, TEXT))])


def test_a_bundle_that_cannot_be_written_says_why(keep, tmp_path):
    model = api.load_model(keep("lstm"))
    (tmp_path / "taken.zip").mkdir()
    with pytest.raises(InvalidInputError, match=r"'taken\.zip' could not be written"):
        api.reproduce_bundle(
            tmp_path / "taken.zip", model, TEXT, [Made("trace_states", {}, api.trace_states(model, TEXT))]
        )


def test_a_bundle_of_nothing_is_refused(keep, tmp_path):
    with pytest.raises(InvalidInputError, match="at least one"):
        api.reproduce_bundle(tmp_path / "b.zip", api.load_model(keep("lstm")), TEXT, [])


def test_an_array_of_python_objects_is_never_written():
    class Odd:
        def arrays(self) -> dict[str, np.ndarray]:
            return {"odd": np.array([{}], dtype=object)}

    with pytest.raises(TypeError, match=r"x\.odd"):
        pack_arrays({"x": Odd()})


# Tables -------------------------------------------------------------------------------------------------------------


def test_no_cell_of_text_begins_as_a_formula_and_numbers_are_untouched():
    frame = pd.DataFrame(
        {"word": ["=1+1", "+x", "-", "@a", "\tb", "\rc", "fine", "", None, "＝1"], "value": np.linspace(-1, 1, 10)}
    )
    found = pd.read_csv(io.BytesIO(safe_csv(frame)), keep_default_na=False)
    assert [cell[:1] for cell in found["word"]] == ["'", "'", "'", "'", "'", "'", "f", "", "", "'"]
    np.testing.assert_allclose(found["value"], frame["value"])
    assert found["word"][0] == "'=1+1"


def test_a_table_of_a_trace_is_safe_wherever_it_is_saved(tiny_model, tmp_path):
    trace = api.trace_states(tiny_model("lstm"), '=HYPERLINK("http://h") -5 @cmd')
    path = trace.save(tmp_path / "trace.csv")
    assert path.read_bytes() == safe_csv(trace.to_frame())
    cells = pd.read_csv(path)
    assert not cells["token"].astype(str).str.startswith(("=", "+", "-", "@")).any()
