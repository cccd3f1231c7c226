"""How often the gates of a network stand open or closed in one text."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import DIRECTIONS, Exportable, check_array
from explorer_core.text import Reading


@dataclass(frozen=True)
class GateSaturation(Exportable):
    """For every unit, the share of words at which a gate is nearly closed and at which it is nearly open.

    Attributes:
        model, architecture, fingerprint: Which network this was.
        reading: The text; words are counted, each where the direction has just read it.
        names: What was counted: the gates between 0 and 1, or `hidden` for a network without gates.
        left: Share of words with a value below `low`, in [0, 1]; shape [layer, direction, gate, unit].
        right: Share of words with a value above `high`, in [0, 1]; same shape. left + right is at most 1.
        low, high: 0.1 and 0.9 for gates; −0.9 and 0.9 for a hidden state behind a tanh.
    """

    model: str
    architecture: str
    fingerprint: str
    reading: Reading
    names: tuple[str, ...]
    left: np.ndarray
    right: np.ndarray
    low: float
    high: float

    def __post_init__(self) -> None:
        n_layers, n_directions, _, n_units = self.left.shape
        for name in ("left", "right"):
            check_array(getattr(self, name), (n_layers, n_directions, len(self.names), n_units), name)
        if (self.left + self.right).max(initial=0.0) > 1 + 1e-9 or min(self.left.min(), self.right.min()) < 0:
            raise AssertionError("shares lie between 0 and 1, and their sum is at most 1")

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the direction axis."""
        return DIRECTIONS[: self.left.shape[1]]

    def to_frame(self) -> Any:
        """One row for each layer, direction, gate and unit."""
        import pandas as pd

        layer, direction, gate, unit = (axis.ravel() for axis in np.indices(self.left.shape))
        return pd.DataFrame(
            {
                "layer": layer,
                "direction": np.array(self.directions)[direction],
                "gate": np.array(self.names)[gate],
                "unit": unit,
                "left": self.left.ravel(),
                "right": self.right.ravel(),
            }
        )
