"""`models`: the list, one card, and names that are not there."""

from __future__ import annotations

from typing import Any

import pytest


def test_without_models_the_next_step_is_named(command: Any) -> None:
    answer = command("models")
    assert answer.code == 0
    assert "train --starter" in answer.out
    assert command("models", "--json").json == {"models": []}


def test_the_list_has_one_line_for_every_model(command: Any, keep: Any) -> None:
    keep("lstm", name="first")
    keep("gru", name="second")
    lines = command("models").out.splitlines()
    assert len(lines) == 2 + 2
    assert {line.split()[0] for line in lines[2:]} == {"first", "second"}
    assert "50.0 %" in lines[2]


def test_a_card_is_the_same_in_the_list_and_alone(command: Any, keep: Any) -> None:
    keep("lstm", name="mine")
    (listed,) = command("models", "list", "--json").json["models"]
    assert command("models", "show", "mine", "--json").json == {"model": listed}
    assert listed["architecture"] == "lstm"
    assert listed["labels"] == ["negative", "positive"]
    assert listed["metrics"] == {"accuracy": 0.5, "loss_nats": 0.6931}


def test_a_card_in_text_shows_labels_metrics_and_notes(command: Any, keep: Any) -> None:
    shown = command("models", "show", keep("rnn", name="mine")).out
    for part in ("mine", "rnn", "negative, positive", "0.693", "Its weights are random.", "2026-01-02"):
        assert part in shown


@pytest.mark.parametrize("name", ["nope", "../../etc", "<script>", "x" * 5_000, "", "\x1b[2J"])
def test_an_unknown_model_is_refused_in_one_sentence(refused: Any, keep: Any, name: str) -> None:
    keep("lstm", name="mine")
    sentence = refused("models", "show", name)
    assert len(sentence) < 300
    assert "\x1b" not in sentence


def test_show_asks_which_model_and_list_takes_none(refused: Any) -> None:
    assert "Which model" in refused("models", "show")
    assert "models show mine" in refused("models", "list", "mine")
