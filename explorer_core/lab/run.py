"""The lab itself: every network of a spec learns its task, a few steps at a time, all of them side by side.

The Hugging Face Trainer trains everything else in this project; here its start would take longer than a network of
sixteen units takes to learn, so this is the plain loop: draw a batch, walk back, clip, one step of Adam (Kingma and Ba
2015, Adam: a method for stochastic optimization). Networks of one family and lag are one stack (`networks`); those of
one seed differ in nothing but their start and read the same sequences. Stacks are shared out between threads, in
rounds, so that all lags and families come along together and a lab that is stopped half way is half a lab, not half of
its lines.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from explorer_core.lab import networks, price
from explorer_core.lab.networks import Weights
from explorer_core.lab.spec import LabSpec
from explorer_core.lab.tasks import TASKS, Batch, loss_of
from explorer_core.progress import Progress
from explorer_core.results import LabResult
from explorer_core.results.lab import MOMENTS

N_CHECKS = 12  # times the networks are measured while they learn
N_TEST, N_PROBED = 128, 32  # sequences measured on; those whose gradients are
N_THREADS = 2
MOST_GATES = 2**22  # numbers kept of one stack for the way back: 16 MiB
TICK_S = 0.2  # how often progress is told, and so how soon a lab is cancelled
_BETAS, _EPSILON = (0.9, 0.999), 1e-8  # of Adam
_TEST, _TRAIN, _START = 1, 2, 3  # streams of random numbers that have nothing to do with each other


def run(spec: LabSpec, progress: Progress | None = None, watch: Callable[[LabResult], None] | None = None) -> LabResult:
    """Train every network of a spec and measure it on the way; see `api.run_lab`."""
    price.check(spec)
    board, stop = _Board(spec), threading.Event()
    stacks = [
        _Stack(spec, family, lag, seeds, board)
        for family in spec.families
        for lag in range(len(spec.lags))
        for seeds in _share_out(spec, family, spec.lags[lag])
    ]
    stacks.sort(key=lambda stack: -stack.cost)  # the longest first, so that no thread is left alone with one
    todo = spec.steps * sum(stack.cost for stack in stacks)
    with ThreadPoolExecutor(N_THREADS, thread_name_prefix="lab") as pool:
        try:
            for check, until in enumerate(board.steps):
                pending = {pool.submit(stack.learn, check, int(until), stop) for stack in stacks}
                while pending:
                    done, pending = wait(pending, TICK_S, FIRST_COMPLETED)
                    for each in done:
                        each.result()
                    if progress is not None:
                        progress(sum(stack.step * stack.cost for stack in stacks) / todo)
                if watch is not None:
                    watch(board.result())
        finally:
            stop.set()  # whatever ended it, the threads end too
    return board.result()


def _share_out(spec: LabSpec, family: str, lag: int) -> list[range]:
    """Seeds that are stacked together: as many as their gates leave room for."""
    n_settings = sum(setting.family == family for setting in spec.settings)
    n_gates = (lag + TASKS[spec.task].n_beside) * n_settings * networks.BLOCKS[family] * spec.n_units * spec.batch_size
    most = max(MOST_GATES // n_gates, 1)
    return [range(first, min(first + most, spec.n_seeds)) for first in range(0, spec.n_seeds, most)]


class _Board:
    """What has been measured so far; every stack writes to places of its own."""

    def __init__(self, spec: LabSpec) -> None:
        self.spec = spec
        self.steps = np.unique(np.linspace(0, spec.steps, N_CHECKS + 1).round().astype(np.int64))
        shape = (len(spec.settings), len(spec.lags), spec.n_seeds)
        n_pos = spec.lags[-1] + TASKS[spec.task].n_beside
        self.accuracy = np.full((*shape, len(self.steps)), np.nan)
        self.loss = np.full((*shape, len(self.steps)), np.nan)
        self.grad_norm = np.full((*shape, len(MOMENTS), n_pos), np.nan)
        self.diverged = np.full(shape, -1, np.int64)

    def result(self) -> LabResult:
        """A copy of it, as it stands."""
        return LabResult(
            spec=self.spec,
            steps=self.steps.copy(),
            accuracy=self.accuracy.copy(),
            loss=self.loss.copy(),
            grad_norm=self.grad_norm.copy(),
            diverged=self.diverged.copy(),
            chance=TASKS[self.spec.task].chance,
            n_test=N_TEST,
            n_probed=N_PROBED,
        )


class _Stack:
    """Networks of one family and lag, of some seeds, with their optimiser and the sequences they read."""

    def __init__(self, spec: LabSpec, family: str, lag: int, seeds: Sequence[int], board: _Board) -> None:
        self.spec, self.family, self.lag, self.task = spec, family, spec.lags[lag], TASKS[spec.task]
        self.board, self.step = board, 0
        rows = [row for row, setting in enumerate(spec.settings) if setting.family == family]
        self.n_settings = len(rows)
        seed_of, row_of = np.repeat(seeds, len(rows)), np.tile(rows, len(seeds))  # [network]: all starts of a seed
        self.place = (row_of, lag, seed_of)  # on the board
        settings = [spec.settings[row] for row in row_of]
        self.cost = price.step_s(spec, family, self.lag, len(seeds))
        self.weights = networks.build(
            family,
            [np.random.default_rng([_START, spec.seed, seed, self.lag]) for seed in seed_of],
            width=self.task.width,
            n_units=spec.n_units,
            n_out=self.task.n_out,
            orthogonal=[setting.is_orthogonal for setting in settings],
            keep_bias=[setting.gate_bias or 0.0 for setting in settings],
        )
        self.means: Sequence[Weights] = [
            {name: np.zeros_like(value) for name, value in self.weights.items()} for _ in _BETAS
        ]
        self.data = [np.random.default_rng([_TRAIN, spec.seed, seed, self.lag]) for seed in seeds]
        self.test = self.task.draw(np.random.default_rng([_TEST, spec.seed, self.lag]), self.lag, N_TEST)

    def learn(self, check: int, until: int, stop: threading.Event) -> None:
        """Learn up to a step, and measure there; a lab that is stopped ends here within one step."""
        with np.errstate(all="ignore"):  # a network that diverges is noticed and said; the others do not feel it
            room = None
            while self.step < until:
                if stop.is_set():
                    return
                room = self._learn_once(room)
                self.step += 1
            if not stop.is_set():
                self._measure(check)

    def _learn_once(self, room: networks.Passed | None) -> networks.Passed:
        batches = [self.task.draw(data, self.lag, self.spec.batch_size) for data in self.data]
        inputs, answers = (  # [..., network, ..., row]: all starts of a seed read the same
            np.repeat(np.stack(each, axis=1), self.n_settings, axis=1)
            for each in ([batch.inputs for batch in batches], [batch.answers for batch in batches])
        )
        passed = networks.read(self.family, self.weights, inputs, self.task.n_answers, room)
        loss, _, grad_outputs = loss_of(passed.outputs, answers)
        grad_outputs = (grad_outputs / self.spec.batch_size).astype(np.float32)  # of the mean over the batch
        grad = networks.walk_back(self.family, self.weights, passed, grad_outputs).weights
        self._note_diverged(loss.mean(1))
        clip(grad, self.spec.clip_norm)
        adam_step(self.weights, grad, self.means, self.step + 1, self.spec.learning_rate)
        return passed

    def _measure(self, check: int) -> None:
        passed = networks.read(self.family, self.weights, self.test.inputs[:, None], self.task.n_answers)
        loss, is_right, _ = loss_of(passed.outputs, self.test.answers[:, None])
        self._note_diverged(loss.mean(1))
        is_fine = self.board.diverged[self.place] < 0
        self.board.loss[(*self.place, check)] = np.where(is_fine, loss.mean(1), np.nan)
        self.board.accuracy[(*self.place, check)] = np.where(is_fine, is_right.mean(1), np.nan)
        if check in (0, len(self.board.steps) - 1):
            norms = grad_norm(self.family, self.weights, self.task.n_answers, self.test)  # [network, back]
            norms[~is_fine | ~np.isfinite(norms).all(1)] = np.nan
            self.board.grad_norm[(*self.place, int(check > 0), slice(norms.shape[1]))] = norms

    def _note_diverged(self, loss: np.ndarray) -> None:
        """Remember the step at which the mean loss [network] first was no finite number."""
        seen = self.board.diverged[self.place]
        self.board.diverged[self.place] = np.where((seen < 0) & ~np.isfinite(loss), self.step, seen)


def grad_norm(family: str, weights: Weights, n_answers: int, test: Batch) -> np.ndarray:
    """L2 norm of the derivative of a sequence's loss by the carried state, mean over the first `N_PROBED` sequences.

    Computed in double precision: a gradient that vanishes over many steps is still a number there.

    Returns:
        Shape [network, back], steps back from the last one.
    """
    wide: Any = {name: value.astype(np.float64) for name, value in weights.items()}
    inputs = test.inputs[:, None, :, :N_PROBED].astype(np.float64)
    passed = networks.read(family, wide, inputs, n_answers)
    _, _, grad_outputs = loss_of(passed.outputs, test.answers[:, None, :N_PROBED])
    state = networks.walk_back(family, wide, passed, grad_outputs).state  # [pos, network, unit, row]
    return np.linalg.norm(state, axis=2).mean(-1)[::-1].T


def clip(grad: Weights, largest: float) -> None:
    """Shorten each network's whole gradient to a norm, in place (Pascanu et al. 2013); 0 leaves it as it is."""
    if largest == 0:
        return
    squares: Any = sum(np.square(value).reshape(len(value), -1).sum(1) for value in grad.values())  # [network]
    share = largest / np.maximum(np.sqrt(squares), largest)
    for value in grad.values():
        value *= share.reshape(-1, *(1,) * (value.ndim - 1)).astype(value.dtype)


def adam_step(weights: Weights, grad: Weights, means: Sequence[Weights], step: int, learning_rate: float) -> None:
    """One step of Adam for every network, in place; its means are kept element by element, so stacking changes nothing.

    Args:
        weights: By name, changed in place.
        grad: Of each of them.
        means: Running means of the gradient and of its square, changed in place.
        step: Counted from 1.
        learning_rate: Size of a step.
    """
    (first, second), (keep_first, keep_second) = means, _BETAS
    for name, value in grad.items():
        first[name] += (1 - keep_first) * (value - first[name])
        second[name] += (1 - keep_second) * (value * value - second[name])
        spread = np.sqrt(second[name] / (1 - keep_second**step)) + _EPSILON
        weights[name] -= (learning_rate / (1 - keep_first**step)) * first[name] / spread
