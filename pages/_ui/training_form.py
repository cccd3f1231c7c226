"""The form that trains a model: family, data, the knobs that matter, a price before the press."""

from __future__ import annotations

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.registry import About
from explorer_core.training.spec import KNOBS, DataSpec, TrainingSpec
from pages._ui import data_form, messages, state, train_on_it
from pages._ui.widgets import knob

_RECURRENT = ("vocabulary", "max_words", "end_token", "embeddings", "embedding_size", "hidden_size", "num_layers",
              "pooling")  # fmt: skip
_TRANSFORMER = ("start",)
_MAIN = ("epochs", "hidden_size", "num_layers", "pooling", "embeddings", "start")


@st.fragment
def draw() -> None:
    """Draw the form; a press on the button starts the run in a process of its own."""
    with messages.guard():
        families = {about.name: about for about in api.list_families()}
        family = st.segmented_control(
            "Family", list(families), default="lstm" if "lstm" in families else next(iter(families)), required=True,
            format_func=lambda name: families[name].label, key="train_family",
        )  # fmt: skip
        st.caption(families[family].sentence)
        data = data_form.draw()
        if data is not None:
            _draw_rest(families[family], data)


def _draw_rest(family: About, data: DataSpec) -> None:
    values = _draw_knobs(family)
    left, right = st.columns([2, 3], vertical_alignment="bottom")
    suggestion = api.free_name(f"my-{family.name}")
    name = left.text_input(
        "Name", value=suggestion, key=f"train_name_{suggestion}", help="Lower-case letters, digits and hyphens."
    )
    try:
        spec = TrainingSpec(name=name.strip(), family=family.name, data=data, **values)  # type: ignore[arg-type]
        right.markdown(messages.plain(_price(spec.to_json())))
    except ExplorerError as error:
        messages.show(error)
        return
    if st.button("Train", type="primary", key="train_start"):
        with messages.guard():
            with st.spinner("Starting"):
                api.start_training(spec)
            train_on_it.begun()
            state.look_at(spec.name)
            messages.say(f"{spec.name} trains in the background. You can leave this page; it goes on.")
            st.rerun()


def _draw_knobs(family: About) -> dict[str, object]:
    """Values of all knobs that mean something for the family; the less usual ones are folded away."""
    defaults = next((spec for spec in api.starter_specs() if spec.family == family.name), None)
    foreign = _RECURRENT if family.extra["kind"] == "transformer" else _TRANSFORMER
    values: dict[str, object] = {}

    def draw_one(name: str) -> None:
        default = getattr(defaults, name, None)
        values[name] = knob(KNOBS[name], key=f"train_{family.name}_{name}", default=default)

    main = [name for name in _MAIN if name not in foreign]
    for name, place in zip(main, st.columns(max(len(main), 3)), strict=False):
        with place:
            draw_one(name)
    with st.expander("More settings"):
        places = st.columns(4)
        others = [name for name in KNOBS if name not in main and name not in foreign]
        for index, name in enumerate(others):
            with places[index % 4]:
                draw_one(name)
    if values.get("vocabulary") == "words" and values["embeddings"] != "scratch":
        values["embeddings"] = "scratch"
        st.caption("Whole words have no pretrained vectors, so the word vectors are learned from your data.")
    return values


@st.cache_data(max_entries=64, ttl=600, show_spinner="Estimating time and disk")
def _price(spec_json: str) -> str:
    return api.price_training(TrainingSpec.from_json(spec_json)).sentence
