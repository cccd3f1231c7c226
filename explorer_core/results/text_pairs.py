"""Pairs of texts that differ by an edit, and how networks judge both sides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable
from explorer_core.results.judgements import Judgement
from explorer_core.results.text_tables import TextTable

OUTCOMES = ("both right", "only one right", "none right", "not labelled")


@dataclass(frozen=True, eq=False)
class TextPairs(Exportable):
    """Pairs among the texts of a table; axis [pair] throughout.

    Attributes:
        table: The texts; for pairs of two columns, both texts of a row stand in it one after the other.
        first, second: Places of the two texts in the table; int arrays [pair].
        names: What each pair is called: its id, or the numbers of its rows.
        how: `ids`, `columns` or `found`.
        distance: Words put in, taken out or replaced between the two; -1 where it was not counted; int array [pair].
        notes: What was left out, and by which limits; one sentence each.
    """

    table: TextTable
    first: np.ndarray
    second: np.ndarray
    names: tuple[str, ...]
    how: str
    distance: np.ndarray
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        assert len(self.first) == len(self.second) == len(self.names) == len(self.distance)
        assert max(self.first.max(initial=-1), self.second.max(initial=-1)) < len(self.table)

    def __len__(self) -> int:
        return len(self.first)

    def to_frame(self) -> Any:
        """One row for each pair: both texts with their rows and labels."""
        import pandas as pd

        values = np.array([*self.table.label_values, ""], dtype=object)
        found: dict[str, Any] = {"pair": self.names}
        for name, places in (("first", self.first), ("second", self.second)):
            found[f"{name} row"] = self.table.row_numbers[places]
            found[f"{name} text"] = [self.table.texts[place] for place in places.tolist()]
            if self.table.label_values:
                found[f"{name} label"] = values[self.table.label[places]]
        return pd.DataFrame(found | {"distance": self.distance})


@dataclass(frozen=True, eq=False)
class JudgedPairs(Exportable):
    """What networks said of both sides of each pair; axes [model, pair].

    Attributes:
        pairs: The pairs whose two texts every network could read.
        judged: What the networks said of their table.
        first, second: Places of the two texts in `judged`; int arrays [pair].
        outcome: Index into `OUTCOMES`; int array [model, pair].
        turns: Whether the network decides differently for the two; bool array [model, pair].
        n_outcomes: Pairs of each of the first three outcomes; int array [model, outcome].
        shares, low, high: Shares of them among the pairs with two labels, with the ends of the 95 % interval (Wilson);
            NaN without such pairs; shape [model, outcome].
        turn_shares, turn_low, turn_high: Share of all pairs whose verdict turns, likewise; shape [model].
    """

    pairs: TextPairs
    judged: Judgement
    first: np.ndarray
    second: np.ndarray
    outcome: np.ndarray
    turns: np.ndarray
    n_outcomes: np.ndarray
    shares: np.ndarray
    low: np.ndarray
    high: np.ndarray
    turn_shares: np.ndarray
    turn_low: np.ndarray
    turn_high: np.ndarray

    def __post_init__(self) -> None:
        assert self.outcome.shape == self.turns.shape == (len(self.judged.models), len(self.pairs))
        assert self.shares.shape == self.n_outcomes.shape == (len(self.judged.models), len(OUTCOMES) - 1)

    def __len__(self) -> int:
        return len(self.pairs)

    def to_frame(self) -> Any:
        """One row for each pair: both texts, and for every network the outcome, whether the verdict turns, and what
        it says of each side with its probability.
        """
        frame = self.pairs.to_frame()
        labels, outcomes = np.array(self.judged.labels, dtype=object), np.array(OUTCOMES, dtype=object)
        for number, model in enumerate(self.judged.models):
            frame[f"outcome {model}"] = outcomes[self.outcome[number]]
            frame[f"turns {model}"] = self.turns[number]
            for name, places in (("first", self.first), ("second", self.second)):
                frame[f"{name} predicted {model}"] = labels[self.judged.predicted[number, places]]
                for index, label in enumerate(self.judged.labels):
                    frame[f"{name} prob {label} {model}"] = self.judged.probs[number, places, index]
        return frame

    def counts_frame(self) -> Any:
        """One row for each network and outcome, and one for verdicts that turn: pairs, share and interval."""
        import pandas as pd

        rows = []
        for number, model in enumerate(self.judged.models):
            for index, outcome in enumerate(OUTCOMES[:-1]):
                ends = (self.shares[number, index], self.low[number, index], self.high[number, index])
                rows.append((model, outcome, int(self.n_outcomes[number, index]), *ends))
            ends = (self.turn_shares[number], self.turn_low[number], self.turn_high[number])
            rows.append((model, "verdict turns", int(self.turns[number].sum()), *ends))
        return pd.DataFrame(rows, columns=["model", "outcome", "n_pairs", "share", "low", "high"])

    def arrays(self) -> dict[str, np.ndarray]:
        """Places, outcomes and shares, and every array of the judgement under `judged.`."""
        names = ("first", "second", "outcome", "turns", "n_outcomes", "shares", "low", "high", "turn_shares")
        found = {name: getattr(self, name) for name in (*names, "turn_low", "turn_high")}
        found |= {"names": np.array(self.pairs.names), "distance": self.pairs.distance}
        return found | {f"judged.{name}": array for name, array in self.judged.arrays().items()}
