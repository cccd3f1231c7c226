"""The store: cards, names, the bin, uploads and curves, over folders that may hold anything."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core.errors import InvalidInputError, JobError, NotFoundError
from explorer_core.training import _status, store
from explorer_core.training._curves import read_events
from explorer_core.training._status import JobStatus
from explorer_core.training.spec import TrainingSpec

Make = Callable[..., TrainingSpec]


def event(kind: str, step: int, **entries: Any) -> str:
    return json.dumps(
        {"event": kind, "step": step, "epoch": step / 2, "elapsed_s": 1.0 * step, "eta_s": None} | entries
    )


def test_starters_come_first_in_their_order_then_the_newest(keep: Any, home: Path) -> None:
    for name in ("old", "new", "starter-bert", "starter-lstm", "starter-rnn"):
        keep("rnn", name=name)
        card = json.loads((home / name / "unrolled.json").read_text())
        card["created"] = "2026-02-01T00:00:00+00:00" if name == "new" else "2026-01-01T00:00:00+00:00"
        (home / name / "unrolled.json").write_text(json.dumps(card))
    cards = store.list_cards()
    assert [card.name for card in cards] == ["starter-lstm", "starter-rnn", "starter-bert", "new", "old"]
    assert [card.is_starter for card in cards] == [True, True, True, False, False]


def test_a_home_that_is_not_there_has_no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path / "nowhere"))
    assert store.list_cards() == ()


def test_junk_between_the_runs_is_passed_over(keep: Any, home: Path) -> None:
    keep("lstm", name="real")
    (home / "file").write_text("x")
    (home / "empty").mkdir()
    (home / "UPPER").mkdir()
    (home / ".hidden").mkdir()
    (home / "no-card").mkdir()
    (home / "no-card" / "unrolled.json").write_text('{"architecture": 3}')
    (home / "odd-spec").mkdir()
    (home / "odd-spec" / "spec.json").write_text('{"family": ["lstm"]}')
    (home / "link").symlink_to("/nonexistent")
    assert [card.name for card in store.list_cards()] == ["real"]


def test_a_run_that_is_not_done_has_a_card_with_its_state(tiny_spec: Make) -> None:
    store.claim(tiny_spec("mine", family="gru"))
    (card,) = store.list_cards()
    assert (card.architecture, card.status, card.labels, card.n_params) == ("gru", "queued", (), 0)


def test_free_names_are_allowed_and_free(tiny_spec: Make) -> None:
    assert store.free_name("mine") == "mine"
    store.claim(tiny_spec("mine"))
    assert store.free_name("mine") == "mine-2"
    store.claim(tiny_spec("mine-2"))
    assert store.free_name("mine") == "mine-3"
    assert store.free_name("../My Reviews (2).CSV") == "my-reviews-2-csv"
    assert store.free_name("日本") == "model"
    long = store.free_name("x" * 90)
    store.claim(tiny_spec(long))
    assert len(store.free_name("x" * 90)) <= 48
    assert store.free_name("x" * 90) != long


def test_two_claims_of_one_name_make_one_run(tiny_spec: Make) -> None:
    store.claim(tiny_spec("mine"))
    with pytest.raises(JobError, match="mine-2"):
        store.claim(tiny_spec("mine", family="rnn"))
    assert store.read_spec("mine").family == "lstm"


def test_a_deleted_run_comes_back_until_the_next_deletion(keep: Any) -> None:
    keep("lstm", name="one"), keep("rnn", name="two")
    store.delete("one")
    assert [card.name for card in store.list_cards()] == ["two"]
    assert store.is_binned("one")
    store.restore("one")
    assert {card.name for card in store.list_cards()} == {"one", "two"}
    store.delete("one")
    store.delete("two")
    with pytest.raises(NotFoundError, match="bin"):
        store.restore("one")
    keep("gru", name="two")
    with pytest.raises(JobError, match="again"):
        store.restore("two")


def test_a_run_that_is_worked_on_is_not_deleted(tiny_spec: Make) -> None:
    folder = store.claim(tiny_spec("mine"))
    for state in ("queued", "running"):
        _status.write(folder, JobStatus(state))
        with pytest.raises(JobError, match="Cancel"):
            store.delete("mine")
    _status.write(folder, JobStatus("cancelled"))
    store.delete("mine")
    with pytest.raises(NotFoundError):
        store.delete("mine")


def test_an_upload_is_named_by_its_bytes(home: Path) -> None:
    one, again = store.save_upload(b"a,b", "csv"), store.save_upload(b"a,b", ".CSV")
    assert one == again
    assert one.parent == home / ".uploads"
    assert one.read_bytes() == b"a,b"
    assert store.save_upload(b"a,c", "csv") != one


@pytest.mark.parametrize("ending", ["", "../x", "c/v", "a" * 9, "c\0v"])
def test_an_ending_that_could_leave_the_folder_is_refused(ending: str) -> None:
    with pytest.raises(InvalidInputError):
        store.save_upload(b"x", ending)


def test_an_upload_that_is_too_large_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("explorer_core.settings.MAX_UPLOAD_MIB", 0)
    with pytest.raises(InvalidInputError, match="larger"):
        store.save_upload(b"x", "csv")


def test_a_half_written_event_waits_for_the_next_look(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    line = event("step", 1)
    path.write_text(line + "\n" + line[:10])
    events, offset = read_events(path)
    assert [item["step"] for item in events] == [1]
    path.write_text(line + "\n" + event("step", 2) + "\n")
    events, end = read_events(path, offset)
    assert [item["step"] for item in events] == [2]
    assert read_events(path, end) == ((), end)


def test_bad_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "progress.jsonl"
    path.write_bytes(
        b'\xff\n[1]\nnull\n{"event": "step"}\n{"event": 3, "step": 1}\n' + event("step", 7).encode() + b"\n"
    )
    assert [item["step"] for item in read_events(path).events] == [7]


def test_steps_done_again_after_a_resume_count_once(tiny_spec: Make, home: Path) -> None:
    store.claim(tiny_spec("mine"))
    lines = [
        event("start", 0), *(event("step", step, loss_nats=1.0, n_texts=4) for step in (1, 2, 3)),
        event("epoch", 2, loss_nats=9.0), event("start", 1), event("step", 2, loss_nats=5.0, n_texts=4, accuracy=0.5),
        event("epoch", 2, loss_nats=0.7, accuracy=0.6),
    ]  # fmt: skip
    (home / "mine" / "progress.jsonl").write_text("\n".join(lines) + "\n")
    curves = store.read_curves("mine")
    np.testing.assert_array_equal(curves.step, [1, 2])
    np.testing.assert_array_equal(curves.loss_nats, [1.0, 5.0])
    np.testing.assert_array_equal(curves.epoch_loss_nats, [0.7])
    np.testing.assert_allclose(curves.train_loss_nats, [3.0])
    frame = curves.to_frame()
    assert len(frame) == 2
    assert frame["validation_loss_nats"].tolist()[1] == 0.7


def test_a_run_without_steps_has_empty_curves(tiny_spec: Make, tmp_path: Path) -> None:
    store.claim(tiny_spec("mine"))
    curves = store.read_curves("mine")
    assert curves.step.shape == (0,)
    assert curves.group_norms.shape == (0, 0)
    assert not len(curves.to_frame())
    assert curves.save(tmp_path / "curves.npz").is_file()
    with pytest.raises(NotFoundError):
        store.read_curves("nobody")


def test_a_run_that_ends_before_its_first_epoch_has_the_curves_of_its_steps(tiny_spec: Make, home: Path) -> None:
    store.claim(tiny_spec("mine"))
    lines = [
        event("start", 0), *(event("step", step, loss_nats=1.0 / step, n_texts=4) for step in (1, 2)), event("end", 2),
    ]  # fmt: skip
    (home / "mine" / "progress.jsonl").write_text("\n".join(lines) + "\n")
    curves = store.read_curves("mine")
    np.testing.assert_array_equal(curves.loss_nats, [1.0, 0.5])
    of_epochs = (curves.epoch, curves.epoch_step, curves.train_loss_nats, curves.train_accuracy, curves.epoch_loss_nats)
    assert [values.shape for values in of_epochs] == [(0,)] * 5
    frame = curves.to_frame()
    assert frame["step"].tolist() == [1, 2]
    assert frame["validation_loss_nats"].isna().all()


def test_tables_jobs_and_prices_need_no_torch(home: Path) -> None:
    code = (
        "import sys; from explorer_core.training import jobs, price, starters, store, worker\n"
        "store.list_cards(); price.estimate(starters.SPECS[0]); assert 'torch' not in sys.modules, 'torch'"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env=os.environ | {"UNROLLED_HOME": str(home)}, timeout=60)
