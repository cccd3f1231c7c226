"""The tasks of the lab: every answer follows from what is read, and what is drawn is what was promised."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.lab import tasks
from explorer_core.lab.tasks import TASKS, loss_of

NAMES = list(TASKS)
LAGS = (1, 2, 7, 60)


def drawn(task: str, lag: int, n_rows: int, seed: int = 0) -> tasks.Batch:
    return TASKS[task].draw(np.random.default_rng(seed), lag, n_rows)


def answer_by_hand(task: str, inputs: np.ndarray) -> list[float]:
    """The answer worked out from what is read of one sequence, [pos, width], without the generator."""
    if task == "adding":
        return [sum(float(number) for number, mark in inputs if mark == 1)]
    symbols = [int(np.flatnonzero(step)[0]) for step in inputs]
    return [float(symbol) for symbol in symbols[: 2 if task == "copy" else 1]]


@pytest.mark.parametrize("lag", LAGS)
@pytest.mark.parametrize("task", NAMES)
def test_every_answer_follows_from_what_is_read(task: str, lag: int) -> None:
    batch = drawn(task, lag, 50)
    assert batch.inputs.shape == (lag + TASKS[task].n_beside, TASKS[task].width, 50)
    assert batch.inputs.dtype == np.float32
    for row in range(50):
        expected = answer_by_hand(task, batch.inputs[:, :, row])
        assert batch.answers[:, row] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("lag", LAGS)
def test_the_letter_stands_so_many_steps_before_the_end_as_the_lag_says(lag: int) -> None:
    batch = drawn("first_token", lag, 20)
    symbols = batch.inputs.argmax(1)
    assert (symbols[0] < 4).all()
    assert (symbols[1:] >= 4).all()  # noise is never a letter that could be asked for
    assert len(symbols) - 1 == lag


@pytest.mark.parametrize("lag", LAGS)
def test_the_letters_to_copy_are_asked_for_after_a_pause_as_long_as_the_lag(lag: int) -> None:
    symbols = drawn("copy", lag, 20).inputs.argmax(1)
    pause, ask = 4, 5
    assert (symbols[:2] < 4).all()
    assert (symbols[2:-2] == pause).all() and len(symbols[2:-2]) == lag
    assert (symbols[-2:] == ask).all()


@pytest.mark.parametrize("lag", LAGS)
def test_two_numbers_are_marked_the_first_and_one_in_the_first_half(lag: int) -> None:
    batch = drawn("adding", lag, 200)
    numbers, marks = batch.inputs[:, 0], batch.inputs[:, 1]
    assert (marks.sum(0) == 2).all() and (marks[0] == 1).all()
    assert marks[max((lag + 1) // 2, 2) :].sum() == 0
    assert np.abs(numbers).max() <= 1
    np.testing.assert_allclose(numbers * 100, np.round(numbers * 100), atol=1e-4)  # two decimals, to be added by hand


def test_letters_and_noise_are_as_likely_as_each_other() -> None:
    symbols = drawn("first_token", 9, 4_000).inputs.argmax(1)
    letters = np.bincount(symbols[0], minlength=8)[:4] / 4_000
    noise = np.bincount(symbols[1:].ravel(), minlength=8)[4:] / 36_000
    np.testing.assert_allclose(letters, 0.25, atol=0.03)
    np.testing.assert_allclose(noise, 0.25, atol=0.01)


def test_numbers_to_add_are_spread_evenly() -> None:
    numbers = drawn("adding", 19, 2_000).inputs[:, 0].ravel()
    counts = np.histogram(numbers, bins=4, range=(-1.005, 1.005))[0] / len(numbers)
    np.testing.assert_allclose(counts, 0.25, atol=0.01)


@pytest.mark.parametrize("task", NAMES)
def test_chance_is_what_the_best_steady_guess_gets(task: str) -> None:
    answers = drawn(task, 5, 40_000).answers
    if task == "adding":
        shares = [(np.abs(answers - guess) < tasks.TOLERANCE).mean() for guess in np.linspace(-1, 1, 21)]
    else:
        shares = [(answers == guess).mean() for guess in range(4)]
    assert max(shares) == pytest.approx(TASKS[task].chance, abs=0.012)


@pytest.mark.parametrize("task", NAMES)
def test_the_same_seed_draws_the_same_and_another_something_else(task: str) -> None:
    one, same, other = (drawn(task, 8, 30, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.inputs, same.inputs)
    assert not np.array_equal(one.inputs, other.inputs)


@pytest.mark.parametrize("task", NAMES)
def test_drawing_leaves_the_global_generators_alone(task: str) -> None:
    before = np.random.get_state()[1].tolist(), random.getstate()
    api.lab_example(task, 5, 3)
    drawn(task, 8, 30)
    assert (np.random.get_state()[1].tolist(), random.getstate()) == before


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("task", NAMES)
def test_an_example_can_be_checked_from_what_is_shown(task: str, seed: int) -> None:
    example = api.lab_example(task, 6, seed)
    assert len(example.steps) == len(example.matters) == 6 + TASKS[task].n_beside
    framed = [step for step, matters in zip(example.steps, example.matters, strict=True) if matters]
    if task == "adding":
        hundredths = [round(float(step.replace("−", "-")) * 100) for step in framed]
        assert sum(hundredths) == round(float(example.answer.replace("−", "-")) * 100)
    else:
        assert " ".join(framed) == example.answer
    assert example.answer in example.check
    assert example == api.lab_example(task, 6, seed)


@pytest.mark.parametrize(
    "arguments", [("echo", 5, 0), ("copy", 0, 0), ("copy", 201, 0), ("copy", 5, -1), ("copy", "5", 0)]
)
def test_an_example_that_cannot_be_drawn_is_refused_in_words(arguments: tuple) -> None:
    with pytest.raises(InvalidInputError, match=r"allowed|expected"):
        api.lab_example(*arguments)


@pytest.mark.parametrize("n_out", [1, 4])
def test_loss_and_its_derivative_are_those_of_torch(n_out: int) -> None:
    rng = np.random.default_rng(3)
    outputs = rng.standard_normal((2, 3, n_out, 5)) * 4  # [answer, network, out, row]
    answers = rng.standard_normal((2, 5)) if n_out == 1 else rng.integers(0, 4, (2, 5))
    loss, is_right, grad = loss_of(outputs, answers[:, None])
    given = torch.from_numpy(outputs).requires_grad_()
    asked = torch.from_numpy(answers)[:, None].expand(2, 3, 5)
    if n_out == 1:
        each = (given[:, :, 0] - asked) ** 2
        right = (given[:, :, 0] - asked).abs() < 0.16
    else:
        each = torch.nn.functional.cross_entropy(given.movedim(2, 1), asked, reduction="none")
        right = given.argmax(2) == asked
    (expected,) = torch.autograd.grad(each.mean(0).sum(), given)
    np.testing.assert_allclose(loss, each.mean(0).detach().numpy(), rtol=1e-12)
    np.testing.assert_allclose(is_right, right.double().mean(0).numpy())
    np.testing.assert_allclose(grad, expected.numpy(), atol=1e-12)
