"""How far an attribution may be believed: measurements, each with its meaning, and one grade by a written rule."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable
from explorer_core.results.attributions import WordAttribution

GRADES = ("holds up", "with care", "do not rely on it")
RULE = (
    "Holds up: no line is bad, and taking the words away, agreement and training are good. Do not rely on it: "
    "training, the sum or taking the words away is bad, or two lines are. With care: everything else."
)
_DECISIVE = ("training", "comprehensiveness", "agreement")  # all three must be good to hold up
_RUINOUS = ("training", "gap", "comprehensiveness")  # any of them bad is enough


@dataclass(frozen=True)
class TrustLine:
    """One measurement.

    Attributes:
        name: Its name, such as `comprehensiveness`.
        label: What a person sees.
        value: The number; `None` where it could not be measured, and `said` has the reason.
        unit: Of the value; empty for a bare number.
        verdict: `good`, `doubtful` or `bad`; `told` for a number that decides nothing.
        said: One sentence with the numbers in it.
        means: One sentence: what it measures, and from where on it is good or bad.
        n_passes: Texts that were read for it.
    """

    name: str
    label: str
    value: float | None
    unit: str
    verdict: str
    said: str
    means: str
    n_passes: int


@dataclass(frozen=True)
class TrustCard(Exportable):
    """Every measurement of one attribution.

    Attributes:
        attribution: What was judged.
        lines: The measurements, those that decide first.
        is_full: Whether the slow ones were made too.
        seed: Where the random numbers began.
    """

    attribution: WordAttribution
    lines: tuple[TrustLine, ...]
    is_full: bool
    seed: int

    @property
    def grade(self) -> str:
        """One of `GRADES`, by `RULE`."""
        verdicts = {line.name: line.verdict for line in self.lines}
        bad = [name for name, verdict in verdicts.items() if verdict == "bad"]
        if set(bad) & set(_RUINOUS) or len(bad) > 1:
            return GRADES[2]
        is_good = all(verdicts.get(name) == "good" for name in _DECISIVE)
        return GRADES[0] if is_good and not bad else GRADES[1]

    @property
    def why(self) -> tuple[str, ...]:
        """What stands between this attribution and the best grade: the sentences of lines that are not good."""
        return tuple(line.said for line in self.lines if line.verdict in ("bad", "doubtful"))

    def arrays(self) -> dict[str, np.ndarray]:
        """Those of the attribution, and the value of every line."""
        values = {line.name: line.value for line in self.lines if line.value is not None}
        return self.attribution.arrays() | {f"trust_{name}": np.array(value) for name, value in values.items()}

    def to_frame(self) -> Any:
        """One row for each line."""
        import pandas as pd

        names = ("name", "label", "value", "unit", "verdict", "said", "means", "n_passes")
        return pd.DataFrame([{name: getattr(line, name) for name in names} for line in self.lines], columns=list(names))
