"""What one unit computed at one word, with every number of its equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_finite
from explorer_core.text import Reading


@dataclass(frozen=True)
class Part:
    """One sign of an equation.

    Attributes:
        text: What is printed, such as `c₋₁` or `×`.
        value: Its number; `None` for a sign that stands for none.
        group: Parts of one group are worked out together; `None` for a part that is kept as it is.
        is_gate: Whether the number lies between 0 and 1, and so needs no sign.
    """

    text: str
    value: float | None = None
    group: int | None = None
    is_gate: bool = False


@dataclass(frozen=True)
class Equation:
    """One line `left = parts`, filled with numbers.

    Attributes:
        symbol: What stands on the left, such as `c`.
        left: Its number in the trace, as the network computed it.
        parts: What stands on the right, in reading order.
        worked: What each group comes to, by its number.
        right: The right side, worked out in float64 from the numbers of the trace.
    """

    symbol: str
    left: float
    parts: tuple[Part, ...]
    worked: Mapping[int, float]
    right: float

    @property
    def difference(self) -> float:
        """Right minus left: the rounding of the network's own float32."""
        return self.right - self.left


@dataclass(frozen=True)
class UnitStep(Exportable):
    """One step of one unit of a recurrent network.

    Attributes:
        model, architecture, fingerprint: Which network this was.
        reading: The text.
        layer, direction, unit, word: Which step, all from 0.
        pos: Position at which the direction has just read the word.
        pos_before: Position read before it, in reading order of the direction; `None` for the first one, where every
            state is zero. It may lie inside the same word.
        names: Names of `values`: `hidden`, `hidden_before`, for an LSTM `cell`, `cell_before`, then the gates.
        values: Their numbers as the network computed them; shape [name].
        blocks: Names of what is computed from word and state: the gates, or `hidden` for a network without gates.
        from_word: W x + b of each block before its non-linearity, with the input's bias; shape [block].
        from_state: U h₋₁ + b′ of each block, with the recurrent bias; shape [block]. A GRU multiplies that of the
            candidate by its reset gate.
        equations: The unit's equations, filled.
    """

    model: str
    architecture: str
    fingerprint: str
    reading: Reading
    layer: int
    direction: int
    unit: int
    word: int
    pos: int
    pos_before: int | None
    names: tuple[str, ...]
    values: np.ndarray
    blocks: tuple[str, ...]
    from_word: np.ndarray
    from_state: np.ndarray
    equations: tuple[Equation, ...]

    def __post_init__(self) -> None:
        for name in ("values", "from_word", "from_state"):
            check_finite(getattr(self, name), name)

    def value(self, name: str) -> float:
        """One of `values` by name."""
        return float(self.values[self.names.index(name)])

    @property
    def is_first(self) -> bool:
        """Whether nothing was read before this step."""
        return self.pos_before is None

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name; of each equation both sides and their difference."""
        found = {name: value for name, value in super().arrays().items() if name not in ("equations", "pos_before")}
        found["pos_before"] = np.array(-1 if self.pos_before is None else self.pos_before)
        found["symbols"] = np.array([one.symbol for one in self.equations])
        found["left"] = np.array([one.left for one in self.equations])
        found["right"] = np.array([one.right for one in self.equations])
        return found

    def to_frame(self) -> Any:
        """One row for each number of the step."""
        import pandas as pd

        rows = [(name, float(value)) for name, value in zip(self.names, self.values, strict=True)]
        for block, of_word, of_state in zip(self.blocks, self.from_word, self.from_state, strict=True):
            rows += [(f"{block}_from_word", float(of_word)), (f"{block}_from_state", float(of_state))]
        for one in self.equations:
            rows += [(f"{one.symbol}_left", one.left), (f"{one.symbol}_right", one.right)]
        return pd.DataFrame(rows, columns=["name", "value"]).assign(layer=self.layer, unit=self.unit, word=self.word)
