"""Jacobians of the state: against autograd over a hand-unrolled cell, and what the gates promise."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError
from explorer_core.tracing import _kernel, _spectral, jacobians
from explorer_core.tracing._factors import factors_of
from tests.core import autograd_oracle, random_networks
from tests.core.tracing.test_gradients_backward import relative

TEXT = "The plot isn't good, but I loved the acting wonderful"
N_OF = {"spectral": 2, "frobenius": "fro"}


def oracle_jacobians(module, vectors, layer: int, direction: int) -> tuple[list, list, list]:
    """d h_T / d h_t, d h_T / d c_t and the Jacobian of each single step, by autograd over a cell whose input is fixed,
    so that no path leads through another layer or direction.
    """
    found = autograd_oracle.unroll(module, vectors)
    inputs = found.vectors
    if layer:
        inputs = [torch.cat(each) for each in zip(*found.hidden[layer - 1], strict=True)]
    inputs = [each.detach() for each in inputs]
    weights = [each.double() for each in _kernel.weights_of(module.rnn, layer, direction)]
    n_pos, has_cell = len(inputs), module.rnn.mode == "LSTM"
    step = autograd_oracle.STEPS[module.rnn.mode]
    order = list(reversed(range(n_pos)) if direction else range(n_pos))
    h = c = torch.zeros(module.config.hidden_size, dtype=torch.float64)
    hidden, cell, singles = {}, {}, [np.zeros(0)] * n_pos
    for pos in order:
        # a step by itself: in the graph of the whole text, h depends on the c of its own step
        before = [each.detach().requires_grad_() for each in (h, c)]
        after = step(inputs[pos], *before, *weights)[:2]
        singles[pos] = np.block([[rows(one, other) for other in before] for one in after])
        if not has_cell:
            singles[pos] = singles[pos][: len(h), : len(h)]
        h, c, _ = step(inputs[pos], h.requires_grad_() if pos == order[0] else h, c, *weights)
        hidden[pos], cell[pos] = h, c
    end = order[-1]
    by_hidden = [rows(hidden[end], hidden[pos]) for pos in range(n_pos)]
    by_cell = [rows(hidden[end], cell[pos]) for pos in range(n_pos)] if has_cell else []
    return by_hidden, by_cell, singles


def rows(of: torch.Tensor, by: torch.Tensor) -> np.ndarray:
    found = [torch.autograd.grad(unit, by, retain_graph=True, allow_unused=True)[0] for unit in of]
    return np.stack([np.zeros(len(by)) if each is None else each.numpy() for each in found])


@pytest.mark.parametrize("number", range(40))
def test_norms_and_spectra_are_those_of_autograd_over_a_hand_unrolled_cell(number):
    for dtype, limit in ((torch.float64, 1e-5), (torch.float32, 1e-4)):
        case = random_networks.draw(number, dtype)
        module, vectors = case.module, case.text(0)[:8]
        layer, direction = module.rnn.num_layers - 1, int(module.rnn.bidirectional)
        by_hidden, by_cell, singles = oracle_jacobians(module, vectors, layer, direction)
        with torch.inference_mode():
            traced = _kernel.trace_batch(module, vectors[None])
            factors = factors_of(module, traced, vectors[None], None, layer=layer, direction=direction)
            for norm, order in N_OF.items():
                hidden_norm, cell_norm = jacobians.product_norms(factors, direction, norm)
                wanted = np.array([np.linalg.norm(each, order) for each in by_hidden])
                assert relative(hidden_norm[:, None], wanted[:, None]) <= limit
                assert (cell_norm is None) == (not by_cell)
                if by_cell:
                    wanted = np.array([np.linalg.norm(each, order) for each in by_cell])
                    assert relative(cell_norm[:, None], wanted[:, None]) <= limit
            for pos, single in enumerate(singles):
                assert relative(jacobians.one_step(factors, pos).flatten(), single.ravel()) <= limit


def test_spectra_and_gradients_stand_beside_the_norms(recurrent_family, tiny_model):
    model = tiny_model(recurrent_family, dtype="float64")
    found, whole = api.trace_jacobians(model, TEXT, target=1), api.trace_gradients(model, TEXT, 1)
    with torch.no_grad():
        vectors = model.module.get_input_embeddings()(torch.from_numpy(found.reading.token_ids))
    _, _, singles = oracle_jacobians(model.module, vectors, 1, 0)
    for pos, single in enumerate(singles):
        wanted = np.linalg.svd(single, compute_uv=False)
        np.testing.assert_allclose(found.singular_values[pos], wanted, rtol=0, atol=1e-12)
        assert found.spectral_radius[pos] == pytest.approx(np.abs(np.linalg.eigvals(single)).max(), rel=1e-9)
    of_state = whole.hidden_norm if whole.cell_norm is None else whole.cell_norm
    np.testing.assert_allclose(found.grad_norm, of_state[1, 0], rtol=1e-12)
    assert (found.layer, found.direction, found.end) == (1, 0, len(found.tokens) - 1)
    assert found.hidden_norm[found.end] == pytest.approx(1.0)


def test_the_promise_is_the_product_of_the_gates_after_each_word(tiny_model):
    for family, gate in (("lstm", 1), ("gru", 1), ("bilstm", 1)):
        model = tiny_model(family, num_layers=1)
        traced = api.trace_states(model, TEXT, running=False)
        for direction in range(len(traced.directions)):
            found = api.trace_jacobians(model, TEXT, direction=direction, spectrum=False)
            keep = traced.gates[0, direction, :, gate].astype(np.float64)
            for pos in range(len(keep)):
                after = keep[:pos] if direction else keep[pos + 1 :]
                assert found.kept_mean[pos] == pytest.approx(after.prod(0).mean(), rel=1e-6)
                assert found.kept_max[pos] == pytest.approx(after.prod(0).max(), rel=1e-6)
            assert found.kept_mean[found.end] == found.kept_max[found.end] == 1.0
    found = api.trace_jacobians(tiny_model("rnn"), TEXT, spectrum=False)
    assert found.kept_mean is None and found.cell_norm is None and found.spectral_radius is None
    assert "kept_mean" not in found.half_distance


def test_an_lstm_that_only_keeps_holds_its_promise(tiny_model):
    """With gates that do not depend on the state, |dh_T/dc_t| is the largest of o (1 - tanh(c_T)^2) times the product
    of the forget gates.
    """
    model = tiny_model("lstm", num_layers=1, dtype="float64")
    with torch.no_grad():
        model.module.rnn.weight_hh_l0.zero_()
    found, traced = api.trace_jacobians(model, TEXT), api.trace_states(model, TEXT, running=False)
    gates, cell = traced.gates[0, 0], traced.cell[0, 0]
    shown = gates[-1, 3] * (1 - np.tanh(cell[-1]) ** 2)
    for pos in range(len(cell)):
        wanted = (shown * gates[pos + 1 :, 1].prod(0)).max()
        assert found.cell_norm[pos] == pytest.approx(wanted, rel=1e-9)
        assert found.hidden_norm[pos] == (pytest.approx(1.0) if pos == len(cell) - 1 else 0.0)


def test_half_distance_counts_words_back_from_the_one_read_last(tiny_model):
    found = api.trace_jacobians(tiny_model("bilstm", vocabulary="words"), "the plot was not good", spectrum=False)
    line = np.array([0.1, 0.2, 0.7, 0.9, 1.0])
    forward = dataclasses.replace(found, hidden_norm=line, cell_norm=np.ones(5))
    assert forward.half_distance["hidden_norm"] == 3
    assert forward.half_distance["cell_norm"] is None
    backward = dataclasses.replace(found, direction=1, hidden_norm=line[::-1].copy())
    assert backward.half_distance["hidden_norm"] == 3
    assert backward.end == 0


@pytest.mark.parametrize("gain", [1e-3, 1e3])
def test_norms_beyond_float32_are_exact(gain):
    """Forty steps of an RNN whose recurrent weights are a multiple of the identity: |dh_T/dh_t| is known."""
    module = random_networks.build("rnn", hidden_size=5)
    with torch.no_grad():
        for weight in _kernel.weights_of(module.rnn, 0, 0):
            weight.zero_()
        module.rnn.weight_hh_l0.copy_(torch.eye(5) * gain)
    vectors = torch.zeros(1, 41, 6)  # the state stays zero, where the slope of a tanh is 1
    with torch.inference_mode():
        traced = _kernel.trace_batch(module, vectors)
        factors = factors_of(module, traced, vectors, None, layer=0, direction=0)
        for norm, size in (("spectral", 1.0), ("frobenius", 5**0.5)):
            found, _ = jacobians.product_norms(factors, 0, norm)
            np.testing.assert_allclose(found[::-1], size * float(gain) ** np.arange(41), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_largest_singular_value_is_that_of_a_full_decomposition(dtype):
    rng = np.random.default_rng(0)
    near_one = np.eye(64) + 0.05 * rng.normal(size=(6, 64, 64)) / 8
    flat = rng.normal(size=(6, 64, 64))
    low = rng.normal(size=(6, 64, 3)) @ rng.normal(size=(6, 3, 64)) * 1e-30
    special = np.stack([np.zeros((64, 64)), np.eye(64), np.diag(np.arange(64.0))])
    matrices = np.concatenate([near_one, flat, low, special]).astype(dtype)
    wanted = np.linalg.svd(matrices.astype(np.float64), compute_uv=False)[:, 0]
    np.testing.assert_allclose(_spectral.largest_singular(matrices), wanted, rtol=3e-6, atol=1e-300)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"layer": 2}, "no layer 2"),
        ({"layer": -3}, "no layer -3"),
        ({"layer": True}, "no layer"),
        ({"direction": 1}, "no direction 1; allowed: 0"),
        ({"direction": "forward"}, "no direction forward"),
        ({"norm": "nuclear"}, "allowed: spectral, frobenius"),
        ({"target": "neutral"}, "no class 'neutral'"),
    ],
)
def test_places_and_norms_that_do_not_exist_are_refused(given, said, tiny_model):
    with pytest.raises(InvalidInputError, match=said):
        api.trace_jacobians(tiny_model("lstm"), TEXT, **given)


def test_a_bert_has_no_jacobian_of_its_state(tiny_model):
    with pytest.raises(IncompatibleError, match="word by word"):
        api.trace_jacobians(tiny_model("bert"), TEXT)


def test_one_word_has_norms_of_one(recurrent_family, tiny_model):
    found = api.trace_jacobians(tiny_model(recurrent_family, vocabulary="words"), "good")
    assert found.hidden_norm.tolist() == [1.0]
    assert found.singular_values.shape[0] == found.spectral_radius.shape[0] == 1


def test_the_spectrum_reports_progress_and_can_be_cancelled(tiny_model):
    shares: list[float] = []
    api.trace_jacobians(tiny_model("lstm"), TEXT, progress=shares.append)
    assert shares == sorted(shares) and shares[-1] == 1.0

    def cancel(_: float) -> None:
        raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        api.trace_jacobians(tiny_model("lstm"), TEXT, progress=cancel)


def test_jacobians_can_be_taken_away(tiny_model, tmp_path):
    found = api.trace_jacobians(tiny_model("lstm"), TEXT)
    frame = found.to_frame()
    assert len(frame) == len(found.tokens)
    assert {"hidden_norm", "cell_norm", "kept_max", "largest_singular", "smallest_singular"} <= set(frame.columns)
    with np.load(found.save(tmp_path / "found.npz")) as saved:
        np.testing.assert_array_equal(saved["singular_values"], found.singular_values)
