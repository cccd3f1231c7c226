"""The reproduce bundle of a comparison: its script makes all of it again, and finds every change."""

from __future__ import annotations

import runpy
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api
from explorer_core.api import Compared, Made
from explorer_core.errors import IncompatibleError, InvalidInputError

ROOT = Path(__file__).parents[2]
TEXT = '<b>x</b> =1+1 \u202eevil 😀 كان الفيلم رائعا 好\r\n\ta, "b"'


@pytest.fixture
def models(keep: Callable[..., str]) -> list[Any]:
    return [api.load_model(keep(family)) for family in ("rnn", "bert")]


def parts(models: list[Any], text: str = TEXT) -> tuple[list[list[Made]], list[Compared]]:
    """Verdicts of each and what comes of comparing them, and the edits that turn all of them."""
    runnings = [api.trace_running(model, text) for model in models]
    flips = api.find_shared_flips(models, text, budget=100)
    compared = [
        Compared("compare_running", "trace_running", {"target": 1}, api.compare_running(runnings, 1)),
        Compared("compare_verdicts", "trace_running", {"target": 0}, api.compare_verdicts(*runnings, 0), True),
        Compared("find_shared_flips", "", {"budget": 100}, flips),
    ]
    return [[Made("trace_running", {}, one)] for one in runnings], compared


def run(folder: Path, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> str:
    """What the script of a bundle leaves with; nothing where all agrees."""
    monkeypatch.setattr(sys, "argv", ["reproduce.py", *arguments])
    try:
        runpy.run_path(str(folder / "reproduce.py"), run_name="__main__")
    except SystemExit as leaving:
        return str(leaving.code)
    return ""


def test_the_script_makes_every_call_of_every_model_and_each_comparison_again(models, tmp_path, monkeypatch, home):
    path = api.reproduce_comparison(tmp_path / "bundle.zip", models, TEXT, *parts(models))
    with zipfile.ZipFile(path) as archive:
        archive.extractall(tmp_path)
    assert (tmp_path / "text.txt").read_bytes().decode("utf-8") == TEXT
    assert {one.name for one in tmp_path.glob("*.csv")} == {
        *("1.trace_running.csv", "2.trace_running.csv"),
        *("compare_running.csv", "compare_verdicts.csv", "find_shared_flips.csv"),
    }
    assert run(tmp_path, monkeypatch) == ""
    assert run(tmp_path, monkeypatch, "tiny-rnn").startswith("The bundle needs 2 models, in this order: tiny-rnn, ")
    assert run(tmp_path, monkeypatch, "tiny-bert", "tiny-rnn").startswith("The fingerprint differs: tiny-rnn was ")
    (home / "tiny-bert").rename(home.parent / "elsewhere")
    assert run(tmp_path, monkeypatch, "tiny-rnn", str(home.parent / "elsewhere")) == ""
    with np.load(tmp_path / "arrays.npz") as kept:
        arrays = {name: kept[name] for name in kept.files}
    arrays["compare_running.logits"][1, 0] += 1e-3
    np.savez(tmp_path / "arrays.npz", **arrays)
    said = run(tmp_path, monkeypatch, "tiny-rnn", str(home.parent / "elsewhere"))
    assert said.startswith("The array compare_running.logits differs from the one in the bundle.")


def test_what_cannot_be_made_again_is_refused(models, tmp_path):
    made, compared = parts(models, "not bad at all")
    path, text = tmp_path / "b.zip", "not bad at all"

    def refused(error: type[Exception], match: str, *given: Any) -> None:
        with pytest.raises(error, match=match):
            api.reproduce_comparison(path, *given)
        assert not path.exists()

    refused(InvalidInputError, "needs its models", models, text, made[:1], compared)
    refused(InvalidInputError, "needs its models", models, text, made, [])
    refused(IncompatibleError, "made with other weights", models[::-1], text, made, compared)
    refused(IncompatibleError, "made from another text", models, "good", made, compared)
    refused(IncompatibleError, "other weights than those", models[:1], text, made[:1], compared[:1])
    result = compared[0].result
    for call, of in (("load_model", ""), ("compare_running", "trace_states"), ("__builtins__", "trace_running")):
        refused(IncompatibleError, "is no call|not there", models, text, made, [Compared(call, of, {}, result)])
    odd = [Compared("compare_running", "trace_running", {"target": float("nan")}, result)]
    refused(InvalidInputError, "cannot be kept", models, text, made, odd)


def test_the_script_is_short_enough_to_read():
    lines = (ROOT / "explorer_core" / "reproduce_comparison.py.txt").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 120
