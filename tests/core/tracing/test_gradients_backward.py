"""The walk back over the traced gates: against autograd over a hand-unrolled cell, and the identities it keeps."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer_core.tracing import _kernel
from explorer_core.tracing._backward import BatchGradients, backward_batch
from tests.core import autograd_oracle, oracle, random_networks

FAMILIES = tuple(random_networks.CLASSES)
BOTH_WAYS = [("rnn", True), ("gru", True), ("lstm", True), ("bilstm", True)]


def walk(module, vectors, grad_logits, lengths=None) -> BatchGradients:
    return backward_batch(module, _kernel.trace_batch(module, vectors, lengths), vectors, lengths, grad_logits)


def some_grad(module, n_texts: int, seed: int = 0) -> torch.Tensor:
    rng = np.random.default_rng(seed)
    return torch.from_numpy(rng.normal(size=(n_texts, module.config.num_labels))).to(module.dtype)


def relative(found, wanted: np.ndarray, n_axes: int = 1) -> float:
    """Largest relative distance of any position: norm of the difference over norm, over the last `n_axes` axes."""
    found = np.asarray(found, dtype=np.float64)
    if found.shape != wanted.shape:
        return float("inf")
    axes = tuple(range(-n_axes, 0))
    off, size = (np.sqrt(np.square(each).sum(axes)) for each in (found - wanted, wanted))
    return float(np.where(size > 0, off / np.where(size > 0, size, 1), np.where(off > 0, np.inf, 0)).max(initial=0.0))


def largest_relative(case: random_networks.Case, number: int, texts: list[int]) -> float:
    """How far the gradients of some texts of a padded batch are from the oracle's, at any position."""
    module = case.module
    grad = some_grad(module, len(case.lengths), number)
    found = walk(module, case.vectors, grad, case.lengths)
    worst = 0.0
    for index in texts:
        n_pos, own = int(case.lengths[index]), grad[index].double()
        wanted = autograd_oracle.gradients(module, case.text(index), lambda logits, own=own: (logits * own).sum())
        pairs = [
            (found.hidden[index, :, :, :n_pos], wanted.hidden, 1),
            (found.gates[index, :, :, :n_pos], wanted.gates, 2),
            (found.vectors[index, :n_pos], wanted.vectors, 1),
        ]
        if found.cell is not None:
            pairs.append((found.cell[index, :, :, :n_pos], wanted.cell, 1))
        worst = max(worst, *(relative(one, other, n_axes) for one, other, n_axes in pairs))
        for beyond in (found.hidden[index, :, :, n_pos:], found.gates[index, :, :, n_pos:]):
            assert not beyond.any()
        assert not found.vectors[index, n_pos:].any()
    return worst


@pytest.mark.parametrize("number", range(random_networks.N_CONFIGURATIONS))
def test_gradients_are_those_of_autograd_over_a_hand_unrolled_cell(number):
    """To 1e-5 in float64 and 1e-4 in float32, relative to the norm at every single position."""
    assert largest_relative(random_networks.draw(number, torch.float64), number, [0]) <= 1e-5
    case = random_networks.draw(number)
    assert largest_relative(case, number, [len(case.lengths) - 1]) <= 1e-4


@pytest.mark.parametrize("number", range(20))
def test_gradients_of_word_vectors_are_central_differences(number):
    """(f(x + e d) - f(x - e d)) / 2e = grad . d, with f read by the NumPy oracle."""
    case = random_networks.draw(number, torch.float64)
    vectors = case.text(0)
    grad = some_grad(case.module, 1, number)
    direction, step = np.random.default_rng(number).normal(size=vectors.shape), 1e-5
    ahead, behind = (
        oracle.read(case.module, vectors.numpy() + sign * step * direction).logits @ grad[0].numpy() for sign in (1, -1)
    )
    found = float((walk(case.module, vectors[None], grad).vectors[0].numpy() * direction).sum())
    assert found == pytest.approx((ahead - behind) / (2 * step), rel=1e-5, abs=1e-9)


@pytest.mark.parametrize("pooling", ["last", "mean"])
@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_gradients_of_states_are_central_differences_of_a_reading_that_was_nudged(name, pooling):
    """The state after one word is nudged and the rest is read on: h alone, c alone with the h it makes."""
    module = random_networks.build(name, dtype=torch.float64, pooling=pooling, gain=1.5)
    vectors, grad, pos, step = torch.randn(1, 9, 6, dtype=torch.float64), some_grad(module, 1), 3, 1e-5
    found = walk(module, vectors, grad)
    direction = np.random.default_rng(1).normal(size=5)

    def nudged(by_hidden: float, by_cell: float) -> float:
        own = [each.numpy() for each in _kernel.weights_of(module.rnn, 0, 0)]
        hidden, cell, top = np.zeros(5), np.zeros(5), []
        for index, vector in enumerate(vectors[0].numpy()):
            before = cell
            hidden, cell, gates = oracle.STEPS[name](vector, hidden, before, *own)
            if index == pos:
                hidden = hidden + by_hidden * direction
                if by_cell:
                    cell = cell + by_cell * direction
                    hidden = gates[3] * np.tanh(cell)
            top.append(hidden)
        pooled = top[-1] if pooling == "last" else np.mean(top, axis=0)
        logits = module.classifier.weight.numpy() @ pooled + module.classifier.bias.numpy()
        return float(logits @ grad[0].numpy())

    by_hidden = (nudged(step, 0.0) - nudged(-step, 0.0)) / (2 * step)
    assert float(found.hidden[0, 0, 0, pos].numpy() @ direction) == pytest.approx(by_hidden, rel=1e-6)
    if found.cell is not None:
        by_cell = (nudged(0.0, step) - nudged(0.0, -step)) / (2 * step)
        assert float(found.cell[0, 0, 0, pos].numpy() @ direction) == pytest.approx(by_cell, rel=1e-6)


# Identities ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_the_gradient_of_a_sum_of_logits_is_the_sum_of_their_gradients(name, pooling):
    module = random_networks.build(name, num_layers=2, num_labels=3, pooling=pooling, dtype=torch.float64)
    vectors = torch.randn(1, 12, 6, dtype=torch.float64)
    alone = [walk(module, vectors, row[None]) for row in torch.eye(3, dtype=torch.float64)]
    together = walk(module, vectors, torch.ones(1, 3, dtype=torch.float64))
    for of in ("hidden", "gates", "vectors"):
        torch.testing.assert_close(sum(getattr(each, of) for each in alone), getattr(together, of), rtol=0, atol=1e-13)


@pytest.mark.parametrize("name", ["rnn", "gru", "lstm"])
def test_the_last_steps_gradient_is_the_row_of_the_head(name):
    module = random_networks.build(name, num_layers=2)
    found = walk(module, torch.randn(1, 12, 6), torch.tensor([[0.0, 1.0]]))
    assert torch.equal(found.hidden[0, -1, 0, -1], module.classifier.weight[1])


def test_the_last_cells_gradient_is_the_row_of_the_head_through_the_output_gate():
    """dL/dc_T = w o (1 - tanh(c)^2)."""
    module, vectors = random_networks.build("lstm", dtype=torch.float64), torch.randn(1, 12, 6, dtype=torch.float64)
    traced = _kernel.trace_batch(module, vectors)
    found = walk(module, vectors, torch.tensor([[0.0, 1.0]], dtype=torch.float64))
    shown = traced.gates[0, 0, 0, -1, 3] * (1 - traced.cell[0, 0, 0, -1].tanh() ** 2)
    torch.testing.assert_close(found.cell[0, 0, 0, -1], module.classifier.weight[1] * shown, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", FAMILIES)
def test_the_chain_rule_holds_between_layers(name):
    """What the upper layer alone gives its input is all that reaches the lower layer: pushed back from there it gives
    the gradients of the whole.
    """
    module = random_networks.build(name, num_layers=2, dtype=torch.float64, pooling="mean", hidden_size=6)
    vectors = torch.randn(1, 10, 6, dtype=torch.float64)
    grad = some_grad(module, 1)
    whole, traced = walk(module, vectors, grad), _kernel.trace_batch(module, vectors)
    lower_states = torch.cat(traced.hidden[:, 0].unbind(1), dim=-1)
    upper = random_networks.build(
        name, num_layers=1, dtype=torch.float64, pooling="mean", hidden_size=6, embedding_size=lower_states.shape[-1]
    )
    with torch.no_grad():
        for direction in range(2 if module.rnn.bidirectional else 1):
            for mine, theirs in zip(
                _kernel.weights_of(upper.rnn, 0, direction), _kernel.weights_of(module.rnn, 1, direction), strict=True
            ):
                mine.copy_(theirs)
        upper.classifier.load_state_dict(module.classifier.state_dict())
    above = walk(upper, lower_states, grad)
    torch.testing.assert_close(above.hidden[:, 0], whole.hidden[:, 1], rtol=0, atol=1e-13)
    own = autograd_oracle.unroll(module, vectors[0])
    ends = [node for half in own.hidden[0] for node in half]
    pushed = torch.cat(above.vectors[0].unflatten(-1, (-1, 6)).unbind(1))  # [direction * pos, unit]
    by_words = torch.autograd.grad(ends, own.vectors, list(pushed), retain_graph=True)
    torch.testing.assert_close(torch.stack(by_words), whole.vectors[0], rtol=0, atol=1e-13)


@pytest.mark.parametrize(("name", "is_both"), BOTH_WAYS)
def test_directions_of_one_layer_are_separate(name, is_both):
    """With a head that looks at one half only, the other half's gradients are zero, and its own are those of a network
    that reads one way.
    """
    module = random_networks.build(name, bidirectional=is_both, dtype=torch.float64, pooling="mean")
    with torch.no_grad():
        module.classifier.weight[:, 5:] = 0
    vectors, grad = torch.randn(1, 11, 6, dtype=torch.float64), some_grad(module, 1)
    found = walk(module, vectors, grad)
    assert not found.hidden[:, :, 1].any() and not found.gates[:, :, 1].any()
    one_way = random_networks.build("lstm" if name == "bilstm" else name, dtype=torch.float64, pooling="mean")
    with torch.no_grad():
        for mine, theirs in zip(
            _kernel.weights_of(one_way.rnn, 0, 0), _kernel.weights_of(module.rnn, 0, 0), strict=True
        ):
            mine.copy_(theirs)
        one_way.classifier.weight.copy_(module.classifier.weight[:, :5])
    expected = walk(one_way, vectors, grad)
    torch.testing.assert_close(found.hidden[:, :, :1], expected.hidden, rtol=0, atol=1e-14)
    torch.testing.assert_close(found.vectors, expected.vectors, rtol=0, atol=1e-14)


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_padding_changes_no_gradient_whatever_stands_in_it(name, pooling):
    module = random_networks.build(name, num_layers=2, pooling=pooling)
    vectors, lengths = torch.randn(4, 10, 6), torch.tensor([10, 3, 1, 7])
    padded = vectors.clone()
    for index, n_pos in enumerate(lengths.tolist()):
        padded[index, n_pos:] = float("nan")
    grad = some_grad(module, 4)
    batch = walk(module, padded, grad, lengths)
    for index, n_pos in enumerate(lengths.tolist()):
        alone = walk(module, vectors[index : index + 1, :n_pos], grad[index : index + 1])
        torch.testing.assert_close(batch.vectors[index, :n_pos], alone.vectors[0], rtol=0, atol=1e-6)
        torch.testing.assert_close(batch.gates[index, :, :, :n_pos], alone.gates[0], rtol=0, atol=1e-6)
        assert not batch.hidden[index, :, :, n_pos:].any()
        assert not batch.vectors[index, n_pos:].any()


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_text_of_no_words_has_no_gradient(pooling):
    module = random_networks.build("bilstm", pooling=pooling)
    found = walk(module, torch.randn(2, 4, 6), torch.ones(2, 2), torch.tensor([4, 0]))
    assert found.vectors[0].any()
    for values in (found.hidden, found.cell, found.gates, found.vectors):
        assert torch.isfinite(values).all() and not values[1].any()


def test_a_maximum_at_several_positions_is_shared_as_torch_deals_it_out():
    module = random_networks.build("rnn", pooling="max", dtype=torch.float64)
    with torch.no_grad():
        for weight in _kernel.weights_of(module.rnn, 0, 0)[1:2]:
            weight.zero_()  # no memory: equal words make equal states
    vectors = torch.randn(1, 1, 6, dtype=torch.float64).expand(1, 4, 6).contiguous()
    found = walk(module, vectors, torch.tensor([[1.0, 0.0]], dtype=torch.float64))
    torch.testing.assert_close(found.hidden[0, 0, 0], module.classifier.weight[0].expand(4, 5) / 4, rtol=0, atol=1e-15)
    wanted = autograd_oracle.gradients(module, vectors[0], lambda logits: logits[0])
    assert relative(found.vectors[0], wanted.vectors) <= 1e-12


def test_a_saturated_network_without_gates_keeps_its_digits_in_float32():
    """1 - h^2 taken from h has none left where h rounds to 1."""
    module = random_networks.build("rnn", gain=6.0, hidden_size=8)
    vectors = torch.randn(1, 12, 6, generator=torch.Generator().manual_seed(0))
    assert float(_kernel.trace_batch(module, vectors).hidden.abs().max()) > 0.99999
    found = walk(module, vectors, torch.tensor([[0.0, 1.0]]))
    wanted = autograd_oracle.gradients(module, vectors[0], lambda logits: logits[1])
    assert relative(found.hidden[0], wanted.hidden) <= 1e-4


@pytest.mark.parametrize("name", FAMILIES)
def test_the_walk_on_torch_operations_gives_what_numpy_gives(name, monkeypatch):
    """A GPU walks with torch's operations; here both walk on the CPU."""
    from explorer_core.tracing import _backward

    module = random_networks.build(name, num_layers=2, dtype=torch.float64)
    vectors, lengths = torch.randn(3, 14, 6, dtype=torch.float64), torch.tensor([14, 6, 1])
    expected = walk(module, vectors, some_grad(module, 3), lengths)
    monkeypatch.setattr(_backward, "NUMPY_DEVICES", ())
    found = walk(module, vectors, some_grad(module, 3), lengths)
    for of in ("hidden", "gates", "vectors"):
        torch.testing.assert_close(getattr(found, of), getattr(expected, of), rtol=0, atol=1e-14)


@pytest.mark.gpu
@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_gpu_gives_the_same_gradients(name, dtype):
    module = random_networks.build(name, num_layers=2, dtype=dtype)
    vectors, lengths = torch.randn(3, 21, 6, dtype=dtype), torch.tensor([21, 8, 1])
    grad = some_grad(module, 3)
    expected = walk(module, vectors, grad, lengths)
    found = walk(module.cuda(), vectors.cuda(), grad.cuda(), lengths.cuda())
    for of in ("hidden", "gates", "vectors"):
        torch.testing.assert_close(getattr(found, of).cpu(), getattr(expected, of), rtol=0, atol=1e-5)
