"""The two that are subtracted on the page Compare: two models, two saved epochs of one, or two seeds of one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

from pages._ui import cache, cache_compare, messages
from pages._ui.compared import Desk

OF, FIRST, SECOND, RUN = "difference_of", "difference_a", "difference_b", "difference_run"  # keys; in the address too
MODELS, EPOCHS, SEEDS = "Two models", "Two epochs", "Two seeds"


@dataclass(frozen=True)
class Pair:
    """Two networks, what they are called in pictures, and which further seeds there are of each.

    Attributes:
        infos, names: The first and the second.
        seeds: Networks of one training with different seeds, the side itself among them; empty where there is one.
        runs: The runs behind them, of which more seeds can be trained.
    """

    infos: tuple[cache.ModelInfo, cache.ModelInfo]
    names: tuple[str, str]
    seeds: tuple[tuple[cache.ModelInfo, ...], tuple[cache.ModelInfo, ...]]
    runs: tuple[cache.ModelInfo, ...]


def pick(desk: Desk) -> Pair | None:
    """The choice of two; `None` where there are not two, with what to do."""
    of = st.segmented_control(
        "Compare", [MODELS, EPOCHS, SEEDS], default=MODELS, required=True, key=OF, bind="query-params",
        help="Two epochs and two seeds of one network show how much of a difference is training and how much is luck.",
    )  # fmt: skip
    if of == EPOCHS:
        return _epochs(desk)
    return _seeds(desk) if of == SEEDS else _models(desk)


def _models(desk: Desk) -> Pair | None:
    if len(desk.models) < 2:
        st.info(
            "Choose one more model in the sidebar. Then you will see the difference of both, word by word. Two epochs "
            "or two seeds of one model can be compared too; choose them above."
        )
        return None
    first, second = _two(desk.names, desk.names[0], desk.names[1], ("First", "Second"))
    by_name = {info.name: info for info in desk.models}
    infos = by_name[first], by_name[second]
    names = desk.short_names[first], desk.short_names[second]
    seeds = (_seeds_of(first), _seeds_of(second))
    return Pair(infos, names if names[0] != names[1] else (names[0], f"{names[1]} again"), seeds, infos)


def _epochs(desk: Desk) -> Pair | None:
    info = _run(desk)
    found = {f"epoch {one.epoch:.4g}": one for one in cache_compare.checkpoints(info.name)}
    if len(found) < 2:
        st.info(
            f"{messages.plain(info.name)} has {'one saved epoch' if found else 'no saved epochs'}. A run keeps one "
            "after every epoch, as many as fit into its share of the disk; a model that was imported comes without. "
            "Choose another model, or train one for a few epochs on the page Models."
        )
        return None
    options = list(found)
    first, second = _two(options, options[-1], options[0], ("First", "Second"))
    infos = cache_compare.at_checkpoint(info, found[first]), cache_compare.at_checkpoint(info, found[second])
    names = (first, second if second != first else f"{second} again")
    return Pair(infos, names, ((), ()), (info,))


def _seeds(desk: Desk) -> Pair | None:
    info = _run(desk)
    found = cache_compare.seeds(info.name)
    if len(found) < 2:
        st.info(
            f"One seed of {messages.plain(info.name)} is ready. Once another is, you will see how far two networks "
            "that differ in nothing but chance lie apart."
        )
        from pages._ui import seed_runs  # the offer stands in place of the pictures

        seed_runs.draw([info])
        return None
    options = {f"seed {seed} ({one.name})": one for one, seed in found}
    mine = next(name for name, one in options.items() if one.name == info.name)
    first, second = _two(list(options), mine, next(name for name in options if name != mine), ("First", "Second"))
    names = tuple(name.partition(" (")[0] for name in (first, second))
    if names[0] == names[1]:
        names = (names[0], f"{names[1]} again")
    infos = options[first], options[second]
    every = tuple(one for one, _ in found)
    return Pair(infos, (names[0], names[1]), (every, ()), (info,))


def _run(desk: Desk) -> cache.ModelInfo:
    """Whose epochs or seeds; asked only where there is a choice."""
    if len(desk.models) == 1:
        return desk.models[0]
    _drop_foreign(RUN, desk.names)
    name = st.selectbox("Model", list(desk.names), key=RUN, bind="query-params", width=280)
    return next(info for info in desk.models if info.name == name)


def _two(options: Sequence[str], first: str, second: str, labels: tuple[str, str]) -> tuple[str, str]:
    """The choice of two of some options, in one row."""
    options = list(options)
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        picked = []
        for key, default, label in ((FIRST, first, labels[0]), (SECOND, second, labels[1])):
            _drop_foreign(key, options)
            picked.append(
                st.selectbox(label, options, index=options.index(default), key=key, bind="query-params", width=280)
            )
    return picked[0], picked[1]


def _drop_foreign(key: str, options: Sequence[str]) -> None:
    """Forget a choice that is not among the options now."""
    if st.session_state.get(key) not in (None, *options):
        del st.session_state[key]


def _seeds_of(name: str) -> tuple[cache.ModelInfo, ...]:
    found = cache_compare.seeds(name)
    return tuple(info for info, _ in found) if len(found) > 1 else ()
