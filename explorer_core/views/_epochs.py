"""What the views of checkpoints share: a panel with one faint line for every epoch, and a strong one for the chosen."""

from __future__ import annotations

import numpy as np

from explorer_core.palette import GREY
from explorer_core.params import check_index
from explorer_core.results import CheckpointTrace
from explorer_core.views import _style
from explorer_core.views._style import Spec

_FAINT = (0.25, 0.75)  # opacity of the first and of the last epoch


def name_of(trace: CheckpointTrace, index: int) -> str:
    """What a person calls a checkpoint, such as `epoch 3`."""
    return f"epoch {epoch(float(trace.epoch[index]))}"


def epoch(value: float) -> str:
    """An epoch, whole or with two digits behind the point."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def check(trace: CheckpointTrace, index: int) -> int:
    """The place of a checkpoint, if there is such a one.

    Raises:
        InvalidInputError: If there is none.
    """
    return check_index("checkpoint", index, len(trace.step))


def draw_panel(spec: Spec, trace: CheckpointTrace, values: np.ndarray, index: int, color: str, *, row: int = 1) -> None:
    """Lines over words, values [checkpoint, word]: every epoch in grey, later ones stronger, the chosen in colour."""
    words = [_style.escaped(word, 40) for word in trace.words]
    n_before = max(len(values) - 1, 1)
    for one in [*(other for other in range(len(values)) if other != index), index]:
        is_chosen = one == index
        line = _style.line(
            np.arange(len(words)), values[one], name_of(trace, one), color if is_chosen else GREY, row=row,
            text=words, hovertemplate="%{y:.3~g}",
        )  # fmt: skip
        if is_chosen:
            line |= {"mode": "lines+markers" if len(words) <= 60 else "lines", "marker": {"size": 5, "color": color}}
        else:
            line["opacity"] = _FAINT[0] + (_FAINT[1] - _FAINT[0]) * one / n_before
            line["line"]["width"] = 1.2
        spec["data"].append(line)


def label_chosen(
    spec: Spec, trace: CheckpointTrace, values: np.ndarray, index: int, color: str, limits: tuple[float, float],
    height: float, *, row: int = 1,
) -> None:  # fmt: skip
    """Name the chosen line, and the first and the last where they end elsewhere."""
    ends = [(len(trace.words) - 1, float(values[index, -1]), name_of(trace, index), color)]
    others = [other for other in dict.fromkeys((0, len(values) - 1)) if other != index]
    ends += [(len(trace.words) - 1, float(values[other, -1]), name_of(trace, other), GREY) for other in others]
    _style.label_ends(spec, ends, limits=limits, height=height, row=row)


def stack(spec: Spec, n_rows: int, gap_px: float) -> float:
    """Divide the height among panels, the first on top; returns the share of each."""
    gap = gap_px / _style.plot_height(spec)
    share = (1 - gap * (n_rows - 1)) / n_rows
    for row in range(1, n_rows + 1):
        top = 1 - (row - 1) * (share + gap)
        _style.axis(spec, "y", row).update(domain=[max(top - share, 0.0), min(top, 1.0)])
        if row < n_rows:
            _style.axis(spec, "x", row)["matches"] = f"x{n_rows}"
        _style.axis(spec, "x", row)["anchor"] = f"y{row if row > 1 else ''}"
    return share
