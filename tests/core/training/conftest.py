"""Tiny data and specs, so that a whole training takes a second or two."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from explorer_core.training import recorders, run, store
from explorer_core.training.spec import DataSpec, TrainingSpec

N_ROWS = 30


@pytest.fixture
def tiny_csv(tmp_path: Path) -> Path:
    """30 labelled texts of 3 to 9 words, no two alike."""
    adjectives = {"good": "positive", "bad": "negative"}
    rows = []
    for number in range(N_ROWS):
        adjective = ("good", "bad")[number % 2]
        filler = " ".join(f"word{(number * 7 + k) % 11}" for k in range(1 + number % 7))
        rows.append(f"{filler} {adjective} nr{number},{adjectives[adjective]}")
    path = tmp_path / "tiny.csv"
    path.write_text("text,label\n" + "\n".join(rows) + "\n")
    return path


@pytest.fixture
def tiny_spec(tiny_csv: Path) -> Callable[..., TrainingSpec]:
    """A factory: `tiny_spec("mine", family="rnn", epochs=2, ...)`."""

    def make(name: str = "tiny", **changes: Any) -> TrainingSpec:
        fields: dict[str, Any] = {
            "family": "lstm",
            "data": DataSpec("local_file", {"path": str(tiny_csv)}),
            "vocabulary": "words",
            "embeddings": "scratch",
            "embedding_size": 8,
            "hidden_size": 8,
            "epochs": 2,
            "batch_size": 8,
            "device": "cpu",
        }
        return TrainingSpec(name=name, **(fields | changes))

    return make


@pytest.fixture
def stop_after(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int | None], None]]:
    """`stop_after(3)` cancels whatever trains after its third step; `stop_after(None)` lets it run."""
    chosen: dict[str, int | None] = {"step": None}

    def is_asked(callback: recorders.StopOnRequest, state: Any, device: Any) -> bool:
        return chosen["step"] is not None and state.global_step >= chosen["step"]

    monkeypatch.setattr(recorders.StopOnRequest, "_is_asked", is_asked)
    yield lambda step: chosen.update(step=step)


@pytest.fixture
def weights_of() -> Callable[[str], dict[str, Any]]:
    """Weights of a finished run, by name."""
    from safetensors.torch import load_file

    return lambda name: load_file(store.run_folder(name) / "model.safetensors")


@pytest.fixture
def trained(tiny_spec: Callable[..., TrainingSpec]) -> str:
    """A finished run called `ready`."""
    return run.train(tiny_spec("ready", epochs=1))
