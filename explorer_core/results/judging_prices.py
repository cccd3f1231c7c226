"""What judging a person's texts will take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class JudgingPrice:
    """What one network's verdicts over texts will take.

    Attributes:
        model: Name of the network.
        n_texts: Different texts.
        n_known: Of them, those it has read before; they cost nothing.
        n_tokens: Tokens it will read, about.
        seconds: How long that takes on this machine, about; scores and intervals come on top.
    """

    model: str
    n_texts: int
    n_known: int
    n_tokens: int
    seconds: float
