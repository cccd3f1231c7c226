"""The same spec under torchrun: several processes share the texts of a step and end where one alone does."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

import explorer_core
from explorer_core.training import history, run, store
from explorer_core.training.spec import DataSpec, TrainingSpec

ROOT = Path(explorer_core.__file__).parents[1]


@pytest.fixture
def spec(tmp_path: Path, tiny_spec: Callable[..., TrainingSpec]) -> TrainingSpec:
    rows = []
    for number in range(240):
        word, label = (("good", "positive"), ("bad", "negative"))[number % 2]
        rows.append(f"{' '.join(f'w{(number * 5 + k) % 9}' for k in range(2 + number % 5))} {word} {number},{label}")
    path = tmp_path / "many.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    data = DataSpec("local_file", {"path": str(path)})
    return tiny_spec("several", data=data, epochs=8, learning_rate=0.01, dropout=0.0, batch_size=16)


def launch(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", "-m", "explorer_core", "train", *arguments]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)


@pytest.mark.long
@pytest.mark.slow
def test_two_processes_reach_the_validation_accuracy_of_one(spec: TrainingSpec, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(spec.to_json())
    done = launch("--spec", str(path))
    assert done.returncode == 0, done.stderr[-3_000:]
    several = store.find_card("several")
    one = store.find_card(run.train(TrainingSpec.from_json(spec.to_json().replace('"several"', '"one"'))))
    assert several.metrics["accuracy"] == pytest.approx(one.metrics["accuracy"], abs=0.1)
    assert several.metrics["accuracy"] > 0.8
    curves = store.read_curves("several")
    assert len(curves.step) == len(set(curves.step)) == store.read_status("one").n_steps
    assert curves.grad_norm[0] == pytest.approx(store.read_curves("one").grad_norm[0], rel=0.1)
    recorded, alone = history.read_gradients("several"), history.read_gradients("one")
    assert (store.run_folder("several") / "gradients.jsonl").read_text().count('"start"') == 1  # the first rank only
    np.testing.assert_array_equal(recorded.step, alone.step)
    np.testing.assert_allclose(recorded.hidden_norm[0], alone.hidden_norm[0], rtol=1e-4)  # before the first step


@pytest.mark.slow
def test_two_processes_agree_on_where_to_stop(spec: TrainingSpec, tmp_path: Path) -> None:
    path = tmp_path / "spec.json"
    path.write_text(spec.to_json())
    script = tmp_path / "cancelled.py"
    script.write_text(
        "import sys\n"
        "from explorer_core import api, settings\n"
        "from explorer_core.errors import CancelledError\n"
        "from explorer_core.training import recorders\n"
        "from explorer_core.training.spec import TrainingSpec\n"
        "recorders.Journal.is_asked_to_stop = lambda journal: journal.writes and journal.step > 20\n"
        "try:\n"
        f"    api.train(TrainingSpec.from_json(open({str(path)!r}).read()))\n"
        "except CancelledError:\n"
        "    sys.exit(0)\n"
        "sys.exit(3)\n"
    )
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", "2", "--master-addr", "127.0.0.1"]
    command += ["--rdzv-backend", "c10d", "--rdzv-endpoint", "127.0.0.1:0", str(script)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stderr[-3_000:]
    status = store.read_status("several")
    assert status.state == "cancelled"
    assert status.step == 24  # the first round of asking after step 20
