"""The page around a report: its style in light, in dark and on paper, and the script that draws its pictures."""

PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
<style>
:root {{ --ink: #161616; --paper: #fff; --faint: #5c626b; --line: rgba(128,132,140,.35); --link: #1d4ed8 }}
@media screen and (prefers-color-scheme: dark) {{
  :root {{ --ink: #f2f3f5; --paper: #14161a; --faint: #a9b0ba; --link: #8ab4ff }}
}}
* {{ box-sizing: border-box }}
body {{ font: 16px/1.5 {font}; color: var(--ink); background: var(--paper); max-width: 960px; margin: 2rem auto;
  padding: 0 1.2rem; font-variant-numeric: tabular-nums }}
h1 {{ font-size: 1.7rem; line-height: 1.25; margin: 0 0 .4rem; overflow-wrap: anywhere }}
h2 {{ font-size: 1.25rem; margin: 2.6rem 0 .5rem; padding-top: .9rem; border-top: 1px solid var(--line) }}
h3 {{ font-size: 1.05rem; margin: 1.6rem 0 .3rem }}
p {{ margin: .3rem 0; max-width: 78ch; overflow-wrap: anywhere }}
p.faint, figcaption, td.faint, .range {{ color: var(--faint); font-size: .875rem }}
nav a {{ color: var(--link); margin-right: 1.1rem; white-space: nowrap }}
a {{ color: var(--link) }}
table {{ border-collapse: collapse; margin: .4rem 0 .8rem; max-width: 100% }}
td, th {{ padding: .3rem 1.1rem .3rem 0; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top;
  font-weight: 400; overflow-wrap: anywhere }}
th {{ color: var(--faint); font-size: .85rem; overflow-wrap: break-word }}
.range, table.judged td:first-child bdi {{ white-space: nowrap }}
.wide {{ overflow-x: auto }}
table.texts {{ width: 100%; table-layout: fixed }}
table.texts td:first-child, table.texts th:first-child {{ width: 58% }}
figure {{ margin: .8rem 0 1.4rem }}
figure > div {{ min-height: 120px }}
figure.confusion > div {{ max-width: 480px }}
.side {{ display: flex; flex-wrap: wrap; column-gap: 3rem }}
figcaption b {{ font-weight: 600 }}
@media print {{
  body {{ margin: 0; max-width: none; font-size: 11pt }}
  nav {{ display: none }}
  h2, h3 {{ break-after: avoid }}
  figure, tr {{ break-inside: avoid }}
  .wide {{ overflow: visible }}
  td, th {{ padding-right: .7rem }}
}}
</style>
<script>{plotly}</script>
</head>
<body>
<h1>{title}</h1>
{body}
<script>
const config = {config}
const dark = matchMedia("(prefers-color-scheme: dark)")
function draw(isDark, width) {{
  for (const held of document.querySelectorAll("script[data-figure]")) {{
    const ink = isDark ? "#f2f3f5" : "#161616"
    const {{ data, layout }} = JSON.parse(held.textContent.replaceAll({ink}, ink))
    const place = document.getElementById(held.dataset.figure)
    const filename = held.dataset.figure
    if (width) layout.width = Math.min(width, parseFloat(getComputedStyle(place).maxWidth) || width)
    layout.hoverlabel = {{ ...layout.hoverlabel, bgcolor: isDark ? "#2a2e35" : "#ffffff" }}
    layout.hoverlabel.font = {{ ...layout.hoverlabel.font, color: ink }}
    Plotly.react(place, data, layout, {{ ...config, toImageButtonOptions: {{ format: "svg", filename }} }})
  }}
}}
draw(dark.matches)
dark.addEventListener("change", () => draw(dark.matches))
addEventListener("beforeprint", () => draw(false, {print_width}))
addEventListener("afterprint", () => draw(dark.matches))
</script>
</body>
</html>
"""
