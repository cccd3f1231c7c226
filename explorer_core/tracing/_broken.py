"""Which weights are to blame when a network gives numbers that are none; looked for only then."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import torch

from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel

_SHOWN = 3


def refuse_broken(model: LoadedModel, *arrays: np.ndarray | None) -> None:
    """Refuse numbers that are not finite, and name the layer whose weights they come from.

    Raises:
        InvalidInputError: If any entry is infinite or NaN.
    """
    if all(each is None or np.isfinite(each).all() for each in arrays):
        return
    broken = [name for name, weight in model.module.named_parameters() if not torch.isfinite(weight).all()]
    if not broken:
        raise InvalidInputError(
            f"The numbers of {model.name[:60]!r} grow beyond what it can hold on this text, although its weights are "
            "finite: its gradient explodes. Shorten the text, or train it again with a smaller learning rate."
        )
    shown = ", ".join(f"{_place(name)} ({name[:60]})" for name in broken[:_SHOWN])
    more = f" and {len(broken) - _SHOWN} more" if len(broken) > _SHOWN else ""
    raise InvalidInputError(
        f"The weights of {model.name[:60]!r} hold numbers that are not finite (NaN or infinity), in {shown}{more}. "
        "Train it again with a smaller learning rate, or load another checkpoint."
    )


def _place(name: str) -> str:
    """Where a weight belongs, in words."""
    found: Any = re.search(r"(?:_l|layer\.)(\d+)", name)
    if found:
        return f"layer {int(found[1]) + 1}" + (", backward" if name.endswith("_reverse") else "")
    return "the word vectors" if "embed" in name else "the head"
