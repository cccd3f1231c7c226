"""What a run wrote down, read again; old runs and junk have numbers that are none instead."""

from __future__ import annotations

import json
import math

import pytest

from explorer_core import api
from explorer_core.errors import NotFoundError
from explorer_core.training import _status, store
from explorer_core.training._status import JobStatus
from tests.pages.tiny import save_tiny


def test_a_record_says_what_training_wrote_down(trained):
    found = api.run_record(trained)
    curves = api.training_curves(trained)
    assert found.n_steps == curves.step[-1]
    assert found.accuracy == pytest.approx(curves.epoch_accuracy[-1], abs=1e-6)
    assert found.accuracy_low < found.accuracy < found.accuracy_high or found.accuracy in (0.0, 1.0)
    assert found.train_s == api.find_job(trained).status.elapsed_s > 0
    assert len(found.row_order) == 16
    model = api.load_model(trained)
    assert found.fingerprint == model.fingerprint
    assert found.n_params == found.n_trainable == sum(weight.numel() for weight in model.module.parameters())
    path = store.run_folder(trained) / "model.safetensors"
    assert found.weights_mib == pytest.approx(path.stat().st_size / 2**20)
    assert found.folder_mib >= round(found.weights_mib, 1)
    assert found.has_accuracy
    assert len(found.to_frame()) == 1


def test_the_interval_of_an_accuracy_is_wilsons(home):
    save_tiny(home, "a", "lstm")
    path = home / "a" / "unrolled.json"
    card = json.loads(path.read_text())
    card["metrics"] = {"accuracy": 0.8, "n_validation": 50}
    path.write_text(json.dumps(card))
    found, z = api.run_record("a"), 1.959963984540054
    middle, half = (0.8 + z * z / 100) / (1 + z * z / 50), z * math.sqrt(0.16 / 50 + z * z / 10_000) / (1 + z * z / 50)
    assert (found.accuracy_low, found.accuracy_high) == pytest.approx((middle - half, middle + half))


def test_what_was_not_written_down_is_no_number(home):
    save_tiny(home, "a", "lstm")
    path = home / "a" / "unrolled.json"
    card = json.loads(path.read_text())
    path.write_text(json.dumps(card | {"joules": "many", "n_trainable": -3, "row_order": None, "metrics": {}}))
    found = api.run_record("a")
    assert math.isnan(found.joules)
    assert math.isnan(found.accuracy)
    assert math.isnan(found.accuracy_low)
    assert not found.has_accuracy
    assert math.isnan(found.train_s)
    assert (found.n_trainable, found.n_steps) == (0, 0)


def test_a_run_that_has_not_begun_has_a_record_too(tiny_spec):
    store.claim(tiny_spec("waits"))
    _status.write(store.run_folder("waits"), JobStatus("queued"))
    found = api.run_record("waits")
    assert found.state == "queued"
    assert math.isnan(found.weights_mib)
    with pytest.raises(NotFoundError, match="no model called nobody"):
        api.run_record("nobody")
