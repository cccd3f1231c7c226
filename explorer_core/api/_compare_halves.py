"""The two halves of a bidirectional network held apart."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import HalfHonesty, HalfScores

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel

N_REFERENCES = 200


def compare_halves(
    model: LoadedModel,
    text: str,
    target: int | str | None = None,
    *,
    fill: str = "mean",
    references: Sequence[str] | None = None,
    n_orders: int = 30,
    seed: int = 0,
    progress: Progress | None = None,
) -> HalfHonesty:
    """What each half of a bidirectional network would decide alone, and what the order of what it has read is worth.

    Alone: the classifier reads one half as it is, and in place of the other its mean over reference texts, or zero.
    Shuffled: one half reads its past, all words but the one it reads last, in another order, while the other half reads
    the text as it is. The network was trained to do neither, so both are a look at what it leans on.

    Args:
        model: From `load_model`; a BiLSTM, or another recurrent model that reads both ways.
        text: The text, as typed.
        target: Class that is explained, by index or label; left out, the predicted one.
        fill: What stands in place of the half that is left out: `mean` or `zero`.
        references: Texts of the mean; left out, 200 held-out reviews of the starter corpus.
        n_orders: Orders tried for each half; where a text has no more of them, each comes once.
        seed: Of the orders that are drawn.
        progress: See `Progress`.

    Raises:
        IncompatibleError: If the network does not read in both directions.
        InvalidInputError: If there is no such class, the text cannot be read, or a setting is not allowed.
    """
    from explorer_core.comparing import halves

    texts = (_starter_texts() if references is None else tuple(references)) if fill == "mean" else ()
    return halves.compare(model, text, target, fill, texts, n_orders, seed, progress)


def score_halves(
    model: LoadedModel,
    texts: Sequence[str] | None = None,
    true: Sequence[int] | None = None,
    *,
    fill: str = "mean",
    seed: int = 0,
    progress: Progress | None = None,
) -> HalfScores:
    """How often each half of a bidirectional network is right alone, and each with its past in another order.

    Args:
        model: From `load_model`; a BiLSTM, or another recurrent model that reads both ways.
        texts: Labelled texts; left out, the held-out reviews of the starter corpus whose labels the model knows.
        true: Index of the right class of each text.
        fill: What stands in place of the half that is left out: `mean`, over these texts, or `zero`.
        seed: Of the orders, one for each text.
        progress: See `Progress`.

    Raises:
        IncompatibleError: If the network does not read in both directions.
        InvalidInputError: If there are no texts, or one cannot be read.
    """
    from explorer_core.comparing import halves_over_texts

    if texts is None or true is None:
        texts, true = _starter_rows(model.labels)
    return halves_over_texts.score(model, texts, true, fill, seed, progress)


def _starter_rows(labels: Sequence[str]) -> tuple[list[str], list[int]]:
    """The held-out reviews of the starter corpus with the index of their label among those of a model."""
    from explorer_core.datasets._labelled_texts import read
    from explorer_core.training.spec import DataSpec

    data = read(DataSpec())
    rows = [row for row in data.rows("test") if data.label_names[data.labels[row]] in labels]
    return [data.texts[row] for row in rows], [labels.index(data.label_names[data.labels[row]]) for row in rows]


@functools.cache
def _starter_texts() -> tuple[str, ...]:
    """The first held-out reviews of the starter corpus."""
    from explorer_core.datasets._labelled_texts import read
    from explorer_core.training.spec import DataSpec

    data = read(DataSpec())
    return tuple(data.texts[row] for row in data.rows("test")[:N_REFERENCES])
