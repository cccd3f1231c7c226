"""The texts of a corpus, as they are given and as a network reads them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from explorer_core import settings
from explorer_core.datasets._labelled_texts import LabelledTexts, read
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.text import Reading, read_text
from explorer_core.training.spec import DataSpec

Corpus = LabelledTexts | DataSpec | Sequence[str]
_REPORT_EVERY = 64  # texts


@dataclass(frozen=True)
class Texts:
    """Texts with their labels.

    Attributes:
        texts: Shape [text].
        labels: Class index of each text, -1 where it has none; int array [text].
        label_names: Name of each class; empty without labels.
        origin: Short name of where they come from.
    """

    texts: tuple[str, ...]
    labels: np.ndarray
    label_names: tuple[str, ...]
    origin: str

    def digest(self) -> str:
        """Digest of all of it, hexadecimal."""
        found = hashlib.sha256(json.dumps([self.label_names, self.origin, len(self.texts)]).encode())
        found.update(np.ascontiguousarray(self.labels, dtype=np.int64).tobytes())
        for text in self.texts:
            content = text.encode("utf-8", "surrogatepass")
            found.update(len(content).to_bytes(8, "little"))
            found.update(content)
        return found.hexdigest()


@dataclass(frozen=True)
class ReadTexts:
    """Texts as a network reads them, all in a row.

    Attributes:
        n_texts: Texts that were taken; those beyond the limit of words are not.
        ids: Token ids of every text; int32 array [token].
        id_starts: Where the tokens of each text begin, and the last end; int64 array [text + 1].
        pos: Position in its text's tokens at which each word has just been read; int32 array [word].
        starts: Where the words of each text begin, and the last end; int64 array [text + 1].
        spans: Start and length of each word in characters of its text; int32 array [word, 2].
        word_ids: Index of each word in `vocabulary`; int32 array [word].
        vocabulary: Every word that occurs, in lower case.
        notes: What was left out or cut, one sentence each.
    """

    n_texts: int
    ids: np.ndarray
    id_starts: np.ndarray
    pos: np.ndarray
    starts: np.ndarray
    spans: np.ndarray
    word_ids: np.ndarray
    vocabulary: tuple[str, ...]
    notes: tuple[str, ...]


def take(data: Corpus, split: str) -> Texts:
    """The texts of one side of the split.

    Raises:
        InvalidInputError: If there is no such side, texts are given as one string, or one of them is no string.
        NotFoundError: If it has no texts.
    """
    if isinstance(data, str):
        raise InvalidInputError("A list of texts is expected, not one text. Put it into a list.")
    if isinstance(data, DataSpec):
        data = read(data)
    if isinstance(data, LabelledTexts):
        rows = data.rows(split)
        part = "" if split == "all" else f", {split} rows"
        found = Texts(tuple(data.texts[row] for row in rows), data.labels[rows], data.label_names, data.origin + part)
    else:
        for row, text in enumerate(data):
            if not isinstance(text, str):
                raise InvalidInputError(f"Text {row + 1} is no text but a {type(text).__name__}. Give strings only.")
        found = Texts(tuple(data), np.full(len(data), -1), (), "texts without labels")
    if not found.texts:
        raise NotFoundError(f"There are no texts in {found.origin}. Choose another file or part.")
    return found


def read_all(model: LoadedModel, texts: Sequence[str], direction: int, progress: Progress) -> ReadTexts:
    """Let the network's tokenizer read texts, as far as the limit of words goes.

    Args:
        model: Whose tokenizer.
        texts: A text that holds nothing it can read becomes one without words.
        direction: Words are read at their last token by 0 (forward), at their first by 1 (backward).
        progress: Called with the share done.

    Raises:
        InvalidInputError: If no text holds anything it can read.
    """
    ids, pos, spans, n_cut, n_unread = [], [], [], 0, 0
    word_ids: list[int] = []
    id_starts, starts = [0], [0]
    number_of: dict[str, int] = {}
    notes = []
    for index, text in enumerate(texts):
        if index % _REPORT_EVERY == 0:
            progress(index / len(texts))
        reading = _read(model, text)
        n_words = 0 if reading is None else len(reading.words)
        if starts[-1] + n_words > settings.MAX_INDEX_WORDS:
            notes.append(
                f"Only the first {index:,} of {len(texts):,} texts are in it: an index holds at most "
                f"{settings.MAX_INDEX_WORDS:,} words."
            )
            break
        if reading is None:
            n_unread += 1
        else:
            ids.append(reading.token_ids.astype(np.int32))
            pos.append((reading.last_token_of_word if direction == 0 else reading.first_token_of_word).astype(np.int32))
            spans.append(reading.word_spans.astype(np.int32))
            word_ids += [number_of.setdefault(word.lower(), len(number_of)) for word in reading.words]
            n_cut += bool(reading.truncated_words or reading.is_last_word_cut)
        id_starts.append(id_starts[-1] + (0 if reading is None else len(reading.token_ids)))
        starts.append(starts[-1] + n_words)
    if not starts[-1]:
        raise InvalidInputError("None of the texts holds anything the model can read. Give texts with words in them.")
    if n_unread:
        notes.append(f"{n_unread:,} texts hold nothing the model can read.")
    if n_cut:
        notes.append(f"{n_cut:,} texts are longer than the {model.max_tokens:,} tokens it reads; their rest is not in.")
    places = np.concatenate(spans)
    places[:, 1] -= places[:, 0]
    return ReadTexts(
        n_texts=len(starts) - 1,
        ids=np.concatenate(ids),
        id_starts=np.array(id_starts, dtype=np.int64),
        pos=np.concatenate(pos),
        starts=np.array(starts, dtype=np.int64),
        spans=places,
        word_ids=np.array(word_ids, dtype=np.int32),
        vocabulary=tuple(number_of),
        notes=tuple(notes),
    )


def _read(model: LoadedModel, text: str) -> Reading | None:
    """A text as the network reads it, or `None` if it holds nothing it can read."""
    try:
        return read_text(model.tokenizer, text, model.max_tokens)
    except InvalidInputError:
        return None
