"""The doors of the product as fixtures: commands run in this process, and models kept as runs would be."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from explorer_core import __main__, api
from explorer_core.errors import ExplorerError


@dataclass(frozen=True)
class Answer:
    """What a command left: its exit code and both streams."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


@pytest.fixture
def command(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Runs one command: `command("predict", "a good film")`."""

    def run(*arguments: str) -> Answer:
        capsys.readouterr()  # what a fixture wrote is not the command's
        try:
            code = __main__.main(arguments)
        except SystemExit as leaving:  # argparse leaves by itself
            code = int(leaving.code or 0)
        captured = capsys.readouterr()
        return Answer(code, captured.out, captured.err)

    return run


@pytest.fixture
def refused(command: Callable[..., Answer]) -> Callable[..., str]:
    """Runs a command that must end with exit code 2 and one sentence; returns the sentence."""

    def run(*arguments: str) -> str:
        answer = command(*arguments)
        assert answer.code == 2, answer
        assert answer.out == ""
        assert answer.err.count("\n") == 1
        assert answer.err.endswith("\n")
        assert "Traceback" not in answer.err
        assert len(answer.err) < 700
        return answer.err.strip()

    return run


@pytest.fixture
def keep(home: Path, tiny_model: Callable[..., Any]) -> Callable[..., str]:
    """Keeps a tiny network as a finished run: `keep("lstm", name="mine")` returns the name."""

    def save(family: str, name: str | None = None, **sizes: Any) -> str:
        model = tiny_model(family, **sizes)
        folder = home / (name or model.name)
        model.module.save_pretrained(folder)
        model.tokenizer.save_pretrained(folder)
        card = {
            "name": folder.name,
            "architecture": family,
            "labels": list(model.labels),
            "n_params": sum(weight.numel() for weight in model.module.parameters()),
            "trained_on": "nothing",
            "metrics": {"accuracy": 0.5, "loss_nats": 0.6931},
            "created": "2026-01-02T03:04:05+00:00",
            "fingerprint": model.fingerprint,
            "notes": ["Its weights are random."],
        }
        (folder / "unrolled.json").write_text(json.dumps(card))
        status = {"state": "done", "pid": None, "create_time": None, "updated": 0.0}
        (folder / "status.json").write_text(json.dumps(status))
        return folder.name

    return save


@pytest.fixture
def unchanged(home: Path, keep: Callable[..., str]) -> Iterator[str]:
    """A home with one model in it; after the test it must be there as before, and nothing else."""
    name = keep("lstm", name="bystander")
    files = {path: path.read_bytes() for path in (home / name).rglob("*") if path.is_file()}
    yield name
    assert {path: path.read_bytes() for path in (home / name).rglob("*") if path.is_file()} == files
    assert {path.name for path in home.iterdir() if not path.name.startswith(".")} == {name}
    assert [card.status for card in api.list_models()] == ["done"]


def assert_is_a_sentence(error: ExplorerError | str) -> None:
    """A message for a person: not too long, with its full stop, and nothing that steers a terminal."""
    text = str(error)
    assert 15 < len(text) < 700, text
    assert text.rstrip().endswith((".", "!", "?")), text
    assert "Traceback" not in text
    assert "\x1b" not in text
