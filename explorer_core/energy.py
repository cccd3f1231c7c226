"""Energy a stretch of work took, where the machine counts it: an Intel or AMD processor package, an NVIDIA card.

The counters belong to the whole package and the whole card, so whatever else ran in the meantime is in them.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
from pathlib import Path
from typing import Any

_POWERCAP = Path("/sys/class/powercap")
_JOULES_PER_UJ, _JOULES_PER_MJ = 1e-6, 1e-3
_NVML = "libnvidia-ml.so.1"


class Meter:
    """Counts from where it was made.

    Args:
        device: Where the work is done; with `cuda` the first card is counted beside the processor.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._packages = _packages()
        self._begin_uj = [_read(package / "energy_uj") for package in self._packages]
        self._card = _card() if device == "cuda" else None
        self._begin_mj = None if self._card is None else self._card()

    @property
    def sources(self) -> tuple[str, ...]:
        """What is counted, such as `processor`; empty where this machine reports no energy."""
        is_package = any(value is not None for value in self._begin_uj)
        return tuple(
            name
            for name, is_there in (("processor", is_package), ("NVIDIA card", self._begin_mj is not None))
            if is_there
        )

    def joules(self) -> float | None:
        """Energy since the beginning, in joules; `None` where this machine reports none."""
        if not self.sources:
            return None
        total = 0.0
        for package, begin_uj in zip(self._packages, self._begin_uj, strict=True):
            end_uj = _read(package / "energy_uj")
            if begin_uj is not None and end_uj is not None:
                # the counter begins again at zero; twice within one stretch is more than an hour at full power
                around = (_read(package / "max_energy_range_uj") or 0.0) if end_uj < begin_uj else 0.0
                total += max(end_uj - begin_uj + around, 0.0) * _JOULES_PER_UJ
        if self._card is not None and self._begin_mj is not None:
            end_mj = self._card()
            total += 0.0 if end_mj is None else max(end_mj - self._begin_mj, 0.0) * _JOULES_PER_MJ
        return total


def _packages() -> tuple[Path, ...]:
    """Folders of the counters of whole packages; parts of one, and the whole board around it, would count twice."""
    found = []
    for folder in sorted(_POWERCAP.glob("*-rapl:[0-9]*")):
        with contextlib.suppress(OSError):
            if (folder / "name").read_text(encoding="utf-8").startswith("package"):
                found.append(folder)
    return tuple(found)


def _read(path: Path) -> float | None:
    """A counter; `None` where it is not there, or only the system's owner may read it."""
    try:
        return float(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@functools.cache
def _card() -> Any:
    """A function that gives the millijoules the first NVIDIA card has used since its driver was loaded, or `None`."""
    try:
        library = ctypes.CDLL(_NVML)
        handle = ctypes.c_void_p()
        if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(handle)):
            return None
    except (OSError, AttributeError):
        return None

    def read_mj() -> float | None:
        found = ctypes.c_ulonglong()
        is_wrong = library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(found))
        return None if is_wrong else float(found.value)

    return read_mj
