"""`trace`: a table word by word, or the arrays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api
from explorer_core.results import RecurrentTrace

TEXT = "the film was good, but boring"


def test_every_word_has_its_line_and_the_last_line_is_the_verdict(command: Any, keep: Any, family: str) -> None:
    answer = command("trace", "--model", keep(family), "--text", TEXT)
    assert answer.code == 0
    lines = answer.out.splitlines()
    words = [line.split()[0] for line in lines[2:-1]]
    assert words == ["the", "film", "was", "good", ",", "but", "boring"]
    assert lines[-1].startswith("Verdict of ")


def test_numbers_equal_those_of_the_front_desk(command: Any, keep: Any, family: str) -> None:
    name = keep(family)
    found = command("trace", "--model", name, "--text", TEXT, "--json").json
    trace = api.trace_states(api.load_model(name), TEXT)
    last = trace.reading.last_token_of_word
    top = trace.hidden[-1]
    if isinstance(trace, RecurrentTrace):
        norms = [float(np.sqrt((top[:, pos] ** 2).sum())) for pos in last]
        gates = {name for name in found["words"][0] if name.startswith("mean_")}
        assert gates == {f"mean_{name}" for name in trace.gate_names}
        assert ("cell_norm" in found["words"][0]) == (trace.cell is not None)
    else:
        norms = [float(np.linalg.norm(top[pos])) for pos in last]
    assert [entry["hidden_norm"] for entry in found["words"]] == pytest.approx(norms, rel=1e-5)
    assert found["words"][-1]["running_probs"] == pytest.approx(found["probs"], abs=1e-5)


def test_the_running_verdict_is_left_out_when_not_wanted(command: Any, keep: Any) -> None:
    answer = command("trace", "--model", keep("bilstm"), "--text", TEXT, "--no-running", "--json")
    assert all("running_probs" not in entry for entry in answer.json["words"])


def test_the_arrays_are_saved_whole(command: Any, keep: Any, tmp_path: Path) -> None:
    name, path = keep("lstm"), tmp_path / "trace.npz"
    answer = command("trace", "--model", name, "--text", TEXT, "--out", str(path))
    assert str(path) in answer.out
    trace = api.trace_states(api.load_model(name), TEXT)
    with np.load(path) as arrays:
        np.testing.assert_allclose(arrays["hidden"], trace.hidden, atol=1e-6)
        assert arrays["words"].tolist() == list(trace.words)


def test_the_table_is_saved_with_a_row_for_each_unit(command: Any, keep: Any, tmp_path: Path) -> None:
    import pandas as pd

    path = tmp_path / "trace.csv"
    assert command("trace", "--model", keep("gru"), "--text", "a good film", "--out", str(path)).code == 0
    assert len(pd.read_csv(path)) == 2 * 1 * 3 * 16  # layers, directions, positions, units


def test_what_was_not_read_is_said(command: Any, keep: Any) -> None:
    answer = command("trace", "--model", keep("lstm", max_tokens=3), "--text", TEXT)
    assert "were not" in answer.out


@pytest.mark.parametrize("text", ["", " \n\t", "x" * 200_000])
def test_a_text_that_cannot_be_read_is_refused(refused: Any, keep: Any, text: str) -> None:
    refused("trace", "--model", keep("lstm"), "--text", text)
