"""The settings of the vanishing lab, drawn from its knobs, and an example of its task to be checked by eye."""

from __future__ import annotations

import html
from typing import Any

import streamlit as st

from explorer_core import api, palette
from explorer_core.lab.spec import FAMILIES, KNOBS, MAX_BIASES, MAX_LAGS
from pages._ui import widgets
from pages._ui.kept_form import KeptForm

TASK, ANOTHER = "lab_task", "lab_another"  # keys; the first is the name in the address too
TASKS = {"first_token": "First letter", "copy": "Copy", "adding": "Adding"}
LAGS = (2, 5, 10, 20, 30, 40, 60, 80, 100, 150, 200)
BIASES = (-1.0, 0.0, 1.0, 2.0, 3.0, 4.0, 5.0)
_FORM = KeptForm("lab")
_EXAMPLE = "lab_example"  # seed of the example shown
_STYLE = (
    "<style>.lab-steps{display:flex;flex-wrap:wrap;gap:.3rem;margin:.2rem 0 .6rem}"
    ".lab-steps span{min-width:2rem;padding:.15rem .45rem;text-align:center;border-radius:.3rem;"
    "border:1px solid rgba(128,132,140,.35);font-variant-numeric:tabular-nums;opacity:.75}"
    f".lab-steps span.on{{border:2px solid {palette.BLUE};font-weight:700;opacity:1}}</style>"
)


def draw() -> api.LabSpec:
    """Every setting of the lab.

    Raises:
        InvalidInputError: If nothing is chosen where something has to be.
    """
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        task = st.selectbox(
            "Task", list(TASKS), key=TASK, bind="query-params", width=160, format_func=TASKS.__getitem__,
            help="What has to be remembered; an example stands below.",
        )  # fmt: skip
        base = api.LabSpec.suggested(task)
        lags = _several(
            base, "lags", "Lags", LAGS, MAX_LAGS,
            "Steps between what has to be remembered and the answer; each lag has networks of its own.", width=430,
        )  # fmt: skip
        with st.popover("More settings"):
            rest = _draw_rest(base)
    spec = api.LabSpec(task=task, lags=lags, **rest)
    _FORM.keep({_key(spec, name): value for name, value in spec.to_plain().items()})
    return spec


def _draw_rest(base: api.LabSpec) -> dict[str, Any]:
    """What is changed less often."""
    families = _several(
        base, "families", "Families", FAMILIES, len(FAMILIES), "Trained side by side on the same sequences.",
        format_func=palette.family_label,
    )  # fmt: skip
    biases = _several(
        base, "gate_biases", "Gate biases", BIASES, MAX_BIASES,
        "What the biases of an LSTM's forget gate and a GRU's update gate start from. At 0 the gate keeps half at each "
        "step; at the logarithm of the lag (Tallec and Ollivier 2018) it keeps for about that long. Families are "
        "compared at the largest.",
        format_func=lambda bias: f"{bias:g}".replace("-", "−"),
    )  # fmt: skip
    left, right = st.columns(2)
    found: dict[str, Any] = {"families": families, "gate_biases": biases}
    for index, (name, knob) in enumerate((name, knob) for name, knob in KNOBS.items() if name != "task"):
        with (left, right)[index % 2]:
            key = _key(base, name)
            found[name] = widgets.knob(knob, key=key, default=_begin(key, base, name))
    return found


def _several(
    base: api.LabSpec, name: str, label: str, options: tuple[Any, ...], most: int, said: str, **more: Any
) -> tuple[Any, ...]:
    """A choice of several."""
    key = _key(base, name)
    begin = [value for value in _begin(key, base, name) if value in options]
    return tuple(st.multiselect(label, options, begin, max_selections=most, key=key, help=said, **more))


def _begin(key: str, base: api.LabSpec, name: str) -> Any:
    """What a widget begins with: as it was left in this session, else as suggested for the task."""
    return _FORM.begin(key, getattr(base, name))


def _key(base: api.LabSpec, name: str) -> str:
    return f"lab_{base.task}_{name}"


# An example ---------------------------------------------------------------------------------------------------------


def draw_example(spec: api.LabSpec) -> None:
    """One sequence of the task with its answer."""
    seed = int(st.session_state.get(_EXAMPLE, 0))
    example = api.lab_example(spec.task, spec.lags[0], seed)
    steps = "".join(
        f"<span{' class=on' * matters}>{html.escape(step)}</span>"
        for step, matters in zip(example.steps, example.matters, strict=True)
    )
    with st.container(border=True):
        st.caption(
            f"An example with a lag of {spec.lags[0]}, read from left to right; what the answer hangs on is framed."
        )
        st.html(f"{_STYLE}<div class='lab-steps'>{steps}</div>")
        with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
            st.markdown(f"{example.question} **{example.answer}**  \n:small[{example.check}]")
            st.button("Another example", key=ANOTHER, on_click=_next_example, type="tertiary")


def _next_example() -> None:
    st.session_state[_EXAMPLE] = (int(st.session_state.get(_EXAMPLE, 0)) + 1) % 1_000_000
