"""The shortcut exam: which method finds the word that surely decides, in which family."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from explorer_core.exam.spec import ExamSpec
from explorer_core.progress import Progress
from explorer_core.results import ExamPrice, ShortcutExam

if TYPE_CHECKING:
    from explorer_core.exam.jobs import ExamJob


def run_exam(
    spec: ExamSpec | None = None,
    *,
    progress: Progress | None = None,
    watch: Callable[[ShortcutExam], None] | None = None,
) -> ShortcutExam:
    """Plant a word that surely decides, train a network of each family on it, and ask every method which word did.

    Runs in this process and is kept when it ends, as an exam of `start_exam` is. Like any training it draws from the
    global random generators while it lasts, and puts them back.

    Args:
        spec: What to sit; left out, the default: RNN, GRU, LSTM and BiLSTM, all methods that fit, 60 texts.
        progress: Called with the share done, in [0, 1]; may raise `CancelledError`.
        watch: Given the exam as it stands each time a family has sat it.

    Raises:
        InvalidInputError: If the data has not two classes, has a nonsense word of its own, or too few texts.
        CancelledError: If it was cancelled; families that have sat it are kept.
    """
    from explorer_core.exam import run

    return run.run(spec or ExamSpec(), progress, watch)


def price_exam(spec: ExamSpec) -> ExamPrice:
    """Estimated seconds of an exam on two CPU cores, before the press."""
    from explorer_core.exam import price

    return price.estimate(spec)


def start_exam(spec: ExamSpec) -> ExamJob:
    """Sit an exam in a process of its own; the job can be watched, cancelled and resumed from any process.

    Raises:
        JobError: If nothing can be written, or no process can be started.
    """
    from explorer_core.exam import jobs

    return jobs.start(spec)


def resume_exam(name: str) -> ExamJob:
    """Go on with a cancelled, failed or lost exam: families that have sat it do not sit it again.

    Raises:
        NotFoundError: If there is no such exam.
        JobError: If it is queued, running or done.
    """
    from explorer_core.exam import jobs

    return jobs.resume(name)


def list_exam_jobs() -> tuple[ExamJob, ...]:
    """Every exam in any state, the newest first."""
    from explorer_core.exam import jobs

    return jobs.list_all()


def list_exams() -> tuple[ShortcutExam, ...]:
    """Every exam that at least one family has sat, the newest first; what cannot be read is passed over."""
    from explorer_core.exam import store

    return store.list_kept()


def load_exam(name: str) -> ShortcutExam:
    """What has come out of an exam, finished or not.

    Raises:
        NotFoundError: If there is no such exam, or no family has sat it yet.
        InvalidInputError: If its file is damaged.
    """
    from explorer_core.exam import store

    return store.read(name)


def find_exam(family: str, method: str) -> ShortcutExam | None:
    """The newest exam that judges a method in a family; `None` if there is none. Cheap: nothing is computed."""
    from explorer_core.exam import store

    return store.find_newest(family, method)


def delete_exam(name: str) -> None:
    """Delete an exam with all that is kept of it.

    Raises:
        NotFoundError: If there is no such exam.
        JobError: If it is being sat.
    """
    from explorer_core.exam import store

    store.delete(name)
