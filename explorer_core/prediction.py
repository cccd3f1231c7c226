"""Verdicts over many texts: read in batches of like length, given back in the order they came."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
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
    import torch

    if isinstance(texts, str):
        raise InvalidInputError("A list of texts is expected, not one text. Put it into a list.")
    texts = tuple(texts)
    report = progress or (lambda share: None)
    ids, n_truncated, n_unknown = _read(model, texts, report)
    precision = np.float64 if model.module.dtype == torch.float64 else np.float32
    logits = np.zeros((len(texts), len(model.labels)), dtype=precision)
    n_done, n_all = 0, sum(map(len, ids))
    with torch.inference_mode():
        for rows in batch_by_length([len(row) for row in ids]):
            batch = _pad([ids[row] for row in rows], model)
            found = model.module(**batch).logits.cpu()  # [text, class]
            logits[rows] = found if found.dtype == torch.float64 else found.float()
            n_done += sum(len(ids[row]) for row in rows)
            report(_READING_SHARE + (1 - _READING_SHARE) * n_done / n_all)
    return Predictions(
        model=model.name,
        labels=model.labels,
        texts=texts,
        logits=logits,
        probs=softmax(logits),
        n_truncated=n_truncated,
        n_unknown=n_unknown,
    )


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


def _read(
    model: LoadedModel, texts: tuple[str, ...], report: Callable[[float], None]
) -> tuple[list[list[int]], np.ndarray, np.ndarray]:
    """Token ids of every text, and how many of its words were cut off or are unknown; int arrays [text]."""
    ids: list[list[int]] = []
    n_truncated = np.zeros(len(texts), dtype=np.int64)
    n_unknown = np.zeros(len(texts), dtype=np.int64)
    unknown = model.tokenizer.unk_token_id
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        report(_READING_SHARE * start / len(texts))
        chunk = texts[start : start + _TEXTS_AT_ONCE]
        for offset, text in enumerate(chunk):
            _checked(check_text, text, start + offset, len(texts))
        # the same cut as everywhere (text.read_text): another one would change the tokenizer other threads are using
        with TOKENIZING:
            encoded = model.tokenizer(
                list(chunk),
                truncation=True,
                max_length=model.max_tokens,
                return_special_tokens_mask=True,
                return_attention_mask=False,
                return_token_type_ids=False,
                verbose=False,
            )
        for offset, row in enumerate(encoded["input_ids"]):
            number = start + offset
            # counting words is slow, and most texts are read whole and known
            if len(row) >= model.max_tokens or unknown in row or all(encoded["special_tokens_mask"][offset]):
                reading = _checked(
                    lambda text: read_text(model.tokenizer, text, model.max_tokens), chunk[offset], number, len(texts)
                )
                n_truncated[number] = len(reading.truncated_words)
                n_unknown[number] = len(reading.unknown_words)
            ids.append(row)
    return ids, n_truncated, n_unknown


def _checked(check: Callable[[str], Any], text: str, number: int, n_texts: int) -> Any:
    """Run a check on one text; its refusal names the text's number among several."""
    try:
        return check(text)
    except InvalidInputError as error:
        if n_texts == 1:
            raise
        raise InvalidInputError(f"Text {number + 1:,} of {n_texts:,}: {error}") from error


def _pad(rows: list[list[int]], model: LoadedModel) -> dict[str, Any]:
    """Ids and mask of a batch, padded on the right; shape [text, pos]."""
    import torch

    longest = max(map(len, rows))
    padding = model.module.config.pad_token_id or 0
    ids = torch.full((len(rows), longest), padding, dtype=torch.long)
    mask = torch.zeros((len(rows), longest), dtype=torch.long)
    for index, row in enumerate(rows):
        ids[index, : len(row)] = torch.tensor(row)
        mask[index, : len(row)] = 1
    return {"input_ids": ids.to(model.device), "attention_mask": mask.to(model.device)}
