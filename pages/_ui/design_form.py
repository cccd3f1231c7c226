"""The form of a design: a row for each network, what all of them share, a name, and what it will cost."""

from __future__ import annotations

import itertools
from typing import Any

import streamlit as st

from explorer_core import api, palette
from explorer_core.designs.spec import KNOBS, LEAST, MOST, NETWORK_KNOBS, DesignSpec, Network
from explorer_core.params import Knob
from pages._ui import data_form, messages, widgets
from pages._ui.kept_form import KeptForm

NAME, ADD, SOURCE = "design_name", "design_add", "design_source"  # keys
_FORM = KeptForm("design")
_ROWS, _COUNT = "design_rows", "design_count"
_FIRST = (Network("rnn", hidden_size=64), Network("lstm", hidden_size=64))
_NEXT = ("gru", "bilstm", "lstm", "rnn")  # families of the networks added, in this order
_OPEN = ("epochs", "batch_size", "seed", "n_seeds")
_WIDTHS = (1.4, 1.0, 0.9, 1.05, 1.25, 0.95, 1.1, 1.15)
_HEADS = ("Family", "Units", "Layers", "Verdict from", "Word vectors", "Their width", "Learning rate", "")
_STYLE = (
    "<style>@media (max-width: 640px){.st-key-design_heads{display:none}"
    ".st-key-design_networks [data-testid=stWidgetLabel]{display:flex !important}}</style>"
)  # where columns stand one below the other, each setting says what it is
_EMBEDDINGS = {"frozen": "kept", "tuned": "tuned", "scratch": "learned"}
_STARTS = {"pretrained": "pretrained weights", "random": "random weights"}


def draw() -> DesignSpec | None:
    """Every setting.

    Returns:
        The design, or `None` while data are missing; the page then says which.

    Raises:
        InvalidInputError: If a value, or what goes together, is not allowed.
    """
    networks = _draw_networks()
    st.markdown("##### The same for all of them")
    data = _draw_data()
    values: dict[str, Any] = {}
    for name, place in zip(_OPEN, st.columns(len(_OPEN)), strict=True):
        with place:
            values[name] = _knob(name, KNOBS[name])
    with st.expander("More settings"):
        places = st.columns(4)
        for index, name in enumerate(name for name in KNOBS if name not in _OPEN):
            with places[index % 4]:
                values[name] = _knob(name, KNOBS[name])
    if data is None:
        return None
    suggestion = api.free_design_name("my-design")
    name = st.text_input(
        "Name", suggestion, key=f"{NAME}_{suggestion}", width=300, max_chars=30,
        help="Of the comparison; each model is called after it, such as my-design-lstm. Lower-case letters, digits and "
        "hyphens.",
    ).strip()  # fmt: skip
    return DesignSpec(name=name, networks=networks, data=data, **values)


def start_from(spec: DesignSpec) -> None:
    """A callback: fill the form with a design that is there."""
    rows = [_fresh() for _ in spec.networks]
    kept = {_key(name): getattr(spec, name) for name in KNOBS}
    for row, network in zip(rows, spec.networks, strict=True):
        kept |= _values(row, network)
    st.session_state[_ROWS] = rows
    _FORM.start_from(kept)


# Networks -----------------------------------------------------------------------------------------------------------


def _draw_networks() -> tuple[Network, ...]:
    if _ROWS not in st.session_state:
        rows = [_fresh() for _ in _FIRST]
        st.session_state[_ROWS] = rows
        for row, network in zip(rows, _FIRST, strict=True):
            _FORM.keep(_values(row, network))
    rows = st.session_state[_ROWS]
    st.html(_STYLE)
    with st.container(key="design_heads"):
        for head, place in zip(_HEADS, st.columns(_WIDTHS), strict=True):
            place.caption(head)
    with st.container(key="design_networks"):
        found = [_draw_network(row, number, may_go=len(rows) > LEAST) for number, row in enumerate(rows, 1)]
    if len(rows) < MOST:
        st.button("Add a network", key=ADD, on_click=_add, icon=":material/add:")
    return tuple(found)


def _draw_network(row: int, number: int, *, may_go: bool) -> Network:
    """One row; a BERT has a start instead of units and layers."""
    places = st.columns(_WIDTHS, vertical_alignment="center")
    families = {about.name: about for about in api.list_families()}
    family = _choice(places[0], row, "family", list(families), f"Family of network {number}", palette.family_label)
    given: dict[str, Any] = {"family": family}
    if families[family].extra["kind"] == "transformer":
        given["start"] = _choice(
            places[1], row, "start", list(_STARTS), f"Start of network {number}", _STARTS.__getitem__
        )
    else:
        given["hidden_size"] = _number(places[1], row, "hidden_size", number)
        given["num_layers"] = _number(places[2], row, "num_layers", number)
        given["pooling"] = _choice(
            places[3], row, "pooling", ["last", "mean", "max"], f"Verdict of network {number}", str
        )
        given["embeddings"] = _choice(
            places[4],
            row,
            "embeddings",
            list(_EMBEDDINGS),
            f"Word vectors of network {number}",
            _EMBEDDINGS.__getitem__,
        )
        if given["embeddings"] == "scratch":
            given["embedding_size"] = _number(places[5], row, "embedding_size", number)
        else:
            places[5].caption("384 wide")
    usual = Network(family).learning_rate
    key = _row_key(row, f"rate_{family}")
    given["learning_rate"] = places[6].number_input(
        f"Learning rate of network {number}", 1e-6, 1.0, _FORM.begin(key, usual), format="%g", step=usual / 4, key=key,
        label_visibility="collapsed", help=f"Usual for this family: {usual:g}.",
    )  # fmt: skip
    if may_go:
        places[7].button(
            "Remove", key=_row_key(row, "remove"), on_click=_remove, args=(row,), type="tertiary",
            help=f"Remove network {number}",
        )  # fmt: skip
    network = Network(**given)
    _FORM.keep({_row_key(row, name): value for name, value in given.items() if name != "learning_rate"})
    _FORM.keep({key: given["learning_rate"]})
    return network


def _choice(place: Any, row: int, name: str, options: list[str], label: str, shown: Any) -> str:
    key = _row_key(row, name)
    default = _FORM.begin(key, options[0])
    return place.selectbox(
        label, options, index=options.index(default) if default in options else 0, key=key, format_func=shown,
        label_visibility="collapsed",
    )  # fmt: skip


def _number(place: Any, row: int, name: str, number: int) -> int:
    key, knob = _row_key(row, name), NETWORK_KNOBS[name]
    return int(
        place.number_input(
            f"{knob.label} of network {number}", knob.low, knob.high, _FORM.begin(key, knob.default), step=knob.step,
            key=key, label_visibility="collapsed",
        )
    )  # fmt: skip


def _add() -> None:
    rows = st.session_state[_ROWS]
    there = {_FORM.held(_row_key(row, "family")) for row in rows}
    family = next((family for family in _NEXT if family not in there), "lstm")
    row = _fresh()
    network = Network(family, hidden_size=64 if family not in there else 32 * (len(rows) + 1))
    _FORM.keep(_values(row, network))
    st.session_state[_ROWS] = [*rows, row]


def _values(row: int, network: Network) -> dict[str, Any]:
    """What the widgets of a row hold; a rate belongs to its family, and does not go over to the next one chosen."""
    plain = network.to_plain()
    rate = {_row_key(row, f"rate_{network.family}"): plain.pop("learning_rate")}
    return {_row_key(row, name): value for name, value in plain.items()} | rate


def _remove(row: int) -> None:
    st.session_state[_ROWS] = [one for one in st.session_state[_ROWS] if one != row]


def _fresh() -> int:
    """A number no row of this session has had: a widget of a removed row must not come back with its value."""
    return next(st.session_state.setdefault(_COUNT, itertools.count(1)))


# What all share -----------------------------------------------------------------------------------------------------


def _draw_data() -> api.DataSpec | None:
    abouts = {about.name: about for about in api.list_sources()}
    source = st.segmented_control(
        "Data", list(abouts), default=_FORM.begin(SOURCE, next(iter(abouts))), required=True, key=SOURCE,
        format_func=lambda name: abouts[name].label,
    )  # fmt: skip
    _FORM.keep({SOURCE: source})
    return data_form.draw_options(source or next(iter(abouts)), key="design", is_brief=True)


def _knob(name: str, knob: Knob) -> Any:
    key = _key(name)
    value = widgets.knob(knob, key=key, default=_FORM.begin(key, knob.default))
    _FORM.keep({key: value})
    return value


def _key(name: str) -> str:
    return f"design_{name}"


def _row_key(row: int, name: str) -> str:
    return f"design_{row}_{name}"


@st.cache_data(max_entries=64, ttl=600, show_spinner="Estimating time and disk")
def price(spec_json: str) -> str:
    """What a design costs, as Markdown."""
    return messages.plain(api.price_design(DesignSpec.from_json(spec_json)).sentence)
