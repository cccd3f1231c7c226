"""Where things are written, and limits that agree with each other."""

from __future__ import annotations

from pathlib import Path

import pytest

from explorer_core import settings


def test_home_is_where_the_environment_points(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path / "elsewhere"))
    assert settings.home() == (tmp_path / "elsewhere").resolve()


@pytest.mark.parametrize("value", ["", None])
def test_home_is_runs_where_the_app_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UNROLLED_HOME", value or "")
    if value is None:
        monkeypatch.delenv("UNROLLED_HOME")
    assert settings.home() == tmp_path.resolve() / "runs"


def test_home_understands_a_tilde(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("UNROLLED_HOME", "~/unrolled")
    assert settings.home() == (tmp_path / "unrolled").resolve()


def test_asking_for_home_writes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path / "not yet"))
    settings.home()
    assert not (tmp_path / "not yet").exists()


def test_every_limit_is_a_positive_whole_number() -> None:
    limits = {name: value for name, value in vars(settings).items() if name.startswith(("MAX_", "MIN_"))}
    assert len(limits) > 5
    assert all(type(value) is int and value > 0 for value in limits.values())


def test_the_hash_of_the_pretrained_weights_is_a_sha256() -> None:
    assert len(settings.PRETRAINED_SHA256) == 64
    assert set(settings.PRETRAINED_SHA256) <= set("0123456789abcdef")
