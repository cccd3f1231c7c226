"""`lab`: what the front desk finds, as text, as JSON and as files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api
from explorer_core.results import finding_of

SMALL = ("--lags", "2,4", "--gate-biases", "0,2", "--units", "4", "--steps", "12", "--seeds", "2", "--batch-size", "8")
SPEC = api.LabSpec(lags=(2, 4), gate_biases=(0.0, 2.0), n_units=4, steps=12, n_seeds=2, batch_size=8)


def test_json_holds_the_numbers_of_the_front_desk(command: Any) -> None:
    answer = command("lab", *SMALL, "--json")
    assert answer.code == 0, answer.err
    found, expected = answer.json, api.run_lab(SPEC)
    assert api.LabSpec.from_json(json.dumps(found["spec"])) == SPEC
    assert len(found["settings"]) == len(expected.settings)
    for row, entry in enumerate(found["settings"]):
        assert entry["learned_lag"] == expected.learned_lag(row)
        for place, one in enumerate(entry["lags"]):
            assert one["accuracy_by_seed"] == pytest.approx(expected.final_accuracy[row, place])
            assert one["accuracy"] == pytest.approx(np.median(expected.final_accuracy[row, place]))
            assert one["grad_share_untrained"] == pytest.approx(np.median(expected.grad_share[row, place, :, 0]))
            assert one["grad_share_trained"] == pytest.approx(np.median(expected.grad_share[row, place, :, 1]))
    assert found["finding"] == list(finding_of(expected))


def test_three_tables_and_the_finding_are_printed(command: Any) -> None:
    lines = command("lab", *SMALL).out.splitlines()
    assert sum(line.startswith("LSTM, forget bias 2, orthogonal") for line in lines) == 3
    assert sum(line.startswith("start") and line.endswith("lag 4") for line in lines) == 3
    assert any(line.startswith("After 12 steps the task is learned") for line in lines)


def test_results_are_saved_and_their_settings_read_again(command: Any, tmp_path: Path) -> None:
    arrays, table, settings = (tmp_path / name for name in ("lab.npz", "lab.csv", "lab.json"))
    assert str(arrays) in command("lab", *SMALL, "--out", str(arrays)).out
    with np.load(arrays) as found:
        first = found["loss"]
        settings.write_text(str(found["spec"]))
    assert command("lab", "--spec", str(settings), "--out", str(table)).code == 0
    assert command("lab", "--spec", str(settings), "--out", str(arrays)).code == 0
    with np.load(arrays) as found:
        np.testing.assert_array_equal(found["loss"], first)
    assert table.read_text().startswith("family,gate_bias,orthogonal,lag,seed,step")


def test_a_price_trains_nothing(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "run_lab", lambda *_, **__: pytest.fail("it trained"))
    answer = command("lab", "--price")
    assert answer.code == 0
    assert answer.out.strip() == api.price_lab(api.LabSpec()).sentence
    assert command("lab", "--price", "--json").json["price"]["n_networks"] == api.LabSpec().n_networks


def test_a_task_comes_with_what_is_suggested_for_it_and_flags_change_that(command: Any) -> None:
    plain = command("lab", "--task", "adding", "--price", "--json").json["spec"]
    assert plain == api.LabSpec.suggested("adding").to_plain()
    given = ("--task", "adding", "--steps", "30", "--families", "rnn, lstm", "--no-orthogonal", "--gate-biases=-1,0.5")
    changed = command("lab", *given, "--price", "--json").json["spec"]
    assert (changed["steps"], changed["families"], changed["orthogonal"]) == (30, ["rnn", "lstm"], False)
    assert changed["gate_biases"] == [-1.0, 0.5]
    assert changed["learning_rate"] == plain["learning_rate"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--task", "echo"], "first_token, copy, adding"),
        (["--lags", "5,x"], "--lags is '5,x'"),
        (["--lags", "500"], "whole numbers from 1 to 200"),
        (["--families", "rnn,bert"], "of rnn, gru, lstm"),
        (["--gate-biases", "9"], "numbers from -2 to 6"),
        (["--steps", "0"], "1 to 2000"),
        (["--steps", "many"], "--help"),
        (["--units", "1000"], "2 to 64"),
        (["--lags", "199,200", "--units", "64", "--steps", "2000", "--seeds", "8"], "at most 20 are allowed"),
        (["--out", "lab.txt"], ".npz"),
        (["--out", "nowhere/lab.npz"], "does not exist"),
        (["--spec", "nowhere.json"], "There is no file"),
    ],
)
def test_settings_that_are_not_allowed_are_refused_in_words(refused: Any, arguments: list[str], said: str) -> None:
    assert said in refused("lab", *arguments)


def test_settings_that_are_no_json_are_refused_in_words(refused: Any, tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_bytes(b"\xff\x00{")
    assert "not valid JSON" in refused("lab", "--spec", str(path))
