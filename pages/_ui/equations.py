"""The equations of one unit at one word as a person writes them: symbols, under each its number, then the sum."""

from __future__ import annotations

import html
from collections.abc import Sequence

from explorer_core.numerals import number
from explorer_core.results import Equation, GradientStep, RecurrentTrace, UnitStep
from explorer_core.results.unit_steps import Part
from explorer_core.text import visible

DIGITS = 4
STYLE = (
    "<style>div.equations{overflow-x:auto;max-width:100%}"
    "table.equation{border-collapse:collapse;font-variant-numeric:tabular-nums;margin:0 0 .9rem;font-size:.92rem}"
    "table.equation td{padding:.08rem .16rem;text-align:center;white-space:nowrap;border:0}"
    "table.equation tr.symbols td{font-size:1rem;font-style:italic;font-weight:600}"
    "table.equation td.sign{font-style:normal;font-weight:400;opacity:.8}"
    "table.equation td.group{border-top:1px solid rgba(128,132,140,.55)}"
    "table.equation td.left{text-align:left}"
    "table.equation td.off{font-size:.85rem;opacity:.85;padding-left:.8rem}</style>"
)


def draw(step: UnitStep | GradientStep) -> str:
    """Every equation of a step as HTML; all of it is ours or escaped."""
    return f"{STYLE}<div class='equations'>{''.join(_table(equation) for equation in step.equations)}</div>"


def sentence(step: UnitStep) -> str:
    """What the numbers of this step come to, in one sentence."""
    if "cell" in step.names:
        cell, squeezed = step.value("cell"), step.equations[1].worked[0]
        return (
            "The cell is not the hidden state: tanh squeezes this unit's cell from "
            f"{_shown(cell)} to {_shown(squeezed)}, and the output gate lets {_percent(step.value('output'))} of that "
            f"out, so the rest of the network sees h = {_shown(step.value('hidden'))}."
        )
    if "update" in step.names:
        update = step.value("update")
        return (
            f"A GRU has one state and no cell: this step keeps {_percent(update)} of what the unit held (z) and takes "
            f"{_percent(1 - update)} of the candidate n."
        )
    return (
        "A vanilla RNN has no gate and no cell: every step writes the whole state anew, and what was held before "
        "enters only through U h₋₁, summed over all units."
    )


def before(step: UnitStep, trace: RecurrentTrace) -> str:
    """What stands behind the symbols with ₋₁, as plain text."""
    symbols = "c₋₁ and h₋₁ are" if trace.cell is not None else "h₋₁ is"
    if step.pos_before is None:
        start = "at the end of the text, where this direction begins" if step.direction else "at the beginning"
        return f"Nothing was read before this word ({start}): here {symbols} 0."
    token = visible(trace.tokens[step.pos_before])[:24]
    word = int(trace.word_of_token[step.pos_before])
    way = " This direction reads from the last word to the first." if step.direction else ""
    if word == step.word:
        n_tokens = int((trace.word_of_token == step.word).sum())
        return (
            f"The word is read as {n_tokens} tokens and this is its last step: here {symbols} what was held after the "
            f"token “{token}” of the same word.{way}"
        )
    name = f"the special token “{token}”" if word < 0 else f"“{visible(trace.words[word])[:24]}” (word {word + 1})"
    return f"Here {symbols} what was held after {name}, read just before.{way}"


def _table(equation: Equation) -> str:
    symbols = "".join(_cell(part.text, "sign" if part.value is None else "") for part in equation.parts)
    numbers = "".join(
        _cell(part.text, "sign") if part.value is None else _cell(_number(part.value, part)) for part in equation.parts
    )
    n_parts = len(equation.parts)
    left = Part(equation.symbol, equation.left)
    worked = f"<tr><td></td>{_cell('=', 'sign')}{''.join(_worked(equation))}<td></td></tr>" if equation.worked else ""
    return (
        "<table class='equation'>"
        f"<tr class='symbols'>{_cell(equation.symbol)}{_cell('=', 'sign')}{symbols}<td></td></tr>"
        f"<tr>{_cell(_number(equation.left, left))}{_cell('=', 'sign')}{numbers}<td></td></tr>"
        f"{worked}"
        f"<tr><td></td>{_cell('=', 'sign')}<td class='left' colspan='{n_parts}'>"
        f"{html.escape(_shown(equation.right))}<span class='off'> &nbsp; differs from {html.escape(equation.symbol)} "
        f"by {html.escape(_off(equation.difference))}</span></td><td></td></tr></table>"
    )


def _worked(equation: Equation) -> list[str]:
    """One cell over all parts of a group, and the others as they are."""
    cells, parts = [], list(equation.parts)
    while parts:
        group = _run(parts)
        if len(group) == 1 and group[0].group is None:
            part = group[0]
            cells.append(_cell(part.text, "sign") if part.value is None else _cell(_number(part.value, part)))
        else:
            value = equation.worked[group[0].group or 0]
            cells.append(f"<td class='group' colspan='{len(group)}'>{html.escape(_shown(value))}</td>")
        parts = parts[len(group) :]
    return cells


def _run(parts: Sequence[Part]) -> Sequence[Part]:
    """The first part with those after it that are worked out together with it."""
    group = parts[0].group
    if group is None:
        return parts[:1]
    size = next((index for index, part in enumerate(parts) if part.group != group), len(parts))
    return parts[:size]


def _cell(text: str, kind: str = "") -> str:
    return f"<td class='{kind}'>{html.escape(text)}</td>" if kind else f"<td>{html.escape(text)}</td>"


def _number(value: float, part: Part) -> str:
    return number(value, signed=not part.is_gate, digits=DIGITS)


def _shown(value: float) -> str:
    return number(value, signed=True, digits=DIGITS)


def _off(difference: float) -> str:
    return "0" if difference == 0 else number(difference, signed=True, digits=2)


def _percent(share: float) -> str:
    return f"{number(100 * share, digits=3)} %"
