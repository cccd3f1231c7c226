"""One zip that trains a design again: the spec, a spec of each run, what came out, and the data if they are a file."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

from explorer_core import settings
from explorer_core.designs import run
from explorer_core.designs.spec import DesignSpec
from explorer_core.errors import InvalidInputError
from explorer_core.results import DesignResult, pack_files, safe_csv
from explorer_core.training.spec import DataSpec
from explorer_core.versions import versions

_HOW = """How to train {name} again
{line}

Unpack this zip, go into its folder, and with Unrolled installed say

    python -m explorer_core design --spec design.json --against result.json

It trains {n_runs} on the same rows, in the same order, for as many steps, and says of
each whether its weights are the same bit for bit and how far its accuracy is from the
one kept here. On the same kind of machine with the same versions they are the same.
If the name is taken, give another one: --name {name}-again

One network alone: python -m explorer_core train --spec runs/NAME.json

design.json     what was asked for
runs/           the same as one training spec for each model
result.json     what came out: accuracy, steps, order of the rows, digest of the weights
result.csv      the same as a table
versions.json   of the libraries it was written with
"""


def write(path: Path, name: str) -> Path:
    """Write the zip; see `api.reproduce_design`."""
    if path.suffix != ".zip":
        raise InvalidInputError(f"A reproduce bundle is one zip; {path.name[:60]!r} must end in .zip.")
    if not path.parent.is_dir():
        raise InvalidInputError(f"The folder of {path.name[:60]!r} does not exist. Make it first, or save elsewhere.")
    path.write_bytes(pack_files(files_of(run.outcome(name))))
    return path


def files_of(result: DesignResult) -> dict[str, bytes]:
    """Every file of the zip by its name."""
    spec, data = with_own_data(result.spec)
    n_runs = f"{len(spec.runs())} models"
    how = _HOW.format(name=result.name, line="=" * (19 + len(result.name)), n_runs=n_runs)
    return {
        "README.txt": how.encode(),
        "design.json": spec.to_json().encode(),
        **{f"runs/{one.name}.json": one.to_json().encode() for one in spec.runs()},
        "result.json": json.dumps(result.to_plain(), indent=2).encode(),
        "result.csv": safe_csv(result.to_frame()),
        "versions.json": json.dumps(versions(), indent=2).encode(),
        **data,
    }


def with_own_data(spec: DesignSpec) -> tuple[DesignSpec, dict[str, bytes]]:
    """The spec with its data beside it, and the file they are in; data that are no file stay as they are."""
    if spec.data.source != "local_file":
        return spec, {}
    path = Path(str(spec.data.options.get("path", "")))
    try:
        if path.stat().st_size > settings.MAX_FILE_MIB * 2**20:
            return spec, {}
        content = path.read_bytes()
    except OSError:
        return spec, {}
    name = f"data{path.suffix.lower()}"
    options = {**spec.data.options, "path": name}
    return dataclasses.replace(spec, data=DataSpec("local_file", options)), {name: content}
