"""Results of comparisons over one tiny network and one text, for tests of their pictures."""

from __future__ import annotations

from typing import Any

import numpy as np

from explorer_core import api
from explorer_core.loaded import LoadedModel
from tests.conftest import build_tiny

KNOBS = {"max_points": 8}


def pair_of(model: LoadedModel, seed: int = 1) -> tuple[LoadedModel, LoadedModel]:
    """A network and another of its family with other weights."""
    return model, build_tiny(model.architecture, max_tokens=model.max_tokens, seed=seed)


def words_and_spreads(model: LoadedModel, text: str) -> tuple[Any, tuple[Any, Any]]:
    """Shares of two networks, and the spread of both as seeds beside the first."""
    found = [api.attribute(one, text, target=1, **KNOBS) for one in pair_of(model)]
    difference = api.compare_words(*found, "share")
    return difference, (api.spread_words(found, "share", difference.place[0]), None)


def verdicts_and_spreads(model: LoadedModel, text: str) -> tuple[Any, tuple[Any, Any]]:
    """Running verdicts of two networks, and their spread beside the first."""
    found = [api.trace_running(one, text) for one in pair_of(model)]
    difference = api.compare_verdicts(*found, 1)
    return difference, (api.spread_verdicts(found, 1, difference.place[0]), None)


def change_of(model: LoadedModel, text: str) -> Any:
    """The text against its words in another order, with one more."""
    words = text.split()
    other = " ".join([*words[1:], words[0], "never"])
    short = {"method": "gradient_norm"} if len(words) > 100 else KNOBS
    return api.compare_texts(model, text, other, 1, **short)


def equal(one: Any, other: Any) -> bool:
    """Whether two results hold the same arrays to the bit."""
    mine, theirs = one.arrays(), other.arrays()
    return mine.keys() == theirs.keys() and all(
        np.array_equal(mine[name], theirs[name], equal_nan=mine[name].dtype.kind == "f") for name in mine
    )
