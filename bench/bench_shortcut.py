"""What the shortcut exam costs as a person sits it, and which method finds the planted word in which family."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench._row import Row
from explorer_core import api
from explorer_core.palette import family_label
from explorer_core.results import ShortcutExam
from explorer_core.results.exam_finding import method_label

SLOW = "trains four networks"
_LIMIT_S = 180


def measure() -> list[Row]:
    """Seconds of the default exam, what it had been priced at, and precision at 1 by family and method."""
    spec = api.ExamSpec()
    with _own_home():
        began_s, cpu_s = time.perf_counter(), time.process_time()
        exam = api.run_exam(spec)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - cpu_s
    note = f"{cpu_s:.0f} s of CPU, priced at {api.price_exam(spec).seconds:.0f} s"
    whole = Row(f"the default shortcut exam, {len(spec.families)} networks", _LIMIT_S, took_s, unit="s", note=note)
    return [whole, *(_family(exam, family) for family in spec.families)]


def _family(exam: ShortcutExam, family: str) -> Row:
    """Precision at 1 of the best method of a family, and each method's in the note."""
    rows = [row for row in exam.rows if row.family == family]
    quantity = f"precision at 1 of the best method in the shortcut exam, {family_label(family)}"
    if not rows:
        return Row(quantity, None, float("nan"), "", note=exam.problem(family))
    rows.sort(key=lambda row: -row.precision)
    each = ", ".join(f"{method_label(row.method)} {row.precision:.2f}" for row in rows)
    note = f"{each}; a random order {rows[0].random_precision:.2f}; {rows[0].n_texts} texts"
    return Row(quantity, 0.9, rows[0].precision, "", at_least=True, note=note)


@contextmanager
def _own_home() -> Iterator[None]:
    """A store of its own, so that no exam of a benchmark speaks on a person's trust cards."""
    before = os.environ.get("UNROLLED_HOME")
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        os.environ["UNROLLED_HOME"] = folder
        try:
            yield
        finally:
            os.environ.pop("UNROLLED_HOME")
            if before is not None:
                os.environ["UNROLLED_HOME"] = before
