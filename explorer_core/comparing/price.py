"""What a network costs to read with: time and memory of one pass, by the length of a text and the texts read together.

Times are taken by `torch.utils.benchmark`, which runs a pass until a block of them is long against the clock and waits
for a card to finish. Memory is what the allocator hands out and takes back during a pass: the peak of a whole process
says nothing on a server that holds many networks.
"""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.utils.benchmark import Measurement, Timer

from explorer_core.energy import Meter
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import ModelPrice
from explorer_core.tracing._broken import refuse_broken

MAX_TOKENS, MAX_TOGETHER = 4_096, 256
MIN_S, MIN_BLOCKS = 0.25, 7  # each cell is timed at least so long, and in at least so many blocks
MAX_S = 4.0  # but a block that begins later than this is not: on a busy machine a cell would take a minute
_WAIT_S = 0.1
_SEED = 0

# an estimate of one pass on two CPU cores: a call, a step in time, a token, and each weight times each token
CALL_S = {"recurrent": 4e-4, "transformer": 4e-3}
STEP_S = {"recurrent": 6e-6, "transformer": 0.0}
MULTIPLY_S = {"recurrent": 2e-11, "transformer": 1.6e-11}
START_S = 1.0  # the first look at memory in a process

_ALONE = threading.Lock()  # two measurements at once would measure each other


def measure(
    model: LoadedModel, lengths: Sequence[int], batches: Sequence[int], progress: Progress | None
) -> ModelPrice:
    """Time and memory of every batch and length; see `api.measure_price`."""
    lengths = [length for length in _checked("tokens", lengths, MAX_TOKENS) if length <= model.max_tokens]
    batches = _checked("texts together", batches, MAX_TOGETHER)
    if not lengths:
        raise InvalidInputError(f"{model.name[:60]!r} reads at most {model.max_tokens:,} tokens. Ask for fewer.")
    shape = (len(batches), len(lengths))
    times = np.zeros((3, *shape))
    n_runs = np.zeros(shape, dtype=np.int64)
    peak_mib, joules = np.full(shape, math.nan), np.full(shape, math.nan)
    costs = np.array([[cell_s(model, batch, length) for length in lengths] for batch in batches])
    shares = np.append(0.0, costs.cumsum() / costs.sum())
    report = _Report(progress)
    meter = Meter(model.device)
    with _taken(report):
        for place in np.ndindex(*shape):
            cell = int(np.ravel_multi_index(place, shape))
            report.begin(shares[cell], shares[cell + 1], costs.sum())
            given = random_batch(model, batches[place[0]], lengths[place[1]])
            peak_mib[place] = peak_of(model.module, given, model.device)
            refuse_broken(model, _logits(model.module, given).float().cpu().numpy())
            meter = Meter(model.device)
            found = _time(model.module, given, report)
            used = meter.joules()
            per_run = np.array(found.times)
            times[(slice(None), *place)] = np.median(per_run), *np.percentile(per_run, (25, 75))
            n_runs[place] = len(found.times) * found.number_per_run
            if used is not None:
                joules[place] = used / (n_runs[place] * batches[place[0]])
    report.end()
    tensors = [*model.module.parameters(), *model.module.buffers()]
    return ModelPrice(
        model=model.name,
        architecture=model.architecture,
        fingerprint=model.fingerprint,
        n_params=sum(weight.numel() for weight in model.module.parameters()),
        weights_mib=sum(tensor.numel() * tensor.element_size() for tensor in tensors) / 2**20,
        batches=np.array(batches, dtype=np.int64),
        lengths=np.array(lengths, dtype=np.int64),
        median_s=times[0],
        low_s=times[1],
        high_s=times[2],
        n_runs=n_runs,
        peak_mib=peak_mib,
        joules=joules,
        device=model.device,
        n_threads=torch.get_num_threads(),
        energy_from=" and ".join(meter.sources),
    )


def estimate(models: Sequence[LoadedModel], lengths: Sequence[int], batches: Sequence[int]) -> float:
    """Seconds it takes to measure some networks, one after the other."""
    cells = [(model, batch, length) for model in models for batch in batches for length in lengths]
    return START_S + sum(cell_s(*cell) for cell in cells)


def cell_s(model: LoadedModel, batch: int, length: int) -> float:
    """Estimated seconds to measure one batch of one length."""
    table = model.module.get_input_embeddings().weight.numel()
    multiplied = sum(weight.numel() for weight in model.module.parameters()) - table
    pass_s = CALL_S[model.kind] + STEP_S[model.kind] * length + MULTIPLY_S[model.kind] * multiplied * batch * length
    return max(MIN_S, MIN_BLOCKS * pass_s) + 3 * pass_s  # the look at memory, a warm one, the search for a block


def random_batch(model: LoadedModel, batch: int, length: int) -> dict[str, torch.Tensor]:
    """Tokens drawn evenly from the vocabulary, all of them read; ids and mask of shape [text, pos].

    How long a pass takes does not hang on which words are read.
    """
    drawn = np.random.default_rng(_SEED).integers(
        0, model.module.get_input_embeddings().num_embeddings, (batch, length)
    )
    ids = torch.from_numpy(drawn).to(model.device)
    return {"input_ids": ids, "attention_mask": torch.ones_like(ids)}


def peak_of(module: nn.Module, given: dict[str, torch.Tensor], device: str) -> float:
    """Memory one pass allocates beyond what is there before it, at its highest, in MiB; NaN where it is not told."""
    if device == "cuda":
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
        before = torch.cuda.memory_allocated()
        _logits(module, given)
        torch.cuda.synchronize()
        return (torch.cuda.max_memory_allocated() - before) / 2**20
    if device != "cpu":
        return math.nan
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profile:
        _logits(module, given)
    events: list[Any] = [event for event in profile.profiler.kineto_results.events() if event.name() == "[memory]"]
    changes = np.array([event.nbytes() for event in sorted(events, key=lambda event: event.start_ns())])
    return float(np.cumsum(changes).max(initial=0)) / 2**20


def _time(module: nn.Module, given: dict[str, torch.Tensor], report: _Report) -> Measurement:
    """Blocks of passes, each with its seconds for one pass."""
    # as many threads as there are: a number of its own would be set for others who compute meanwhile
    timer = Timer("read(module, given)", globals={"read": _logits, "module": module, "given": given},
                  num_threads=torch.get_num_threads())  # fmt: skip
    block: Any = report.block  # typed there as if it never returned
    found = timer.blocked_autorange(callback=block, min_run_time=MIN_S)
    while len(found.times) < MIN_BLOCKS and sum(found.raw_times) < MAX_S:
        more = timer.timeit(found.number_per_run)
        report.block(found.number_per_run, more.raw_times[0])
        found = Measurement.merge([found, more])[0]
    return found


@torch.inference_mode()
def _logits(module: nn.Module, given: dict[str, torch.Tensor]) -> torch.Tensor:
    return module(**given).logits


class _Report:
    """How far the whole is while one cell is timed."""

    def __init__(self, progress: Progress | None) -> None:
        self._progress = progress or (lambda share: None)
        self._share = self._end = 0.0
        self._all_s = 1.0

    def begin(self, share: float, end: float, all_s: float) -> None:
        """A cell begins at a share of the whole and is to end at another; the whole takes about so many seconds."""
        self._share, self._end, self._all_s = float(share), float(end), float(all_s)
        self._progress(self._share)

    def block(self, number: int, seconds: float) -> None:
        """A block of so many passes took so long."""
        self._share = min(self._share + seconds / self._all_s, self._end)
        self._progress(self._share)

    def wait(self) -> None:
        """Another measurement is not done yet."""
        self._progress(self._share)

    def end(self) -> None:
        """All is measured."""
        self._progress(1.0)


@contextlib.contextmanager
def _taken(report: _Report) -> Iterator[None]:
    """The only measurement of this process; waits for another, and can be cancelled while it does."""
    while not _ALONE.acquire(timeout=_WAIT_S):
        report.wait()
    try:
        yield
    finally:
        _ALONE.release()


def _checked(what: str, given: Sequence[int], high: int) -> list[int]:
    """Different whole numbers in rising order.

    Raises:
        InvalidInputError: If one is no number from 1 to the limit.
    """
    numbers = list(given) if isinstance(given, list | tuple) else []
    is_fine = all(isinstance(one, int) and not isinstance(one, bool) and 1 <= one <= high for one in numbers)
    if not numbers or not is_fine:
        raise InvalidInputError(f"The {what} are {str(given)[:60]}; whole numbers from 1 to {high:,} are expected.")
    return sorted(set(numbers))
