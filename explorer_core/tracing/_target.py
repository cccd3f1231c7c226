"""Which class is explained."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Integral

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.text import visible

_SHOWN = 10  # classes named in a message


def class_of(labels: Sequence[str], target: int | str | None, logits: np.ndarray) -> int:
    """Index of a class given by index or label; left out, the predicted one.

    Raises:
        InvalidInputError: If there is no such class; the message names those there are.
    """
    if target is None:
        return int(logits.argmax())
    if isinstance(target, str) and target in labels:
        return list(labels).index(target)
    if isinstance(target, Integral) and not isinstance(target, bool) and 0 <= target < len(labels):
        return int(target)
    asked = visible(str(target)[:60]) if isinstance(target, str | int) else type(target).__name__
    shown = ", ".join(visible(label[:40]) for label in labels[:_SHOWN])
    more = f" and {len(labels) - _SHOWN} more" if len(labels) > _SHOWN else ""
    raise InvalidInputError(
        f"The model has no class {asked!r}. It has {shown}{more}; choose one of these, or its number from 0 to "
        f"{len(labels) - 1}."
    )
