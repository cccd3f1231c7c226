"""How alike the states of two networks are, layer by layer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable


@dataclass(frozen=True, eq=False)
class StateLikeness(Exportable):
    """Linear CKA of every layer of one network with every layer of another over the same texts or words.

    Attributes:
        models, architectures, fingerprints: Both networks; they may be the same.
        what: `final`, `mean` or `words`: which states; see `api.compare_states`.
        layers: Names of the layers of both.
        cka: Debiased; at most about 1, near 0 (also a little below) for states that have nothing in common; NaN for a
            layer whose states are all the same; shape [layer of one, layer of the other].
        plain: As first defined, without the correction, in [0, 1]; likewise.
        untrained: `cka` of the two networks with fresh weights, likewise; `None` if it was not asked for.
        n_states, n_texts: States compared, and texts they come from.
        left_out: Texts that were not used, by reason.
        seed: Of the draw and of the fresh weights.
    """

    models: tuple[str, str]
    architectures: tuple[str, str]
    fingerprints: tuple[str, str]
    what: str
    layers: tuple[tuple[str, ...], tuple[str, ...]]
    cka: np.ndarray
    plain: np.ndarray
    untrained: np.ndarray | None
    n_states: int
    n_texts: int
    left_out: dict[str, int]
    seed: int

    def __post_init__(self) -> None:
        shape = (len(self.layers[0]), len(self.layers[1]))
        for name in ("cka", "plain", "untrained"):
            array = getattr(self, name)
            assert array is None or (array.shape == shape and not np.isinf(array).any()), name

    def to_frame(self) -> Any:
        """One row for each pair of layers."""
        import pandas as pd

        ones, others = self.layers
        places = [(row, column) for row in range(len(ones)) for column in range(len(others))]
        found: dict[str, Any] = {
            "model": self.models[0],
            "layer": [ones[row] for row, _ in places],
            "other model": self.models[1],
            "other layer": [others[column] for _, column in places],
            "cka": self.cka.ravel(),
            "plain cka": self.plain.ravel(),
        }
        if self.untrained is not None:
            found["untrained cka"] = self.untrained.ravel()
        return pd.DataFrame(found).assign(n_states=self.n_states)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array, with the names of the layers of either network."""
        found = {name: array for name in ("cka", "plain", "untrained") if (array := getattr(self, name)) is not None}
        found |= {
            name: np.array(getattr(self, name)) for name in ("models", "fingerprints", "what", "n_states", "seed")
        }
        return found | {"layers": np.array(self.layers[0]), "other_layers": np.array(self.layers[1])}
