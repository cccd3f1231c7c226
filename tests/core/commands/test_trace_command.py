"""`trace`: a table word by word, or the arrays."""

from __future__ import annotations

import json
import runpy
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api
from explorer_core.commands import trace as trace_command
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


# --what -------------------------------------------------------------------------------------------------------------

WORDS = ["the", "film", "was", "good", ",", "but", "boring"]
FITS = {
    "states": ["rnn", "gru", "lstm", "bilstm", "bert"],
    "running": ["rnn", "gru", "lstm", "bilstm", "bert"],
    "halves": ["bilstm"],
    "ledger": ["lstm", "bilstm"],
    "memory": ["rnn", "gru", "lstm", "bilstm"],
    "gradients": ["rnn", "gru", "lstm", "bilstm", "bert"],
    "jacobians": ["rnn", "gru", "lstm", "bilstm"],
    "connectivity": ["rnn", "gru", "lstm", "bilstm", "bert"],
    "layers": ["bert"],
    "attention": ["bert"],
}
CASES = [(what, family) for what, families in FITS.items() for family in families]


@pytest.fixture
def corpus(tmp_path: Path) -> str:
    """A labelled corpus of 40 short texts, as a file."""
    path = tmp_path / "corpus.csv"
    nouns = ("film", "food", "room", "plot", "service")
    labels = {"positive": ("good", "great", "fine", "lovely"), "negative": ("bad", "awful", "boring", "dull")}
    rows = [f"the {noun} was {word},{label}" for noun in nouns for label, words in labels.items() for word in words]
    path.write_text("text,label\n" + "\n".join(rows) + "\n", encoding="utf-8")
    return str(path)


def traced(command: Any, *arguments: str) -> Any:
    answer = command("trace", *arguments, "--json")
    assert answer.code == 0, answer.err
    json.loads(answer.out, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    return answer.json


def test_every_kind_of_trace_is_tested_and_has_its_sentence() -> None:
    assert set(trace_command.KINDS) == {*FITS, "unit", "pattern"}
    assert all(kind.sentence and not kind.sentence.endswith(".") for kind in trace_command.KINDS.values())


@pytest.mark.parametrize(("what", "family"), CASES)
def test_every_kind_prints_the_words_as_rows(command: Any, keep: Any, what: str, family: str) -> None:
    answer = command("trace", "--what", what, "--model", keep(family), "--text", TEXT)
    assert answer.code == 0, answer.err
    first = [line.split()[0] for line in answer.out.splitlines() if line.strip()]
    at = first.index("the")
    assert first[at : at + 7] == WORDS
    found = traced(command, "--what", what, "--model", f"tiny-{family}", "--text", TEXT)
    assert found["what"] == what
    assert [row["word"] for row in found["words"] if not row.get("is_special")] == WORDS


@pytest.mark.parametrize(("what", "family"), CASES)
def test_every_kind_is_saved_and_bundled(
    command: Any, keep: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, what: str, family: str
) -> None:
    import pandas as pd

    name, arrays, table, bundle = keep(family), *(tmp_path / f"out.{ending}" for ending in ("npz", "csv", "zip"))
    begin = ("trace", "--what", what, "--model", name, "--text", TEXT)
    assert str(arrays) in command(*begin, "--out", str(arrays)).out
    answer = command(*begin, "--out", str(table), "--bundle", str(bundle))
    assert str(table) in answer.out
    assert str(bundle) in answer.out
    with np.load(arrays) as found:
        assert found.files
    assert len(pd.read_csv(table)) > 0
    with zipfile.ZipFile(bundle) as archive:
        archive.extractall(tmp_path)
    monkeypatch.setattr("sys.argv", ["reproduce.py"])
    runpy.run_path(str(tmp_path / "reproduce.py"))


def test_the_ledger_is_that_of_the_front_desk_and_sums_to_the_logit(command: Any, keep: Any) -> None:
    name = keep("bilstm")
    found = traced(command, "--what", "ledger", "--model", name, "--text", TEXT, "--target", "negative",
                   "--tanh-share", "order", "--layer", "1", "--direction", "backward")  # fmt: skip
    ledger = api.lstm_ledger(api.load_model(name), TEXT, "negative", tanh_share="order")
    assert found["target"] == "negative"
    assert sum(row["added"] for row in found["words"]) + found["bias"] == pytest.approx(found["logit"], abs=1e-5)
    assert [row["added"] for row in found["words"]] == pytest.approx(ledger.entry_scores.sum(0), abs=1e-6)
    assert [row["written"] for row in found["words"]] == pytest.approx(ledger.written_by_entry[0, 1], rel=1e-5)
    assert [row["kept_share"] for row in found["words"]] == pytest.approx(ledger.kept_share_by_entry[0, 1], abs=1e-6)


def test_the_halves_and_the_bias_sum_to_the_logit(command: Any, keep: Any) -> None:
    found = traced(command, "--what", "halves", "--model", keep("bilstm"), "--text", TEXT, "--target", "1")
    assert found["target"] == "positive"
    assert found["forward"] + found["backward"] + found["bias"] == pytest.approx(found["logit"], abs=1e-5)
    assert found["words"][-1]["forward"] == pytest.approx(found["forward"], abs=1e-5)
    assert found["words"][0]["backward"] == pytest.approx(found["backward"], abs=1e-5)


def test_memory_lists_the_units_whose_promise_and_measurement_lie_furthest_apart(command: Any, keep: Any) -> None:
    name = keep("gru")
    found = traced(command, "--what", "memory", "--model", name, "--text", TEXT, "--swap", "drop")
    memory = api.trace_memory(api.load_model(name), TEXT, swap="drop")
    gaps = [abs(row["measured"] - row["promised"]) for row in found["units"]]
    assert gaps == sorted(gaps, reverse=True)
    assert gaps[0] == pytest.approx(np.nanmax(np.abs(memory.disagreement[-1, 0])), abs=1e-6)
    assert [row["hidden_change"] for row in found["words"]] == pytest.approx(memory.top_hidden_change, abs=1e-6)


def test_memory_of_a_network_without_gates_promises_nothing(command: Any, keep: Any) -> None:
    found = traced(command, "--what", "memory", "--model", keep("rnn"), "--text", TEXT)
    assert all(row["promised"] is None and row["half_life_tokens"] is None for row in found["units"])
    assert command("trace", "--what", "memory", "--model", "tiny-rnn", "--text", TEXT).code == 0


def test_the_running_verdict_ends_with_the_verdict(command: Any, keep: Any, family: str) -> None:
    name = keep(family)
    found = traced(command, "--what", "running", "--model", name, "--text", TEXT)
    assert found["words"][-1]["running_probs"] == pytest.approx(found["probs"], abs=1e-5)
    running = api.trace_running(api.load_model(name), TEXT)
    np.testing.assert_array_equal(running.running_logits, api.running_verdict(api.load_model(name), TEXT))
    assert [row["running_probs"]["positive"] for row in found["words"]] == pytest.approx(running.running_probs[:, 1])


def test_attention_of_one_layer_lists_its_heads_and_rollout_sums_to_one(command: Any, keep: Any) -> None:
    found = traced(command, "--what", "attention", "--model", keep("bert"), "--text", TEXT, "--layer", "2")
    assert {(row["layer"], row["head"]) for row in found["heads"]} == {(2, head) for head in (1, 2, 3, 4)}
    assert sum(row["rollout"] for row in found["words"]) == pytest.approx(1.0, abs=1e-5)


def test_layers_end_with_the_verdict_of_the_model(command: Any, keep: Any) -> None:
    found = traced(command, "--what", "layers", "--model", keep("bert"), "--text", TEXT)
    assert len(found["layers"]) == 3
    assert found["layers"][-1]["probs"] == pytest.approx(found["probs"], abs=1e-5)
    assert all(len(row["to_next_layer"]) == 2 for row in found["words"])


@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_a_unit_is_described_over_a_corpus(command: Any, keep: Any, corpus: str, family: str) -> None:
    name = keep(family)
    answer = command("trace", "--what", "unit", "--model", name, "--unit", "3", "--data", corpus)
    assert answer.code == 0, answer.err
    assert "40 texts" in answer.out
    found = traced(command, "--what", "unit", "--model", name, "--unit", "3", "--data", corpus, "--layer", "1")
    index = api.index_states(
        api.load_model(name), api.DataSpec("local_file", {"path": corpus}), layer=1 if family == "bert" else 0
    )
    card = api.unit_card(index, 3)
    assert found["mean"] == pytest.approx(float(card.mean))
    assert [row["word"] for row in found["top_words"]] == list(card.top_words.words)


def test_a_pattern_finds_its_own_text_among_the_best(command: Any, keep: Any, corpus: str, tmp_path: Path) -> None:
    name, bundle = keep("lstm"), tmp_path / "pattern.zip"
    arguments = ("--what", "pattern", "--model", name, "--text", "the food was awful", "--span", "3:4",
                 "--threshold", "0.05", "--data", corpus)  # fmt: skip
    found = traced(command, *arguments)
    assert found["words"] == ["was", "awful"]
    values = [match["value"] for match in found["matches"]]
    assert values == sorted(values, reverse=True)
    best = {match["inside"] for match in found["matches"] if match["value"] == pytest.approx(1.0)}
    assert "was awful" in best
    assert "Best places in 40 texts" in command("trace", *arguments).out
    assert command("trace", *arguments, "--bundle", str(bundle)).code == 0
    settings = json.loads(zipfile.ZipFile(bundle).read("settings.json"))
    assert settings["calls"][0]["corpus"]["data"]["source"] == "local_file"


@pytest.mark.parametrize(
    ("what", "family", "said"),
    [
        ("ledger", "gru", "cell"),
        ("halves", "lstm", "direction"),
        ("memory", "bert", "no memory"),
        ("layers", "lstm", "BERT"),
        ("attention", "gru", "BERT"),
    ],
)
def test_what_a_family_does_not_have_is_refused(refused: Any, keep: Any, what: str, family: str, said: str) -> None:
    assert said in refused("trace", "--what", what, "--model", keep(family), "--text", TEXT)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--what", "halves", "--layer", "1"], "--layer does not go with --what halves, which takes --target"),
        (["--what", "running", "--no-running"], "--no-running does not go with --what running"),
        (["--what", "states", "--unit", "3"], "--unit does not go with --what states"),
        (["--what", "ledger", "--swap", "drop"], "--swap does not go with --what ledger"),
        (["--what", "memory", "--data", "starter"], "--data does not go with --what memory"),
        (["--what", "unit"], "needs --unit"),
        (["--what", "pattern", "--span", "1:2"], "needs --threshold"),
        (["--what", "pattern", "--span", "2:1", "--threshold", "0.1"], "The span is '2:1'"),
        (["--what", "pattern", "--span", "0:1", "--threshold", "0.1"], "The span is '0:1'"),
        (["--what", "pattern", "--span", "x", "--threshold", "0.1"], "The span is 'x'"),
        (["--what", "ledger", "--layer", "3"], "no layer 3; layers run from 1 to 2"),
        (["--what", "ledger", "--layer", "0"], "no layer 0"),
        (["--what", "ledger", "--direction", "backward"], "no direction 'backward'"),
        (["--what", "ledger", "--direction", "up"], "no direction 'up'"),
        (["--what", "ledger", "--target", "neutral"], "neutral"),
        (["--what", "memory", "--target", "neutral"], "neutral"),
        (["--what", "memory", "--target", "7"], "7"),
        (["--what", "ledger", "--tanh-share", "half"], "half"),
        (["--what", "memory", "--swap", "cut"], "cut"),
        (["--what", "sums"], "--help"),
        (["--bundle", "x.npz"], ".zip"),
        (["--bundle", "nowhere/x.zip"], "does not exist"),
    ],
)
def test_options_that_do_not_go_together_are_refused_in_words(
    refused: Any, keep: Any, arguments: list[str], said: str
) -> None:
    assert said in refused("trace", "--model", keep("lstm"), "--text", TEXT, *arguments)


def test_a_bundle_of_a_unit_needs_a_text(refused: Any, keep: Any) -> None:
    arguments = ("trace", "--model", keep("lstm"), "--what", "unit", "--unit", "1", "--bundle", "x.zip")
    assert "with --bundle needs --text" in refused(*arguments)
