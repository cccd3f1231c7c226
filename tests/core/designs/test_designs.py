"""A design trained, cancelled, gone on with and taken away."""

from __future__ import annotations

import dataclasses
import io
import json
import zipfile

import numpy as np
import pytest

from explorer_core import api
from explorer_core.designs import bundle, jobs, run, store, worker
from explorer_core.errors import CancelledError, InvalidInputError, JobError, NotFoundError
from explorer_core.training import _status
from explorer_core.training import store as runs
from explorer_core.training._engine import LengthOrder
from explorer_core.training._status import JobStatus
from tests.core.designs.designs import tiny_design


@pytest.fixture
def launched(monkeypatch):
    """Processes that would have been started."""
    started = []
    monkeypatch.setattr(jobs, "_launch", lambda name, wanted: started.append((name, list(wanted))))
    return started


@pytest.mark.slow
def test_all_networks_make_the_same_steps_over_the_same_rows_in_the_same_order(tiny_csv):
    shares = []
    found = api.run_design(tiny_design(tiny_csv), progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert found.is_done
    assert found.models == ("both-rnn", "both-lstm")
    assert [record.family for record in found.records] == ["rnn", "lstm"]
    assert len({record.n_steps for record in found.records}) == 1
    assert found.records[0].n_steps == api.price_design(found.spec).n_steps > 1
    assert len({record.row_order for record in found.records}) == 1
    assert found.has_same_steps is found.has_same_order is True
    curves = [api.training_curves(name) for name in found.models]
    np.testing.assert_array_equal(curves[0].step, curves[1].step)
    np.testing.assert_array_equal(curves[0].learning_rate > 0, curves[1].learning_rate > 0)
    for record, line in zip(found.records, found.lines, strict=True):
        assert record.train_s > 0
        assert record.accuracy == line.accuracy[-1]
        assert api.load_model(record.name).fingerprint == record.fingerprint

    # the same again, from the bundle: the same weights, bit for bit
    with zipfile.ZipFile(api.reproduce_design(tiny_csv.parent / "both.zip", "both")) as packed:
        assert packed.read("data.csv") == tiny_csv.read_bytes()
        packed.extractall(tiny_csv.parent / "unpacked")
    folder = tiny_csv.parent / "unpacked"
    again = DesignAgain(folder).trained("again")
    assert [record.fingerprint for record in again.records] == [record.fingerprint for record in found.records]
    assert again.records[0].row_order == found.records[0].row_order


class DesignAgain:
    """A bundle that was unpacked, trained under another name."""

    def __init__(self, folder):
        self.folder = folder

    def trained(self, name):
        spec = api.DesignSpec.from_json((self.folder / "design.json").read_text())
        options = {**spec.data.options, "path": str(self.folder / spec.data.options["path"])}
        data = api.DataSpec("local_file", options)
        return api.run_design(dataclasses.replace(spec, name=name, data=data))


@pytest.mark.slow
def test_a_design_that_was_cancelled_goes_on_where_it_stopped(tiny_csv, launched):
    def stop(share):
        if share > 0.2:
            raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        api.run_design(tiny_design(tiny_csv), progress=stop)
    job = api.find_design("both")
    assert [status.state for status in job.statuses().values()] == ["cancelled", "cancelled"]
    assert job.status.state == "cancelled"
    api.resume_design("both")
    assert launched == [("both", ["both-rnn", "both-lstm"])]
    assert job.status.state in ("queued", "running")
    with pytest.raises(JobError, match="already"):
        api.resume_design("both")
    found = run.carry_out("both")
    assert found.is_done
    assert found.has_same_steps is found.has_same_order is True
    with pytest.raises(JobError, match="nothing to resume"):
        api.resume_design("both")


@pytest.mark.slow
def test_the_process_of_a_design_trains_what_is_queued_and_passes_over_the_rest(tiny_csv, launched, monkeypatch):
    monkeypatch.setattr(worker.process, "begin", lambda: None)
    job = api.start_design(tiny_design(tiny_csv, epochs=1))
    runs.run_folder("both-lstm").joinpath("cancel").touch()
    assert worker.main(["both"]) == 0
    assert [status.state for status in job.statuses().values()] == ["done", "cancelled"]
    assert api.design_result("both").models == ("both-rnn",)
    assert api.design_result("both").has_same_steps is None


def test_a_run_that_is_cancelled_while_it_waits_is_let_go_at_once(launched):
    api.start_design(tiny_design(None))
    for name in ("both-rnn", "both-lstm"):
        _status.write(runs.run_folder(name), JobStatus("queued"))
    with worker._letting_go(["both-rnn", "both-lstm"]) as waiting:
        api.find_job("both-lstm").cancel()
        for _ in range(400):
            if "both-lstm" not in waiting:
                break
            worker.threading.Event().wait(0.02)
    assert waiting == {"both-rnn"}
    assert api.find_design("both").statuses()["both-lstm"].state == "cancelled"


def test_cancelling_a_design_asks_all_that_is_not_over(launched):
    job = api.start_design(tiny_design(None))
    _status.write(runs.run_folder("both-rnn"), JobStatus("done", progress=1.0))
    job.cancel()
    assert not (runs.run_folder("both-rnn") / "cancel").exists()
    assert (runs.run_folder("both-lstm") / "cancel").exists()


@pytest.mark.parametrize(
    ("states", "whole"),
    [
        (("queued", "queued"), "queued"),
        (("running", "queued"), "running"),
        (("done", "queued"), "running"),
        (("done", "done"), "done"),
        (("done", "cancelled"), "cancelled"),
        (("failed", "cancelled"), "failed"),
        (("lost", "cancelled"), "lost"),
        ((None, "done"), "done"),
        ((None, None), "failed"),
    ],
)
def test_where_a_design_is_follows_from_its_runs(states, whole):
    spec = tiny_design(None)
    names = [one.name for one in spec.runs()]
    progress = {"done": 1.0, "running": 0.5}
    statuses = {
        name: None if state is None else JobStatus(state, progress=progress.get(state, 0.0), elapsed_s=8.0)
        for name, state in zip(names, states, strict=True)
    }
    found = jobs.whole(spec.runs(), statuses)
    assert found.state == whole
    if states == ("running", "queued"):
        rnn, lstm = map(jobs.work_of, spec.runs())
        assert found.progress == pytest.approx(0.5 * rnn / (rnn + lstm))
        assert found.eta_s == pytest.approx(16.0 * (rnn + lstm - 0.5 * rnn) / (0.5 * rnn))


def test_a_name_that_is_taken_leaves_nothing_half_begun(home, launched):
    api.start_design(tiny_design(None, "one"))
    with pytest.raises(JobError, match=r"called one already.*such as one-2"):
        api.start_design(tiny_design(None, "one"))
    runs.claim(dataclasses.replace(tiny_design(None, "two").runs()[1]))
    with pytest.raises(JobError, match=r"model called two-lstm already.*such as two-2"):
        api.start_design(tiny_design(None, "two"))
    assert not (home / "two-rnn").exists()
    assert (home / "two-lstm").exists()
    assert not store.folder_of("two").exists()
    assert api.free_design_name("two") == "two-2"
    assert api.free_design_name("  My <b> Design!  ") == "my-b-design"
    assert [job.name for job in api.list_designs()] == ["one"]


def test_a_design_is_forgotten_and_its_models_stay(home, launched):
    api.start_design(tiny_design(None))
    api.delete_design("both")
    assert (home / "both-rnn").exists()
    assert api.list_designs() == ()
    for call in (api.delete_design, api.find_design, api.design_result, api.resume_design):
        with pytest.raises(NotFoundError, match="no design called both"):
            call("both")


@pytest.mark.parametrize(
    "text", ["{", '{"name": "other", "networks": [{"family": "rnn"}, {"family": "gru"}]}', "x" * 2**21]
)
def test_a_damaged_design_hides_no_other(home, launched, text):
    api.start_design(tiny_design(None, "fine"))
    api.start_design(tiny_design(None, "broken"))
    (store.folder_of("broken") / store.SPEC).write_text(text)
    (home / ".designs" / "junk").write_text("no folder")
    assert [job.name for job in api.list_designs()] == ["fine"]
    with pytest.raises(InvalidInputError):
        api.find_design("broken")


@pytest.mark.parametrize("name", ["../both", "a/b", "", "A"])
def test_no_name_leads_out_of_the_folder_of_designs(name):
    for call in (api.find_design, api.delete_design, api.design_result):
        with pytest.raises(InvalidInputError, match="cannot name a design"):
            call(name)


def test_a_design_whose_models_are_gone_says_so(home, launched):
    import shutil

    api.start_design(tiny_design(None))
    shutil.rmtree(home / "both-rnn")
    found = api.design_result("both")
    assert found.missing == ("both-rnn",)
    assert [record.name for record in found.records] == ["both-lstm"]
    assert found.network == (1,)
    assert found.models == ()
    shutil.rmtree(home / "both-lstm")
    with pytest.raises(NotFoundError, match="None of the models"):
        api.design_result("both")


def test_what_is_taken_away_holds_the_spec_and_every_run(home, launched):
    api.start_design(tiny_design(None))
    found = api.design_result("both")
    assert list(found.to_frame()["name"]) == ["both-rnn", "both-lstm"]
    assert api.DesignSpec.from_json(json.dumps(json.loads(str(found.arrays()["spec"])))) == found.spec
    assert json.loads(json.dumps(found.to_plain(), allow_nan=False))["runs"][0]["accuracy"] is None
    packed = bundle.files_of(found)
    assert {"design.json", "runs/both-rnn.json", "runs/both-lstm.json", "result.json", "README.txt"} <= set(packed)
    assert api.TrainingSpec.from_json(packed["runs/both-rnn.json"].decode()) == found.spec.runs()[0]
    with pytest.raises(InvalidInputError, match=r"must end in \.zip"):
        api.reproduce_design("both.tar", "both")
    assert zipfile.is_zipfile(io.BytesIO(api.reproduce_design(home / "both.zip", "both").read_bytes()))


def test_the_digest_of_an_order_is_of_all_its_epochs():
    lengths = [3, 9, 4, 4, 7, 1, 2, 8, 5, 6]
    order = LengthOrder(lengths, 2, seed=1)
    assert order.digest(2) == LengthOrder([length + 2 for length in lengths], 2, seed=1).digest(2)
    others = {
        order.digest(1),
        order.digest(3),
        LengthOrder(lengths, 2, 2).digest(2),
        LengthOrder(lengths, 3, 1).digest(2),
    }
    assert len(others | {order.digest(2)}) == 5
    assert order.epoch == 0
