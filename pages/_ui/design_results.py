"""What came out of a design: what it says, how each network learned, every number, a link, and files."""

from __future__ import annotations

import html
import math
import tempfile
from pathlib import Path
from urllib.parse import urlencode

import streamlit as st

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.palette import SERIES, family_line
from explorer_core.results import DesignResult
from explorer_core.text import visible
from pages._ui import figures, messages, state, take_away
from pages._ui.widgets import duration

CURVES = "design_curves"
_STYLE = (
    "<style>table.design{border-collapse:collapse;font-variant-numeric:tabular-nums;width:100%}"
    "table.design td,table.design th{padding:.45rem 1rem .45rem 0;border-bottom:1px solid rgba(128,132,140,.25);"
    "text-align:left;font-weight:400;vertical-align:top}table.design thead th{font-weight:650}"
    "table.design small{display:block;opacity:.7;font-size:.82rem}"
    "table.design i{display:inline-block;width:.8rem;height:.8rem;border-radius:50%;margin-right:.4rem}</style>"
)
_SAID = (
    "The bundle holds the design, a training spec for each model, what came out, and your data if they are a file; "
    "`python -m explorer_core design --spec design.json --against result.json` trains all of it again and compares."
)


def draw(result: DesignResult, view: str) -> None:
    """Everything known of a design that is over; `view` is what the section is called in the address."""
    for sentence in told(result):
        st.markdown(sentence)
    draw_curves(result)
    st.markdown("#### Every number")
    st.html(table_of(result))
    if said := fair(result):
        st.caption(" ".join(said))
    st.markdown("#### Take it along")
    st.caption("This address opens these models on this view again, on this machine.")
    st.code(link_of(result, view), language=None, wrap_lines=True)
    stem = f"design-{result.name}"
    take_away.offer_alone(
        "design", stem, result, _SAID,
        {
            "Reproduce bundle (zip)": (lambda: bundle(result.name), f"{stem}-bundle.zip"),
            "Design (JSON)": (result.spec.to_json().encode, f"{stem}.json"),
        },
    )  # fmt: skip


def draw_curves(result: DesignResult) -> None:
    """How every run learned, as far as it got."""
    from explorer_core.views import design_curves

    if not any(len(line.step) for line in result.lines):
        st.caption("The curves appear here when the first epoch has ended.")
        return
    figures.chart(design_curves.render(result.lines), CURVES, design_curves.alt_text(result.lines))
    figures.how_to_read("design_curves")


def told(result: DesignResult) -> list[str]:
    """Who is right most often, and whether that may be luck, as Markdown."""
    labels = result.spec.labels()
    means = {
        place: float(found.mean())
        for place in sorted(set(result.network))
        if len(found := result.accuracies(place))
    }  # fmt: skip
    if len(means) < 2:
        return ["Fewer than two of its models are trained and judged, so there is nothing to compare yet."]
    first, second = sorted(means, key=means.__getitem__, reverse=True)[:2]
    lead = 100 * (means[first] - means[second])
    what = "mean validation accuracy" if result.spec.n_seeds > 1 else "validation accuracy"
    said = (
        f"**{messages.plain(labels[first])}** is right most often, {what} {means[first]:.3f}, "
        f"{number(lead, digits=2)} points more than {messages.plain(labels[second])}."
        if lead
        else f"{messages.plain(labels[first])} and {messages.plain(labels[second])} are right equally often "
        f"({means[first]:.3f})."
    )
    return [said, _luck(result, first, second)]


def _luck(result: DesignResult, first: int, second: int) -> str:
    """Whether the lead is beyond what rows or seeds do by chance."""
    one, other = result.accuracies(first), result.accuracies(second)
    if result.spec.n_seeds > 1 and len(one) > 1 and len(other) > 1:
        if one.min() > other.max():
            return f"Every one of its {len(one)} seeds is ahead of every seed of the other."
        return "Some seed of the other is at least as good as some seed of it: the lead may be luck."
    records = dict(zip(result.network, result.records, strict=True))
    low, high = records[first].accuracy_low, records[second].accuracy_high
    if low > high:
        return "Their 95 % intervals do not overlap. One seed each: another start may still change the order."
    return "Their 95 % intervals overlap, so the lead may be luck; several seeds tell architecture from luck."


def fair(result: DesignResult) -> list[str]:
    """What the records say of steps and order of the rows, as Markdown."""
    steps = sorted({record.n_steps for record in result.records if record.state == "done"})
    said = []
    if result.has_same_steps:
        said.append(f"All made {steps[0]:,} steps of {result.spec.batch_size} texts.")
    elif result.has_same_steps is False:
        said.append(f"They made different numbers of steps: {', '.join(f'{one:,}' for one in steps)}.")
    if result.has_same_order:
        each = " of a seed" if result.spec.n_seeds > 1 else ""
        said.append(f"All{each} read the same rows in the same order, by the digests in their records.")
    elif result.has_same_order is False:
        said.append(
            "They read the same rows, but not all in the same order: texts of like length go into one step, and their "
            "tokenizers count tokens differently."
        )
    if result.missing:
        said.append(f"Deleted since: {messages.plain(', '.join(result.missing))}.")
    return said


def table_of(result: DesignResult) -> str:
    """One row for each run, as HTML."""
    heads = ("Network", "Model", "Parameters", "Steps", "Trained in", "Validation accuracy", "Loss", "Test accuracy")
    colors = _colors(result)
    body = []
    for place, record, line in zip(result.network, result.records, result.lines, strict=True):
        ends = (
            "" if math.isnan(record.accuracy_low)
            else f"<small>{record.accuracy_low:.3f} to {record.accuracy_high:.3f}</small>"
        )  # fmt: skip
        network = result.spec.networks[place]
        setting = "" if network.label == line.name else f"<small>{html.escape(visible(network.label))}</small>"
        trained = f"<small>{record.n_trainable:,} trained</small>" if record.n_trainable else ""
        cells = (
            f"<i style='background:{colors[place]}'></i>{html.escape(visible(line.label))}{setting}",
            html.escape(record.name) + (f"<small>{record.state}</small>" if record.state != "done" else ""),
            f"{record.n_params:,}{trained}" if record.n_params else "–",
            f"{record.n_steps:,}",
            duration(None if math.isnan(record.train_s) else record.train_s) or "–",
            f"<b>{record.accuracy:.3f}</b>{ends}" if record.has_accuracy else "–",
            "–" if math.isnan(record.loss_nats) else f"{record.loss_nats:.3f}",
            "–" if math.isnan(record.test_accuracy) else f"{record.test_accuracy:.3f}",
        )
        body.append(f"<tr>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    if result.spec.n_seeds > 1:
        body += [_mean_row(result, place, colors[place]) for place in sorted(set(result.network))]
    head = "".join(f"<th>{name}</th>" for name in heads)
    table = f"<table class='design'><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"
    return f"{_STYLE}<div style='overflow-x:auto'>{table}</div>"


def _mean_row(result: DesignResult, place: int, color: str) -> str:
    found = result.accuracies(place)
    shown = f"<b>{found.mean():.3f}</b><small>{found.min():.3f} to {found.max():.3f}</small>" if len(found) else "–"
    label = html.escape(visible(result.spec.labels()[place]))
    return (
        f"<tr><td><i style='background:{color}'></i><b>{label}</b></td><td>mean of {len(found)} seeds"
        f"<small>least to most</small></td><td></td><td></td><td></td><td>{shown}</td><td></td><td></td></tr>"
    )


def _colors(result: DesignResult) -> list[str]:
    families = [network.family for network in result.spec.networks]
    if len(set(families)) == len(families):
        return [family_line(family)[0] for family in families]
    there = list(dict.fromkeys(result.network))
    return [
        SERIES[there.index(place) % len(SERIES)] if place in there else SERIES[-1] for place in range(len(families))
    ]


def link_of(result: DesignResult, view: str) -> str:
    """The address of the page with these models and this design."""
    base = (st.context.url or "/compare").split("?")[0]
    asked = [*((state.MODELS, name) for name in result.models), (state.VIEW, view), ("design", result.name)]
    return f"{base}?{urlencode(asked)}"


def bundle(name: str) -> bytes:
    """The reproduce bundle; see `api.reproduce_design`."""
    with tempfile.TemporaryDirectory(prefix="unrolled-") as folder:
        return api.reproduce_design(Path(folder) / "bundle.zip", name).read_bytes()
