"""A corpus small enough to be counted by hand, and its states read one text at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.loaded import LoadedModel

PARTS = ("the film was good", "a dull plot", "not bad at all !", "We loved it", "it is boring , never lovely", "Good")


def corpus(n_texts: int = 40, *, n_classes: int = 2, seed: int = 0) -> LabelledTexts:
    """Texts of 1 to 20 words over few words, so that most come often."""
    rng = np.random.default_rng(seed)
    texts = [" ".join(rng.choice(PARTS, size=rng.integers(1, 5))) for _ in range(n_texts)]
    names = ("negative", "positive", "mixed", "none")[:n_classes]
    labels = rng.integers(0, n_classes, n_texts)
    labels[:n_classes] = range(n_classes)
    split = np.where(np.arange(n_texts) % 4 == 3, "test", "train")
    return LabelledTexts(tuple(texts), labels.astype(np.int64), names, split, "a corpus", "A corpus.")


@dataclass(frozen=True)
class OneByOne:
    """Every word of a corpus from `api.trace_states`, one text after the other.

    `values` float16 [word, unit]; `words` in lower case, `text` and `number` of each word; `gates` [token, gate, unit].
    """

    values: np.ndarray
    words: list[str]
    text: np.ndarray
    number: np.ndarray
    gates: np.ndarray

    def n_words(self, text: int) -> int:
        return int((self.text == text).sum())


def read_one_by_one(
    model: LoadedModel, texts: Sequence[str], layer: int = -1, direction: int = 0, quantity: str = "hidden"
) -> OneByOne:
    """The oracle: nothing is batched, and nothing kept."""
    values, words, text, number, gates = [], [], [], [], []
    for index, each in enumerate(texts):
        trace: Any = api.trace_states(model, each, running=False)
        if model.kind == "recurrent":
            values.append(trace.quantities()[quantity][layer, direction][trace.pos_of_words(direction)])
            gates.append(trace.gates[layer, direction])
        else:
            values.append(trace.hidden[layer][trace.reading.last_token_of_word])
        words += [word.lower() for word in trace.words]
        text += [index] * len(trace.words)
        number += range(len(trace.words))
    return OneByOne(
        np.concatenate(values).astype(np.float16),
        words,
        np.array(text),
        np.array(number),
        np.concatenate(gates) if gates else np.zeros((0, 0, 0)),
    )


def folders(home: Path) -> list[str]:
    """Names of the index folders, half-built ones too."""
    root = home / ".index"
    return sorted(path.name for path in root.iterdir() if path.is_dir()) if root.exists() else []


@pytest.fixture
def lstm(tiny_model: Callable[..., LoadedModel]) -> LoadedModel:
    return tiny_model("lstm", num_layers=2, hidden_size=12)
