"""The checkpoints of a run on a page: loaded once and shared, read over a text in the background, judged on pairs."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError, NotFoundError
from explorer_core.results import Checkpoint, CheckpointTrace, PairHistory
from pages._ui import cache, work
from pages._ui.digest import short
from pages._ui.look import Look

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel

MOST_MAPPED_WORDS = 400  # of longer texts no connectivity is kept for every epoch
_LOADING_SHARE = 0.7  # of the progress, when the checkpoints are not loaded yet
_SAMPLE = 24  # texts read to say what all would cost
_PATIENCE_S = 1.5  # work that ends sooner shows no bar
PAIR_SPLITS = ("validation", "test")


@dataclass(frozen=True)
class Loaded:
    """The checkpoints of a run that could be loaded, and why others could not, one sentence each."""

    models: Mapping[Checkpoint, LoadedModel]
    problems: tuple[str, ...]


@st.cache_resource(max_entries=2, show_spinner=False)  # of one run they weigh at most what its checkpoints may
def loaded(name: str, fingerprint: str, steps: tuple[int, ...], _progress: api.Progress | None = None) -> Loaded:
    """Every checkpoint of these steps; word vectors that are the same are held once. Shared and never changed.

    Raises:
        NotFoundError: If none can be loaded.
    """
    final = cache.load(name, fingerprint)
    models: dict[Checkpoint, LoadedModel] = {}
    problems = []
    for number, one in enumerate(each for each in api.list_checkpoints(name) if each.step in steps):
        try:
            models[one] = api.load_checkpoint(name, one.step, like=final)
        except ExplorerError as error:
            problems.append(f"The checkpoint of step {one.step:,} is passed over. {error}")
        if _progress is not None:
            _progress((number + 1) / len(steps))
    if not models:
        raise NotFoundError(problems[0] if problems else f"The run {name} has no checkpoint that can be read.")
    return Loaded(models, tuple(problems))


def begin_reading(look: Look, steps: tuple[int, ...], *, mapped: bool) -> None:
    """Load the checkpoints and read the text with each of them, in the background."""
    name, fingerprint, text = look.key
    target = look.target

    def read(progress: api.Progress) -> tuple[CheckpointTrace, tuple[str, ...]]:
        found = loaded(name, fingerprint, steps, _progress=lambda share: progress(_LOADING_SHARE * share))
        traced = api.trace_checkpoints(
            found.models, text, target, with_connectivity=mapped,
            progress=lambda share: progress(_LOADING_SHARE + (1 - _LOADING_SHARE) * share),
        )  # fmt: skip
        return traced, found.problems

    work.start(reading_key(look, steps, mapped=mapped), f"Reading the text at {len(steps)} checkpoints", read)


def reading_key(look: Look, steps: tuple[int, ...], *, mapped: bool) -> str:
    """Key of the work that reads a text at every checkpoint."""
    return f"checkpoints {look.info.name} {look.info.fingerprint} {steps} {look.target} {mapped} {short(look.text)}"


def read(look: Look, steps: tuple[int, ...], *, mapped: bool) -> tuple[CheckpointTrace, tuple[str, ...]] | None:
    """What was read, and what is to be said of it; a bar while it is being read."""
    return work.draw(reading_key(look, steps, mapped=mapped), patience_s=_PATIENCE_S)


def begin_judging(look: Look, steps: tuple[int, ...]) -> None:
    """Judge the pairs of the starter corpus at every checkpoint, in the background."""
    name, fingerprint, _ = look.key

    def judge(progress: api.Progress) -> PairHistory:
        return _pairs(name, fingerprint, steps, _progress=progress)

    work.start(judging_key(look, steps), f"Judging pairs at {len(steps)} checkpoints", judge)


def judging_key(look: Look, steps: tuple[int, ...]) -> str:
    """Key of the work that judges pairs at every checkpoint."""
    return f"pairs {look.info.name} {look.info.fingerprint} {steps}"


@st.cache_data(max_entries=32, max_size="8MB", show_spinner=False)
def _pairs(name: str, fingerprint: str, steps: tuple[int, ...], _progress: api.Progress) -> PairHistory:
    """`api.evaluate_checkpoints` over the starter corpus."""
    found = loaded(name, fingerprint, steps)
    return api.evaluate_checkpoints(found.models, api.DataSpec(), splits=PAIR_SPLITS, progress=_progress)


@st.cache_data(max_entries=64, show_spinner="Measuring what it costs")
def judging_s(name: str, fingerprint: str) -> float:
    """Seconds this machine takes to judge all pairs once, measured on a few of their texts."""
    model, data = cache.load(name, fingerprint), cache.corpus_texts("starter", "{}")
    paired = [data.texts[row] for split in PAIR_SPLITS for row in data.rows(split) if data.groups["pair"][row]]
    sample = paired[:: max(len(paired) // _SAMPLE, 1)]
    api.predict(model, sample[:4])  # the first call of a process pays for more than reading
    began = time.perf_counter()
    api.predict(model, sample)
    return (time.perf_counter() - began) * len(paired) / len(sample)


def bundle(look: Look, checkpoint: Checkpoint, address: Mapping[str, str]) -> bytes:
    """The reproduce bundle of one checkpoint over the text; its model is found again by `<run>@<step>`."""
    model = api.load_checkpoint(look.info.name, checkpoint.step)
    target = {"target": look.target}
    made = [
        api.Made("trace_running", {}, api.trace_running(model, look.text)),
        api.Made("trace_gradients", target, api.trace_gradients(model, look.text, look.target)),
    ]
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        path = Path(folder) / "bundle.zip"
        return api.reproduce_bundle(path, model, look.text, made, settings=address).read_bytes()
