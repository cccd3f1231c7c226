"""The chain rule at one unit and one word, with every number of its sums."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_finite
from explorer_core.results.unit_steps import Equation
from explorer_core.text import Reading


@dataclass(frozen=True)
class GradientStep(Exportable):
    """How the gradient of one unit at one word is made of what arrives from the next step and from above.

    Attributes:
        model, architecture, labels, fingerprint: Which network this was.
        reading: The text.
        of: `logit` or `loss`, the number y that is differentiated.
        target: Index of the class whose logit, or whose loss as the right label, it is.
        layer, direction, unit, word: Which step, all from 0.
        pos: Position at which the direction has just read the word.
        pos_after: Position read after it, in reading order of the direction; `None` for the last one, where nothing
            comes back through time. It may lie inside the same word.
        equations: Of an LSTM ∂y/∂c, ∂y/∂h and ∂y/∂f; of a GRU ∂y/∂h and ∂y/∂z; of an RNN ∂y/∂h. `left` is the gradient
            as the walk back through the whole text found it, `right` the sum of this one step, worked out in float64
            from the numbers of both traces and the weights.
        names, values: Every term of every sum by its name; shape [term].
    """

    model: str
    architecture: str
    labels: tuple[str, ...]
    fingerprint: str
    reading: Reading
    of: str
    target: int
    layer: int
    direction: int
    unit: int
    word: int
    pos: int
    pos_after: int | None
    equations: tuple[Equation, ...]
    names: tuple[str, ...]
    values: np.ndarray

    def __post_init__(self) -> None:
        check_finite(self.values, "terms of the chain rule")
        check_finite(np.array([(one.left, one.right) for one in self.equations]), "gradients")

    @property
    def is_last(self) -> bool:
        """Whether nothing is read after this step."""
        return self.pos_after is None

    @property
    def target_label(self) -> str:
        """Label of `target`."""
        return self.labels[self.target]

    def value(self, name: str) -> float:
        """One of `values` by name."""
        return float(self.values[self.names.index(name)])

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array by name; of each equation both sides."""
        found = {name: value for name, value in super().arrays().items() if name not in ("equations", "pos_after")}
        found["pos_after"] = np.array(-1 if self.pos_after is None else self.pos_after)
        found["symbols"] = np.array([one.symbol for one in self.equations])
        found["left"] = np.array([one.left for one in self.equations])
        found["right"] = np.array([one.right for one in self.equations])
        return found

    def to_frame(self) -> Any:
        """One row for each term, then both sides of each equation."""
        import pandas as pd

        rows = [(name, float(value)) for name, value in zip(self.names, self.values, strict=True)]
        for one in self.equations:
            rows += [(f"{one.symbol} left", one.left), (f"{one.symbol} right", one.right)]
        return pd.DataFrame(rows, columns=["name", "value"]).assign(layer=self.layer, unit=self.unit, word=self.word)
