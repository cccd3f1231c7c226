"""Errors for a person are one family; their messages are sentences."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from explorer_core import errors

CORE = Path(errors.__file__).parent
KINDS = [value for _, value in inspect.getmembers(errors, inspect.isclass)]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_every_error_for_a_person_has_the_common_base(kind: type[Exception]) -> None:
    assert issubclass(kind, errors.ExplorerError)
    assert str(kind("A sentence.")) == "A sentence."


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind is not errors.ExplorerError], ids=lambda k: k.__name__)
def test_no_kind_of_error_catches_another_kind(kind: type[Exception]) -> None:
    others = [other for other in KINDS if other not in (kind, errors.ExplorerError)]
    assert not [other for other in others if issubclass(kind, other)]


def literal_end(node: ast.expr) -> str | None:
    """Last characters of a message that are known before it is raised, if any."""
    if isinstance(node, ast.JoinedStr) and node.values:
        node = node.values[-1]
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: path.relative_to(CORE).as_posix())
def test_messages_written_in_the_core_end_with_a_full_stop(path: Path) -> None:
    names = {kind.__name__ for kind in KINDS}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call) and node.exc.args:
            end = literal_end(node.exc.args[0])
            if ast.unparse(node.exc.func).split(".")[-1] in names and end is not None:
                assert end.rstrip().endswith((".", "!", "?")), f"line {node.lineno}: {end!r}"
