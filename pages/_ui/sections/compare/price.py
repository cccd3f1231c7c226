"""Price and size: what each network takes to keep, to train and to read with, and what it gives for it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import numpy as np
import streamlit as st

from explorer_core.numerals import number
from explorer_core.results import ModelPrice, PriceList
from pages._ui import cache, cache_compare_price, compared, figures, messages, price_table, take_away, work
from pages._ui.compared import Desk
from pages._ui.widgets import duration

SECTION = {
    "label": "Price and size",
    "question": "What does each network cost, and what does it give for it?",
    "kinds": ("recurrent", "transformer"),
    "order": 80,
    "alone": True,
}
MEASURE, AGAIN = "price_measure", "price_again"  # keys of the buttons
TOGETHER, TOKENS = "price_together", "price_tokens"  # keys, and names in the address
LATENCY, ACCURACY = "price_latency_chart", "price_accuracy_chart"
BUSY = 0.5  # of the median, between the quartiles
_TAKEN = (
    "No bundle: a time is never the same twice. The arrays hold every quartile, the table a row for each model, batch "
    "and length; `api.measure_price` measures again."
)


def draw(desk: Desk) -> None:
    """What is known without measuring, the offer to measure, and what came of it."""
    if not compared.needs(desk, 1, "what they take to keep, to train and to read with."):
        return
    missing = [info for info in desk.models if cache_compare_price.price(info) is None]
    key = f"price {sorted(info.fingerprint for info in desk.models)!r}"
    work.draw(key)
    if work.is_idle(key):
        _offer(desk, missing, key)
    records = [cache_compare_price.record(info.name, info.fingerprint) for info in desk.models]
    prices = [cache_compare_price.price(info) for info in desk.models]
    names = list(desk.short_names.values())
    if not missing:
        _draw_measured(desk, names, [price for price in prices if price is not None])
    st.markdown("#### Every number")
    n_params = [_count(info) for info in desk.models]
    st.html(price_table.table_of(names, [info.architecture for info in desk.models], n_params, records, prices))
    _explain(prices)


def _offer(desk: Desk, missing: Sequence[cache.ModelInfo], key: str) -> None:
    """The price of measuring and the button that begins it; after that, one to measure anew."""
    wanted = tuple(missing) or desk.models
    about_s = cache_compare_price.measuring_s(
        tuple(info.name for info in wanted), tuple(info.fingerprint for info in wanted)
    )
    if missing:
        st.markdown(
            "How long a network takes to read hangs on the machine, so it is measured on this one: 8, 32 and 128 "
            f"tokens, one text at a time and 16 together. About {duration(about_s)} for "
            f"{len(wanted)} model{'s' * (len(wanted) > 1)} on an idle machine."
        )
    with st.container(horizontal=True, vertical_alignment="center"):
        if missing and st.button("Measure now", key=MEASURE, type="primary"):
            _start(key, wanted)
        if not missing and st.button("Measure again", key=AGAIN, help=f"About {duration(about_s)}."):
            _start(key, wanted)


def _start(key: str, wanted: Sequence[cache.ModelInfo]) -> None:
    with messages.guard():
        work.start(key, "Measuring", lambda progress: cache_compare_price.measure(wanted, progress))
        st.rerun()


def _draw_measured(desk: Desk, names: list[str], prices: Sequence[ModelPrice]) -> None:
    from explorer_core.views import price_accuracy, price_latency

    shared = [length for length in prices[0].lengths.tolist() if all(length in one.lengths for one in prices)]
    records = tuple(cache_compare_price.record(info.name, info.fingerprint) for info in desk.models)
    listed = PriceList(tuple(names), tuple(_only(price, shared) for price in prices), records)
    with st.container(horizontal=True, gap="large"):
        batches = {f"{count}": place for place, count in enumerate(listed.batches.tolist())}
        together = st.segmented_control(
            "Texts together", list(batches), default=next(iter(batches)), required=True, key=TOGETHER,
            bind="query-params", format_func=lambda name: "one" if name == "1" else name,
        )  # fmt: skip
        lengths = {f"{length}": place for place, length in enumerate(shared)}
        default = "32" if "32" in lengths else next(iter(lengths))
        tokens = st.segmented_control(
            "Tokens of a text", list(lengths), default=default, required=True, key=TOKENS, bind="query-params",
        )  # fmt: skip
    batch, length = batches.get(together or "", 0), lengths.get(tokens or "", 0)
    for sentence in told(listed, batch, length):
        st.markdown(sentence)
    left, right = st.columns(2, gap="medium")
    with left:
        st.markdown("#### Accuracy for its time")
        said = {"batch": batch, "length": length}
        figures.chart(price_accuracy.render(listed, **said), ACCURACY, price_accuracy.alt_text(listed, **said))
        figures.how_to_read("price_accuracy")
    with right:
        st.markdown("#### Time by length")
        figures.chart(price_latency.render(listed, batch=batch), LATENCY, price_latency.alt_text(listed, batch=batch))
        figures.how_to_read("price_latency")
    take_away.offer_alone("price", "price-and-size", listed, _TAKEN)


def told(listed: PriceList, batch: int, length: int) -> list[str]:
    """What the numbers say, as Markdown: who is fastest, what the slowest takes, and whether it is surely better."""
    from explorer_core.views import _price as labels

    times = np.array([price.median_s[batch, length] for price in listed.prices])
    names = [messages.plain(name) for name in listed.names]
    fast, slow = int(times.argmin()), int(times.argmax())
    together = labels.texts_together(listed, batch)
    tokens = int(listed.lengths[length])
    said = f"Over {tokens:,} tokens, {together}, **{names[fast]}** takes {number(times[fast] * 1e3)} ms"
    if fast == slow:
        return [f"{said}."]
    said += f", **{names[slow]}** {number(times[slow] / times[fast], digits=2)} times as long."
    found = [said]
    judged = [place for place, record in enumerate(listed.records) if record is not None and record.has_accuracy]
    if len(judged) > 1:
        found.append(_worth(listed, judged, times, names))
    if len({record.trained_on for record in listed.records if record is not None}) > 1:
        found.append("They were trained on different data, so their accuracies are of different rows.")
    return found


def _worth(listed: PriceList, judged: Sequence[int], times: np.ndarray, names: Sequence[str]) -> str:
    """Whether the most accurate network is surely better than the next one, and what it takes more."""
    ordered = sorted(judged, key=lambda place: listed.records[place].accuracy, reverse=True)  # type: ignore[union-attr]
    best, second = ordered[:2]
    one, other = listed.records[best], listed.records[second]
    assert one is not None and other is not None
    apart = one.accuracy_low > other.accuracy_high
    sure = "their intervals do not overlap" if apart else "their intervals overlap, so that may be luck"
    return (
        f"**{names[best]}** is right most often ({one.accuracy:.3f}), {100 * (one.accuracy - other.accuracy):.1f} "
        f"points more than {names[second]} at {number(times[best] / times[second], digits=2)} times its time: {sure}."
    )


def _explain(prices: Sequence[ModelPrice | None]) -> None:
    """Where it was measured, whether the machine was busy, and where energy comes from."""
    there = [price for price in prices if price is not None]
    if not there:
        st.caption(
            "Energy is kept by runs trained where the machine reports it (RAPL of the processor, NVML of a card)."
        )
        return
    first = there[0]
    energy = (
        f"Energy is that of the {first.energy_from}, whatever else it did included."
        if first.energy_from
        else "This machine reports no energy."
    )
    where = f"Measured on {first.device} with {first.n_threads} thread{'s' * (first.n_threads > 1)}."
    st.caption(f"{where} The tokenizer is not in the times. {energy}")
    spread = max(float(((one.high_s - one.low_s) / one.median_s).max()) for one in there)
    if spread > BUSY:
        st.caption(
            f"The machine was busy while this was measured: in one cell the quartiles lie {spread:.0%} of the median "
            "apart. Measure again when it is idle."
        )


def _only(price: ModelPrice, lengths: Sequence[int]) -> ModelPrice:
    """A price over some of its lengths: a network that reads fewer tokens has fewer."""
    kept = np.isin(price.lengths, lengths)
    cells = ("median_s", "low_s", "high_s", "n_runs", "peak_mib", "joules")
    return dataclasses.replace(
        price, lengths=price.lengths[kept], **{name: getattr(price, name)[:, kept] for name in cells}
    )


def _count(info: cache.ModelInfo) -> int:
    return next((card.n_params for card in cache.ready_cards() if card.name == info.name), 0)
