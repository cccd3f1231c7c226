"""What the kinds of `trace` share: what each of them is, and values turned into plain ones."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.api import Made
from explorer_core.commands import _output
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.results import DIRECTIONS


@dataclass(frozen=True)
class Kind:
    """One thing `trace` can tell.

    Attributes:
        sentence: What it prints.
        options: The options it takes besides those that all take, as argparse names them.
        make: The results, each with its call; the first one is what is saved as a table.
        describe: The results as plain values for JSON.
        render: Those as lines for a terminal.
        needs: Options it cannot do without.
    """

    sentence: str
    options: tuple[str, ...]
    make: Callable[[LoadedModel, argparse.Namespace], list[Made]]
    describe: Callable[[list[Any], argparse.Namespace], dict[str, Any]]
    render: Callable[[dict[str, Any]], list[str]]
    needs: tuple[str, ...] = ("text",)


def plain(values: Any) -> Any:
    """Numbers of NumPy as plain ones, in lists; what is no finite number as `None`, which JSON can hold."""
    if isinstance(values, np.ndarray):
        return [plain(value) for value in values]
    if isinstance(values, float | np.floating):
        return float(values) if np.isfinite(values) else None
    return values.item() if isinstance(values, np.generic) else values


def by_label(labels: Sequence[str], values: np.ndarray) -> dict[str, float]:
    """Values by class."""
    return {label: float(value) for label, value in zip(labels, values, strict=True)}


def target_of(args: argparse.Namespace) -> int | str | None:
    """The class asked for: a number is an index."""
    target = args.target
    return int(target) if target is not None and target.isdecimal() and len(target) < 4 else target


def target_index(args: argparse.Namespace, labels: Sequence[str], logits: np.ndarray) -> int:
    """Index of the class asked for, or of the predicted one.

    Raises:
        InvalidInputError: If there is no such class.
    """
    target = target_of(args)
    if target is None:
        return int(logits.argmax())
    if target in labels:
        return list(labels).index(str(target))
    if isinstance(target, int) and target < len(labels):
        return target
    raise InvalidInputError(
        f"There is no class {str(target)[:60]!r}; the classes are {', '.join(labels)[:300]}, or 0 to {len(labels) - 1}."
    )


def layer_index(args: argparse.Namespace, n_layers: int) -> int:
    """Index of the layer asked for, which a person counts from 1; the top one if none was.

    Raises:
        InvalidInputError: If there is no such layer.
    """
    if args.layer is None:
        return n_layers - 1
    if not 1 <= args.layer <= n_layers:
        raise InvalidInputError(f"There is no layer {args.layer}; layers run from 1 to {n_layers}.")
    return int(args.layer) - 1


def direction_index(args: argparse.Namespace, directions: Sequence[str] = DIRECTIONS) -> int | None:
    """Index of the direction asked for, or `None`.

    Raises:
        InvalidInputError: If the network does not read that way.
    """
    if args.direction is None:
        return None
    if args.direction not in directions:
        raise InvalidInputError(f"There is no direction {args.direction[:60]!r}; there is {' and '.join(directions)}.")
    return directions.index(args.direction)


def number(value: float | None, *, signed: bool = False) -> str:
    """A number for a table; `-` where there is none."""
    return "-" if value is None else _output.number(value, signed=signed)


def verdict(found: dict[str, Any]) -> str:
    """The model's verdict over the whole text, in one line."""
    label = max(found["probs"], key=found["probs"].__getitem__)
    return f"Verdict of {found['model']}: {_output.cut(label)}, {_output.share(found['probs'][label])}"
