"""What every reason is given, and what it gives back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from explorer_core.errors import IncompatibleError
from explorer_core.results import Judgement

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def _unwatched(share: float) -> None:
    """Nobody watches."""


@dataclass(frozen=True)
class Ask:
    """What a reason ranks, and how much it may look at.

    Attributes:
        judged: What the networks said.
        model: Index of the network that is asked about.
        rows: Places in `judged` that may be listed; int array [row].
        network: The network itself, for a reason that has texts read again.
        n_texts: Texts that are read again at most: those with the smallest margin.
        trained_on: Letters of the texts the network was trained on; `None` if they are not known.
        report: Called with the share done, in [0, 1]; may raise `CancelledError`.
    """

    judged: Judgement
    model: int
    rows: np.ndarray
    network: LoadedModel | None = None
    n_texts: int = 0
    trained_on: frozenset[str] | None = None
    report: Callable[[float], None] = _unwatched

    @property
    def labelled(self) -> np.ndarray:
        """The rows with a label; int array."""
        return self.rows[self.judged.true[self.rows] >= 0]

    def closest(self) -> np.ndarray:
        """The rows with the smallest margin, at most `n_texts`, the smallest first; int array."""
        order = np.argsort(self.judged.margin[self.model, self.rows], kind="stable")
        return self.rows[order[: self.n_texts]]

    def ready(self) -> LoadedModel:
        """The network, if it is the one that judged.

        Raises:
            IncompatibleError: If there is none, or its weights are others.
        """
        network, wanted = self.network, self.judged.fingerprints[self.model]
        if network is None or network.fingerprint != wanted:
            raise IncompatibleError(
                f"This reason has {self.judged.models[self.model]} read texts again, but that model was not given. "
                "Give the model that judged, with the same weights."
            )
        return network


@dataclass(frozen=True)
class Ranked:
    """Rows in the order to read them.

    Attributes:
        rows: Places in the judgement, the first to read first; int array [row].
        values: What they are ranked by; float array [row].
        details: What there is to see in each, in words; shape [row], or empty.
        partner: Place of the text each belongs with, -1 for none; int array [row], or empty.
        notes: What was left out or is not known, one sentence each.
    """

    rows: np.ndarray
    values: np.ndarray
    details: tuple[str, ...] = ()
    partner: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    notes: tuple[str, ...] = ()


def ranked(rows: np.ndarray, values: np.ndarray, *ties: np.ndarray, **more: Any) -> Ranked:
    """Rows by falling value; equal ones by falling `ties`, then as they stand in the file."""
    order = np.lexsort((np.arange(len(rows)), *(-tie for tie in reversed(ties)), -values))
    return Ranked(rows[order], values[order], **more)
