"""What every view promises, for every family it fits and for any text."""

from __future__ import annotations

import functools
import inspect
import math
import re
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
import plotly.graph_objects as go
import pytest

from explorer_core import api, registry
from explorer_core.text import visible
from tests.conftest import FAMILIES, RECURRENT_FAMILIES
from tests.core.comparing import compared
from tests.core.comparing.prices import made_prices
from tests.core.designs.designs import made_lines
from tests.core.exam.exams import made_exam
from tests.core.views.read_once import Read

LONG = "three hundred words"
EVERYWHERE = ("one word", "hostile")  # texts that every family reads for every view
TEXTS = {
    "one word": "terrible",
    "several pieces": "unbelievably plotless , zxq",
    "emoji": "so good \U0001f60d\U0001f469\u200d\U0001f467 \U0001f44d\U0001f3fd",
    "Arabic": "كان الفيلم رائعا، 好",
    "hostile": "<img src=x onerror=1> <i>a</i> \u202eevil\u2066 %{y} {{x}} $1$ [a](http://h) &lt;script&gt; \x07",
    LONG: " ".join(("the film was not good but the acting was great , " * 28).split()[:300]),
}
FITS = {
    None: FAMILIES,
    "recurrent": RECURRENT_FAMILIES,
    "gates": ["gru", "lstm", "bilstm"],
    "cell": ["lstm", "bilstm"],
    "bidirectional": ["bilstm"],
    "transformer": ["bert"],
}
OURS = re.compile(r"</?(b|i|br|sub|sup|extra)>|<span style=['\"][^<>]*['\"]>|</span>")
TURNING = re.compile("[\u200e\u200f\u202a-\u202e\u2066-\u2069\u0007]")


CURVES = SimpleNamespace(
    step=np.arange(1, 41),
    loss_nats=np.linspace(0.7, 0.2, 40),
    epoch_step=np.array([20, 40]),
    epoch_loss_nats=np.array([0.6, 0.5]),
    epoch_accuracy=np.array([0.7, 0.8]),
)

# How to make the arguments of each view; a view that is not here fails.
ARGUMENTS: dict[str, Callable[[Read], tuple[tuple[Any, ...], dict[str, Any]]]] = {
    "running_verdict": lambda read: ((read.lines, read.trace.words), {"target": 1, "target_label": read.text}),
    "state_norms": lambda read: ((read.trace,), {}),
    "unit_lines": lambda read: ((read.trace,), read.unit),
    "gate_values": lambda read: ((read.trace,), {"layer": 1}),
    "gate_saturation": lambda read: ((api.gate_saturation(read.trace),), read.unit),
    "word_ledger": lambda read: ((read.ledger,), {}),
    "ledger_waterfall": lambda read: ((read.ledger,), {"sort": "size"}),
    "halves": lambda read: ((api.trace_halves(read.model, read.text),), {}),
    "memory_words": lambda read: ((read.memory,), {"target": 1}),
    "memory_units": lambda read: ((read.memory,), read.unit),
    "memory_unit": lambda read: ((read.memory,), read.unit),
    "gradient_lines": lambda read: ((read.gradients,), {"layer": 1}),
    "gradient_gates": lambda read: ((read.gradients,), {"layer": 1}),
    "vanishing": lambda read: ((read.jacobians,), {"untrained": read.untrained, "other": read.jacobians}),
    "step_spectrum": lambda read: ((read.jacobians,), {}),
    "connectivity": lambda read: ((api.trace_connectivity(read.model, read.text),), {"scale": "log"}),
    "word_scores": lambda read: ((read.scores,), {"tokens": True}),
    "baseline_spread": lambda read: ((read.scores,), {}),
    "score_waterfall": lambda read: ((read.complete,), {"sort": "size", "tokens": True}),
    "human_agreement": lambda read: ((read.human,), {}),
    "word_ranks": lambda read: ((read.scores,), {}),
    "agreement_map": lambda read: ((read.agreement,), {"chosen": 0}),
    "layer_similarity": lambda read: ((api.compare_layers(read.trace),), {}),
    "layer_verdict": lambda read: ((api.trace_layer_verdicts(read.model, read.text),), {"target": 1}),
    "head_summary": lambda read: ((read.summary,), {"layer": 1, "head": 2}),
    "attention_rollout": lambda read: ((read.summary,), {}),
    "unit_card": lambda read: ((api.unit_card(read.index, 5),), {}),
    "pattern_labels": lambda read: ((read.pattern,), {}),
    "pattern_span": lambda read: ((read.values, read.trace.words, (0, 0), 0.05, read.pattern.units), {}),
    "confusion": lambda read: ((read.judged,), {"model": 1}),
    "reliability": lambda read: ((read.judged,), {}),
    "text_effect": lambda read: ((read.judged,), {"effect": 1}),
    "decisions": lambda read: ((read.judged,), {}),
    "text_map": lambda read: ((read.map_of_texts, [read.text, *["b"] * 6], read.text), {}),
    "word_report": lambda read: ((read.word_reports, read.word_reports[0].words[:9]), {}),
    "modifier_bench": lambda read: ((read.modifiers,), {}),
    "modifier_lasting": lambda read: ((read.modifiers,), {"group": 1}),
    "evidence_thirds": lambda read: ((api.locate_evidence(*read.reasons),), {}),
    "reason_ranks": lambda read: ((read.reasons[1],), {}),
    "state_likeness": lambda read: ((read.likeness,), {}),
    "text_histogram": lambda read: (({"1-5": 3, "6-10": 9}, read.labels), {}),
    "training_curves": lambda read: ((CURVES,), {}),
    "gradient_history": lambda read: ((read.recorded,), {"layer": 1}),
    "gradient_history_lines": lambda read: ((read.recorded,), {"by": "group"}),
    "checkpoint_verdict": lambda read: ((read.epochs,), {"index": 1}),
    "checkpoint_changes": lambda read: ((read.epochs,), {"index": 1}),
    "checkpoint_gates": lambda read: ((read.epochs,), {"index": 1, "layer": 1}),
    "checkpoint_pairs": lambda read: ((read.pairs,), {"index": 1}),
    "lab_accuracy": lambda read: ((small_lab(),), {}),
    "lab_gradient": lambda read: ((small_lab(),), {}),
    "lab_starts": lambda read: ((small_lab(),), {}),
    "lab_learning": lambda read: ((small_lab(),), {"lag": 1}),
    "exam_precision": lambda read: ((made_exam(),), {}),
    "halves_apart": lambda read: ((api.compare_halves(read.model, read.text, fill="zero"),), {"twin": (read.text, 1)}),
    "price_latency": lambda read: ((made_prices(read.text, "c"),), {"batch": 1}),
    "price_accuracy": lambda read: ((made_prices(read.text, "c"),), {"batch": 1, "length": 2}),
    "design_curves": lambda read: ((made_lines(read.text),), {}),
    "state_lines": lambda read: ((api.compare_states_of_text([read.trace], "size"),), {}),
    "gradient_reach": lambda read: ((api.compare_reach([read.gradients]),), {}),
    "word_difference": lambda read: paired(read, compared.words_and_spreads, {}),
    "verdict_difference": lambda read: paired(read, compared.verdicts_and_spreads, {"quantity": "log_odds"}),
    "text_change_verdict": lambda read: ((read.change,), {}),
    "text_change_states": lambda read: ((read.change,), {"quantity": "turn"}),
    "text_change_scores": lambda read: ((read.change,), {}),
}


def paired(read: Read, make: Callable[..., Any], more: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Two models, of which the text itself names one."""
    found, spreads = make(read.model, read.text)
    return (found,), {"spreads": spreads, "names": (read.text, "b"), **more}


@functools.cache
def small_lab() -> Any:
    return api.run_lab(api.LabSpec(lags=(2, 3), n_units=4, steps=6, n_seeds=2))


@functools.lru_cache(maxsize=64)
def read_of(family: str, name: str) -> Read:
    return Read(family, TEXTS[name])


def cases() -> Iterator[Any]:
    for view, about in registry.describe("views").items():
        fitting = list(FITS[about.extra.get("needs")])
        for family in fitting:
            for name in TEXTS:
                if name in EVERYWHERE or family in (fitting[0], fitting[-1]):  # two families do for the others
                    marks = [pytest.mark.long] if name == LONG else []
                    yield pytest.param(view, family, name, id=f"{view}-{family}-{name}", marks=marks)


def strings_of(node: Any) -> Iterator[str]:
    """Every string of a figure's description but packed numbers."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for key, value in node.items():
            if key not in ("bdata", "template"):
                yield from strings_of(value)
    elif isinstance(node, list | tuple | np.ndarray):
        for value in node:
            yield from strings_of(value)


def numbers_of(figure: Any) -> Iterator[tuple[str, np.ndarray]]:
    for drawn in figure.data:
        for name in ("x", "y", "z"):
            values = getattr(drawn, name, None)
            if values is not None and len(values):
                array = np.asarray(values)
                if array.dtype.kind in "iuf":
                    yield f"{drawn.type}.{name}", array


def axes_of(figure: Any) -> dict[str, Any]:
    return {name: value for name, value in figure.to_plotly_json()["layout"].items() if re.match("[xy]axis", name)}


def is_named(axis: dict[str, Any]) -> bool:
    """Whether an axis says what it counts: by its title, or by the names at its ticks."""
    names = [name for name in axis.get("ticktext", ()) if str(name).strip()]
    has_names = bool(names) and not all(re.fullmatch(r"[\d.,−+%-]+", str(name)) for name in names)
    return bool((axis.get("title") or {}).get("text")) or (has_names and axis.get("showticklabels", True))


def test_every_view_is_in_the_contract() -> None:
    assert set(ARGUMENTS) == set(registry.describe("views"))


@pytest.mark.parametrize(("view", "family", "name"), cases())
def test_a_view_of_any_text_is_finite_safe_named_and_told(view: str, family: str, name: str) -> None:
    module = registry.load("views", view)
    arguments, knobs = ARGUMENTS[view](read_of(family, name))
    figure = module.render(*arguments, **knobs)
    assert figure.data
    go.Figure(figure.to_plotly_json())  # every property is one Plotly knows, and holds what it may hold

    for where, values in numbers_of(figure):
        assert not np.isinf(values).any(), where
        assert np.isfinite(values).any() or name == "one word", where

    for text in strings_of(figure.to_plotly_json()):
        assert "<" not in OURS.sub("", text), text
        assert not TURNING.search(text), text

    axes = axes_of(figure)
    has_headings = any(note.xref == "paper" for note in figure.layout.annotations)
    for letter in "xy":
        of_letter = [axis for key, axis in axes.items() if key[0] == letter and axis.get("visible", True)]
        assert has_headings or any(map(is_named, of_letter)), f"no {letter} axis of {view} says what it counts"
    assert figure.layout.paper_bgcolor == figure.layout.plot_bgcolor == "rgba(0,0,0,0)"
    assert not math.isnan(figure.layout.height)

    taken = inspect.signature(module.alt_text).parameters
    said = module.alt_text(*arguments, **{key: value for key, value in knobs.items() if key in taken})
    assert said.endswith(".")
    assert not TURNING.search(said), said
    assert visible(said) == said


@pytest.mark.parametrize("view", list(registry.describe("views")))
def test_a_view_says_what_it_draws_from(view: str) -> None:
    module = registry.load("views", view)
    for function in (module.render, module.alt_text):
        assert inspect.getdoc(function)
        assert all(
            taken.kind is not inspect.Parameter.VAR_KEYWORD for taken in inspect.signature(function).parameters.values()
        )
