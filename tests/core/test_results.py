"""Results keep what they promise: shapes, finite numbers, the map to words, and a way out to a table or a file."""

from __future__ import annotations

import dataclasses
import json
import tracemalloc

import numpy as np
import pandas as pd
import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.results import (
    Evaluation,
    ModelCard,
    Predictions,
    RecurrentTrace,
    TransformerTrace,
    softmax,
)
from explorer_core.text import Reading

LABELS = ("negative", "positive")
RNG = np.random.default_rng(0)


def reading() -> Reading:
    """Two words, "fine" in one piece and "plotless" in two, between special tokens."""
    return Reading(
        text="fine plotless",
        words=("fine", "plotless"),
        word_spans=np.array([[0, 4], [5, 13]]),
        tokens=("[CLS]", "fine", "plot", "less", "[SEP]"),
        pieces=("[CLS]", "fine", "plot", "##less", "[SEP]"),
        token_ids=np.array([101, 7, 8, 9, 102]),
        word_of_token=np.array([-1, 0, 1, 1, -1]),
        is_unknown=np.zeros(5, dtype=bool),
    )


def recurrent(**changes) -> RecurrentTrace:
    plain = {
        "model": "m",
        "architecture": "bilstm",
        "labels": LABELS,
        "fingerprint": "0" * 16,
        "reading": reading(),
        "logits": np.array([0.5, -0.5]),
        "hidden": RNG.normal(size=(2, 2, 5, 3)),
        "cell": RNG.normal(size=(2, 2, 5, 3)),
        "gates": RNG.random((2, 2, 5, 4, 3)),
        "gate_names": ("input", "forget", "candidate", "output"),
        "running_logits": RNG.normal(size=(5, 2)),
        "pooling": "last",
    }
    return RecurrentTrace(**(plain | changes))


def transformer(**changes) -> TransformerTrace:
    plain = {
        "model": "m",
        "architecture": "bert",
        "labels": LABELS,
        "fingerprint": "0" * 16,
        "reading": reading(),
        "logits": np.array([0.5, -0.5]),
        "hidden": RNG.normal(size=(3, 5, 4)),
        "attn_pattern": softmax(RNG.normal(size=(2, 2, 5, 5))),
        "running_logits": RNG.normal(size=(2, 2)),
    }
    return TransformerTrace(**(plain | changes))


def predictions() -> Predictions:
    logits = np.array([[2.0, 1.0], [-1.0, 3.0], [0.0, 0.0]])
    zero = np.zeros(3, dtype=np.int64)
    return Predictions("m", LABELS, ("a", 'b, "c"', "d\ne"), logits, softmax(logits), zero, zero)


def evaluation() -> Evaluation:
    return Evaluation(
        model="m",
        dataset="starter",
        labels=LABELS,
        accuracy=2 / 3,
        macro_f1=0.6,
        ece=0.1,
        confusion=np.array([[1, 0], [1, 1]]),
        predictions=predictions(),
        true=np.array([0, 1, 1]),
    )


def card() -> ModelCard:
    return ModelCard("m", "lstm", LABELS, 10, "starter", {"accuracy": 0.8}, "done", notes=("one",))


# Born checked -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["hidden", "cell", "gates", "running_logits", "logits"])
@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_that_are_none_never_leave_a_recurrent_trace(name, bad):
    values = getattr(recurrent(), name).copy()
    values.flat[-1] = bad
    with pytest.raises(InvalidInputError, match=name):
        recurrent(**{name: values})


@pytest.mark.parametrize("name", ["hidden", "attn_pattern", "running_logits", "logits"])
def test_numbers_that_are_none_never_leave_a_transformer_trace(name):
    values = getattr(transformer(), name).copy()
    values.flat[0] = np.nan
    with pytest.raises(InvalidInputError, match=name):
        transformer(**{name: values})


@pytest.mark.parametrize(
    ("name", "axis"), [("hidden", 2), ("cell", 2), ("cell", 3), ("gates", 2), ("gates", 3), ("gates", 4),
                       ("running_logits", 0), ("running_logits", 1), ("logits", 0)]
)  # fmt: skip
def test_a_recurrent_trace_of_the_wrong_shape_is_a_bug(name, axis):
    values = getattr(recurrent(), name)
    with pytest.raises(AssertionError, match=name):
        recurrent(**{name: values.take(range(values.shape[axis] - 1), axis)})


@pytest.mark.parametrize(
    ("name", "axis"), [("hidden", 1), ("attn_pattern", 2), ("attn_pattern", 3), ("running_logits", 0), ("logits", 0)]
)
def test_a_transformer_trace_of_the_wrong_shape_is_a_bug(name, axis):
    values = getattr(transformer(), name)
    with pytest.raises(AssertionError, match=name):
        transformer(**{name: values.take(range(values.shape[axis] - 1), axis)})


@pytest.mark.parametrize("result", [recurrent, transformer, predictions, evaluation, card])
def test_results_are_frozen(result):
    with pytest.raises(dataclasses.FrozenInstanceError):
        result().model = "other"


# What they say ------------------------------------------------------------------------------------------------------


def test_quantities_name_every_state_and_gate_in_order():
    trace = recurrent()
    found = trace.quantities()
    assert list(found) == ["hidden", "cell", "input", "forget", "candidate", "output"]
    for index, name in enumerate(trace.gate_names):
        assert np.array_equal(found[name], trace.gates[:, :, :, index])
    assert list(recurrent(cell=None, gates=np.zeros((2, 2, 5, 0, 3)), gate_names=()).quantities()) == ["hidden"]


def test_the_running_verdict_of_a_word_is_that_after_its_last_piece():
    trace = recurrent()
    assert np.array_equal(trace.running_logits_by_word, trace.running_logits[[1, 3]])
    assert recurrent(running_logits=None).running_logits_by_word is None
    bert = transformer()
    assert bert.running_logits_by_word is bert.running_logits


def test_a_trace_speaks_for_its_reading():
    trace = recurrent()
    assert trace.words == ("fine", "plotless")
    assert trace.tokens[3] == "less"
    assert trace.word_of_token.tolist() == [-1, 0, 1, 1, -1]
    assert trace.directions == ("forward", "backward")
    assert trace.probs == pytest.approx(softmax(trace.logits))


@pytest.mark.parametrize("logits", [[0.0, 0.0], [1000.0, -1000.0], [-1e30, 1e30]])
def test_probabilities_sum_to_one_for_any_logits(logits):
    found = softmax(np.array(logits))
    assert np.isfinite(found).all()
    assert found.sum() == pytest.approx(1.0)


def test_the_predicted_label_has_the_highest_logit():
    assert predictions().predicted == ("negative", "positive", "negative")


# Taken away ---------------------------------------------------------------------------------------------------------


def test_a_recurrent_trace_becomes_a_table_of_every_unit():
    trace = recurrent()
    frame = trace.to_frame()
    assert len(frame) == trace.hidden.size
    row = frame.query("layer == 1 and direction == 'backward' and pos == 3 and unit == 2").iloc[0]
    assert (row["token"], row["word"]) == ("less", "plotless")
    for name, values in trace.quantities().items():
        assert row[name] == values[1, 1, 3, 2]
    assert set(frame.query("pos == 0")["word"]) == {""}  # a special token has no word


def test_a_transformer_trace_becomes_a_table_of_every_unit():
    trace = transformer()
    frame = trace.to_frame()
    assert len(frame) == trace.hidden.size
    row = frame.query("layer == 2 and pos == 3 and unit == 1").iloc[0]
    assert row["token"] == "less"
    assert row["hidden"] == trace.hidden[2, 3, 1]


def test_predictions_and_an_evaluation_become_a_row_for_each_text():
    frame = predictions().to_frame()
    assert frame["predicted"].tolist() == ["negative", "positive", "negative"]
    assert frame["prob_negative"].tolist() == pytest.approx(predictions().probs[:, 0])
    assert evaluation().to_frame()["true"].tolist() == ["negative", "positive", "positive"]


def test_a_card_becomes_one_row():
    assert card().to_frame().iloc[0]["architecture"] == "lstm"


@pytest.mark.parametrize("result", [recurrent, transformer, predictions, evaluation, card])
def test_npz_brings_every_array_back_without_pickle(result, tmp_path):
    one = result()
    path = one.save(tmp_path / "result.npz")
    with np.load(path, allow_pickle=False) as loaded:
        assert set(loaded.files) == set(one.arrays())
        for name, values in one.arrays().items():
            assert np.array_equal(loaded[name], values)


def test_npz_of_a_trace_holds_the_words_and_the_map():
    found = recurrent().arrays()
    assert found["words"].tolist() == ["fine", "plotless"]
    assert found["word_of_token"].tolist() == [-1, 0, 1, 1, -1]
    assert str(found["text"]) == "fine plotless"
    assert json.loads(str(card().arrays()["metrics"])) == {"accuracy": 0.8}


@pytest.mark.parametrize("result", [recurrent, transformer, predictions, evaluation, card])
def test_csv_brings_the_table_back(result, tmp_path):
    one = result()
    loaded = pd.read_csv(one.save(tmp_path / "result.csv"), keep_default_na=False)
    frame = one.to_frame()
    assert list(loaded.columns) == list(frame.columns)
    assert len(loaded) == len(frame)
    for name in frame.select_dtypes("number"):
        np.testing.assert_allclose(loaded[name].to_numpy(float), frame[name].to_numpy(float), rtol=1e-12)
    if "text" in frame:
        assert loaded["text"].tolist() == frame["text"].tolist()


@pytest.mark.parametrize("name", ["result.pkl", "result", "result.json", "result.npz.exe"])
def test_another_ending_is_refused_and_nothing_written(name, tmp_path):
    with pytest.raises(InvalidInputError, match="npz or"):
        predictions().save(tmp_path / name)
    assert not list(tmp_path.glob("result*"))


# Long words ---------------------------------------------------------------------------------------------------------


def test_one_long_word_does_not_make_every_other_word_as_long(tiny_model):
    """NumPy gives each entry of an array of words the room of the longest: 4,000 words beside one of 50,000 characters
    would take 800 MB, and a table of every unit a hundred times that.
    """
    text = "good film " * 2000 + "x" * 50_000
    trace = api.trace_states(tiny_model("bilstm", num_layers=1, vocabulary="words"), text, running=False)
    assert len(trace.words) == 4001
    arrays = trace.arrays()
    assert arrays["words"].nbytes + arrays["tokens"].nbytes < 10 * 2**20
    assert arrays["words"][-1] == "x" * 255 + "…"
    assert str(arrays["text"]) == text


@pytest.mark.parametrize(
    "read",
    [
        lambda model, text: api.trace_states(model, text, running=False),
        lambda model, text: api.trace_memory(model, text),
        lambda model, text: api.lstm_ledger(model, text),
        lambda model, text: api.trace_halves(model, text),
        lambda model, text: api.trace_gradients(model, text),
        lambda model, text: api.trace_jacobians(model, text, spectrum=False),
        lambda model, text: api.trace_connectivity(model, text),
    ],
    ids=["states", "memory", "ledger", "halves", "gradients", "jacobians", "connectivity"],
)
def test_a_table_holds_a_long_word_once_and_whole(read, tiny_model):
    model = tiny_model("bilstm", num_layers=1, vocabulary="words")
    word = "x" * 20_000
    tracemalloc.start()
    try:
        frame = read(model, "good film " * 20 + word).to_frame()
        assert tracemalloc.get_traced_memory()[1] < 20 * 2**20
    finally:
        tracemalloc.stop()
    assert word in set(frame["word"])
