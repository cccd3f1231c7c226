"""`python -m bench [name ...]`: run `bench_<name>.py`, or all of them, and print one Markdown table."""

from __future__ import annotations

import argparse
import importlib
import os
import platform
import sys
from pathlib import Path

from bench._row import Row

_HERE = Path(__file__).parent


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
        lines.append(f"| {row.quantity} | {bar} | {measured}{note} | {row.verdict} |")
    return "\n".join(lines)


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 1_000 else f"{value:.3g}"


def _unit(row: Row) -> str:
    return row.unit if row.unit in ("", "x", "%") else f" {row.unit}"


def main(wanted: list[str]) -> int:
    """Print the table; 1 if a promise was missed, 2 for a name that is no benchmark."""
    unknown = [name for name in wanted if name not in names()]
    if unknown:
        print(f"There is no benchmark {unknown[0]!r}; there are: {', '.join(names())}.", file=sys.stderr)
        return 2
    import torch

    torch.set_num_threads(2)  # every number in the README is for two cores
    rows: list[Row] = []
    for name in wanted or names():
        print(f"measuring {name} ...", file=sys.stderr)
        rows += importlib.import_module(f"bench.bench_{name}").measure()
    print(f"{machine()}\n\n{table(rows)}")
    return int(any(row.verdict == "missed" for row in rows))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="name", help=f"which: {', '.join(names())}; left out, all")
    sys.exit(main(parser.parse_args().names))
