"""`python -m bench [name ...]`: run `bench_<name>.py`, or all of them, and print one Markdown table.

A file with a constant `SLOW`, which says why, runs only when it is named or with `--slow`. `--write` also puts the
table into README.md. The exam and the app are measured with the starters of the store (UNROLLED_HOME).
"""

from __future__ import annotations

import argparse
import importlib
import math
import os
import platform
import re
import sys
import traceback
from collections.abc import Iterable
from pathlib import Path

from bench._row import Row

_HERE = Path(__file__).parent
README = _HERE.parent / "README.md"
_MARKED = re.compile(r"(<!-- bench -->\n).*?(<!-- /bench -->)", re.DOTALL)


def names() -> list[str]:
    """Every benchmark there is: the files `bench_<name>.py`."""
    return sorted(path.stem.removeprefix("bench_") for path in _HERE.glob("bench_*.py"))


def machine() -> str:
    """The machine the numbers come from, in one line."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = (line.partition(":")[2].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line)
        model = next(lines, model)
    import torch

    device = torch.cuda.get_device_name() if torch.cuda.is_available() else "no GPU"
    return (
        f"{os.cpu_count()} x {model}, {device}, Python {platform.python_version()}, torch {torch.__version__} "
        f"on {torch.get_num_threads()} threads, load {os.getloadavg()[0]:.1f}"
    )


def table(rows: list[Row]) -> str:
    """Rows as a Markdown table."""
    lines = ["| quantity | bar | measured | verdict |", "|---|---|---|---|"]
    for row in rows:
        bar = "" if row.bar is None else f"{_number(row.bar)}{_unit(row)}"
        note = f" ({row.note})" if row.note else ""
        measured = "" if row.measured != row.measured else f"{_number(row.measured)}{_unit(row)}"
        lines.append(f"| {_cell(row.quantity)} | {bar} | {measured}{_cell(note)} | {row.verdict} |")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _unit(row: Row) -> str:
    return row.unit if row.unit in ("", "x", "%") else f" {row.unit}"


def written(text: str, block: str) -> str:
    """The README with a new block between its markers `<!-- bench -->` and `<!-- /bench -->`.

    Raises:
        ValueError: If the markers are not there exactly once.
    """
    text, n_places = _MARKED.subn(lambda match: f"{match[1]}{block}\n{match[2]}", text)
    if n_places != 1:
        raise ValueError("README.md needs the markers <!-- bench --> and <!-- /bench --> exactly once.")
    return text


def run(name: str, *, slow: bool) -> list[Row]:
    """The rows of one benchmark; one row that says why not, if it is slow and not wanted, or broke."""
    try:
        module = importlib.import_module(f"bench.bench_{name}")
        reason = getattr(module, "SLOW", "")
        if reason and not slow:
            return [Row(name, None, math.nan, note=f"{reason}; `python -m bench {name}`")]
        return list(module.measure())
    except Exception as error:  # the other numbers are worth having
        traceback.print_exc()
        return [Row(name, None, math.nan, note=f"broke: {type(error).__name__}")]


def main(wanted: Iterable[str] = (), *, slow: bool = False, write: bool = False) -> int:
    """Print the table; 1 if a promise was missed or a benchmark broke, 2 for a name that is no benchmark."""
    wanted = list(wanted)
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(names())}.", file=sys.stderr)
        return 2
    if wanted and write:
        print("--write renews the whole table; leave the names out.", file=sys.stderr)
        return 2
    import torch

    torch.set_num_threads(2)  # every number in the README is for two cores
    where = machine()  # first: later the load is our own
    rows: list[Row] = []
    for name in wanted or names():
        print(f"measuring {name} ...", file=sys.stderr)
        rows += run(name, slow=slow or name in wanted)
    print(f"{table(rows)}\n\n{where}")
    if write:
        block = f"{table(rows)}\n\nMeasured on {where}."
        README.write_text(written(README.read_text(encoding="utf-8"), block), encoding="utf-8")
    return int(any(row.verdict == "missed" or row.note.startswith("broke: ") for row in rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        prog="python -m bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(names())}; left out, all")
    parser.add_argument("--slow", action="store_true", help="the slow ones too")
    parser.add_argument("--write", action="store_true", help="also put the table into README.md")
    given = parser.parse_args()
    sys.exit(main(given.names, slow=given.slow, write=given.write))
