"""What a section of the page States is given: one model looked into, one text, and what was traced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from explorer_core.results import RecurrentTrace, TransformerTrace
from pages._ui import cache

AnyTrace = RecurrentTrace | TransformerTrace


@dataclass(frozen=True)
class Look:
    """One model over one text.

    Attributes:
        info: The model looked into.
        text: The text as typed.
        trace: Its states, from `cache.trace`.
        target: Index of the class that is explained.
        others: The other chosen models that can be read now.
    """

    info: cache.ModelInfo
    text: str
    trace: AnyTrace
    target: int
    others: Sequence[cache.ModelInfo] = field(default=())

    @property
    def key(self) -> tuple[str, str, str]:
        """Name, fingerprint and text: what the calls of `cache` take first."""
        return self.info.name, self.info.fingerprint, self.text
