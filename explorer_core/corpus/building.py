"""Reading a corpus once, and keeping what one layer held after each of its words.

The texts are first read by the tokenizer, which says how many words there are; then the network reads them in batches
of like length, and the values after every word go to their place in a file of half-precision numbers, unit by unit.
Nothing of it stays in memory but the batch at hand. Gates are added up on the way: they are needed for every token
once, not kept.
"""

from __future__ import annotations

import hashlib
import json
import os
import time
from pathlib import Path

import numpy as np

from explorer_core import settings
from explorer_core.corpus import _folders, _index, _network, _texts
from explorer_core.corpus._index import IndexAbout, Moments, StateIndex
from explorer_core.corpus._network import Choice, GateSums
from explorer_core.corpus._texts import Corpus, Progress, ReadTexts, Texts
from explorer_core.datasets._labelled_texts import count_words
from explorer_core.errors import NotFoundError
from explorer_core.loaded import LoadedModel
from explorer_core.results import IndexPrice

CHUNK_WORDS = 32_768  # kept in memory before they are written
_READING_SHARE, _LAST_SHARE = 0.35, 0.03  # of the progress: the tokenizer, and the percentiles at the end
_SAMPLE_TEXTS, _SAMPLE_CHARS = 256, 40_000  # read to say what all would cost; of long texts fewer, but eight
_OTHER_BYTES = 20  # of a word, beside its states and its text: place, number, parts of the vocabulary


def index_states(
    model: LoadedModel,
    data: Corpus,
    *,
    split: str = "all",
    layer: int = -1,
    direction: int = 0,
    quantity: str = "hidden",
    progress: Progress | None = None,
) -> StateIndex:
    """The states of one layer after every word of a corpus; see `api.index_states`."""
    report = progress or (lambda share: None)
    choice = _network.choose(model, layer, direction, quantity)
    texts = _texts.take(data, split)
    key = _key(model, texts, choice)
    with _folders.lock(key, report):
        try:
            return _index.open_index(key)
        except NotFoundError:
            _build(key, model, texts, choice, report)
    return _index.open_index(key)


def open_index(
    model: LoadedModel,
    data: Corpus,
    *,
    split: str = "all",
    layer: int = -1,
    direction: int = 0,
    quantity: str = "hidden",
) -> StateIndex:
    """An index that was built before; see `api.open_index`."""
    choice = _network.choose(model, layer, direction, quantity)
    return _index.open_index(_key(model, _texts.take(data, split), choice))


def price(model: LoadedModel, data: Corpus, *, split: str = "all") -> IndexPrice:
    """What an index costs, from reading a sample of the texts; see `api.price_index`."""
    texts = _texts.take(data, split)
    n_texts = len(texts.texts)
    n_chars = sum(map(len, texts.texts))
    n_rows = min(n_texts, _SAMPLE_TEXTS, max(_SAMPLE_CHARS * n_texts // max(n_chars, 1), 8))
    rows = np.unique(np.linspace(0, n_texts - 1, n_rows).astype(int))
    sample = [texts.texts[row] for row in rows]
    choice = _network.choose(model, -1, 0, "hidden")
    _read_once(model, sample[:8], choice)  # the first call of a process pays for more than reading
    began_s = time.perf_counter()
    read = _read_once(model, sample, choice)
    took_s = time.perf_counter() - began_s
    n_read = len(read.word_ids)
    if read.n_texts == n_texts:
        n_words = n_read
    else:
        runs = sum(map(count_words, sample[: read.n_texts]))
        n_words = round(sum(map(count_words, texts.texts)) * n_read / max(runs, 1))
    is_cut = n_words > settings.MAX_INDEX_WORDS
    n_words = min(n_words, settings.MAX_INDEX_WORDS)
    return IndexPrice(
        n_texts=n_texts,
        n_words=n_words,
        seconds=took_s * n_words / max(n_read, 1),
        size_mib=_size_mib(n_words, _network.size_of(model), n_chars),
        is_cut=is_cut,
    )


def _read_once(model: LoadedModel, sample: list[str], choice: Choice) -> ReadTexts:
    """Read a few texts as for an index, and keep nothing of the network."""
    read = _texts.read_all(model, sample, 0, lambda share: None)
    gates = GateSums(_network.gate_names(model), _network.size_of(model))
    for _ in _network.values_after_words(model, read, range(read.n_texts), choice, gates):
        pass
    return read


def _key(model: LoadedModel, texts: Texts, choice: Choice) -> str:
    """Digest of everything an index depends on."""
    parts = [_index.FORMAT, model.fingerprint, model.max_tokens, settings.MAX_INDEX_WORDS, texts.digest()]
    said = json.dumps([*parts, choice.layer, choice.direction, choice.quantity])
    return hashlib.sha256(said.encode()).hexdigest()[:24]


def _build(key: str, model: LoadedModel, texts: Texts, choice: Choice, report: Progress) -> None:
    """Read a corpus and write its index."""
    report(0.0)
    read = _texts.read_all(model, texts.texts, choice.direction, lambda share: report(_READING_SHARE * share))
    n_units, n_words = _network.size_of(model), len(read.word_ids)
    _folders.make_room(key, _size_mib(n_words, n_units, sum(map(len, texts.texts))))
    gates = GateSums(_network.gate_names(model), n_units)
    with _folders.building(key) as folder:
        states = folder / _index.STATES
        mean, std = _write_states(states, model, read, choice, gates, report)
        low, high = _percentiles(states, n_units, n_words, report)
        about = IndexAbout(
            key=key,
            model=model.name,
            architecture=model.architecture,
            fingerprint=model.fingerprint,
            layer=choice.layer,
            direction=choice.direction,
            quantity=choice.quantity,
            corpus=texts.origin,
            label_names=texts.label_names,
            n_units=n_units,
            n_words=n_words,
            n_texts=read.n_texts,
            gate_names=gates.names,
            n_tokens=gates.n_tokens,
            notes=read.notes,
        )
        _index.write(folder, about, texts, read, Moments(mean, std, low, high), gates)
        report(1.0)


def _write_states(
    path: Path, model: LoadedModel, read: ReadTexts, choice: Choice, gates: GateSums, report: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """Write float16 [unit, word]; returns mean and standard deviation of each unit."""
    n_units, n_words = gates.low.shape[1], len(read.word_ids)
    total, squares = np.zeros(n_units), np.zeros(n_units)
    share = 1 - _READING_SHARE - _LAST_SHARE
    n_done = 0
    with path.open("wb") as file:
        file.truncate(2 * n_units * n_words)
        for rows in _chunks(read.starts):
            first, end = int(read.starts[rows.start]), int(read.starts[rows.stop])
            chunk = np.empty((n_units, end - first), dtype=np.float16)
            for words, values in _network.values_after_words(model, read, rows, choice, gates):
                chunk[:, words - first] = values.T
                n_done += len(words)
                report(_READING_SHARE + share * n_done / n_words)
            wide = chunk.astype(np.float64)
            total += wide.sum(1)
            squares += np.einsum("uw,uw->u", wide, wide)
            for unit, row in enumerate(chunk):
                file.seek(2 * (unit * n_words + first))
                file.write(row.tobytes())
        file.flush()
        os.fsync(file.fileno())
    mean = total / n_words
    return mean, np.sqrt(np.maximum(squares / n_words - mean**2, 0.0))


def _chunks(starts: np.ndarray) -> list[range]:
    """Runs of texts of about `CHUNK_WORDS` words; a longer text is a chunk of its own."""
    found, first = [], 0
    n_texts = len(starts) - 1
    while first < n_texts:
        end = int(np.searchsorted(starts, starts[first] + CHUNK_WORDS, side="right")) - 1
        end = min(max(end, first + 1), n_texts)
        found.append(range(first, end))
        first = end
    return found


def _percentiles(path: Path, n_units: int, n_words: int, report: Progress) -> tuple[np.ndarray, np.ndarray]:
    """1st and 99th percentile of each unit."""
    low, high = np.zeros(n_units), np.zeros(n_units)
    for unit in range(n_units):
        row = np.fromfile(path, dtype=np.float16, count=n_words, offset=2 * unit * n_words)
        low[unit], high[unit] = np.percentile(row.astype(np.float32), [1, 99])
        report(1 - _LAST_SHARE + _LAST_SHARE * (unit + 1) / n_units)
    return low, high


def _size_mib(n_words: int, n_units: int, n_chars: int) -> float:
    return (n_words * (2 * n_units + _OTHER_BYTES) + n_chars) / 2**20
