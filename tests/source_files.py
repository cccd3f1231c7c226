"""The project's own source, read as trees, and rules asked of many files at once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@functools.cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports_of(tree: ast.AST, *, for_types: bool = True) -> Iterator[str]:
    """Full dotted name of every import; `from a import b` gives `a.b`. Without `for_types`, not those that only a
    type checker runs."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING" and not for_types:
            continue
        else:
            yield from imports_of(node, for_types=for_types)


def roots_of(path: Path) -> set[str]:
    return {name.split(".")[0] for name in imports_of(tree_of(path))}


def calls_of(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def each(paths: list[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """A rule asked of every file in one test, which names all that break it: thousands of tests cost a minute."""

    def asked(rule: Callable[[Path], None]) -> Callable[[], None]:
        def check() -> None:
            broken = []
            for path in paths:
                try:
                    rule(path)
                except AssertionError as error:
                    broken.append(f"{name_of(path)}: {str(error)[:400]}")
            assert not broken, "\n".join(broken)

        check.__name__, check.__doc__ = rule.__name__, rule.__doc__
        return check

    return asked
