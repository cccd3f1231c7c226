"""Global random generators, led by a seed for a while and put back as they were.

Some libraries draw from the generators of torch and NumPy that a whole process shares. Whoever needs them to draw the
same again goes through here: one at a time, so that two threads never lead them at once.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_LEADING = threading.Lock()


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Draw from a seed inside the block; afterwards the generators stand where they stood before."""
    import numpy as np
    import torch

    devices = list(range(torch.cuda.device_count())) if torch.cuda.is_initialized() else []
    with _LEADING, torch.random.fork_rng(devices=devices):
        before = np.random.get_state()  # captum's GradientShap draws from here
        torch.default_generator.manual_seed(seed)
        for device in devices:
            torch.cuda.default_generators[device].manual_seed(seed)
        np.random.seed(seed)
        try:
            yield
        finally:
            np.random.set_state(before)
