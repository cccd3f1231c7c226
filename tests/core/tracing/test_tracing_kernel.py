"""States, cells and gates against the oracle, and the equations they keep."""

from __future__ import annotations

import pytest
import torch

from explorer_core.tracing import _kernel
from tests.core import oracle, random_networks

FAMILIES = tuple(random_networks.CLASSES)


@pytest.mark.parametrize("number", range(random_networks.N_CONFIGURATIONS))
def test_a_trace_is_the_hand_unrolled_network_to_1e_5_in_float32_and_to_rounding_in_float64(number):
    assert random_networks.largest_difference(random_networks.draw(number)) <= 1e-5
    assert random_networks.largest_difference(random_networks.draw(number, torch.float64)) <= 1e-12


@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("is_both", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_the_states_are_the_fused_kernels_bit_for_bit(name, n_layers, is_both, dtype):
    module = random_networks.build(name, num_layers=n_layers, bidirectional=is_both, dtype=dtype, hidden_size=24)
    vectors = torch.randn(3, 17, 6, dtype=dtype)
    with torch.inference_mode():
        expected = module.rnn(vectors)[0]
        padded = module.run_kernel(vectors, torch.tensor([17, 4, 9]))
    assert torch.equal(_kernel.trace_batch(module, vectors).top, expected)
    assert torch.equal(_kernel.trace_batch(module, vectors, torch.tensor([17, 4, 9])).top, padded)


@pytest.mark.parametrize("name", FAMILIES)
def test_hidden_of_the_top_layer_is_what_the_head_sees(name):
    module = random_networks.build(name, num_layers=2)
    traced = _kernel.trace_batch(module, torch.randn(2, 9, 6))
    sides = torch.cat(traced.hidden[:, -1].unbind(1), dim=-1)  # [text, pos, direction * unit]
    assert torch.equal(sides, traced.top)


@pytest.mark.parametrize("name", ["lstm", "bilstm"])
def test_an_lstm_keeps_its_equations(name):
    """h = o * tanh(c) and c = f * c_before + i * g, where "before" is to the right for the backward half."""
    traced = _kernel.trace_batch(random_networks.build(name, num_layers=2, gain=1.5), torch.randn(2, 30, 6))
    assert traced.cell is not None
    write, forget, candidate, show = traced.gates.unbind(-2)
    torch.testing.assert_close(traced.hidden, show * traced.cell.tanh(), rtol=0, atol=1e-6)
    before = torch.zeros_like(traced.cell)
    before[:, :, 0, 1:] = traced.cell[:, :, 0, :-1]
    before[:, :, 1:, :-1] = traced.cell[:, :, 1:, 1:]
    torch.testing.assert_close(traced.cell, forget * before + write * candidate, rtol=0, atol=1e-6)
    for gate in (write, forget, show):
        assert gate.min() >= 0 and gate.max() <= 1
    assert candidate.abs().max() <= 1
    assert candidate.min() < 0


@pytest.mark.parametrize("is_both", [False, True])
def test_a_gru_keeps_its_equation(is_both):
    """h = (1 - update) * candidate + update * h_before; it has no cell."""
    module = random_networks.build("gru", num_layers=2, bidirectional=is_both, gain=1.5)
    traced = _kernel.trace_batch(module, torch.randn(2, 30, 6))
    assert traced.cell is None
    _, update, candidate = traced.gates.unbind(-2)
    before = torch.zeros_like(traced.hidden)
    before[:, :, 0, 1:] = traced.hidden[:, :, 0, :-1]
    before[:, :, 1:, :-1] = traced.hidden[:, :, 1:, 1:]
    torch.testing.assert_close(traced.hidden, (1 - update) * candidate + update * before, rtol=0, atol=1e-6)


def test_an_rnn_keeps_its_equation_and_has_an_empty_gate_axis():
    """h = tanh(W x + b + U h_before + d)."""
    module = random_networks.build("rnn", gain=1.5)
    vectors = torch.randn(2, 20, 6)
    traced = _kernel.trace_batch(module, vectors)
    assert traced.cell is None
    assert traced.gates.shape == (2, 1, 1, 20, 0, 5)
    hidden = traced.hidden[:, 0, 0]
    w, u, b, d = _kernel.weights_of(module.rnn, 0, 0)
    before = torch.cat([torch.zeros(2, 1, 5), hidden[:, :-1]], dim=1)
    torch.testing.assert_close(hidden, torch.tanh(vectors @ w.T + b + before @ u.T + d), rtol=0, atol=1e-6)


def test_the_backward_half_ends_at_the_first_word():
    module = random_networks.build("bilstm")
    vectors = torch.randn(1, 12, 6)
    with torch.inference_mode():
        final = module.rnn(vectors)[1][0]  # [direction, text, unit]
    hidden = _kernel.trace_batch(module, vectors).hidden[0, 0]  # [direction, pos, unit]
    assert torch.equal(hidden[0, -1], final[0, 0])
    assert torch.equal(hidden[1, 0], final[1, 0])


def test_the_backward_half_at_the_last_word_has_read_that_word_only():
    module = random_networks.build("bilstm")
    vectors = torch.randn(1, 12, 6)
    changed = vectors.clone()
    changed[:, :-1] = torch.randn(1, 11, 6)
    first, second = (_kernel.trace_batch(module, each).hidden[0, 0, 1] for each in (vectors, changed))
    assert torch.equal(first[-1], second[-1])
    assert (first[:-1] - second[:-1]).abs().amax(-1).min() > 1e-4


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("noise", [1.0, 1e30, float("nan")])
def test_padding_changes_nothing_and_is_zero_in_the_trace(name, noise):
    module = random_networks.build(name, num_layers=2)
    vectors, lengths = torch.randn(4, 10, 6), torch.tensor([10, 3, 1, 7])
    padded = vectors.clone()
    for index, n_pos in enumerate(lengths.tolist()):
        padded[index, n_pos:] = noise
    batch = _kernel.trace_batch(module, padded, lengths)
    for index, n_pos in enumerate(lengths.tolist()):
        alone = _kernel.trace_batch(module, vectors[index : index + 1, :n_pos])
        for of_batch, of_one in ((batch.hidden, alone.hidden), (batch.cell, alone.cell), (batch.gates, alone.gates)):
            if of_one is not None:
                torch.testing.assert_close(of_batch[index, :, :, :n_pos], of_one[0], rtol=0, atol=1e-6)
                assert not of_batch[index, :, :, n_pos:].any()


def test_a_text_of_no_words_has_no_states():
    traced = _kernel.trace_batch(random_networks.build("bilstm"), torch.randn(2, 4, 6), torch.tensor([4, 0]))
    assert traced.hidden[0].abs().min() > 0
    for values in (traced.hidden, traced.cell, traced.gates, traced.top):
        assert not values[1].any()


def test_one_position_is_enough():
    for name in FAMILIES:
        module, vectors = random_networks.build(name, num_layers=2), torch.randn(1, 1, 6)
        expected = oracle.read(module, vectors[0])
        traced = _kernel.trace_batch(module, vectors)
        assert random_networks.distance(traced.hidden[0], expected.hidden) <= 1e-6
        assert random_networks.distance(traced.gates[0], expected.gates) <= 1e-6


def test_dropout_is_never_applied_even_if_the_module_was_left_in_training_mode():
    module = random_networks.build("lstm", num_layers=3, dropout=0.9)
    vectors = torch.randn(1, 8, 6)
    expected = _kernel.trace_batch(module, vectors)
    found = _kernel.trace_batch(module.train(), vectors)
    assert torch.equal(found.hidden, expected.hidden)
    assert module.training


def test_a_saturated_gate_does_not_break_the_cell():
    """The cell is summed up, never won back from h = o * tanh(c), which would divide by a shut gate."""
    module = random_networks.build("lstm", gain=60.0)
    vectors = torch.randn(1, 40, 6)
    traced = _kernel.trace_batch(module, vectors)
    assert traced.cell is not None
    assert torch.isfinite(traced.cell).all()
    torch.testing.assert_close(traced.hidden, traced.gates[..., 3, :] * traced.cell.tanh(), rtol=0, atol=1e-5)


@pytest.mark.gpu
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_gpu_gives_the_same_trace(name, dtype):
    module = random_networks.build(name, num_layers=2, dtype=dtype)
    vectors, lengths = torch.randn(3, 21, 6, dtype=dtype), torch.tensor([21, 8, 1])
    expected = _kernel.trace_batch(module, vectors, lengths)
    running = random_networks.running(module, vectors[0], n_closing=1)
    module = module.cuda()
    found = _kernel.trace_batch(module, vectors.cuda(), lengths.cuda())
    torch.testing.assert_close(found.hidden.cpu(), expected.hidden, rtol=0, atol=1e-5)
    torch.testing.assert_close(found.gates.cpu(), expected.gates, rtol=0, atol=1e-5)
    if expected.cell is not None:
        torch.testing.assert_close(found.cell.cpu(), expected.cell, rtol=0, atol=1e-5)
    on_gpu = random_networks.running(module, vectors[0].cuda(), n_closing=1)
    torch.testing.assert_close(on_gpu.cpu(), running, rtol=0, atol=1e-5)
