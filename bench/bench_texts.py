"""Texts of one's own: judging beside a plain forward pass, a large file from upload to verdicts, a stream's memory."""

from __future__ import annotations

import csv
import math
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch

from bench import _homes
from bench._row import Row
from explorer_core import api, prediction
from explorer_core.judging import verdicts
from explorer_core.loaded import LoadedModel

SLOW = "100,000 texts take a minute, a million rows several"
N_SHORT, N_LARGE, N_STREAM, N_ROUNDS = 10_000, 100_000, 1_000_000, 3
JUDGED = f"starter LSTM over {N_SHORT:,} short texts, reading the file and writing rows, over a plain forward pass"
READ = f"CSV of {N_LARGE:,} rows, upload to table"
PREDICTED = f"CSV of {N_LARGE:,} rows, predicted by the starter LSTM"
STREAMED = f"{N_STREAM:,} rows through the command line, peak memory"


def measure() -> list[Row]:
    """On the starter LSTM of the store; not measured where it is not ready."""
    if "starter-lstm" not in _homes.ready_starters():
        bars: tuple[tuple[str, float, str], ...] = (
            (JUDGED, 1.5, "x"), (READ, 5, "s"), (PREDICTED, 60, "s"), (STREAMED, 1_536, "MiB"),
        )  # fmt: skip
        note = "the starter LSTM is not ready; train it: python -m explorer_core train --starter"
        return [Row(quantity, bar, math.nan, unit, note=note) for quantity, bar, unit in bars]
    model = api.load_model("starter-lstm", "cpu")
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder:
        home = Path(folder)
        return [_judged(model, home), *_large(model, home), _streamed(home)]


def write_csv(path: Path, n_rows: int, *, n_words: int = 0) -> Path:
    """Rows of the starter corpus drawn again and again, each made different by a number; texts cut after some words."""
    data, rng = api.read_data(api.DataSpec("starter")), random.Random(0)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label", "number"])
        for number in range(n_rows):
            row = rng.randrange(len(data))
            words = data.texts[row].split()
            text = " ".join(words[: n_words or len(words)])
            writer.writerow([f"{text} {number}", data.label_names[data.labels[row]], number])
    return path


def _judged(model: LoadedModel, home: Path) -> Row:
    path = write_csv(home / "short.csv", N_SHORT, n_words=20)
    texts = api.read_texts([path]).texts
    batches = _batches(model, texts)
    ours_s, plain_s = [], []
    for _ in range(N_ROUNDS + 1):
        began_s = time.perf_counter()
        with torch.inference_mode():
            for batch in batches:
                model.module(**batch)
        plain_s.append(time.perf_counter() - began_s)
        began_s = time.perf_counter()
        stream = api.stream_texts(str(path))
        _write_rows(model, stream, home / "out.csv")
        ours_s.append(time.perf_counter() - began_s)
    ours, plain = sorted(ours_s[1:])[N_ROUNDS // 2], sorted(plain_s[1:])[N_ROUNDS // 2]
    note = f"{ours:.2f} s over {plain:.2f} s; fastest runs {min(ours_s[1:]) / min(plain_s[1:]):.3g}x"
    return Row(JUDGED, 1.5, ours / plain, note=note)


def _write_rows(model: LoadedModel, stream: Any, path: Path) -> None:
    from explorer_core.results import safe_csv

    mapping = api.guess_labels(stream.label_values, model.labels)
    with path.open("wb") as file:
        for found in api.judge_blocks(model, stream.blocks(), mapping):
            file.write(safe_csv(found.to_frame()))


def _batches(model: LoadedModel, texts: tuple[str, ...]) -> list[dict[str, torch.Tensor]]:
    """The batches that judging makes, read and padded beforehand."""
    found = []
    for start, stop in pairwise([*range(0, len(texts), verdicts.AT_ONCE), len(texts)]):
        ids = prediction.read_ids(model, texts[start:stop]).ids
        for rows in prediction.batch_by_length([len(one) for one in ids]):
            some = [torch.tensor(ids[row]) for row in rows]
            padded = torch.nn.utils.rnn.pad_sequence(some, batch_first=True)
            mask = torch.nn.utils.rnn.pad_sequence([torch.ones_like(one) for one in some], batch_first=True)
            found.append({"input_ids": padded, "attention_mask": mask})
    return found


def _large(model: LoadedModel, home: Path) -> list[Row]:
    path = write_csv(home / "large.csv", N_LARGE)
    content = path.read_bytes()
    with _homes.thrown_away():
        began_s = time.perf_counter()
        table = api.read_texts([api.save_upload(content, "csv")], names=["large.csv"])
        table.take(table.rows[:200]).to_frame()
        read_s = time.perf_counter() - began_s
        began_s = time.perf_counter()
        api.judge([model], table)
        judged_s = time.perf_counter() - began_s
    peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    note = f"{len(content) / 2**20:.0f} MiB"
    memory = f"with scores and intervals; peak memory of the process {peak_mib:,.0f} MiB"
    return [Row(READ, 5, read_s, "s", note=note), Row(PREDICTED, 60, judged_s, "s", note=memory)]


def _streamed(home: Path) -> Row:
    path = write_csv(home / "stream.csv", N_STREAM, n_words=8)
    command = [sys.executable, "-m", "explorer_core", "evaluate", "--stream", "--data", str(path)]
    began_s = time.perf_counter()
    subprocess.run([*command, "--out", str(home / "stream.jsonl")], check=True, stdout=subprocess.DEVNULL,
                   env=os.environ)  # fmt: skip
    peak_mib = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    return Row(STREAMED, 1_536, peak_mib, " MiB", note=f"{time.perf_counter() - began_s:,.0f} s")
