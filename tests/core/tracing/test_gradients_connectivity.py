"""Connectivity: every prefix's gradient by every word, whichever way it is computed."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import CancelledError, InvalidInputError
from explorer_core.tracing import connectivity
from tests.core import autograd_oracle, random_networks
from tests.core.tracing.test_gradients_backward import relative

TEXT = "The plot isn't good, but I loved the unbelievable acting"
POOLINGS = ("last", "mean", "max")


def by_prefix(model, reading, target: int, n_closing: int = 0) -> np.ndarray:
    """Strength [prefix, word], one prefix at a time over the hand-unrolled cell."""
    with torch.no_grad():
        vectors = model.module.get_input_embeddings()(torch.from_numpy(reading.token_ids))
    found = np.zeros((len(reading.words),) * 2)
    for prefix, last in enumerate(reading.last_token_of_word):
        read = torch.cat([vectors[: last + 1], vectors[len(vectors) - n_closing :]])
        grads = autograd_oracle.gradients(model.module, read, lambda logits: logits[target]).vectors
        for pos, grad in enumerate(grads[: last + 1]):
            found[prefix, reading.word_of_token[pos]] += grad @ grad
    return np.sqrt(found)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_connectivity_is_the_gradient_of_every_prefix_by_itself(recurrent_family, pooling, dtype, tiny_model):
    model = tiny_model(recurrent_family, pooling=pooling, dtype=dtype)
    found = api.trace_connectivity(model, TEXT, 1)
    wanted = by_prefix(model, found.reading, 1)
    assert relative(found.strength[..., None], wanted[..., None]) <= (1e-4 if dtype == "float32" else 1e-5)
    assert found.strength.shape == (len(found.words),) * 2
    assert (np.diag(found.strength) > 0).all() or pooling == "max"


def test_a_berts_connectivity_is_the_gradient_of_every_prefix_by_itself(tiny_model):
    model = tiny_model("bert", dtype="float64")
    found = api.trace_connectivity(model, TEXT, 1)
    text_ends = found.reading.word_spans[:, 1]
    for prefix, end in enumerate(text_ends):
        alone = api.trace_gradients(model, TEXT[:end], 1)
        np.testing.assert_allclose(
            found.strength[prefix, : prefix + 1], alone.embedding_norm_by_word, rtol=1e-9, atol=1e-12
        )


@pytest.mark.parametrize("family", ["rnn", "lstm", "bilstm"])
@pytest.mark.parametrize("pooling", POOLINGS)
def test_prefixes_are_closed_by_the_tokens_that_close_the_text(family, pooling, tiny_model):
    model = tiny_model(family, pooling=pooling, vocabulary="words", end_token=True, dtype="float64")
    found = api.trace_connectivity(model, "the plot was not good", 0)
    assert found.reading.word_of_token[-1] == -1
    assert relative(found.strength[..., None], by_prefix(model, found.reading, 0, 1)[..., None]) <= 1e-9


@pytest.mark.parametrize("number", [number for number in range(60) if number % 4 != 3])
def test_one_walk_back_gives_what_reading_every_prefix_anew_gives(number, tiny_model):
    case = random_networks.draw(number, torch.float64)
    if case.module.config.bidirectional:
        case = dataclasses.replace(case, module=random_networks.build("gru", dtype=torch.float64, pooling="max"))
        case = dataclasses.replace(case, vectors=torch.randn(1, 12, 6, dtype=torch.float64), lengths=torch.tensor([12]))
    vectors = case.text(0)
    model = tiny_model("rnn", vocabulary="words")
    reading = api.trace_gradients(model, "the " * len(vectors)).reading
    model = dataclasses.replace(model, module=case.module)
    walked = connectivity.walk_all(case.module, vectors, reading, 1, None)
    reread = connectivity.reread_all(model, vectors, reading, 1, None)
    assert relative(walked[..., None], reread[..., None]) <= 1e-9


def test_a_maximum_that_comes_again_is_shared_among_the_positions_of_each_prefix(tiny_model):
    model = tiny_model("gru", num_layers=1, pooling="max", vocabulary="words", dtype="float64")
    with torch.no_grad():
        for name, weight in model.module.named_parameters():
            weight.copy_((weight * 8).round() / 8)  # sums without rounding, so that equal words make equal states
            if name.startswith(("rnn.weight_hh", "rnn.bias_ih")):
                weight.zero_()
        model.module.rnn.bias_ih_l0[16:32] = -800.0  # the update gate is shut: no memory
    found = api.trace_connectivity(model, "good bad good good bad awful good", 1)
    assert relative(found.strength[..., None], by_prefix(model, found.reading, 1)[..., None]) <= 1e-9


def test_the_last_row_is_the_gradient_of_the_whole_text(family, tiny_model):
    model = tiny_model(family)
    found, whole = api.trace_connectivity(model, TEXT), api.trace_gradients(model, TEXT)
    assert found.target == whole.target
    np.testing.assert_allclose(found.strength[-1], whole.embedding_norm_by_word, rtol=1e-4)


def test_no_verdict_rests_on_a_word_after_it(family, tiny_model):
    found = api.trace_connectivity(tiny_model(family), TEXT)
    assert not np.triu(found.strength, 1).any()
    with pytest.raises(AssertionError, match="after it"):
        dataclasses.replace(found, strength=np.ones_like(found.strength))


def test_one_word_has_a_map_of_one_cell(family, tiny_model):
    found = api.trace_connectivity(tiny_model(family), "good")
    assert found.strength.shape == (1, 1)
    assert found.strength[0, 0] > 0


def test_progress_rises_to_one_and_can_cancel(family, tiny_model):
    shares: list[float] = []
    model = tiny_model(family)
    api.trace_connectivity(model, TEXT, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0

    def cancel(_: float) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        api.trace_connectivity(model, TEXT, progress=cancel)


@pytest.mark.parametrize("family", ["bilstm", "bert"])
def test_batches_of_prefixes_of_any_size_give_the_same_map(family, tiny_model, monkeypatch):
    model = tiny_model(family, dtype="float64")
    expected = api.trace_connectivity(model, TEXT).strength
    monkeypatch.setattr(connectivity, "_TOKENS_OF_KIND", {"recurrent": 1, "transformer": 40})
    np.testing.assert_allclose(api.trace_connectivity(model, TEXT).strength, expected, rtol=1e-9, atol=1e-14)


def test_a_target_that_does_not_exist_is_refused_before_anything_is_read(family, tiny_model):
    with pytest.raises(InvalidInputError, match="no class 'neutral'"):
        api.trace_connectivity(tiny_model(family), TEXT, "neutral")


def test_a_map_can_be_taken_away(tiny_model, tmp_path):
    found = api.trace_connectivity(tiny_model("lstm"), TEXT)
    frame = found.to_frame()
    n_words = len(found.words)
    assert len(frame) == n_words * (n_words + 1) // 2
    assert frame.iloc[-1]["strength"] == found.strength[-1, -1]
    assert found.target_label in ("negative", "positive")
    with np.load(found.save(tmp_path / "map.npz")) as saved:
        np.testing.assert_array_equal(saved["strength"], found.strength)
