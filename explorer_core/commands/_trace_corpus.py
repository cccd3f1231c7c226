"""`trace --what unit` and `pattern`: one unit, or a pattern of units, over a corpus."""

from __future__ import annotations

import argparse
import re
from typing import Any

from explorer_core import api
from explorer_core.api import Made
from explorer_core.commands import _inputs, _output
from explorer_core.commands._traces import Kind, direction_index, number, plain
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.results import PatternMatches, Places, SimilarUnits, UnitCard, WordMeans

N_SHOWN = 10  # matches listed in a terminal; all are in JSON and files
CORPUS = ("layer", "direction", "data", "text_column", "label_column", "data_option")
_SPAN = re.compile(r"(\d{1,6})(?::(\d{1,6}))?")


def make_unit(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """The card of a unit, and the units like it."""
    index, corpus = _index(model, args)
    card = Made("unit_card", {"unit": args.unit}, api.unit_card(index, args.unit), corpus)
    return [card, Made("similar_units", {"unit": args.unit}, api.similar_units(index, args.unit), corpus)]


def make_pattern(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """Where the units that are on over a span of the text are on again."""
    first, last = span_of(args.span)
    trace = api.trace_states(model, args.text, running=False)
    index, corpus = _index(model, args)
    given: dict[str, Any] = {"span": [first, last], "threshold": args.threshold}
    return [Made("find_pattern", given, api.find_pattern(index, trace, (first, last), args.threshold), corpus)]


def describe_unit(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """The card and the units like it as plain values."""
    card: UnitCard = results[0]
    similar: SimilarUnits = results[1]
    names = ("corpus", "quantity", "unit", "n_texts", "n_words", "mean", "std", "low", "high", "is_dead",
             "position_corr", "n_rated_words", "half_life")  # fmt: skip
    return {name: plain(getattr(card, name)) for name in names} | {
        "label_corr": dict(zip(card.label_names, plain(card.label_corr), strict=True)),
        "sentiment_corr": dict(zip(card.label_names, plain(card.sentiment_corr), strict=True)),
        "saturation": {name: {"low": low, "high": high} for name, (low, high) in card.saturation.items()},
        "top_words": _words(card.top_words),
        "bottom_words": _words(card.bottom_words),
        "top_places": _places(card.top_places),
        "bottom_places": _places(card.bottom_places),
        "similar": {int(unit): plain(corr) for unit, corr in zip(similar.like, similar.like_corr, strict=True)},
        "opposite": {int(unit): plain(corr) for unit, corr in zip(similar.unlike, similar.unlike_corr, strict=True)},
    }


def describe_pattern(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """The pattern and its matches as plain values."""
    found: PatternMatches = results[0]
    names = ("corpus", "quantity", "threshold", "n_places", "n_texts")
    return {name: plain(getattr(found, name)) for name in names} | {
        "span": args.span,
        "words": list(found.words),
        "units": plain(found.units),
        "matches": _places(found.matches),
    }


def render_unit(found: dict[str, Any]) -> list[str]:
    """Facts, then words and places at both ends of the unit's scale."""
    facts = [
        ("unit", f"{found['unit']} ({found['quantity']}), over {found['corpus']}"),
        ("size", f"{found['n_words']:,} words in {found['n_texts']:,} texts"),
        ("values", f"mean {number(found['mean'], signed=True)}, 1 % to 99 %: {number(found['low'], signed=True)} to "
         f"{number(found['high'], signed=True)}{'; hardly moves (dead)' * found['is_dead']}"),
        *((f"with label {label}", number(corr, signed=True)) for label, corr in found["label_corr"].items()),
        *((f"with words of {label}", number(corr, signed=True)) for label, corr in found["sentiment_corr"].items()),
        ("with position", number(found["position_corr"], signed=True)),
        ("half-life", "-" if found["half_life"] is None else f"{number(found['half_life'])} tokens"),
        *((f"{name} gate", f"{_output.share(ends['low'])} below 0.1, {_output.share(ends['high'])} above 0.9")
          for name, ends in found["saturation"].items()),
        ("units like it", _units(found["similar"])),
        ("units against it", _units(found["opposite"])),
    ]  # fmt: skip
    lines = [_output.facts(facts)]
    for end in ("top", "bottom"):
        rows = [[row["word"], number(row["mean"], signed=True), f"{row['count']:,}"] for row in found[f"{end}_words"]]
        if rows:
            lines += ["", _output.table([f"{end} word", "mean", "places"], rows)]
    for end in ("top", "bottom"):
        rows = [
            [number(row["value"], signed=True), row["label"] or "-", _context(row)] for row in found[f"{end}_places"]
        ]
        if rows:
            lines += ["", _output.table(["value", "label", f"{end} place"], rows)]
    return lines


def render_pattern(found: dict[str, Any]) -> list[str]:
    """The pattern, then its best matches."""
    n_units, words = len(found["units"]), _output.cut(" ".join(found["words"]))
    lines = [
        f"{n_units:,} unit{'s are' if n_units > 1 else ' is'} at least {number(found['threshold'])} over “{words}”.",
        f"Best places in {found['n_texts']:,} texts ({found['corpus']}) by the share of units in common, one a text:",
    ]
    rows = [[number(row["value"]), row["label"] or "-", _context(row)] for row in found["matches"][:N_SHOWN]]
    return [*lines, *([_output.table(["score", "label", "place"], rows)] if rows else [])]


def span_of(given: str) -> tuple[int, int]:
    """First and last word from `A:B` or `A`, counted from 1 by a person and from 0 here.

    Raises:
        InvalidInputError: If it is no span.
    """
    match = _SPAN.fullmatch(given)
    if match is None or int(match[1]) < 1 or int(match[2] or match[1]) < int(match[1]):
        raise InvalidInputError(f"The span is {given[:40]!r}; the first and last word are expected, such as 3:5.")
    return int(match[1]) - 1, int(match[2] or match[1]) - 1


def _index(model: LoadedModel, args: argparse.Namespace) -> tuple[Any, dict[str, Any]]:
    """The index of the corpus asked for, and how to make it again."""
    layer = -1 if args.layer is None else args.layer - (model.kind == "recurrent")
    if layer < -1 or (layer < 0 and args.layer is not None):
        raise InvalidInputError(f"There is no layer {args.layer}; layers are counted from 1.")
    data = _inputs.data_spec(args)
    where: dict[str, Any] = {"layer": layer, "direction": direction_index(args) or 0}
    index = api.index_states(model, data, progress=_output.progress_line("Reading the corpus"), **where)
    return index, {"data": {"source": data.source, "options": dict(data.options)}, "index": where}


def _words(words: WordMeans) -> list[dict[str, Any]]:
    columns = zip(words.words, words.mean, words.counts, strict=True)
    return [{"word": word, "mean": plain(mean), "count": int(count)} for word, mean, count in columns]


def _places(places: Places) -> list[dict[str, Any]]:
    return [
        {
            "document": int(places.document[index]),
            "label": places.labels[index],
            "first_word": int(places.first[index]) + 1,
            "last_word": int(places.last[index]) + 1,
            "n_words": int(places.n_words[index]),
            "value": plain(places.value[index]),
            "before": places.before[index],
            "inside": places.inside[index],
            "after": places.after[index],
        }
        for index in range(len(places))
    ]


def _context(place: dict[str, Any]) -> str:
    """The words of a place in brackets, between those around it, cut on both sides to fit a line."""
    inside = _output.cut(place["inside"], 24)
    around = (_output.MAX_CELL_COLUMNS - _output.width(inside) - 4) // 2
    before = " ".join(place["before"].split())[-around:]
    return f"{before} [{inside}] {' '.join(place['after'].split())[:around]}".strip()


def _units(units: dict[int, float]) -> str:
    return ", ".join(f"{unit} ({number(corr, signed=True)})" for unit, corr in units.items()) or "-"


KINDS = {
    "unit": Kind(
        "what one unit does over a corpus: its words, places and correlations", ("unit", *CORPUS), make_unit,
        describe_unit, render_unit, ("unit",),
    ),
    "pattern": Kind(
        "where in a corpus the units that are on over a span of the text are on again",
        ("span", "threshold", *CORPUS), make_pattern, describe_pattern, render_pattern, ("text", "span", "threshold"),
    ),
}  # fmt: skip
