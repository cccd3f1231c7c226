"""The section Price and size: what is known stands there at once, what hangs on the machine after a press."""

from __future__ import annotations

import io

import numpy as np
import pytest

from explorer_core.comparing import price as core
from pages._ui import cache, cache_compare_price, price_table, take_away, work
from pages._ui.sections.compare import price as section
from tests.core.comparing.prices import made_price, made_prices, made_record
from tests.pages.conftest import said, settled
from tests.pages.tiny import save_tiny

PAGE, VIEW = "pages/compare.py", "Price and size"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(core, "MIN_S", 0.01)


@pytest.fixture
def open_price(open_app, home, warmed, nothing_left_running):
    def opener(*families, **address):
        for family in families:
            save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, view=VIEW, models=[f"starter-{family}" for family in families], **address)
        assert not app.exception
        return app

    return opener


def bodies(app) -> str:
    return "\n".join(node.proto.body for node in app.get("html"))


def test_what_is_known_stands_there_and_nothing_is_measured_unasked(open_price):
    app = open_price("lstm", "bert")
    assert "To keep" in bodies(app)
    assert "To read with" not in bodies(app)
    assert "About" in said(app)
    assert not app.get("plotly_chart")
    assert not [one for one in app.button if one.key == section.AGAIN]


def test_after_a_press_every_network_has_its_times_and_both_pictures(open_price):
    app = open_price("lstm", "bert", price_together="16", price_tokens="8")
    app.button(key=section.MEASURE).click().run()
    app = settled(app)
    assert not app.exception
    assert not app.error
    assert len(app.get("plotly_chart")) == 2
    infos = [cache.model_info(f"starter-{family}") for family in ("lstm", "bert")]
    prices = [cache_compare_price.price(info) for info in infos]
    assert f"Over 8 tokens, {prices[0].batches[1]} texts together" in said(app)
    for one in prices:
        assert f"<b>{price_table.number(float(one.median_s[0, 1]) * 1e3)} ms</b>" in bodies(app)
    assert "This machine reports no energy." in said(app) or "Energy is that of" in said(app)
    assert len(app.get("download_button")) == 2
    # measured once: the same models in another order, and fewer of them, cost nothing
    app.sidebar.multiselect(key="models").set_value(["starter-bert"]).run()
    assert len(app.get("plotly_chart")) == 2
    assert "Over 8 tokens" in said(app)
    app.button(key=section.AGAIN).click().run()
    app = settled(app)
    assert cache_compare_price.price(infos[1]) is not prices[1]
    assert cache_compare_price.price(infos[0]) is prices[0]


def test_a_measurement_can_be_cancelled_and_another_begun(open_price, monkeypatch):
    app = open_price("rnn")
    monkeypatch.setattr(core, "MIN_S", 30.0)
    app.button(key=section.MEASURE).click().run()
    (key,) = work._desk().jobs
    assert [one for one in app.button if one.label == "Cancel"]
    work.cancel(key)
    app = settled(app)
    assert "Nothing of it was kept" in said(app)
    assert app.button(key=section.MEASURE)


def test_without_a_model_it_says_what_is_missing(open_price):
    assert "Choose 1 more model" in said(open_price())


def test_the_sentences_say_what_the_numbers_say():
    listed = made_prices("quick", "slow", "lost")
    slow = made_price("slow", "bert", median_s=listed.prices[0].median_s * 30, high_s=listed.prices[0].high_s * 30)
    records = (made_record("quick"), made_record("slow", accuracy=0.9, accuracy_low=0.88, accuracy_high=0.93), None)
    found = section.PriceList(listed.names[:2], (listed.prices[0], slow), records[:2])
    first, second = section.told(found, 0, 1)
    assert first == "Over 32 tokens, one text at a time, **quick** takes 1.03 ms, **slow** 30 times as long."
    assert second == (
        "**slow** is right most often (0.900), 10.0 points more than quick at 30 times its time: their intervals do "
        "not overlap."
    )
    other = made_record("slow", accuracy=0.82, accuracy_low=0.7, accuracy_high=0.9, trained_on="other rows")
    near = section.PriceList(found.names, found.prices, (records[0], other))
    assert "may be luck" in section.told(near, 0, 1)[1]
    assert "trained on different data" in section.told(near, 0, 1)[2]


def test_a_number_that_is_not_known_is_not_made_up_and_names_stay_text():
    table = price_table.table_of(
        ["<b>a", "b"], ["lstm", "bert"], [10, 20], [made_record(joules=7_200.0, train_s=float("nan")), None],
        [made_price(joules=np.full((2, 3), 0.25)), None],
    )  # fmt: skip
    assert "&lt;b&gt;a" in table
    assert "<b>a" not in table
    assert "2.00 Wh" in table
    assert "0.250 J" in table
    assert table.count(price_table.NONE) >= 6
    assert "nan" not in table.lower().replace("nano", "")


def test_what_is_taken_away_holds_every_quartile():
    listed = made_prices("a", "b", "c")
    with np.load(io.BytesIO(take_away.npz(listed))) as arrays:
        np.testing.assert_array_equal(arrays["high_s"], [one.high_s for one in listed.prices])
    assert take_away.csv(listed).count(b"\r\n") == 1 + 3 * 6


def test_weights_measured_under_another_name_stand_under_their_own(home):
    save_tiny(home, "one", "lstm")
    (info,) = cache.model_infos(["one"])
    cache_compare_price._measured()[info.fingerprint] = made_price(model="other")
    found = cache_compare_price.price(info)
    assert found is not None and found.model == "one"
