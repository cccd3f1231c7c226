"""Rows as the network reads them: token ids and classes, by split. No torch here."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

from explorer_core.datasets import _labelled_texts

if TYPE_CHECKING:
    from explorer_core.datasets._labelled_texts import LabelledTexts
    from explorer_core.training.spec import TrainingSpec


def encode_splits(
    spec: TrainingSpec, data: LabelledTexts, tokenizer: Any
) -> tuple[dict[str, list[dict[str, Any]]], list[str]]:
    """Token ids and class of every text by split, and what to say about those that were cut or are empty."""
    tokenizer = copy.deepcopy(tokenizer)  # truncation would stay switched on in the one that is kept
    limit = min(spec.max_train_tokens, tokenizer.model_max_length)
    rows: dict[str, list[dict[str, Any]]] = {}
    n_cut = n_empty = 0
    for split in _labelled_texts.SPLITS:
        indices = data.rows(split)
        texts = [data.texts[row] for row in indices]
        labels = [int(data.labels[row]) for row in indices]
        if split == "train" and spec.phrases:
            phrases = marked_phrases(data)
            texts += [text for text, _ in phrases]
            labels += [label for _, label in phrases]
        encodings = tokenizer(texts, truncation=True, max_length=limit).encodings if texts else []
        n_cut += sum(bool(encoding.overflowing) for encoding in encodings)
        rows[split] = [
            {"input_ids": encoding.ids, "labels": label}
            for encoding, label in zip(encodings, labels, strict=True)
            if encoding.ids
        ]
        n_empty += len(texts) - len(rows[split])
        if split != "train":
            rows[split].sort(key=lambda row: len(row["input_ids"]), reverse=True)  # less padding, same numbers
    notes = []
    if n_cut:
        notes.append(f"{n_cut:,} of {len(data.texts):,} texts were cut at {limit} tokens while training.")
    if n_empty:
        notes.append(f"{n_empty:,} texts without a single token were left out.")
    return rows, notes


def marked_phrases(data: LabelledTexts) -> list[tuple[str, int]]:
    """The words marked as carrying the verdict in the training texts, each once, with the label of their text.

    Mixed reviews are left out: what is marked there points both ways.
    """
    spans, phenomena = data.spans or (), data.groups.get("phenomenon")
    found: dict[tuple[str, int], str] = {}
    for row in data.rows("train") if spans else ():
        if phenomena is None or phenomena[row] != "mixed":
            for start, end in spans[row]:
                phrase = data.texts[row][start:end]
                found.setdefault((phrase.casefold(), int(data.labels[row])), phrase)
    return [(phrase, label) for (_, label), phrase in found.items()]
