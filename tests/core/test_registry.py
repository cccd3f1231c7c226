"""Discovery reads what things say of themselves, without importing them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from explorer_core import registry
from explorer_core.errors import NotFoundError


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty room named `things`."""
    monkeypatch.setattr(registry, "_ROOMS", tmp_path)
    (tmp_path / "things").mkdir()
    return tmp_path / "things"


def describe(room: Path) -> list[str]:
    return list(registry.describe.__wrapped__(room.name))


def test_one_new_file_adds_one_thing(room: Path) -> None:
    (room / "late.py").write_text("ABOUT = {'label': 'Late', 'sentence': 'Comes last.', 'order': 20}\n")
    (room / "early.py").write_text("ABOUT = {'label': 'Early', 'sentence': 'Comes first.', 'order': 10}\n")
    assert describe(room) == ["early", "late"]


def test_files_with_an_underscore_are_no_things(room: Path) -> None:
    (room / "_shared.py").write_text("raise RuntimeError\n")
    (room / "__init__.py").write_text("")
    assert describe(room) == []


def test_describing_a_thing_does_not_run_it(room: Path) -> None:
    (room / "loud.py").write_text("ABOUT = {'label': 'Loud', 'sentence': 'Fails.'}\nraise RuntimeError('was run')\n")
    assert describe(room) == ["loud"]


def test_things_without_an_order_come_after_those_with_one_by_name(room: Path) -> None:
    for name, order in (("b", ""), ("a", ""), ("z", ", 'order': 1")):
        (room / f"{name}.py").write_text(f"ABOUT = {{'label': '{name}', 'sentence': 'One.'{order}}}\n")
    assert describe(room) == ["z", "a", "b"]


@pytest.mark.parametrize("source", ["", "ABOUT: dict = {}\n", "LABEL = 'x'\n"])
def test_a_file_that_says_nothing_of_itself_is_a_mistake_of_ours(room: Path, source: str) -> None:
    (room / "mute.py").write_text(source)
    with pytest.raises(TypeError, match=r"mute\.py.*things/"):
        describe(room)


def test_what_is_known_of_a_room_cannot_be_changed() -> None:
    things = registry.describe("architectures")
    with pytest.raises(TypeError):
        things["new"] = things["lstm"]  # type: ignore[index]
    with pytest.raises(TypeError):
        things["lstm"].extra["label"] = "Changed"  # type: ignore[index]


@pytest.mark.parametrize("name", ["nothing", "../evil", "_recurrent", "", "lstm.py", "__init__", "os"])
def test_an_unknown_name_is_refused_with_the_known_ones_and_never_imported(name: str) -> None:
    with pytest.raises(NotFoundError, match="lstm"):
        registry.load("architectures", name)


def test_a_known_name_gives_its_own_module() -> None:
    assert registry.load("commands", "models").ABOUT["label"] == registry.describe("commands")["models"].label


def test_describing_the_families_imports_no_torch() -> None:
    code = "import sys; from explorer_core.registry import describe; describe('architectures')"
    code += "; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
