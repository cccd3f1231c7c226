"""The states of one layer after every word of a corpus, kept on disk and mapped into memory.

Unit-major, `[unit, word]` in half precision: what is asked for is one unit over all words. 1 million words of 128
units take 256 MB there, and as much memory as the machine has to spare while they are read.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import zipfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core.corpus import _folders
from explorer_core.corpus._network import GateSums
from explorer_core.corpus._texts import ReadTexts, Texts
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.results import Places

FORMAT = 2
STATES, TEXTS, WORDS, VOCABULARY = "states.f16", "texts.utf8", "words.npz", "vocabulary.json"
AROUND = 8  # words shown on each side of a place


@dataclass(frozen=True)
class IndexAbout:
    """What an index holds.

    Attributes:
        key: Digest of everything it depends on.
        model, architecture, fingerprint: Which network.
        layer, direction, quantity: Which states.
        corpus: Which texts, for a person.
        label_names: Names of the classes; empty without labels.
        n_units, n_words, n_texts: Its size.
        gate_names: Gates whose saturation is known.
        n_tokens: Tokens behind the gates' numbers.
        notes: What was left out or cut, one sentence each.
    """

    key: str
    model: str
    architecture: str
    fingerprint: str
    layer: int
    direction: int
    quantity: str
    corpus: str
    label_names: tuple[str, ...]
    n_units: int
    n_words: int
    n_texts: int
    gate_names: tuple[str, ...]
    n_tokens: int
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class StateIndex:
    """One layer's states over a corpus, from `api.index_states`; shared by many threads and never changed.

    Attributes:
        about: What it holds.
        states: Value of every unit after every word, float16 [unit, word], mapped from disk.
        starts: Where the words of each text begin, and the last end; int64 array [text + 1].
        spans: Start and length of each word in characters of its text; int32 array [word, 2].
        word_ids: Index of each word in `vocabulary`; int32 array [word].
        vocabulary: Every word that occurs, in lower case.
        labels: Class index of each text, -1 where it has none; int array [text].
        mean, std, low, high: Of each unit over all words; `low` and `high` are the 1st and 99th percentile; [unit].
        gate_low, gate_high: Share of tokens at which each gate is below 0.1 and above 0.9; [gate, unit].
        log_keep: Mean ln of the gate that keeps the past; [unit], or of size 0 without such a gate.
        content, text_starts: All texts as UTF-8, uint8 array mapped from disk, and where each begins; int64 [text + 1].
    """

    about: IndexAbout
    states: np.ndarray
    starts: np.ndarray
    spans: np.ndarray
    word_ids: np.ndarray
    vocabulary: tuple[str, ...]
    labels: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray
    gate_low: np.ndarray
    gate_high: np.ndarray
    log_keep: np.ndarray
    text_starts: np.ndarray
    content: np.ndarray

    @cached_property
    def n_words_of_text(self) -> np.ndarray:
        """Words of each text; int64 array [text]."""
        return np.diff(self.starts)

    @cached_property
    def text_of_word(self) -> np.ndarray:
        """Number of the text each word stands in; int32 array [word]."""
        return np.repeat(np.arange(self.about.n_texts, dtype=np.int32), self.n_words_of_text)

    @cached_property
    def number_in_text(self) -> np.ndarray:
        """Number of each word in its text, from 0; int32 array [word]."""
        return (np.arange(self.about.n_words) - self.starts[self.text_of_word]).astype(np.int32)

    @cached_property
    def filled(self) -> np.ndarray:
        """Numbers of the texts that have words; int array."""
        return np.flatnonzero(self.n_words_of_text)

    @cached_property
    def words_of_texts(self) -> tuple[np.ndarray, np.ndarray]:
        """Each word of each text once: number of the text and index into the vocabulary; int64 arrays [pair]."""
        n_kinds = len(self.vocabulary)
        # sorted and compared: np.unique hashes, which takes ten times as long
        pairs = np.sort(self.text_of_word.astype(np.int64) * n_kinds + self.word_ids)
        texts, kinds = np.divmod(pairs[np.append(True, pairs[1:] != pairs[:-1])], n_kinds)
        return texts, kinds

    def check_unit(self, unit: int) -> int:
        """The unit itself, if there is one.

        Raises:
            InvalidInputError: If there is none; the message names the bounds.
        """
        if isinstance(unit, bool) or not isinstance(unit, int | np.integer) or not 0 <= unit < self.about.n_units:
            raise InvalidInputError(
                f"There is no unit {str(unit)[:40]!r}; units of this model run from 0 to {self.about.n_units - 1}."
            )
        return int(unit)

    def text(self, number: int) -> str:
        """One text of the corpus."""
        return bytes(self.content[self.text_starts[number] : self.text_starts[number + 1]]).decode("utf-8")

    def places(self, words: np.ndarray, n_words: int, values: np.ndarray) -> Places:
        """Places of the corpus with the words around them.

        Args:
            words: Number of the first word of each place in the whole corpus; int array [place].
            n_words: Words of a place.
            values: What is shown of each; shape [place].
        """
        numbers = self.text_of_word[words]
        parts = [self._around(int(number), int(word), n_words) for number, word in zip(numbers, words, strict=True)]
        first = self.number_in_text[words].astype(np.int64)
        return Places(
            document=numbers.astype(np.int64),
            first=first,
            last=first + n_words - 1,
            value=np.asarray(values, dtype=np.float64),
            before=tuple(part[0] for part in parts),
            inside=tuple(part[1] for part in parts),
            after=tuple(part[2] for part in parts),
            label=self.labels[numbers].astype(np.int64),
            n_words=self.n_words_of_text[numbers],
            label_names=self.about.label_names,
        )

    def _around(self, number: int, word: int, n_words: int) -> tuple[str, str, str]:
        """Text before, inside and after a place, `AROUND` words on each side; an ellipsis where more follows."""
        text, low, high = self.text(number), int(self.starts[number]), int(self.starts[number + 1])
        first, end = max(low, word - AROUND), min(high, word + n_words + AROUND)

        def end_of(at: int) -> int:
            return int(self.spans[at].sum())

        begin, stop = int(self.spans[word, 0]), end_of(word + n_words - 1)
        before = text[int(self.spans[first, 0]) : begin]
        after = text[stop : end_of(end - 1)]
        return ("… " if first > low else "") + before, text[begin:stop], after + (" …" if end < high else "")


@dataclass(frozen=True)
class Moments:
    """Mean, standard deviation, 1st and 99th percentile of every unit over all words; each of shape [unit]."""

    mean: np.ndarray
    std: np.ndarray
    low: np.ndarray
    high: np.ndarray


def write(folder: Path, about: IndexAbout, texts: Texts, read: ReadTexts, moments: Moments, gates: GateSums) -> None:
    """Write everything but the states, which lie in the folder already."""
    contents = [text.encode("utf-8", "replace") for text in texts.texts[: read.n_texts]]
    (folder / TEXTS).write_bytes(b"".join(contents))
    (folder / VOCABULARY).write_text(json.dumps(read.vocabulary), encoding="utf-8")
    n_tokens = max(gates.n_tokens, 1)
    np.savez(
        folder / WORDS,
        starts=read.starts,
        spans=read.spans,
        word_ids=read.word_ids,
        labels=np.asarray(texts.labels[: read.n_texts], dtype=np.int32),
        text_starts=np.cumsum([0, *map(len, contents)], dtype=np.int64),
        gate_low=gates.low / n_tokens,
        gate_high=gates.high / n_tokens,
        log_keep=np.zeros(0) if gates.log_keep is None else gates.log_keep / n_tokens,
        **vars(moments),
    )
    said = {"format": FORMAT, **dataclasses.asdict(about)}
    (folder / _folders.ABOUT).write_text(json.dumps(said | {"seal": _seal(folder, said)}), encoding="utf-8")


def open_index(key: str) -> StateIndex:
    """The index of a key.

    Raises:
        NotFoundError: If there is none, or it cannot be read any more.
    """
    folder = _folders.folder_of(key)
    try:
        index = _open(folder, key)
    except (OSError, ValueError, KeyError, TypeError, EOFError, RecursionError, zipfile.BadZipFile) as error:
        raise NotFoundError("The states of this corpus are not kept here. Read the corpus first.") from error
    _folders.touch(folder)
    return index


def _open(folder: Path, key: str) -> StateIndex:
    said: Any = json.loads((folder / _folders.ABOUT).read_text(encoding="utf-8"))
    if not isinstance(said, dict) or said.get("format") != FORMAT or said["key"] != key:
        raise ValueError("another format")
    if said.pop("seal") != _seal(folder, said):
        raise ValueError("not what was written")
    said.pop("format")
    tuples: dict[str, Any] = {name: tuple(value) for name, value in said.items() if isinstance(value, list)}
    about = IndexAbout(**said | tuples)
    shape = (about.n_units, about.n_words)
    if (folder / STATES).stat().st_size != 2 * about.n_units * about.n_words:
        raise ValueError("the states are not whole")
    with np.load(folder / WORDS) as kept:
        arrays = {name: kept[name] for name in kept.files}
    vocabulary = tuple(json.loads((folder / VOCABULARY).read_text(encoding="utf-8")))
    return StateIndex(
        about=about,
        states=np.memmap(folder / STATES, dtype=np.float16, mode="r", shape=shape),
        content=np.memmap(folder / TEXTS, dtype=np.uint8, mode="r"),
        vocabulary=vocabulary,
        **arrays,
    )


def _seal(folder: Path, said: dict[str, Any]) -> str:
    """Digest of all of an index but its states, which are too many to be read whenever it is opened."""
    found = hashlib.sha256(json.dumps(said, sort_keys=True).encode())
    for name in (TEXTS, VOCABULARY, WORDS):
        with (folder / name).open("rb") as file:
            found.update(hashlib.file_digest(file, "sha256").digest())
    return found.hexdigest()
