"""A corpus of a million words: how long its states take, what they cost, and how fast they answer."""

from __future__ import annotations

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from bench import _homes
from bench._row import Row
from bench.bench_tracing import SENTENCE, build_model
from explorer_core import api
from explorer_core.loaded import LoadedModel
from explorer_core.training.spec import DataSpec

SLOW = "reads a million words, up to 5 minutes"
N_WORDS = 1_000_000
N_SPANS = 10
SIZE = "1 million words, 128 units"
_BUILD = "import sys; from bench import bench_corpus; sys.stdout.write(bench_corpus.build())"


def measure() -> list[Row]:
    """Minutes, disk and memory to build an index, and seconds of what is asked of it, on two cores."""
    with _homes.thrown_away() as home:
        done = subprocess.run([sys.executable, "-c", _BUILD], capture_output=True, text=True, check=True)
        built = json.loads(done.stdout)
        disk_mb = sum(path.stat().st_size for path in (home / ".index").rglob("*") if path.is_file()) / 1e6
        model = build_model("lstm")
        index = api.open_index(model, corpus(model))
        trace = api.trace_states(model, SENTENCE)
        query_s = sorted(_timed(lambda span=span: _find(index, trace, span)) for span in spans(len(trace.words)))
        card_s = statistics.median(_timed(lambda unit=unit: api.unit_card(index, unit)) for unit in range(N_SPANS))
        like_s = statistics.median(_timed(lambda unit=unit: api.similar_units(index, unit)) for unit in range(3))
    about = f"{index.about.n_words:,} words in {index.about.n_texts:,} texts; {built['cpu_s']:.0f} s of processor time"
    return [
        Row(f"pattern index built, {SIZE}", 5.0, built["built_s"] / 60, "min", note=about),
        Row(f"pattern index on disk, {SIZE}", 300, disk_mb, "MB"),
        Row(f"pattern found, {SIZE}", 1.0, statistics.median(query_s), "s",
            note=f"median of {N_SPANS} spans, slowest {query_s[-1]:.2g} s"),
        Row(f"unit card, {SIZE}", 1.0, card_s, "s", note=f"units like it: {like_s:.2g} s"),
        Row(f"memory while the index is built, {SIZE}", None, built["peak_mb"], "MB",
            note=f"peak of the process; {built['before_mb']:,.0f} MB of it before, with libraries, model and texts"),
    ]  # fmt: skip


def build() -> str:
    """Build the index in this process; how long it took and what memory, as JSON."""
    import torch

    torch.set_num_threads(2)
    model = build_model("lstm")
    texts = corpus(model)
    before_mb, before_s, began_s = _peak_mb(), time.process_time(), time.perf_counter()
    api.index_states(model, texts)
    built_s, cpu_s = time.perf_counter() - began_s, time.process_time() - before_s
    return json.dumps({"built_s": built_s, "cpu_s": cpu_s, "before_mb": before_mb, "peak_mb": _peak_mb()})


def corpus(model: LoadedModel) -> list[str]:
    """Starter reviews in a seeded order, over and over, up to a million words."""
    texts = api.read_data(DataSpec("starter")).texts
    n_words = np.array([len(_words(model, text)) for text in texts])
    taken, total = [], 0
    for row in _forever(len(texts)):
        if total + n_words[row] > N_WORDS:
            break
        taken.append(texts[row])
        total += n_words[row]
    return taken


def spans(n_words: int) -> list[tuple[int, int]]:
    """Spans of 1 to 5 words of a text."""
    return [(first, min(first + at % 5, n_words - 1)) for at, first in enumerate(range(0, 2 * N_SPANS, 2))]


def _forever(n_texts: int) -> Iterator[int]:
    rng = np.random.default_rng(0)
    while True:
        yield from rng.permutation(n_texts)


def _words(model: LoadedModel, text: str) -> tuple[str, ...]:
    from explorer_core.text import read_text

    return read_text(model.tokenizer, text, model.max_tokens).words


def _find(index: Any, trace: Any, span: tuple[int, int]) -> None:
    from explorer_core.unit_pattern import states_after_words

    values = states_after_words(trace, 0, 0, "hidden")[span[0] : span[1] + 1].astype(float)
    threshold = float(np.sort(values.min(0))[-12])  # a dozen units are on
    api.find_pattern(index, trace, span, threshold, off_before=False, off_after=False)


def _timed(call: Any) -> float:
    began_s = time.perf_counter()
    call()
    return time.perf_counter() - began_s


def _peak_mb() -> float:
    """Largest memory of this process so far; the kernel counts in KiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
