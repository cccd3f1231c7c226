"""Tasks whose answer a person can check by eye, with a lag between what has to be remembered and the answer.

- `first_token`: a letter, then so many symbols of noise; which letter was it? (the latch of Bengio, Simard and Frasconi
  1994, Learning long-term dependencies with gradient descent is difficult)
- `copy`: two letters, a pause, then a mark for each letter that is asked for, in order (Hochreiter and Schmidhuber
  1997; Arjovsky et al. 2016 in today's form)
- `adding`: numbers from -1 to 1, of which the first and one other in the first half are marked; what is their sum?
  (Hochreiter and Schmidhuber 1997, Long short-term memory, experiment 4). An answer counts as right within 0.16, which
  on their scale, 0.5 + sum / 4, is their 0.04.

Everything is drawn from the generator that is given, and from nothing else.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from explorer_core.results import LabExample

LETTERS, NOISE = "ABCD", "wxyz"
PAUSE, ASK = "·", "?"
N_COPIED = 2
TOLERANCE = 0.16  # of a sum


@dataclass(frozen=True)
class Batch:
    """Sequences of one length and what is asked of them.

    Attributes:
        inputs: What is read, float32 [pos, width, row]: one-hot symbols, or a number and its mark.
        answers: Index of the right letter, int [answer, row], or the right sum, float32 [answer, row]; asked for after
            the last positions, one each.
    """

    inputs: np.ndarray
    answers: np.ndarray


@dataclass(frozen=True)
class Task:
    """One task.

    Attributes:
        width: Numbers read at each step.
        n_out: Outputs of the head: one for each letter, or one for a sum.
        n_answers: Answers a sequence, after the last so many positions.
        n_beside: Positions of a sequence beside the lag.
        chance: Share of right answers without any memory: of the best guess that is always the same.
        draw: New sequences with a lag.
        spell: One of them as a person reads it.
    """

    width: int
    n_out: int
    n_answers: int
    n_beside: int
    chance: float
    draw: Callable[[np.random.Generator, int, int], Batch]
    spell: Callable[[Batch], LabExample]

    @property
    def is_sum(self) -> bool:
        """Whether the answer is a number, not a letter."""
        return self.n_out == 1


def loss_of(outputs: np.ndarray, answers: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Loss and share of right answers, and what learning starts from.

    Args:
        outputs: Of the heads, shape [answer, network, out, row].
        answers: As in `Batch` with an axis for networks, shape [answer, network or 1, row].

    Returns:
        Of each sequence the mean over its answers, both of shape [network, row]: cross entropy in nats (of a sum: the
        squared error), and the share right; and the derivative of each sequence's loss by the outputs, in their shape.
    """
    n_answers = len(outputs)
    if outputs.shape[2] == 1:
        gap = outputs[:, :, 0] - answers
        return np.square(gap).mean(0), (np.abs(gap) < TOLERANCE).mean(0), (2 / n_answers) * gap[:, :, None]
    shifted = outputs - outputs.max(2, keepdims=True)
    log_probs = shifted - np.log(np.exp(shifted).sum(2, keepdims=True))
    right = answers[:, :, None] == np.arange(outputs.shape[2])[:, None]  # [answer, network or 1, out, row]
    loss = -(log_probs * right).sum(2).mean(0)
    is_right = (outputs.argmax(2) == answers).mean(0)
    return loss, is_right, (np.exp(log_probs) - right) / n_answers


# First letter -------------------------------------------------------------------------------------------------------


def _draw_first(rng: np.random.Generator, lag: int, n_rows: int) -> Batch:
    first = rng.integers(0, len(LETTERS), (1, n_rows))
    noise = rng.integers(len(LETTERS), len(LETTERS + NOISE), (lag, n_rows))
    return Batch(_one_hot(np.concatenate([first, noise]), len(LETTERS + NOISE)), first)


def _spell_first(batch: Batch) -> LabExample:
    shown = [(LETTERS + NOISE)[index] for index in batch.inputs[:, :, 0].argmax(1)]
    return LabExample(
        steps=tuple(shown),
        matters=(True, *(False,) * (len(shown) - 1)),
        question="Which letter came first?",
        answer=LETTERS[batch.answers[0, 0]],
        check=f"It begins with {shown[0]}; the {len(shown) - 1} symbols after it are noise.",
    )


# Copy ---------------------------------------------------------------------------------------------------------------


def _draw_copy(rng: np.random.Generator, lag: int, n_rows: int) -> Batch:
    letters = rng.integers(0, len(LETTERS), (N_COPIED, n_rows))
    pause, ask = np.full((lag, n_rows), len(LETTERS)), np.full((N_COPIED, n_rows), len(LETTERS) + 1)
    return Batch(_one_hot(np.concatenate([letters, pause, ask]), len(LETTERS) + 2), letters)


def _spell_copy(batch: Batch) -> LabExample:
    shown = [(LETTERS + PAUSE + ASK)[index] for index in batch.inputs[:, :, 0].argmax(1)]
    answer = " ".join(LETTERS[index] for index in batch.answers[:, 0])
    return LabExample(
        steps=tuple(shown),
        matters=(*(True,) * N_COPIED, *(False,) * (len(shown) - N_COPIED)),
        question="Which letters were there, in their order? One is asked for at each question mark.",
        answer=answer,
        check=f"It begins with {answer}; a pause of {len(shown) - 2 * N_COPIED} steps follows.",
    )


# Adding -------------------------------------------------------------------------------------------------------------


def _draw_adding(rng: np.random.Generator, lag: int, n_rows: int) -> Batch:
    n_pos = lag + 1
    numbers = rng.integers(-100, 101, (n_pos, n_rows)) / 100  # two decimals, so that a person can check the sum
    marks = np.zeros((n_pos, n_rows))
    marks[0] = 1
    second = rng.integers(1, max(n_pos // 2, 2), n_rows)
    marks[second, np.arange(n_rows)] = 1
    answers = (numbers * marks).sum(0, keepdims=True)
    return Batch(np.stack([numbers, marks], axis=1).astype(np.float32), answers.astype(np.float32))


def _spell_adding(batch: Batch) -> LabExample:
    numbers, marks = batch.inputs[:, 0, 0], batch.inputs[:, 1, 0] > 0
    shown = tuple(f"{value:+.2f}".replace("-", "−") for value in numbers)
    answer = f"{float(batch.answers[0, 0]):+.2f}".replace("-", "−")
    marked = [name for name, mark in zip(shown, marks, strict=True) if mark]
    return LabExample(
        steps=shown,
        matters=tuple(bool(mark) for mark in marks),
        question=f"What is the sum of the marked numbers? An answer within {TOLERANCE:g} of it counts as right.",
        answer=answer,
        check=f"{' and '.join(marked)} are marked; together they are {answer}.",
    )


def _one_hot(symbols: np.ndarray, n_symbols: int) -> np.ndarray:
    """Symbols [pos, row] as float32 [pos, symbol, row]."""
    return (symbols[:, None] == np.arange(n_symbols)[:, None]).astype(np.float32)


_STEADY_GUESS = (2 * TOLERANCE - TOLERANCE**2 / 2) / 2  # share of sums within the tolerance of 0, their middle

TASKS = {
    "first_token": Task(len(LETTERS + NOISE), len(LETTERS), 1, 1, 1 / len(LETTERS), _draw_first, _spell_first),
    "copy": Task(len(LETTERS) + 2, len(LETTERS), N_COPIED, 2 * N_COPIED, 1 / len(LETTERS), _draw_copy, _spell_copy),
    "adding": Task(2, 1, 1, 1, _STEADY_GUESS, _draw_adding, _spell_adding),
}


def example(task: str, lag: int, seed: int) -> LabExample:
    """One sequence of a task with its answer, the same for the same seed."""
    return TASKS[task].spell(TASKS[task].draw(np.random.default_rng(seed), lag, 1))
