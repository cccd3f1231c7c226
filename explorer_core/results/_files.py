"""Several results, or several files, in one."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping

import numpy as np

from explorer_core.results._base import Exportable

_TIME = (1980, 1, 1, 0, 0, 0)  # of every file in a zip, so that the same input gives the same bytes


def pack_arrays(results: Mapping[str, Exportable]) -> bytes:
    """Every array of the results as npz, under `<name>.<array>`; nothing in it is pickled.

    Raises:
        TypeError: If a result holds an array of Python objects.
    """
    arrays = {f"{name}.{key}": array for name, result in results.items() for key, array in result.arrays().items()}
    for key, array in arrays.items():
        if array.dtype.hasobject:
            raise TypeError(f"{key} holds Python objects, which only pickle could write.")
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **arrays)  # type: ignore[arg-type]
    return buffer.getvalue()


def pack_files(files: Mapping[str, bytes]) -> bytes:
    """A zip of files by name; the same files give the same bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            entry = zipfile.ZipInfo(name, _TIME)
            entry.external_attr = 0o644 << 16
            is_packed = name.endswith(".npz")
            archive.writestr(entry, content, zipfile.ZIP_STORED if is_packed else zipfile.ZIP_DEFLATED)
    return buffer.getvalue()
