"""The tour: five stops on pages and sections that exist, each opened ready to look at."""

from __future__ import annotations

import pytest

from explorer_core import api
from pages._ui import cache_texts, sections, shell, state, tour
from tests.pages.conftest import said


def test_every_stop_is_a_page_with_that_section():
    pages = {entry.path: entry.title for entry in shell.PAGES}
    assert len(tour.STOPS) == 5
    for stop in tour.STOPS:
        assert pages[stop.page] == stop.title
        name = stop.page.removeprefix("pages/").removesuffix(".py")
        assert stop.view in {section.name for section in sections.describe(name)}
        assert len(stop.sentence) < 260


def test_home_offers_it_and_says_how_many_stops(open_app, ready_home):
    app = open_app()
    assert not app.exception
    offers = [one for one in app.get("bidi_component") if "A tour in 5 stops" in str(one.proto)]
    assert len(offers) == 1
    assert "Stop 1" not in said(app)


@pytest.mark.parametrize("place", range(len(tour.STOPS)))
def test_a_stop_shows_what_to_see_and_leads_on(open_app, ready_home, warmed, place):
    stop = tour.STOPS[place]
    app = open_app(stop.page, text=stop.text or "fine", view=stop.view)
    app.session_state["tour_stop"] = place
    app.run()
    assert not app.exception
    assert f"Stop {place + 1} of {len(tour.STOPS)}" in said(app)
    labels = [one.label for one in app.button]
    if place + 1 < len(tour.STOPS):
        following = tour.STOPS[place + 1]
        next(one for one in app.button if one.label == f"Next: {following.title}").click().run()
        assert app.session_state["tour_stop"] == place + 1
        if following.text:
            assert app.session_state[state.TEXT] == following.text
        else:
            table = api.read_texts(pasted=app.session_state[cache_texts.CHOICE].pasted)
            assert table.texts == tuple(text for _, text in tour.TRICKY)
            assert set(table.label_values) == {"negative", "positive"}
    else:
        assert "Done" in labels
        next(one for one in app.button if one.label == "Done").click().run()
        assert f"Stop {place + 1}" not in said(app)
