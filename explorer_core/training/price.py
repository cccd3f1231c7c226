"""What a run will cost, before the press: rows and steps exactly, seconds, disk and memory as estimates.

Time is linear in the weights that are multiplied and in the tokens they are multiplied with; the constants were
measured with torch on two CPU cores. No torch here: the form that shows the price is drawn before it.
"""

from __future__ import annotations

import functools
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from explorer_core import registry, settings
from explorer_core.datasets import _labelled_texts
from explorer_core.errors import InvalidInputError
from explorer_core.training import _gradient_log
from explorer_core.training._rows import marked_phrases
from explorer_core.training.spec import DataSpec, TrainingSpec

START_S = 10.0  # importing torch and transformers, reading, building, tokenising
STEP_S = 5e-3  # the engine and the recorders, each step
TOKEN_S = 5e-6  # dropout, packing and gathering, each token
MULTIPLY_S = {"recurrent": 6e-11, "transformer": 3.6e-11}  # forward and backward, each weight times each token
UPDATE_S = 2.5e-9  # AdamW, clipping and norms, each trainable weight in each step
RECORD_SHARE = 2.0  # of a training step over as many tokens: a recording also keeps every gate
NUMBER_BYTES = 10  # one number of a recording, as text
FORWARD_SHARE = 0.3  # of a training step: an evaluation has no backward
DISK_MIB_PER_S = 200.0
BASE_MEMORY_MIB = 600.0  # a process with torch and transformers

_PIECES_PER_WORD = 1.3
_WORDPIECE_ROWS, _PRETRAINED_WIDTH, _MAX_POSITIONS = 30_522, 384, 512
_PRETRAINED_BERT, _RANDOM_BERT = (6, 384, 1_536), (4, 128, 512)  # layers, width, width inside a layer
_TOKENIZER_MIB = 1.0
_BYTES = 4
_WORD = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True)
class Price:
    """What a run will cost.

    Attributes:
        seconds: Estimated time on two CPU cores.
        disk_mib: Estimated disk, checkpoints included.
        memory_mib: Estimated memory of the training process at its peak.
        n_rows: Training rows.
        n_steps: Steps of the optimiser; fewer if training stops early.
        n_recordings: Recordings of gradients, the one before the first step included.
        recording_s, recording_mib: What these take of the time and of the disk.
        sentence: The same for a person.
    """

    seconds: float
    disk_mib: float
    memory_mib: float
    n_rows: int
    n_steps: int
    n_recordings: int
    recording_s: float
    recording_mib: float
    sentence: str


@dataclass(frozen=True)
class _Sizes:
    """Weights of a network by what they cost."""

    all: int
    trainable: int
    multiplied: int  # with each token
    layers: int  # times directions; of a BERT with its embedding
    kept_per_token: int  # numbers kept for the backward pass


@dataclass(frozen=True)
class _TextSizes:
    train_words: np.ndarray  # [text]
    other_words: np.ndarray
    n_different: int
    n_labels: int


def estimate(spec: TrainingSpec) -> Price:
    """Rows, steps, seconds, disk and memory of a run. The data are read the first time they are asked for.

    Raises:
        As `read_data`; `InvalidInputError` also if there are no training rows.
    """
    options = json.dumps(dict(spec.data.options), sort_keys=True, default=str)
    texts = _measure(spec.data.source, options, spec.phrases, _stamp(spec.data))
    if not len(texts.train_words):
        raise InvalidInputError("There are no training rows in this data. Choose data with more rows.")
    sizes = _count_weights(spec, texts)
    n_rows = len(texts.train_words)
    n_steps = math.ceil(n_rows / spec.batch_size) * spec.epochs
    train_lengths = _tokens(texts.train_words, spec)
    n_train, n_other = train_lengths.sum() * 1.1, _tokens(texts.other_words, spec).sum()  # a tenth is padding
    kind = "transformer" if spec.family == "bert" else "recurrent"
    per_token_s = TOKEN_S + MULTIPLY_S[kind] * sizes.multiplied
    final_mib = sizes.all * _BYTES / 2**20 + _TOKENIZER_MIB
    checkpoint_mib = final_mib + 2 * sizes.trainable * _BYTES / 2**20
    kept_mib = min(spec.epochs * final_mib + 2 * (checkpoint_mib - final_mib), settings.CHECKPOINT_BUDGET_MIB)
    n_recordings = len(_gradient_log.recording_steps(n_steps, spec.record_gradients))
    n_distances = min(int(train_lengths.max()), _gradient_log.MAX_DISTANCES)
    recording_s = n_recordings * (STEP_S + RECORD_SHARE * _gradient_log.N_TEXTS * n_distances * per_token_s)
    recording_mib = n_recordings * NUMBER_BYTES * (sizes.layers * n_distances + 30) / 2**20
    seconds = (
        START_S
        + recording_s
        + n_steps * (STEP_S + UPDATE_S * sizes.trainable)
        + spec.epochs * (n_train + FORWARD_SHARE * n_other) * per_token_s
        + (spec.epochs * checkpoint_mib + final_mib) / DISK_MIB_PER_S
    )
    disk_mib = max(kept_mib, checkpoint_mib) + final_mib + recording_mib  # two checkpoints are whole at a time
    longest = int(np.sort(train_lengths)[-spec.batch_size :].sum())
    memory_mib = BASE_MEMORY_MIB + (
        (sizes.all + 3 * sizes.trainable + longest * sizes.kept_per_token) * _BYTES / 2**20
    )  # gradients and two numbers of AdamW beside each trainable weight
    return Price(
        seconds=round(float(seconds), 1),
        disk_mib=round(float(disk_mib), 1),
        memory_mib=round(float(memory_mib), 1),
        n_rows=n_rows,
        n_steps=n_steps,
        n_recordings=n_recordings,
        recording_s=round(recording_s, 2),
        recording_mib=round(recording_mib, 3),
        sentence=(
            f"{n_rows:,} training rows in {n_steps:,} steps: about {_duration(float(seconds))} on two CPU cores, "
            f"less on a GPU; {_rough(float(disk_mib))} MiB of disk and {_rough(float(memory_mib))} MiB of memory. "
            f"{_recordings(n_recordings, recording_s, recording_mib)}An estimate."
        ),
    )


@functools.lru_cache(maxsize=8)
def _measure(source: str, options: str, phrases: bool, stamp: tuple[float, int]) -> _TextSizes:
    """Lengths in words; kept by content of the file, so that moving a slider does not read it again."""
    data = _labelled_texts.read(DataSpec(source, json.loads(options)))
    n_words = np.array([_labelled_texts.count_words(text) for text in data.texts], dtype=int)
    train = data.rows("train")
    different: set[str] = set()
    for row in train:
        different.update(_WORD.findall(data.texts[row].lower()))
    marked = [_labelled_texts.count_words(text) for text, _ in marked_phrases(data)] if phrases else []
    train_words = np.concatenate([n_words[train], np.array(marked, dtype=int)])
    return _TextSizes(train_words, np.delete(n_words, train), len(different), len(data.label_names))


def _stamp(data: DataSpec) -> tuple[float, int]:
    """What changes when a local file does."""
    try:
        stat = Path(str(data.options["path"])).stat()
    except (KeyError, OSError, ValueError):
        return (0.0, 0)
    return (stat.st_mtime, stat.st_size)


def _tokens(words: np.ndarray, spec: TrainingSpec) -> np.ndarray:
    """Estimated tokens of each text; [text]."""
    n_special = 2 if spec.family == "bert" else 0
    return np.minimum(np.ceil(words * _PIECES_PER_WORD) + n_special, spec.max_train_tokens)


def _count_weights(spec: TrainingSpec, texts: _TextSizes) -> _Sizes:
    if spec.family == "bert":
        return _count_bert(spec, texts)
    about = registry.describe("architectures")[spec.family].extra
    n_blocks = max(len(about["gates"]), 1)  # the vanilla network has one block and no gate
    n_directions = 2 if about["bidirectional"] else 1
    is_pretrained = spec.vocabulary == "wordpiece" and spec.embeddings != "scratch"
    width = _PRETRAINED_WIDTH if is_pretrained else spec.embedding_size
    n_vectors = min(texts.n_different, spec.max_words) + 2 if spec.vocabulary == "words" else _WORDPIECE_ROWS
    multiplied, n_biases, reads = 0, 0, width
    for _ in range(spec.num_layers):
        multiplied += n_directions * n_blocks * spec.hidden_size * (reads + spec.hidden_size)
        n_biases += n_directions * 2 * n_blocks * spec.hidden_size
        reads = n_directions * spec.hidden_size
    table, head = n_vectors * width, (reads + 1) * texts.n_labels
    moving = multiplied + n_biases + head
    is_frozen = is_pretrained and spec.embeddings == "frozen"
    kept = 3 * width + spec.num_layers * n_directions * spec.hidden_size * (2 * n_blocks + 4)
    n_moving = moving if is_frozen else table + moving
    return _Sizes(table + moving, n_moving, multiplied, spec.num_layers * n_directions, kept)


def _count_bert(spec: TrainingSpec, texts: _TextSizes) -> _Sizes:
    n_layers, width, inner = _PRETRAINED_BERT if spec.start == "pretrained" else _RANDOM_BERT
    in_layers = n_layers * (4 * width * (width + 1) + width * (inner + 1) + inner * (width + 1) + 4 * width)
    outside = (_WORDPIECE_ROWS + _MAX_POSITIONS + 4) * width + width * (width + 1) + (width + 1) * texts.n_labels
    attention = n_layers * 12 * 3 * min(spec.max_train_tokens, 256)
    kept = n_layers * (14 * width + 3 * inner) + attention
    n_all = in_layers + outside
    is_frozen = spec.start == "pretrained" and spec.embeddings == "frozen"
    n_moving = n_all - _WORDPIECE_ROWS * width if is_frozen else n_all
    return _Sizes(n_all, n_moving, in_layers, n_layers + 1, kept)


def _recordings(n_recordings: int, seconds: float, mib: float) -> str:
    if not n_recordings:
        return "Gradients are not recorded. "
    return f"Of that, {n_recordings} recordings of gradients: {max(seconds, 0.1):.1f} s and {max(mib, 0.01):.2f} MiB. "


def _duration(seconds: float) -> str:
    if seconds < 180:
        return f"{max(5, 5 * round(seconds / 5))} s"
    return f"{seconds / 60:.0f} min" if seconds < 5_400 else f"{seconds / 3_600:.1f} h"


def _rough(number: float) -> str:
    """Two significant digits: an estimate has no more."""
    digits = max(0, int(math.log10(max(number, 1))) - 1)
    return f"{round(number, -digits):,.0f}"
