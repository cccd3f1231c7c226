"""Jobs: states are honest whatever becomes of the process, and nothing a page calls waits."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from explorer_core import settings
from explorer_core.errors import JobError, NotFoundError
from explorer_core.training import _status, jobs, run, store
from explorer_core.training._status import JobStatus
from explorer_core.training.spec import TrainingSpec

Make = Callable[..., TrainingSpec]


def wait_until(condition: Callable[[], Any], limit_s: float = 90.0) -> None:
    """Look again and again until something is so; another process makes it so."""
    end, pause = time.monotonic() + limit_s, threading.Event()
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        pause.wait(0.05)


def record(folder: Path, **entries: Any) -> None:
    """A status as another process would have left it."""
    plain = {"state": "running", "pid": os.getpid(), "create_time": psutil.Process().create_time(), "step": 3}
    plain |= {"updated": time.time()} | entries
    (folder / "status.json").write_text(json.dumps(plain))


@pytest.fixture
def folder(tiny_spec: Make) -> Path:
    return store.claim(tiny_spec("mine"))


def test_a_status_comes_back_as_it_was_written(folder: Path) -> None:
    status = JobStatus("running", "", 0.5, 3, 6, 1.5, 2.0, 2.0, {"loss_nats": 0.7})
    _status.write(folder, status)
    assert jobs.find("mine").status == status
    with pytest.raises(NotFoundError):
        jobs.find("nobody")


@pytest.mark.parametrize(
    "entries",
    [{"pid": 2**22 - 1}, {"create_time": 1.0}, {"pid": None, "updated": 0.0}, {"pid": -1, "updated": 0.0},
     {"pid": "x", "updated": 0.0}, {"pid": 10**30}],
    ids=["dead", "id given to another process", "never came", "negative", "no number", "too large"],
)  # fmt: skip
def test_a_run_whose_process_is_gone_is_lost_and_one_cancelled_before_is_cancelled(folder: Path, entries: Any) -> None:
    record(folder, **entries)
    assert jobs.Job("mine").status.state == "lost"
    assert jobs.Job("mine").status.step == 3
    (folder / "cancel").touch()
    assert jobs.Job("mine").status.state == "cancelled"


def test_a_run_that_finished_between_two_looks_is_done(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(folder, pid=2**22 - 1)

    def finishes(_: Any) -> bool:
        record(folder, state="done")
        return False

    monkeypatch.setattr(_status, "is_alive", finishes)
    assert jobs.Job("mine").status.state == "done"


def test_an_ended_child_nobody_asked_after_is_not_alive(folder: Path) -> None:
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    create_time = psutil.Process(child.pid).create_time()
    wait_until(lambda: psutil.Process(child.pid).status() == psutil.STATUS_ZOMBIE)
    record(folder, pid=child.pid, create_time=create_time)
    assert jobs.Job("mine").status.state == "lost"
    child.wait()


def test_a_run_that_is_being_started_is_queued(folder: Path) -> None:
    assert jobs.Job("mine").status.state == "queued"


def test_a_start_that_fails_leaves_a_failed_run_with_the_reason(
    tiny_spec: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/nonexistent/python")
    with pytest.raises(JobError, match="No training process"):
        jobs.start(tiny_spec("other"))
    assert jobs.Job("other").status.state == "failed"


def test_a_taken_name_starts_nothing(folder: Path, tiny_spec: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "launch", lambda *_: pytest.fail("started"))
    with pytest.raises(JobError, match="mine-2"):
        jobs.start(tiny_spec("mine"))


@pytest.mark.parametrize("state", ["queued", "running", "done"])
def test_what_is_not_broken_off_is_not_resumed(folder: Path, state: str) -> None:
    record(folder, state=state)
    with pytest.raises(JobError, match=state):
        jobs.resume("mine")


def test_resuming_puts_a_run_back_into_the_queue(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    record(folder, state="cancelled", reason="Stopped.")
    (folder / "cancel").touch()
    started: list[Any] = []
    monkeypatch.setattr(jobs, "launch", lambda arguments, log: started.append(arguments))
    job = jobs.resume("mine")
    assert started == [["mine"]]
    assert (job.status.state, job.status.reason, job.status.step) == ("queued", "", 3)
    assert not (folder / "cancel").exists()


def test_cancelling_asks_and_after_two_periods_of_grace_forces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    sent: list[int] = []
    monkeypatch.setattr(os, "kill", lambda pid, kind: sent.append(kind) if pid == child.pid else None)
    job = jobs.Job("mine")
    record(folder, pid=child.pid, create_time=psutil.Process(child.pid).create_time())
    try:
        job.cancel()
        assert (folder / "cancel").exists()
        assert job.status.state == "running"
        assert sent == []
        for silent_s, expected in ((1.2, [signal.SIGTERM]), (2.5, [signal.SIGTERM, signal.SIGKILL])):
            past = time.time() - silent_s * jobs.CANCEL_GRACE_S
            record(folder, pid=child.pid, create_time=psutil.Process(child.pid).create_time(), updated=past)
            os.utime(folder / "cancel", (past, past))
            assert job.status.state == "running"
            assert sent == expected
    finally:
        child.communicate(b"\n")
    assert job.status.state == "cancelled"


def test_a_cancelled_worker_that_still_gives_signs_of_life_is_left_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "kill", lambda *_: pytest.fail("killed"))
    monkeypatch.setattr(os, "getpid", lambda: 1)
    record(folder, pid=psutil.Process().pid)
    (folder / "cancel").touch()
    os.utime(folder / "cancel", (0, 0))
    assert jobs.Job("mine").status.state == "running"


def test_cancelling_what_is_over_changes_nothing(folder: Path) -> None:
    record(folder, state="done")
    jobs.Job("mine").cancel()
    assert not (folder / "cancel").exists()


def test_the_end_of_the_log_can_be_read(folder: Path) -> None:
    assert jobs.Job("mine").log() == ""
    (folder / "log.txt").write_text("é" * 9_000 + "the end")
    assert jobs.Job("mine").log(100).endswith("the end")
    assert len(jobs.Job("mine").log(100)) == 100


@pytest.mark.slow
def test_a_run_of_its_own_process_goes_from_queued_to_done(tiny_spec: Make) -> None:
    job = jobs.start(tiny_spec("mine"))
    assert job.status.state in ("queued", "running")
    wait_until(lambda: job.status.is_over)
    assert job.status.state == "done", job.log()
    events, offset = job.progress()
    assert [event["event"] for event in events][-1] == "end"
    assert job.progress(offset) == ((), offset)
    wait_until(lambda: job.status.is_over and not jobs._children)  # nothing is left behind


@pytest.mark.long
@pytest.mark.slow
def test_a_killed_worker_is_lost_and_its_run_goes_on_to_the_same_weights(tiny_spec: Make, weights_of: Any) -> None:
    spec = tiny_spec("mine", epochs=60)
    job = jobs.start(spec)
    wait_until(lambda: any(event["event"] == "epoch" for event in job.progress().events))
    owner = _status.read_owner(store.run_folder("mine"))
    assert owner is not None
    os.kill(owner["pid"], signal.SIGKILL)
    wait_until(lambda: job.status.is_over)
    assert job.status.state == "lost", job.log()
    assert "resume" in job.status.reason
    jobs.resume("mine")
    wait_until(lambda: job.status.is_over)
    assert job.status.state == "done", job.log()
    straight = weights_of(run.train(dataclasses.replace(spec, name="straight")))
    resumed = weights_of("mine")
    assert max(float((straight[key] - resumed[key]).abs().max()) for key in straight) < 1e-6


@pytest.mark.slow
def test_a_run_waits_for_its_turn_and_can_be_cancelled_while_it_waits(tiny_spec: Make) -> None:
    locks = [store.lock_file(f"slot-{index}") for index in range(settings.MAX_JOBS_AT_ONCE)]
    for lock in locks:
        lock.acquire()
    try:
        job = jobs.start(tiny_spec("mine"))
        folder = store.run_folder("mine")
        wait_until(lambda: (_status.read_owner(folder) or {}).get("pid"))
        assert job.status.state == "queued"
        job.cancel()
        wait_until(lambda: job.status.is_over)
        assert job.status.state == "cancelled", job.log()
    finally:
        for lock in locks:
            lock.release()


@pytest.mark.slow
def test_a_running_worker_stops_at_the_next_step(tiny_spec: Make) -> None:
    job = jobs.start(tiny_spec("mine", epochs=100))
    wait_until(lambda: job.status.step > 0)
    job.cancel()
    wait_until(lambda: job.status.is_over)
    assert job.status.state == "cancelled", job.log()
    assert 0 < job.status.step < job.status.n_steps
    assert (store.run_folder("mine") / "checkpoints" / f"checkpoint-{job.status.step}").is_dir()
