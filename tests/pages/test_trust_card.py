"""The trust card on the page Words: priced, cancelled, kept, and each verdict with what to do next."""

from __future__ import annotations

import html
import threading

import pytest

from explorer_core import api
from explorer_core.results import AttributionPrice, TrustPrice
from pages._ui import cache_words, scored, trust_card
from tests.conftest import build_tiny
from tests.pages.conftest import said, settled

TEXT = "not unbelievably bad but great"
pytestmark = pytest.mark.usefixtures("nothing_left_running")


def card_of(app) -> str:
    return next((node.proto.body for node in app.get("html") if "class='grade'" in node.proto.body), "")


def test_the_full_card_is_priced_first_and_cancelling_it_keeps_the_quick_one(open_words, monkeypatch):
    app = settled(open_words("lstm", method="gradient_norm"))
    quick = card_of(app)
    assert "The best and the worst order of words and shuffled weights take about" in said(app)
    started = threading.Event()

    def endless(*_, _progress):
        started.set()
        while True:
            _progress(0.1)

    monkeypatch.setattr(cache_words, "card", endless)
    app = next(one for one in app.button if one.label == "Measure more").click().run()
    assert started.wait(60)
    assert card_of(app) == quick
    cancel = next(one for one in app.button if one.label == "Cancel")
    app = settled(cancel.click().run())
    assert card_of(app) == quick
    assert [one for one in app.button if one.label == "Measure more"]


def test_the_full_card_takes_the_place_of_the_quick_one(open_words):
    app = settled(open_words("lstm", method="gradient_norm"))
    app = settled(next(one for one in app.button if one.label == "Measure more").click().run())
    assert "Weights matter" in card_of(app)
    assert not [one for one in app.button if one.label == "Measure more"]


def test_a_dear_card_is_asked_for_first(open_words, monkeypatch):
    dear = AttributionPrice(30.0, 700, 12.0)
    monkeypatch.setattr(cache_words, "card_price", lambda *_: TrustPrice(dear, dear))
    app = settled(open_words("lstm", method="gradient_norm"))
    assert not card_of(app)
    assert "with words taken away: about 30 s" in said(app)
    app = settled(next(one for one in app.button if one.label == "Judge the scores").click().run())
    assert card_of(app)


def test_a_card_says_each_verdict_in_words_and_what_to_do_next():
    model = build_tiny("lstm")
    card = api.assess(model, TEXT, api.attribute(model, TEXT, "gradient_norm", 1))
    shown = trust_card.as_html(card)
    for line in card.lines:
        assert f"<span>{html.escape(line.label)}</span><span class='mark'>{line.verdict} " in shown
        assert f"{html.escape(line.means)} Price: " in shown
        assert (f"read {line.n_passes:,} texts for it" in shown) == (line.n_passes > 0)
    assert trust_card.next_steps(card.lines)
    assert all(html.escape(said) in shown for said in trust_card.next_steps(card.lines))
    assert all(not line.said.startswith("<") for line in card.lines)


@pytest.mark.parametrize("method", ["integrated_gradients", "leave_one_out", "gradient_norm"])
def test_what_more_is_offered_is_what_is_measured(method):
    model = build_tiny("lstm")
    card = api.assess(model, TEXT, api.attribute(model, TEXT, method, 1), full=True)
    told, names = trust_card.more_told(scored.Wish(method)), {line.name for line in card.lines}
    assert ("other baselines" in told) == ("baselines" in names)
    assert ("infidelity" in told) == ("infidelity" in names)


def test_advice_is_known_for_every_line_that_can_be_bad():
    names = set()
    for family in ("lstm", "bert"):
        model = build_tiny(family)
        for name in ("integrated_gradients", "gradient_norm"):
            found = api.attribute(model, TEXT, name, 1)
            names |= {line.name for line in api.assess(model, TEXT, found, full=True).lines if line.verdict != "told"}
    assert names <= set(trust_card._ADVICE)
