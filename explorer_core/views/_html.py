"""Figures as one web page that stands alone: opens without a network, and asks none for anything."""

from __future__ import annotations

import html
from collections.abc import Mapping

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

from explorer_core import registry
from explorer_core.text import visible
from explorer_core.views import _style

# the browser itself refuses any request the page might make
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src data: blob:"
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
body {{ font: 16px/1.5 {font}; color: {ink}; background: #fff; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }}
figure {{ margin: 2.5rem 0; }}
h2 {{ font-size: 1.15rem; margin: 0 0 .3rem; }}
p {{ margin: .2rem 0; max-width: 75ch; }}
blockquote {{ margin: 0; font-size: 1.2rem; white-space: pre-wrap; overflow-wrap: anywhere; }}
figcaption {{ font-size: .9rem; opacity: .85; }}
button {{ font: inherit; font-size: .85rem; margin: .3rem .3rem 0 0; }}
</style>
<script>{plotly}</script>
</head>
<body>
<h1>{title}</h1>
<blockquote dir="auto">{text}</blockquote>
{figures}
<script>
for (const button of document.querySelectorAll("button[data-format]")) {{
  button.onclick = () => {{
    const {{ figure, format }} = button.dataset, drawn = document.getElementById(figure)
    const {{ width, height }} = drawn.getBoundingClientRect()
    Plotly.downloadImage(drawn, {{ format, width, height, scale: format === "png" ? 3 : 1, filename: figure }})
  }}
}}
</script>
</body>
</html>
"""


def page(title: str, text: str, figures: Mapping[str, go.Figure]) -> str:
    """A web page that holds every figure with its two sentences, formula and source, and saves each as PNG or SVG.

    Args:
        title: Over the page, plain text.
        text: What was read, plain text.
        figures: By the name of their view; any other name stands over its figure as it is.

    Returns:
        HTML with plotly.js (4.8 MB) in it, the same for the same figures.
    """
    return _PAGE.format(
        policy=POLICY,
        title=html.escape(visible(title)),
        font=html.escape(_style.FONT, quote=False),
        ink=_style.INK,
        plotly=get_plotlyjs(),
        text=html.escape("\n".join(map(visible, text.splitlines()))),
        figures="\n".join(_draw(number, *item) for number, item in enumerate(figures.items(), start=1)),
    )


def _draw(number: int, name: str, figure: go.Figure) -> str:
    views = registry.describe("views")
    key = f"figure-{number}"
    drawn = figure.to_html(config=_style.CONFIG | {"responsive": True}, include_plotlyjs=False, full_html=False,
                           div_id=key)  # fmt: skip
    buttons = "".join(
        f'<button type="button" data-figure="{key}" data-format="{ending}">Save as {ending.upper()}</button>'
        for ending in ("png", "svg")
    )
    label = views[name].label if name in views else name
    return f"<figure>\n<h2>{html.escape(visible(label))}</h2>\n{drawn}\n{buttons}\n{_caption(name)}</figure>"


def _caption(name: str) -> str:
    """What a view says of itself."""
    about = registry.describe("views").get(name)
    if about is None:
        return ""
    leads = {"how": "How to read this.", "does_not_show": "What it does not show.", "formula": "Formula.",
             "source": "Source."}  # fmt: skip
    said = [f"<b>{lead}</b> {html.escape(about.extra[key])}" for key, lead in leads.items() if key in about.extra]
    return f"<figcaption><p>{' '.join(said[:2])}</p><p>{' '.join(said[2:])}</p></figcaption>\n"
