"""How long a newcomer waits: all starters, trained by the command line in an empty store on two cores."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

from bench import _homes
from bench._row import Row
from explorer_core.training import store

SLOW = "takes up to 6 minutes"
ROOT = Path(__file__).parents[1]
N_CORES = 2
LOOK_EVERY_S = 0.1
LIMIT_S = 1_800
FIRST, ALL = "starter-lstm ready after `train --starter` begins", "all five starters ready"


def measure() -> list[Row]:
    """Seconds from the start of the command, its imports included, until models are ready, and the disk they take."""
    with _homes.thrown_away() as home:
        ready_s, said = train_all(home)
        disk_mib = sum(path.stat().st_size for path in home.rglob("*") if path.is_file()) / 2**20
    each = ", ".join(f"{name.removeprefix('starter-')} {seconds:.0f}" for name, seconds in ready_s.items())
    is_whole = len(ready_s) == len(store.STARTER_NAMES)
    return [
        Row(FIRST, 60.0, ready_s.get("starter-lstm", math.nan), "s", note=f"{_cores()} cores, no GPU"),
        Row(ALL, 360.0, max(ready_s.values()) if is_whole else math.nan, "s", note=each if is_whole else said),
        Row(
            "disk used by all five starters",
            None,
            disk_mib if is_whole else math.nan,
            "MiB",
            note="checkpoints included",
        ),
    ]


def train_all(home: Path) -> tuple[dict[str, float], str]:
    """Seconds until each starter was ready, in the order in which they were, and the last line of a failure."""
    own = {"UNROLLED_HOME": str(home), "CUDA_VISIBLE_DEVICES": "", "OMP_NUM_THREADS": str(N_CORES)}
    log = home.parent / "log.txt"
    ready_s: dict[str, float] = {}
    began_s = time.monotonic()
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "explorer_core", "train", "--starter"],
            cwd=ROOT, env={**os.environ, **own}, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
            preexec_fn=_take_two_cores,
        )  # fmt: skip
        try:
            is_over = False
            while not is_over and time.monotonic() - began_s < LIMIT_S:
                is_over = process.poll() is not None  # first, so that the look after the end is the last one
                for name in store.STARTER_NAMES:
                    if name not in ready_s and _is_done(home / name):
                        ready_s[name] = time.monotonic() - began_s
                        print(f"  {name} ready after {ready_s[name]:.1f} s", file=sys.stderr)
                time.sleep(LOOK_EVERY_S)
            if not is_over:
                return ready_s, f"stopped after {LIMIT_S} s"
        finally:
            process.kill()
            process.wait()
    lines = log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return ready_s, lines[-1][:200] if lines else "the command ended without a word"


def _is_done(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / "status.json").read_text(encoding="utf-8"))["state"] == "done")
    except (OSError, ValueError, KeyError):
        return False


def _cores() -> int:
    return min(N_CORES, len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1)


def _take_two_cores() -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:N_CORES])
