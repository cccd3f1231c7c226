"""What the views over a judgement share: a line for each network that can be told from the others."""

from __future__ import annotations

from collections.abc import Sequence

from explorer_core import palette
from explorer_core.results import Judgement
from explorer_core.views import _style
from explorer_core.views._style import Spec


def line_of(judged: Judgement, model: int) -> tuple[str, str]:
    """Colour and dash of a network: its family's, or another colour where two are of one family."""
    architectures = judged.architectures
    color, dash = palette.family_line(architectures[model])
    n_before = architectures[:model].count(architectures[model])
    return (palette.SERIES[(model + 3) % len(palette.SERIES)] if n_before else color), dash


def share_axis(spec: Spec, title: str, ticks: Sequence[float] = (0, 0.25, 0.5, 0.75, 1)) -> None:
    """A y axis of shares from 0 to 1."""
    _style.value_axis(spec, title, limits=(0.0, 1.0))
    _style.axis(spec, "y").update(tickvals=list(ticks))
