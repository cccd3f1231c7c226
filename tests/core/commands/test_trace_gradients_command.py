"""`trace --what gradients`, `jacobians` and `connectivity`: the numbers of the front desk, and refusals in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api

TEXT = "the film was good, but boring"


def traced(command: Any, what: str, *arguments: str) -> Any:
    answer = command("trace", "--what", what, "--text", TEXT, *arguments, "--json")
    assert answer.code == 0, answer.err
    return answer.json


def column(found: Any, name: str) -> list[float]:
    return [row[name] for row in found["words"]]


def test_gradients_are_those_of_the_front_desk(command: Any, keep: Any, family: str) -> None:
    name = keep(family)
    found = traced(command, "gradients", "--model", name, "--target", "negative", "--layer", "1")
    expected = api.trace_gradients(api.load_model(name), TEXT, "negative")
    assert (found["of"], found["target"], found["layer"]) == ("logit", "negative", 1)
    assert found["value"] == pytest.approx(expected.value)
    assert column(found, "grad_word") == pytest.approx(expected.embedding_norm_by_word, rel=1e-6)
    hidden = expected.hidden_norm[0, 0] if expected.is_recurrent else expected.hidden_norm[1]
    assert column(found, "grad_hidden") == pytest.approx(hidden[expected.pos_of_words()], rel=1e-6)
    assert ("grad_cell" in found["words"][0]) == (expected.grad_cell is not None)
    gates = {each for each in found["words"][0] if each.removeprefix("grad_") in expected.gate_names}
    assert gates == {f"grad_{gate}" for gate in expected.gate_names}


def test_the_loss_is_differentiated_with_its_label(command: Any, keep: Any) -> None:
    name = keep("bilstm")
    flags = ("--of", "loss", "--label", "1", "--layer", "2", "--direction", "backward")
    found = traced(command, "gradients", "--model", name, *flags)
    expected = api.trace_gradients(api.load_model(name), TEXT, of="loss", label=1)
    assert (found["of"], found["direction"]) == ("loss", "backward")
    assert found["value"] == pytest.approx(-np.log(found["probs"]["positive"]), rel=1e-4)
    norms = expected.hidden_norm[1, 1][expected.pos_of_words(1)]
    assert column(found, "grad_hidden") == pytest.approx(norms, rel=1e-6)
    assert (
        "loss with the label positive"
        in command("trace", "--what", "gradients", "--model", name, "--text", TEXT, *flags).out
    )


def test_jacobians_are_those_of_the_front_desk(command: Any, keep: Any, recurrent_family: str) -> None:
    name = keep(recurrent_family)
    found = traced(command, "jacobians", "--model", name, "--norm", "frobenius", "--layer", "1")
    expected = api.trace_jacobians(api.load_model(name), TEXT, layer=0, norm="frobenius")
    assert found["half_distance_words"] == expected.half_distance
    for quantity, values in expected.quantities().items():
        assert column(found, quantity) == pytest.approx(values[expected.pos_of_words], rel=1e-5), quantity


def test_the_spectrum_is_left_out_when_not_wanted(command: Any, keep: Any) -> None:
    found = traced(command, "jacobians", "--model", keep("gru"), "--no-spectrum")
    assert "spectral_radius" not in found["words"][0]
    assert "hidden_norm" in found["words"][0]


def test_connectivity_holds_a_row_for_every_place_to_stop(command: Any, keep: Any, family: str) -> None:
    name = keep(family)
    found = traced(command, "connectivity", "--model", name, "--target", "positive")
    expected = api.trace_connectivity(api.load_model(name), TEXT, "positive").strength
    assert [len(row) for row in column(found, "strength")] == list(range(1, len(expected) + 1))
    for stop, row in enumerate(column(found, "strength")):
        assert row == pytest.approx(expected[stop, : stop + 1], rel=1e-5)


def test_a_line_of_connectivity_names_the_word_it_rests_on_most(command: Any, keep: Any) -> None:
    name = keep("lstm")
    strength = api.trace_connectivity(api.load_model(name), TEXT).strength
    words = ["the", "film", "was", "good", ",", "but", "boring"]
    lines = command("trace", "--what", "connectivity", "--model", name, "--text", TEXT).out.splitlines()
    last = next(line for line in reversed(lines) if line.startswith("boring"))
    assert last.split()[3] == words[int(strength[-1].argmax())]


def test_arrays_are_saved_whole(command: Any, keep: Any, tmp_path: Path) -> None:
    name, path = keep("lstm"), tmp_path / "gradients.npz"
    arguments = ("trace", "--what", "gradients", "--model", name, "--text", TEXT, "--out", str(path))
    assert command(*arguments).code == 0
    expected = api.trace_gradients(api.load_model(name), TEXT)
    with np.load(path) as arrays:
        np.testing.assert_array_equal(arrays["grad_cell"], expected.grad_cell)
        np.testing.assert_array_equal(arrays["grad_gates"], expected.grad_gates)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--what", "gradients", "--of", "loss"], "needs the right label"),
        (["--what", "gradients", "--label", "positive"], "label"),
        (["--what", "gradients", "--of", "verdict"], "verdict"),
        (["--what", "gradients", "--of", "loss", "--label", "neutral"], "neutral"),
        (["--what", "gradients", "--target", "9"], "9"),
        (["--what", "gradients", "--layer", "3"], "no layer 3; layers run from 1 to 2"),
        (["--what", "gradients", "--direction", "backward"], "no direction 'backward'"),
        (["--what", "gradients", "--norm", "spectral"], "--norm does not go with --what gradients"),
        (["--what", "jacobians", "--norm", "largest"], "largest"),
        (["--what", "jacobians", "--layer", "0"], "no layer 0"),
        (["--what", "jacobians", "--direction", "backward"], "direction"),
        (["--what", "jacobians", "--of", "loss"], "--of does not go with --what jacobians"),
        (["--what", "connectivity", "--layer", "1"], "--layer does not go with --what connectivity"),
        (["--what", "connectivity", "--target", "neutral"], "neutral"),
        (["--what", "states", "--no-spectrum"], "--no-spectrum does not go with --what states"),
    ],
)
def test_options_that_do_not_go_together_are_refused_in_words(
    refused: Any, keep: Any, arguments: list[str], said: str
) -> None:
    assert said in refused("trace", "--model", keep("lstm"), "--text", TEXT, *arguments)


def test_jacobians_of_a_bert_are_refused(refused: Any, keep: Any) -> None:
    refused("trace", "--what", "jacobians", "--model", keep("bert"), "--text", TEXT)


def test_a_gradient_needs_a_text(refused: Any, keep: Any) -> None:
    assert "needs --text" in refused("trace", "--what", "connectivity", "--model", keep("rnn"))
