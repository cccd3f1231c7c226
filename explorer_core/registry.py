"""Discovery: one file adds one thing.

A thing (a family, a data source, a view) is a module in its room whose name does not start with an underscore. It
describes itself in a module-level literal, ``ABOUT = {...}``, which is read from the source without importing the
module: forms and tables can be drawn before torch is there.
"""

from __future__ import annotations

import ast
import functools
import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, ModuleType
from typing import Any

from explorer_core.errors import NotFoundError

_ROOMS = Path(__file__).parent


@dataclass(frozen=True)
class About:
    """What a registered thing says of itself.

    `name` equals the file name; `label` is what a person sees; `sentence` explains it in one sentence; `extra` holds
    every other entry of the literal (sources, knobs, colours).
    """

    name: str
    label: str
    sentence: str
    order: int
    extra: Mapping[str, Any]


@functools.cache
def describe(room: str) -> Mapping[str, About]:
    """Every thing in a room (`"architectures"`, `"datasets"`, `"views"`), by name, in its `order`.

    Raises:
        TypeError: If a module has no literal `ABOUT` with `label` and `sentence`.
    """
    found = [_read(path) for path in sorted((_ROOMS / room).glob("[!_]*.py"))]
    return MappingProxyType({about.name: about for about in sorted(found, key=lambda about: (about.order, about.name))})


def load(room: str, name: str) -> ModuleType:
    """The module of one thing, imported now.

    Raises:
        NotFoundError: If the room has nothing of that name.
    """
    things = describe(room)
    if name not in things:
        raise NotFoundError(f"There is no {name!r} in {room}. Known: {', '.join(things)}.")
    return importlib.import_module(f"explorer_core.{room}.{name}")


def _read(path: Path) -> About:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in tree.body:
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["ABOUT"]:
            literal = dict(ast.literal_eval(node.value))
            return About(
                name=path.stem,
                label=literal.pop("label"),
                sentence=literal.pop("sentence"),
                order=literal.pop("order", 100),
                extra=MappingProxyType(literal),
            )
    raise TypeError(f"{path.name} has no literal ABOUT; every thing in {path.parent.name}/ describes itself.")
