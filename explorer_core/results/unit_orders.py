"""In which order the units of a layer are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable


@dataclass(frozen=True)
class UnitOrder(Exportable):
    """An order of the units of one layer and direction, for one text.

    Attributes:
        how: `stored`, `similarity`, `verdict` or `memory`.
        order: Unit drawn in each row, a permutation; int array [row].
        value: What the units were ordered by, by unit and not by row; float array [unit], NaN for a unit that has
            none. `None` where the order rests on no number of a single unit (`stored`, `similarity`).
        name: What `value` is; empty without one.
        unit: Unit of `value`; empty for a bare number.
    """

    how: str
    order: np.ndarray
    value: np.ndarray | None
    name: str = ""
    unit: str = ""

    def __post_init__(self) -> None:
        n_units = len(self.order)
        if not np.array_equal(np.sort(self.order), np.arange(n_units)):
            raise AssertionError("order is not a permutation of the units")
        if self.value is not None and self.value.shape != (n_units,):
            raise AssertionError(f"value has shape {self.value.shape}, expected {(n_units,)}")

    def to_frame(self) -> Any:
        """One row for each unit, in this order."""
        import pandas as pd

        frame = pd.DataFrame({"row": np.arange(len(self.order)), "unit": self.order})
        return frame if self.value is None else frame.assign(value=self.value[self.order], name=self.name)
