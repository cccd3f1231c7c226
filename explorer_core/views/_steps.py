"""What the views of a recorded run share: norms of a layer, and an axis of training steps that is stretched at the
beginning, where recordings stand closer together.
"""

from __future__ import annotations

import numpy as np

from explorer_core.errors import NotFoundError
from explorer_core.params import check_index
from explorer_core.results import GradientHistory
from explorer_core.views import _style
from explorer_core.views._style import Spec

_LABEL_PX = 52
_ROOM = 0.6  # of a column, left and right


def norms_of(history: GradientHistory, layer: int, direction: int) -> np.ndarray:
    """Norms of one layer and direction, shape [record, distance].

    Raises:
        InvalidInputError: If there is no such layer or direction.
        NotFoundError: If nothing has been recorded yet.
    """
    if not len(history.step):
        raise NotFoundError(f"The run {history.name} has not made its first recording yet. Look again in a moment.")
    check_index("layer", layer, history.hidden_norm.shape[1])
    check_index("direction", direction, history.hidden_norm.shape[2])
    return history.hidden_norm[:, layer, direction]


def place(step: np.ndarray) -> np.ndarray:
    """Where steps stand: at their square root, which spaces the recordings evenly."""
    return np.sqrt(np.asarray(step, dtype=float))


def edges(step: np.ndarray) -> np.ndarray:
    """Borders between the columns of recordings, one more than there are recordings."""
    at = place(step)
    if len(at) < 2:
        return np.array([at[0] - 0.5, at[0] + 0.5])
    middles = (at[1:] + at[:-1]) / 2
    return np.concatenate([[2 * at[0] - middles[0]], middles, [2 * at[-1] - middles[-1]]])


def step_axis(spec: Spec, history: GradientHistory, *, rows: int = 1, width: int = 700) -> None:
    """Put the steps of the recordings under the lowest x axis, thinned so that none overlap.

    The axis reaches to the last step the run was to have, so that a run that still trains fills it from the left.
    """
    at, end = place(history.step), float(place(np.array([max(history.n_steps, 1)]))[0])
    half = float(np.diff(edges(history.step)).max()) * _ROOM
    low, high = -half, max(end, float(at[-1])) + half
    shown: list[int] = []
    for index in range(len(at) - 1, -1, -1):  # the last one is always named
        if not shown or (at[shown[-1]] - at[index]) / (high - low) * width >= _LABEL_PX:
            shown.append(index)
    for row in range(1, rows + 1):
        _style.axis(spec, "x", row).update(
            tickmode="array", tickvals=[float(at[index]) for index in shown],
            ticktext=[f"{history.step[index]:,}" for index in shown], tickangle=0,
            tickfont={"size": _style.TICK_SIZE, "color": _style.INK}, showticklabels=row == rows, range=[low, high],
            showgrid=False, zeroline=False, ticks="outside" if row == rows else "", ticklen=4, tickcolor=_style.GRID,
            anchor=f"y{row if row > 1 else ''}", unifiedhovertitle={"text": "recording at step %{x}"},
        )  # fmt: skip
        if row < rows:
            _style.axis(spec, "x", row)["matches"] = f"x{rows}"
    _style.axis(spec, "x", rows)["title"] = {
        "text": "step of training (stretched at the beginning)", "standoff": 6, "font": {"color": _style.INK},
    }  # fmt: skip
    spec["layout"]["margin"]["b"] = 50
