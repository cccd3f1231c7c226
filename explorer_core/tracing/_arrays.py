"""Into a network and out of it again: the ids of a text on its device, and its numbers as NumPy arrays."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from explorer_core.loaded import LoadedModel
from explorer_core.text import Reading


def read_ids(model: LoadedModel, reading: Reading) -> Tensor:
    """The ids of a text on the network's device, shape [text = 1, pos]."""
    return torch.from_numpy(reading.token_ids).to(model.device)[None]


def to_numpy(values: Tensor) -> np.ndarray:
    """An array on the CPU, in the network's own precision, or float32 where NumPy has none."""
    return (values if values.dtype == torch.float64 else values.float()).cpu().numpy()
