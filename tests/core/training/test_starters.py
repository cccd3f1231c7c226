"""The five starters: trained once, one after the other, whatever happens to one of them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from explorer_core import registry
from explorer_core.errors import CancelledError, JobError
from explorer_core.training import _status, jobs, run, starters, store, worker
from explorer_core.training._status import JobStatus
from explorer_core.training.spec import TrainingSpec

Make = Callable[..., TrainingSpec]


@pytest.fixture
def tiny(tiny_spec: Make, monkeypatch: pytest.MonkeyPatch) -> tuple[TrainingSpec, ...]:
    """Two starters that train in a second."""
    specs = (tiny_spec("starter-lstm", epochs=1), tiny_spec("starter-rnn", family="rnn", epochs=1))
    monkeypatch.setattr(starters, "SPECS", specs)
    return specs


@pytest.fixture
def launched(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What would have been started."""
    found: list[Any] = []
    monkeypatch.setattr(jobs, "launch", lambda arguments, log: found.append(list(arguments)))
    return found


def states() -> dict[str, str]:
    return {card.name: card.status for card in store.list_cards()}


def test_there_is_a_starter_of_every_family_and_the_lstm_comes_first() -> None:
    assert {spec.family for spec in starters.SPECS} == set(registry.describe("architectures"))
    assert starters.SPECS[0].name == "starter-lstm"
    assert all(spec.name == f"starter-{spec.family}" and spec.data.source == "starter" for spec in starters.SPECS)


def test_all_are_trained_once(tiny: Any) -> None:
    shares: list[float] = []
    assert starters.train_all(shares.append) == ("starter-lstm", "starter-rnn")
    assert states() == {"starter-lstm": "done", "starter-rnn": "done"}
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert starters.train_all() == ()


def test_one_that_fails_does_not_keep_the_next_from_being_trained(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    original = run._fit

    def breaks(spec: TrainingSpec, *rest: Any) -> None:
        if spec.name == "starter-lstm":
            raise ValueError("broken on purpose")
        original(spec, *rest)

    monkeypatch.setattr(run, "_fit", breaks)
    with pytest.raises(JobError, match=r"starter-lstm.*broken on purpose"):
        starters.train_all()
    assert states() == {"starter-lstm": "failed", "starter-rnn": "done"}
    monkeypatch.setattr(run, "_fit", original)
    assert starters.train_all() == ("starter-lstm",)


def test_asking_to_stop_stops_all(tiny: Any) -> None:
    def enough(share: float) -> None:
        raise CancelledError("enough")

    with pytest.raises(CancelledError):
        starters.train_all(enough)
    assert states() == {"starter-lstm": "cancelled"}


def test_starting_queues_all_and_starts_one_process_however_many_ask(tiny: Any, launched: list[Any]) -> None:
    threads = [threading.Thread(target=starters.start) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert launched == [["--starters"]]
    assert states() == {"starter-lstm": "queued", "starter-rnn": "queued"}
    assert [job.name for job in starters.start()] == ["starter-lstm", "starter-rnn"]


def test_starters_a_person_cancelled_or_deleted_are_left_alone(tiny: Any, launched: list[Any]) -> None:
    starters.start()
    for spec in tiny:
        _status.write(store.run_folder(spec.name), JobStatus("cancelled"))
    store.delete("starter-rnn")
    starters.start()
    assert len(launched) == 1
    assert states() == {"starter-lstm": "cancelled"}


def test_starters_that_were_lost_are_trained_again(tiny: Any, launched: list[Any]) -> None:
    starters.start()
    for spec in tiny:
        (store.run_folder(spec.name) / "status.json").unlink()
    starters.start()
    assert len(launched) == 2
    assert set(states().values()) == {"queued"}


def test_the_worker_trains_what_is_queued_and_goes_on_after_a_cancelled_one(tiny: Any, launched: list[Any]) -> None:
    starters.start()
    jobs.Job("starter-lstm").cancel()
    assert starters.work() == 0
    assert states() == {"starter-lstm": "cancelled", "starter-rnn": "done"}


def test_when_no_process_can_be_started_the_starters_say_so(tiny: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/nonexistent/python")
    with pytest.raises(JobError):
        starters.start()
    assert set(states().values()) == {"failed"}


def test_the_worker_says_how_it_is_called(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("signal.signal", lambda *_: None)
    monkeypatch.setattr("os.nice", lambda _: None)
    assert worker.main([]) == 2
    assert "usage" in caplog.text


def test_a_worker_whose_data_are_gone_fails_with_the_reason(tiny_spec: Make, tiny_csv: Path) -> None:
    store.claim(tiny_spec("mine"))
    tiny_csv.unlink()
    assert worker.train_when_possible("mine") == 1
    status = store.read_status("mine")
    assert status.state == "failed"
    assert status.reason
