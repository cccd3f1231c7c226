"""The same training with other seeds: its price, one press that starts it, and how far it is."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from explorer_core import api
from explorer_core.errors import ExplorerError
from pages._ui import cache, cache_compare, jobs, messages
from pages._ui.widgets import duration

N_SEEDS = 3
_ASK = "seeds_train"  # start of the keys of the buttons


def draw(models: Sequence[cache.ModelInfo]) -> None:
    """For each model with a single seed an offer to train three more, and the progress of those that train."""
    names = tuple(dict.fromkeys(info.name for info in models))
    live = _live(names)
    if live:
        st.fragment(_panel, run_every=jobs.TICK_S)(names, live)
    alone = [info for info in models if len(cache_compare.seeds(info.name)) < 2 and not _live((info.name,))]
    if alone:
        _offer(list({info.name: info for info in alone}.values()))


def _offer(alone: Sequence[cache.ModelInfo]) -> None:
    """What three more seeds of each model cost, and the presses that train them."""
    with st.container(border=True):
        st.markdown(
            "**Architecture or luck?** Two trainings of one network differ too, by their seed alone. With a few more "
            "seeds the pictures above show, as bands and whiskers, how far chance reaches."
        )
        for info in alone:
            try:
                specs = api.seed_specs(info.name, N_SEEDS)
                seconds, disk_mib = cache_compare.training_price(specs[0].to_json())
            except ExplorerError as error:
                st.caption(messages.plain(f"{info.name}: {error}"))
                continue
            with st.container(horizontal=True, vertical_alignment="center"):
                st.button(
                    f"Train three seeds of {messages.plain(info.name)}", key=f"{_ASK}_{info.name}", on_click=_train,
                    args=(info.name,),
                )  # fmt: skip
                st.caption(
                    f"About {duration(N_SEEDS * seconds)} on two cores and {N_SEEDS * disk_mib:,.0f} MiB of disk; they "
                    f"train one after the other in the background, as {messages.plain(specs[0].name)} and so on."
                )


def _train(name: str) -> None:
    """A callback: start the trainings."""
    with messages.guard_callback():
        specs = api.seed_specs(name, N_SEEDS)
        for spec in specs:
            api.start_training(spec)
        messages.say(f"{', '.join(spec.name for spec in specs)} train in the background; you can leave this page.")


def _live(names: Sequence[str]) -> tuple[str, ...]:
    """Runs that wait or train and differ from one of these by their seed."""
    found: dict[str, None] = {}
    for name in names:
        try:
            runs = api.find_seeds(name)
        except ExplorerError:
            continue
        found |= {card.name: None for card, _ in runs if card.status in ("queued", "running")}
    return tuple(found)


def _panel(names: Sequence[str], before: Sequence[str]) -> None:
    with messages.guard():
        if _live(names) != before:
            st.rerun()  # one has ended, and belongs into the pictures
        st.markdown("#### Seeds that train")
        for name in before:
            label, bar, button = st.columns([2, 5, 1], vertical_alignment="top")
            label.markdown(f"**{messages.plain(name)}**")
            with bar:
                jobs.draw_progress(name)
            button.button("Cancel", key=f"seeds_cancel_{name}", on_click=jobs.cancel, args=(name,), width="stretch")
