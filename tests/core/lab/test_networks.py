"""Stacked networks: what they compute and every gradient, against torch and a cell unrolled by hand, in float64."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from explorer_core.lab import networks
from explorer_core.lab.run import grad_norm
from explorer_core.lab.tasks import TASKS, loss_of
from explorer_core.tracing import _kernel
from explorer_core.tracing._backward import backward_batch
from tests.conftest import tiny_class
from tests.core.autograd_oracle import STEPS

FAMILIES = ("rnn", "gru", "lstm")
MODULES = {"rnn": nn.RNN, "gru": nn.GRU, "lstm": nn.LSTM}
MODES = {"rnn": "RNN_TANH", "gru": "GRU", "lstm": "LSTM"}
RECURRENT = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
N_NETWORKS = 3


def stack(family: str, seed: int, **sizes: int) -> tuple[networks.Weights, dict[str, int], np.random.Generator]:
    """A stack in float64 of random sizes, every weight and bias moved off its start."""
    rng = np.random.default_rng(seed)
    sizes = {
        "width": int(rng.integers(1, 7)),
        "n_units": int(rng.integers(1, 9)),
        "n_out": int(rng.integers(1, 5)),
    } | sizes
    weights = networks.build(
        family, [np.random.default_rng(each) for each in range(N_NETWORKS)], orthogonal=(False, True, False),
        keep_bias=(0.0, 1.0, 3.0), dtype=np.float64, **sizes,
    )  # fmt: skip
    return {name: value + 0.4 * rng.standard_normal(value.shape) for name, value in weights.items()}, sizes, rng


def as_torch(family: str, weights: networks.Weights, network: int) -> tuple[nn.RNNBase, nn.Linear]:
    n_out, n_units = weights["head_weight"].shape[1:]
    rnn = MODULES[family](weights["weight_ih"].shape[2], n_units).double()
    head = nn.Linear(n_units, n_out).double()
    with torch.no_grad():
        for name in RECURRENT:
            getattr(rnn, f"{name}_l0").copy_(torch.from_numpy(weights[name][network]))
        head.weight.copy_(torch.from_numpy(weights["head_weight"][network]))
        head.bias.copy_(torch.from_numpy(weights["head_bias"][network]))
    return rnn, head


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("family", FAMILIES)
def test_outputs_and_gradients_of_all_weights_are_those_of_torch(family: str, seed: int) -> None:
    weights, sizes, rng = stack(family, seed)
    n_pos, n_rows = int(rng.integers(1, 9)), int(rng.integers(1, 6))
    n_answers = int(rng.integers(1, n_pos + 1))
    is_shared = seed % 2  # all networks read the same
    inputs = rng.standard_normal((n_pos, 1 if is_shared else N_NETWORKS, sizes["width"], n_rows))
    grad_outputs = rng.standard_normal((n_answers, N_NETWORKS, sizes["n_out"], n_rows))
    passed = networks.read(family, weights, inputs, n_answers)
    walked = networks.walk_back(family, weights, passed, grad_outputs)
    for network in range(N_NETWORKS):
        rnn, head = as_torch(family, weights, network)
        read = torch.from_numpy(inputs[:, 0 if is_shared else network]).movedim(1, 2)  # [pos, row, width]
        states, _ = rnn(read)
        outputs = head(states[-n_answers:])
        (outputs * torch.from_numpy(grad_outputs[:, network]).movedim(1, 2)).sum().backward()
        np.testing.assert_allclose(passed.hidden[:, network], states.detach().movedim(2, 1).numpy(), atol=1e-12)
        np.testing.assert_allclose(passed.outputs[:, network], outputs.detach().movedim(2, 1).numpy(), atol=1e-12)
        expected = {name: getattr(rnn, f"{name}_l0").grad for name in RECURRENT}
        expected |= {"head_weight": head.weight.grad, "head_bias": head.bias.grad}
        for name, grad in expected.items():
            np.testing.assert_allclose(walked.weights[name][network], grad.numpy(), rtol=1e-9, atol=1e-11, err_msg=name)


def unrolled(family: str, weights: networks.Weights, network: int, sequence: np.ndarray) -> tuple[list, torch.Tensor]:
    """Carried states of one sequence [pos, width] as nodes of a graph, and the outputs at every position."""
    own = [torch.from_numpy(weights[name][network]) for name in RECURRENT]
    head, bias = (torch.from_numpy(weights[name][network]) for name in ("head_weight", "head_bias"))
    h = c = torch.zeros(weights["weight_hh"].shape[2], dtype=torch.float64)
    states, outputs = [], []
    for step in torch.from_numpy(sequence).requires_grad_():
        h, c, _ = STEPS[MODES[family]](step, h, c, *own)
        states.append(c if family == "lstm" else h)
        outputs.append(head @ h + bias)
    return states, torch.stack(outputs)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_of_every_state_is_that_of_a_cell_unrolled_by_hand(family: str, seed: int) -> None:
    weights, sizes, rng = stack(family, seed)
    inputs = rng.standard_normal((6, 1, sizes["width"], 2))
    grad_outputs = rng.standard_normal((2, N_NETWORKS, sizes["n_out"], 2))
    passed = networks.read(family, weights, inputs, 2)
    state = networks.walk_back(family, weights, passed, grad_outputs).state
    for network in range(N_NETWORKS):
        for row in range(2):
            states, outputs = unrolled(family, weights, network, inputs[:, 0, :, row])
            number = (outputs[-2:] * torch.from_numpy(grad_outputs[:, network, :, row])).sum()
            expected = torch.autograd.grad(number, states)
            for pos in range(6):
                np.testing.assert_allclose(state[pos, network, :, row], expected[pos].numpy(), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("task", list(TASKS))
@pytest.mark.parametrize("family", FAMILIES)
def test_the_norm_the_lab_reports_is_that_of_autograd_in_eval(family: str, task: str) -> None:
    about = TASKS[task]
    weights, _, _ = stack(family, 5, width=about.width, n_out=about.n_out, n_units=5)
    batch = about.draw(np.random.default_rng(1), 4, 3)
    found = grad_norm(family, weights, about.n_answers, batch)  # [network, back]
    norms = np.zeros((N_NETWORKS, len(batch.inputs), 3))
    for network in range(N_NETWORKS):
        for row in range(3):
            states, outputs = unrolled(family, weights, network, batch.inputs[:, :, row].astype(np.float64))
            asked, answers = outputs[-about.n_answers :], torch.from_numpy(batch.answers[:, row])
            if about.is_sum:
                loss = ((asked[:, 0] - answers) ** 2).mean()
            else:
                loss = nn.functional.cross_entropy(asked, answers)
            norms[network, :, row] = [float(grad.norm()) for grad in torch.autograd.grad(loss, states)]
    np.testing.assert_allclose(found, norms.mean(-1)[:, ::-1], rtol=1e-9)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_networks_of_the_lab_are_the_families_of_the_explorer(family: str) -> None:
    """Same weights in the family's own classifier: same logits, and the same gradients by its walk back."""
    weights, _, rng = stack(family, 7, width=3, n_units=6, n_out=4)
    inputs = rng.standard_normal((9, 1, 3, 2))
    answers = rng.integers(0, 4, (1, 2))
    passed = networks.read(family, weights, inputs, 1)
    _, _, grad_outputs = loss_of(passed.outputs, answers[:, None])
    walked = networks.walk_back(family, weights, passed, grad_outputs)
    kind = tiny_class(family)
    for network in range(N_NETWORKS):
        module = kind(kind.config_class(vocab_size=4, embedding_size=3, hidden_size=6, num_labels=4)).double().eval()
        rnn, head = as_torch(family, weights, network)
        module.rnn.load_state_dict(rnn.state_dict())
        module.classifier.load_state_dict(head.state_dict())
        vectors = torch.from_numpy(inputs[:, 0]).movedim((0, 2), (1, 0)).contiguous()  # [row, pos, width]
        with torch.inference_mode():
            states = _kernel.trace_batch(module, vectors)
            logits = module(inputs_embeds=vectors).logits
        grads = backward_batch(module, states, vectors, None, torch.from_numpy(grad_outputs[0, network].T.copy()))
        np.testing.assert_allclose(passed.outputs[0, network].T, logits.numpy(), atol=1e-12)
        carried = (grads.cell if family == "lstm" else grads.hidden)[:, 0, 0]  # [row, pos, unit]
        np.testing.assert_allclose(walked.state[:, network], carried.movedim((0, 2), (2, 1)).numpy(), atol=1e-12)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_room_that_is_used_again_changes_nothing(family: str) -> None:
    weights, sizes, rng = stack(family, 2)
    first, second = rng.standard_normal((2, 5, 1, sizes["width"], 3))
    room = networks.read(family, weights, first, 1)
    again = networks.read(family, weights, second, 1, room)
    fresh = networks.read(family, weights, second, 1)
    np.testing.assert_array_equal(again.hidden, fresh.hidden)
    np.testing.assert_array_equal(again.outputs, fresh.outputs)
    assert again.hidden is room.hidden


@pytest.mark.parametrize("family", FAMILIES)
def test_networks_of_one_seed_differ_in_nothing_but_what_is_asked_for(family: str) -> None:
    weights = networks.build(
        family, [np.random.default_rng(1) for _ in range(3)], width=3, n_units=8, n_out=2,
        orthogonal=(False, True, False), keep_bias=(0.0, 0.0, 2.5),
    )  # fmt: skip
    for name in ("weight_ih", "head_weight", "head_bias", "bias_hh"):
        np.testing.assert_array_equal(weights[name][0], weights[name][1])
        np.testing.assert_array_equal(weights[name][0], weights[name][2])
    np.testing.assert_array_equal(weights["weight_hh"][0], weights["weight_hh"][2])
    assert np.abs(weights["weight_hh"][0]).max() <= 8**-0.5
    for block in weights["weight_hh"][1].reshape(-1, 8, 8):
        np.testing.assert_allclose(block @ block.T, np.eye(8), atol=1e-6)
    biases = weights["bias_ih"][2].reshape(-1, 8)
    expected = np.zeros_like(biases)
    if family != "rnn":
        expected[1] = 2.5  # GRU: r, z, n; LSTM: i, f, g, o
    np.testing.assert_array_equal(biases, expected)
    assert not weights["bias_ih"][:2].any()
