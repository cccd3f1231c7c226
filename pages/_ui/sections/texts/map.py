"""Where the texts lie in a model's states: a map to draw around, and the texts inside."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from explorer_core.results import Judgement, TextMap
from explorer_core.text import visible
from pages._ui import cache, cache_map, edits, figures, judged_texts, messages, take_away, text_rows, way_back, work
from pages._ui.cache_texts import Desk
from pages._ui.digest import short
from pages._ui.widgets import duration

SECTION = {
    "label": "Map",
    "question": "Which texts look alike to the network?",
    "kinds": ("recurrent", "transformer"),
    "order": 40,
}
MODEL, WHAT, LAYER, DIRECTION = "map_model", "map_what", "map_layer", "map_direction"  # keys
METHOD, COLOR, ROW = "map_method", "map_color", "map_row"
KEYS = (MODEL, WHAT, LAYER, DIRECTION, METHOD, COLOR, ROW, text_rows.OPENS)
_AT_ONCE_S, _MOST_TSNE, _SHOWN = 2.0, 5_000, 200
_TSNE_S = 0.006  # of a text
_METHODS = {"pca": "Principal components", "tsne": "t-SNE"}
_SAID = "There is no bundle of it: the points are numbers of the file's texts, and the model makes them again."
_OWN = ("label", "decided for", "right or wrong", "confidence", "words")


def draw(desk: Desk) -> None:
    """The map, once there is a judgement."""
    found = judged_texts.finished(desk, "a map on which texts that look alike to the network lie together")
    if found is None:
        return
    way_back.bring_back("map", KEYS)
    key, judged = found
    info, where = pick(judged)
    way_back.keep("map", KEYS)
    drawn = find(judged, info, where)
    if drawn is not None:
        st.fragment(explore)(key, judged, judged.models.index(info.name), drawn)


def pick(judged: Judgement) -> tuple[cache.ModelInfo, tuple[str, int, int, str]]:
    """The model, which of its states, and the projection."""
    if st.session_state.get(MODEL) not in (None, *judged.models):
        del st.session_state[MODEL]
    with st.container(horizontal=True, vertical_alignment="bottom", gap="medium"):
        name = st.selectbox("Model", list(judged.models), key=MODEL, bind="query-params", width=200)
        info = cache.model_info(name)
        is_recurrent = info.kind == "recurrent"
        names = {
            "head": "What the head reads",
            "final": "State after the text" if is_recurrent else "First token, [CLS]",
            "mean": "Mean over the tokens",
        }
        what = st.selectbox(
            "State", list(names), key=WHAT, bind="query-params", width=220, format_func=names.__getitem__
        )
        n_layers, n_directions = cache_map.choices(info.name, info.fingerprint)
        layer, direction = n_layers - 1, 0
        if what != "head" and n_layers > 1:
            if st.session_state.get(LAYER) not in (None, *range(n_layers)):
                del st.session_state[LAYER]
            layer = st.selectbox(
                "Layer", range(n_layers), index=n_layers - 1, key=LAYER, width=130,
                format_func=lambda one: str(one + is_recurrent) if one or is_recurrent else "before the first",
            )  # fmt: skip
        if what != "head" and n_directions > 1:
            direction = st.selectbox(
                "Direction", (0, 1), key=DIRECTION, width=130, format_func=("forward", "backward").__getitem__
            )
        method = st.selectbox(
            "Two dimensions by", list(_METHODS), key=METHOD, bind="query-params", width=210,
            format_func=_METHODS.__getitem__,
        )  # fmt: skip
    return info, (what, int(layer), int(direction), method)


def find(judged: Judgement, info: cache.ModelInfo, where: tuple[str, int, int, str]) -> TextMap | None:
    """The map: at once where it is cheap, else asked for with its price."""
    what, layer, direction, method = where
    table = judged.table
    if len(table) < 3:
        st.info("A map needs three texts or more.")
        return None
    place = (info.name, info.fingerprint, f"{table.digest} {len(table)}", what, layer, direction, method, 30.0)
    key = f"map {place}"

    def project(progress: work.Progress) -> TextMap:
        return cache_map.text_map(*place, table, progress)

    task = work.task(key)
    if work.is_idle(key) and (task is None or task.state != "done"):
        seconds = cache_map.price(info.name, info.fingerprint, place[2], table)
        n_drawn = min(len(table), _MOST_TSNE)
        seconds += _TSNE_S * n_drawn if method == "tsne" else 0.0
        if seconds > _AT_ONCE_S or task is not None:
            sample = f" t-SNE then places {n_drawn:,} of them, drawn at random." if method == "tsne" else ""
            st.markdown(
                f"{messages.plain(info.name)} reads {len(table):,} texts: about **{duration(seconds)}** on this "
                f"machine.{sample}"
            )
            if not st.button("Draw the map", key=f"map_ask_{short(key)}", type="primary"):
                if task is not None:
                    work.draw(key)
                return None
        with messages.guard():
            work.start(key, "Placing the texts", project)
    found: TextMap | None = work.draw(key, patience_s=1.5)
    return found


def explore(key: str, judged: Judgement, model: int, drawn: TextMap) -> None:
    """The map in a colour of choice, and the texts inside a line drawn on it."""
    way_back.follow()
    with messages.guard():
        names = colour_names(judged)
        if st.session_state.get(COLOR) not in (None, *names):
            del st.session_state[COLOR]
        color = st.selectbox(
            "Colour by", names, index=names.index("right or wrong") if judged.has_labels else 0, key=COLOR,
            bind="query-params", width=220,
        )  # fmt: skip
        said = draw_map(judged, model, drawn, color)
        chosen = chosen_of(said, len(judged))
        way_back.keep("map", KEYS)
        if len(chosen):
            draw_chosen(judged, model, chosen)
        else:
            st.caption("Draw around some points to see their texts here, or choose a box in the menu of the chart.")
        take_away.offer_alone("map", "map", drawn, _SAID)


def draw_map(judged: Judgement, model: int, drawn: TextMap, color: str) -> Any:
    """The chart, with what it says and how to read it; returns what is chosen in it."""
    from explorer_core import palette
    from explorer_core.views import text_map

    values = values_of(judged, model, color)
    at = values[drawn.indices] if isinstance(values, np.ndarray) else [values[place] for place in drawn.indices]
    colors = dict(zip(judged.labels, palette.class_colors(judged.labels), strict=True))
    colors |= {"right": palette.BLUE, "wrong": palette.VERMILLION}
    figure = text_map.render(drawn, at, color, colors=colors)
    said = st.plotly_chart(
        figure, key=f"map_chart_{short(f'{drawn.indices[:50]} {drawn.xy[:50]} {color}')}", config=text_map.CONFIG,
        on_select="rerun", selection_mode=("lasso", "box", "points"), alt=text_map.alt_text(drawn, at, color),
    )  # fmt: skip
    if drawn.explained is not None:
        st.caption(
            f"{len(drawn.xy):,} texts; these two directions hold {float(drawn.explained.sum()):.1%} of the variance of "
            f"{drawn.n_units} units. Another colour takes the choice back."
        )
    else:
        st.caption(
            f"{len(drawn.xy):,} of {drawn.n_given:,} texts, perplexity {drawn.perplexity:.3g}, seed {drawn.seed}. "
            "Another colour takes the choice back."
        )
    figures.how_to_read("text_map")
    return said


def colour_names(judged: Judgement) -> list[str]:
    """What points can be coloured by."""
    own = [name for name in _OWN if judged.has_labels or name not in ("label", "right or wrong")]
    return [*own, *(name for name in judged.table.columns if name not in own)]


def values_of(judged: Judgement, model: int, color: str) -> np.ndarray | list[str]:
    """A number or a name for each text of the judgement."""
    names = [*judged.labels, "no label"]
    if color == "label":
        return [names[true] for true in judged.true]
    if color == "decided for":
        return [names[one] for one in judged.predicted[model]]
    if color == "right or wrong":
        right = judged.is_right[model]
        return [
            "no label" if true < 0 else "right" if is_right else "wrong"
            for true, is_right in zip(judged.true, right, strict=True)
        ]
    if color == "confidence":
        found: np.ndarray = judged.confidence[model]
        return found
    if color == "words":
        return judged.table.n_words
    column = judged.table.columns[color]
    return column if isinstance(column, np.ndarray) and column.dtype.kind in "fiu" else [str(cell) for cell in column]


def chosen_of(said: Any, n_texts: int) -> np.ndarray:
    """Places of the texts inside the line, in the order of the file; what the browser says is checked."""
    found = set()
    for point in (said or {}).get("selection", {}).get("points", ()):
        place = point.get("customdata")
        place = place[0] if isinstance(place, list) and place else place
        if isinstance(place, int | float) and 0 <= place < n_texts:
            found.add(int(place))
    return np.array(sorted(found), dtype=np.int64)


def draw_chosen(judged: Judgement, model: int, chosen: np.ndarray) -> None:
    """How the network fares on the texts inside, the texts, and ways to open one."""
    true = judged.true[chosen]
    parts = [f"**{len(chosen):,} texts** inside"]
    if (true >= 0).any():
        inside = float(judged.is_right[model, chosen][true >= 0].mean())
        labelled = judged.true >= 0
        over_all = float(judged.is_right[model, labelled].mean())
        parts.append(f"{inside:.1%} of those with a label judged rightly; of all texts {over_all:.1%}")
    counts = np.bincount(judged.predicted[model, chosen], minlength=len(judged.labels))
    decided = ", ".join(
        f"{messages.quoted(judged.labels[place], 30)} {counts[place]:,}" for place in np.argsort(-counts)[:4]
    )
    st.markdown("; ".join([*parts, f"decided for {decided}"]) + ".")
    shown = chosen[:_SHOWN]
    if len(chosen) > _SHOWN:
        st.caption(f"The first {_SHOWN} are listed.")
    names = np.array([*judged.labels, ""], dtype=object)
    frame = pd.DataFrame({"text": [visible(judged.table.texts[place][:240]) for place in shown]})
    if judged.has_labels:
        frame["label"] = [visible(str(one)) for one in names[judged.true[shown]]]
    frame["decided for"] = [visible(str(one)) for one in names[judged.predicted[model, shown]]]
    frame["confidence"] = judged.confidence[model, shown]
    frame["row"] = judged.table.row_numbers[shown]
    texts = [judged.table.texts[place] for place in shown]
    picked = text_rows.draw(
        text_rows.Place("map", ROW, judged.models[model]), short(repr(chosen[:50].tolist()) + str(len(chosen))), frame,
        shown.tolist(), texts, height=320,
        column_config={"text": st.column_config.TextColumn(width=480),
                       "confidence": st.column_config.NumberColumn(format="%.3f", width=90),
                       "row": st.column_config.NumberColumn("Row", width=65, help="As counted in the file.")},
        alt="The texts inside the line.",
    )  # fmt: skip
    if picked is not None:
        with st.container(border=True):
            st.html(edits.whole(texts[picked]))
            way_back.buttons("map", texts[picked], "map_open", judged.models[model])
