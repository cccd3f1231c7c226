"""What the views of memory share: an axis of shares kept, by powers of ten, and the place of a unit."""

from __future__ import annotations

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.numerals import nice_limit, number
from explorer_core.results import MemoryTrace
from explorer_core.views import _style
from explorer_core.views._style import Spec

FLOOR = 1e-3  # a smaller share is drawn here: one in a thousand is as good as forgotten
_TICKS = ((1e-3, "≤ 0.1 %"), (1e-2, "1 %"), (1e-1, "10 %"), (1.0, "100 %"), (10.0, "1,000 %"), (100.0, "10,000 %"))


def percent(share: float) -> str:
    """A share as a person reads it, such as `12.3 %`."""
    return f"{number(100 * share)} %"


def drawn(shares: np.ndarray) -> np.ndarray:
    """Shares as they are drawn: none below the floor."""
    return np.maximum(shares, FLOOR)


def top_of(shares: np.ndarray) -> float:
    """End of an axis of shares: everything, or a round number above a share that grew beyond it."""
    return max(1.0, nice_limit(float(shares.max(initial=0.0))))


def share_axis(spec: Spec, letter: str, title: str, top: float) -> None:
    """An axis of shares from the floor to a top, by powers of ten, in percent."""
    ticks = [(at, name) for at, name in _TICKS if at <= top * 1.001]
    low, high = np.log10(FLOOR), np.log10(top)
    room = (high - low) * 0.03  # so that a point on the edge is not cut in half
    _style.axis(spec, letter).update(
        type="log",
        title={"text": title, "standoff": 10, "font": {"color": _style.INK}},
        range=[low - room, high + room],
        tickvals=[at for at, _ in ticks],
        ticktext=[name for _, name in ticks],
        tickfont={"size": _style.TICK_SIZE, "color": _style.INK},
        gridcolor=_style.GRID,
        zeroline=False,
    )


def check_place(memory: MemoryTrace, **place: int | None) -> None:
    """Refuse a layer, direction or unit the network does not have.

    Raises:
        InvalidInputError: If there is none; the message names the bounds.
    """
    sizes = dict(zip(("layer", "direction", "unit"), memory.final_hidden.shape, strict=True))
    for name, value in place.items():
        if value is not None and not 0 <= value < sizes[name]:
            raise InvalidInputError(
                f"There is no {name} {value}; {name}s of this model run from 0 to {sizes[name] - 1}."
            )
