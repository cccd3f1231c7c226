"""Words, tokens and where they stand in the original text.

A person reads words; a network reads tokens. `split_words` finds the words by their place in the text, `read_text`
lets a tokenizer read it and says which token belongs to which word. No text is ever decoded and tokenised again.
"""

from __future__ import annotations

import threading
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any

import numpy as np
import regex

from explorer_core import settings
from explorer_core.errors import InvalidInputError

# A word is a run of letters, digits and marks, with apostrophes and hyphens inside it ("don't", "well-made", "3.5");
# an ideograph stands alone, as BERT's tokenizer reads it; a run of one punctuation mark ("...") and any other
# grapheme (an emoji with its joiners) is a word too. Format characters (zero-width joiners, bidi marks) stick to it.
_RUN = r"[\p{L}\p{N}--\p{Han}][\p{L}\p{N}\p{M}\p{Cf}--\p{Han}]*"
_WORD = regex.compile(
    rf"\p{{Han}}\p{{M}}*|{_RUN}(?:(?:['’\-‐]|(?<=\p{{N}})[.,](?=\p{{N}})){_RUN})*"
    r"|(\p{P})\1*+(?!\p{M}|\u200d)|(?=[^\s\p{Z}])\X",
    regex.VERSION1,
)
TOKENIZING = threading.Lock()
"""Held around every call of a tokenizer: its limits (truncation, padding) are set on an object all threads share."""

_HIDDEN = regex.compile(
    r"[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cs}--\u200d]|(?<!\p{So}|\ufe0f|\p{Sk})\u200d", regex.VERSION1
)
_NOTE_CHARS = 60  # of an unknown word in a note


@dataclass(frozen=True)
class Reading:
    """One text as a tokenizer reads it, with the map from tokens back to the words a person sees.

    Attributes:
        text: The original text.
        words: The words that were read, in order; shape [word].
        word_spans: Start and end of each word in characters of `text`; int array [word, 2].
        tokens: Display string of each token; shape [pos].
        pieces: The tokenizer's own form of each token; shape [pos].
        token_ids: int array [pos], exactly the positions of `tokenizer(text)` after the cut.
        word_of_token: Index of the word a token belongs to, -1 for special tokens; int array [pos].
        is_unknown: Whether a token is the unknown token; bool array [pos].
        truncated_words: Words beyond the model's limit, which it did not read.
        n_unread_words: Words the tokenizer dropped (control characters and the like).
        is_last_word_cut: Whether the limit fell inside the last word that was read.
    """

    text: str
    words: tuple[str, ...]
    word_spans: np.ndarray
    tokens: tuple[str, ...]
    pieces: tuple[str, ...]
    token_ids: np.ndarray
    word_of_token: np.ndarray
    is_unknown: np.ndarray
    truncated_words: tuple[str, ...] = ()
    n_unread_words: int = 0
    is_last_word_cut: bool = False

    @property
    def is_special(self) -> np.ndarray:
        """Whether a token belongs to no word; bool array [pos]."""
        return self.word_of_token < 0

    @property
    def last_token_of_word(self) -> np.ndarray:
        """Position of the last token of each word; int array [word]. A state "after a word" is read there."""
        last = np.zeros(len(self.words), dtype=np.int64)
        read = np.flatnonzero(self.word_of_token >= 0)
        np.maximum.at(last, self.word_of_token[read], read)
        return last

    @property
    def first_token_of_word(self) -> np.ndarray:
        """Position of the first token of each word; int array [word]. A backward layer has read a word there."""
        first = np.zeros(len(self.words), dtype=np.int64)
        for pos in range(len(self.tokens) - 1, -1, -1):
            if self.word_of_token[pos] >= 0:
                first[self.word_of_token[pos]] = pos
        return first

    @property
    def unknown_words(self) -> tuple[str, ...]:
        """Words of which at least one token is the unknown token."""
        hit = sorted({int(word) for word in self.word_of_token[self.is_unknown] if word >= 0})
        return tuple(self.words[word] for word in hit)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a person should know of this reading, one sentence each; empty when all was read."""
        notes = []
        if self.truncated_words or self.is_last_word_cut:
            n_all = len(self.words) + len(self.truncated_words)
            part = ", the last of them only in part" if self.is_last_word_cut else ""
            rest = f", the last {len(self.truncated_words):,} were not" if self.truncated_words else ""
            notes.append(
                f"The model reads at most {len(self.tokens):,} tokens: {len(self.words):,} of {n_all:,} words were "
                f"read{part}{rest}."
            )
        if self.unknown_words:
            shown = ", ".join(visible(_shorten(word)) for word in self.unknown_words[:5])
            more = ", ..." if len(self.unknown_words) > 5 else "."
            notes.append(f"{len(self.unknown_words):,} of {len(self.words):,} words are unknown to it: {shown}{more}")
        if self.n_unread_words:
            one = self.n_unread_words == 1
            notes.append(
                f"{self.n_unread_words:,} invisible or control character{'' if one else 's'} "
                f"{'was' if one else 'were'} not read."
            )
        return tuple(notes)


def split_words(text: str) -> list[tuple[int, int]]:
    """Start and end, in characters, of every word of a text, in order."""
    return [match.span() for match in _WORD.finditer(text)]


def check_text(text: str) -> str:
    """The text itself, if it can be read at all.

    Raises:
        InvalidInputError: If it is not a string, has nothing but blanks, is too long or is not valid Unicode.
    """
    if not isinstance(text, str):
        raise InvalidInputError(f"A text is expected, not {type(text).__name__}.")
    if not text.strip():
        raise InvalidInputError("The text is empty. Type at least one word.")
    if len(text) > settings.MAX_TEXT_CHARS:
        raise InvalidInputError(
            f"The text has {len(text):,} characters; at most {settings.MAX_TEXT_CHARS:,} are read at once. "
            "Shorten it, or give it in parts."
        )
    try:
        text.encode("utf-8")
    except UnicodeEncodeError as error:
        raise InvalidInputError("The text holds broken characters (half a surrogate pair). Paste it again.") from error
    return text


def read_text(tokenizer: Any, text: str, max_tokens: int) -> Reading:
    """Let a tokenizer read a text, and map its tokens to words.

    Args:
        tokenizer: A fast Hugging Face tokenizer.
        text: The text, as typed.
        max_tokens: Positions the model can read; what is beyond is cut and counted.

    Raises:
        InvalidInputError: If there is nothing to read (see `check_text`).
    """
    check_text(text)
    with TOKENIZING:
        encoded = tokenizer(
            text,
            truncation=True,
            max_length=max_tokens,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
            return_token_type_ids=False,
            return_attention_mask=False,
            verbose=False,
        )
    offsets, is_special = encoded["offset_mapping"], encoded["special_tokens_mask"]
    beyond = _cut_offsets(encoded)
    spans = _merge_split_words(split_words(text), [*offsets, *beyond])
    starts = [start for start, _ in spans]

    def owner_of(offset: tuple[int, int]) -> int:
        # a byte-level piece may begin with the blank before its word: its last character decides
        return max(bisect_right(starts, offset[1] - 1) - 1, 0) if offset[1] > offset[0] and starts else -1

    owner = [-1 if special else owner_of(offset) for offset, special in zip(offsets, is_special, strict=True)]
    kept = sorted(set(owner) - {-1})
    if not kept:
        raise InvalidInputError("The text holds nothing the model can read. Type at least one word.")
    cut = sorted(set(map(owner_of, beyond)) - {-1})
    is_last_word_cut = bool(cut) and cut[0] == kept[-1]
    cut = cut[is_last_word_cut:]
    renumber = {old: new for new, old in enumerate(kept)}
    ids = np.array(encoded["input_ids"], dtype=np.int64)
    pieces = tuple(str(piece) for piece in tokenizer.convert_ids_to_tokens(encoded["input_ids"]))
    return Reading(
        text=text,
        words=tuple(text[slice(*spans[index])] for index in kept),
        word_spans=np.array([spans[index] for index in kept], dtype=np.int64),
        tokens=tuple(
            piece if special or end <= start else text[start:end].strip() or piece
            for piece, special, (start, end) in zip(pieces, is_special, offsets, strict=True)
        ),
        pieces=pieces,
        token_ids=ids,
        word_of_token=np.array([renumber.get(word, -1) for word in owner], dtype=np.int64),
        is_unknown=(ids == tokenizer.unk_token_id) if tokenizer.unk_token_id is not None else np.zeros(len(ids), bool),
        truncated_words=tuple(text[slice(*spans[index])] for index in cut),
        n_unread_words=len(spans) - len(kept) - len(cut),
        is_last_word_cut=is_last_word_cut,
    )


def visible(text: str) -> str:
    r"""The text with characters that cannot be seen, or that turn the reading order, as escapes such as `\u202e`."""
    return _HIDDEN.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def _shorten(word: str) -> str:
    """A word that fits into a sentence."""
    return word if len(word) <= _NOTE_CHARS else word[: _NOTE_CHARS - 1] + "…"


def _cut_offsets(encoded: Any) -> list[tuple[int, int]]:
    """Places of the tokens beyond the limit, which the model does not read."""
    return [
        offset
        for rest in encoded.encodings[0].overflowing
        for offset, special in zip(rest.offsets, rest.special_tokens_mask, strict=True)
        if not special
    ]


def _merge_split_words(spans: list[tuple[int, int]], offsets: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join words that one token straddles, so that every token has exactly one word."""
    if not spans:
        return spans
    starts = [start for start, _ in spans]
    joined = [False] * len(spans)  # whether a word continues the one before
    for start, end in offsets:
        if end <= start:
            continue
        low = bisect_right(starts, start) - 1
        if low < 0 or spans[low][1] <= start:
            low += 1
        for index in range(low + 1, bisect_right(starts, end - 1)):
            joined[index] = True
    merged: list[tuple[int, int]] = []
    for (start, end), is_joined in zip(spans, joined, strict=True):
        if is_joined and merged:
            merged[-1] = (merged[-1][0], end)
        else:
            merged.append((start, end))
    return merged
