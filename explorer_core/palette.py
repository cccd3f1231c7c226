"""Colours that mean one thing everywhere (Okabe and Ito 2008, Color universal design)."""

from __future__ import annotations

from collections.abc import Sequence

from explorer_core import registry

ORANGE, SKY, GREEN, BLUE, VERMILLION, PURPLE = (
    "#E69F00", "#56B4E9", "#009E73", "#0072B2", "#D55E00", "#CC79A7",
)  # fmt: skip
NEGATIVE, POSITIVE, GREY = VERMILLION, BLUE, "#7A7F87"
FAMILY_WIDTH = 2.5  # px of a line
SERIES = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY, GREY)
_LAYERS = ("#7b4fb5", "#9a4fb0", "#bb4f9c", "#d6587f", "#e56d60", "#ee8a4a", "#f0a93f")  # first layer to last
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")

_NEGATIVE_NAMES = frozenset({"negative", "neg", "bad", "no", "false", "0", "label_0", "reject", "spam", "toxic"})


def class_colors(labels: Sequence[str]) -> tuple[str, ...]:
    """One colour for each class: orange for the negative and blue for the positive of two, else Okabe-Ito in order.

    Of two classes the negative is the one whose name says so; where neither name does, the first.
    """
    if len(labels) == 2:
        says_so = [label.strip().lower() in _NEGATIVE_NAMES for label in labels]
        return (POSITIVE, NEGATIVE) if says_so[1] and not says_so[0] else (NEGATIVE, POSITIVE)
    return tuple(SERIES[index % len(SERIES)] for index in range(len(labels)))


def family_line(architecture: str) -> tuple[str, str]:
    """Colour and dash of a family's lines, from what the family says of itself; grey and solid if it is unknown."""
    about = registry.describe("architectures").get(architecture)
    return (about.extra.get("color", GREY), about.extra.get("dash", "solid")) if about else (GREY, "solid")


def family_label(architecture: str) -> str:
    """What a person calls the family."""
    about = registry.describe("architectures").get(architecture)
    return about.label if about else architecture


def layer_color(layer: int, n_layers: int) -> str:
    """Colour of a layer, counted from 1; grey for 0, what stands before any layer."""
    if layer == 0:
        return GREY
    place = (layer - 1) / max(n_layers - 1, 1) * (len(_LAYERS) - 1)
    return _LAYERS[round(place)]
