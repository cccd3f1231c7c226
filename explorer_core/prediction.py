"""Verdicts over many texts: read in batches of like length, given back in the order they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.results import Predictions, softmax
from explorer_core.text import TOKENIZING, check_text, read_text

BATCH_TOKENS = 8_192  # positions of one batch, padding included: bounds memory, most of all that of attention
BATCH_TEXTS = 256
_TEXTS_AT_ONCE = 1_000  # tokenised together
_READING_SHARE = 0.2  # of the progress bar; the rest is the network's


def predict(
    model: LoadedModel, texts: Sequence[str], *, progress: Callable[[float], None] | None = None
) -> Predictions:
    """Verdicts over texts; see `api.predict`.

    A text's verdict does not depend on the texts beside it (beyond the rounding of another batch shape).

    Args:
        model: From `api.load_model`; it is not changed.
        texts: Any number of texts, also none.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.

    Raises:
        InvalidInputError: If a text is empty, too long or unreadable; with several texts the message names its number.
    """
    if isinstance(texts, str):
        raise InvalidInputError("A list of texts is expected, not one text. Put it into a list.")
    texts = tuple(texts)
    report = progress or (lambda share: None)
    read = read_ids(model, texts, progress=lambda share: report(_READING_SHARE * share))
    n_done, n_all = 0, sum(map(len, read.ids))
    logits = empty_logits(model, len(texts))
    for rows, found in forward(model, read.ids):
        logits[rows] = found
        n_done += sum(len(read.ids[row]) for row in rows)
        report(_READING_SHARE + (1 - _READING_SHARE) * n_done / n_all)
    return Predictions(
        model=model.name,
        labels=model.labels,
        texts=texts,
        logits=logits,
        probs=softmax(logits),
        n_truncated=read.n_truncated,
        n_unknown=read.n_unknown,
    )


@dataclass(frozen=True)
class ReadIds:
    """Texts as token ids.

    Attributes:
        ids: Token ids of each text, cut at the model's limit; empty for one that cannot be read.
        n_truncated, n_unknown: Words the model does not read, and words unknown to it; int arrays [text].
        unreadable: Why a text cannot be read, by its number.
    """

    ids: list[list[int]]
    n_truncated: np.ndarray
    n_unknown: np.ndarray
    unreadable: dict[int, str]


def empty_logits(model: LoadedModel, n_texts: int) -> np.ndarray:
    """Zeros of the precision that the model's logits are kept in; shape [text, class]."""
    import torch

    return np.zeros((n_texts, len(model.labels)), np.float64 if model.module.dtype == torch.float64 else np.float32)


def forward(model: LoadedModel, ids: Sequence[list[int]]) -> Iterator[tuple[list[int], np.ndarray]]:
    """Rows and their logits, shape [row, class], batch by batch; rows without ids are passed over."""
    import torch

    there = [row for row, one in enumerate(ids) if one]
    for batch in batch_by_length([len(ids[row]) for row in there]):
        rows = [there[place] for place in batch]
        with torch.inference_mode():
            found = model.module(**pad([ids[row] for row in rows], model)).logits.cpu()  # [text, class]
        yield rows, (found if found.dtype == torch.float64 else found.float()).numpy()


def batch_by_length(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Rows of like length, longest first, so that a batch too large for memory fails at once.

    Each batch has at most `BATCH_TEXTS` rows and, padded to its longest, at most `BATCH_TOKENS` positions (a single
    longer text is a batch of its own).
    """
    order = sorted(range(len(lengths)), key=lambda row: -lengths[row])
    start = 0
    while start < len(order):
        n_rows = min(max(BATCH_TOKENS // max(lengths[order[start]], 1), 1), BATCH_TEXTS)
        yield order[start : start + n_rows]
        start += n_rows


def read_ids(
    model: LoadedModel,
    texts: Sequence[str],
    *,
    progress: Callable[[float], None] | None = None,
    may_skip: bool = False,
) -> ReadIds:
    """Token ids of every text, and how many of its words were cut off or are unknown.

    Args:
        model: From `api.load_model`.
        texts: Any number of texts.
        progress: Called with the share done.
        may_skip: Whether a text that cannot be read is named in `unreadable` instead of refused.

    Raises:
        InvalidInputError: If a text cannot be read and none may be skipped.
    """
    report = progress or (lambda share: None)
    ids: list[list[int]] = []
    n_truncated = np.zeros(len(texts), dtype=np.int64)
    n_unknown = np.zeros(len(texts), dtype=np.int64)
    unreadable: dict[int, str] = {}
    unknown = model.tokenizer.unk_token_id
    n_added = model.tokenizer.num_special_tokens_to_add()
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        report(start / len(texts))
        chunk = list(texts[start : start + _TEXTS_AT_ONCE])
        for offset, text in enumerate(chunk):
            try:
                _checked(check_text, text, start + offset, len(texts))
            except InvalidInputError as error:
                if not may_skip:
                    raise
                unreadable[start + offset] = str(error)
                chunk[offset] = ""
        for number, row in enumerate(_encode(model, chunk), start):
            if number in unreadable:
                ids.append([])
                continue
            # counting words is slow, and most texts are read whole and known
            if len(row) >= model.max_tokens or unknown in row or len(row) <= n_added:
                try:
                    reading = _checked(
                        lambda text: read_text(model.tokenizer, text, model.max_tokens), texts[number], number,
                        len(texts),
                    )  # fmt: skip
                except InvalidInputError as error:
                    if not may_skip:
                        raise
                    unreadable[number], row = str(error), []
                else:
                    n_truncated[number] = len(reading.truncated_words)
                    n_unknown[number] = len(reading.unknown_words)
            ids.append(row)
    return ReadIds(ids, n_truncated, n_unknown, unreadable)


def _encode(model: LoadedModel, texts: list[str]) -> list[list[int]]:
    """Ids as the tokenizer gives them, by its engine: Python's half of it takes as long again."""
    from transformers.tokenization_utils_base import PaddingStrategy, TruncationStrategy

    # the same cut as everywhere (text.read_text): another one would change the tokenizer other threads are using
    with TOKENIZING:
        model.tokenizer.set_truncation_and_padding(
            PaddingStrategy.DO_NOT_PAD, TruncationStrategy.LONGEST_FIRST, model.max_tokens, 0, None, None
        )
        found = model.tokenizer.backend_tokenizer.encode_batch_fast(texts)
    return [one.ids for one in found]


def _checked(check: Callable[[str], Any], text: str, number: int, n_texts: int) -> Any:
    """Run a check on one text; its refusal names the text's number among several."""
    try:
        return check(text)
    except InvalidInputError as error:
        if n_texts == 1:
            raise
        raise InvalidInputError(f"Text {number + 1:,} of {n_texts:,}: {error}") from error


def pad(rows: list[list[int]], model: LoadedModel) -> dict[str, Any]:
    """Ids and mask of a batch, padded on the right; shape [text, pos]."""
    import torch

    lengths = np.array([len(row) for row in rows])
    mask = np.arange(lengths.max()) < lengths[:, None]  # [text, pos]
    ids = np.full(mask.shape, model.module.config.pad_token_id or 0, dtype=np.int64)
    ids[mask] = np.fromiter(chain.from_iterable(rows), np.int64, int(lengths.sum()))
    to = model.device
    return {"input_ids": torch.from_numpy(ids).to(to), "attention_mask": torch.from_numpy(mask.astype(np.int64)).to(to)}
