"""From Home to Compare, the story told by clicking only, and the tour that is offered once."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlparse

from playwright.sync_api import expect

from pages._ui import chapters, tour

TEXT = "the film was not good but the acting was great"
SLOW_MS = 60_000


def test_all_networks_read_one_text_and_a_chosen_word_is_chosen_in_every_strip(new_tab):
    tab = new_tab(color_scheme="dark")
    names = ["starter-rnn", "starter-lstm", "starter-bilstm", "starter-bert"]
    tab.open("/?" + urlencode([("models", name) for name in names] + [("text", TEXT)]))
    link = tab.page.get_by_role("link", name="Put these networks side by side")
    expect(link).to_be_visible(timeout=SLOW_MS)
    link.click()
    strips = tab.page.locator(".strip")
    expect(strips).to_have_count(len(names), timeout=SLOW_MS)
    expect(strips.last.locator(".place").first).to_be_visible(timeout=SLOW_MS)
    strips.first.locator(".place").nth(3).click()
    for strip in range(len(names)):
        expect(strips.nth(strip).locator("button[aria-pressed=true]").first).to_contain_text("not")
    with tab.run():
        tab.page.get_by_test_id("stMain").get_by_role("radio", name="Reach of the gradient", exact=True).click()
    expect(tab.page.get_by_text("Reach of the gradient").first).to_be_visible()
    expect(tab.page.locator(".st-key-compare_below_chart .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
    with tab.run():
        tab.page.get_by_test_id("stMain").get_by_role("radio", name="Story", exact=True).click()
    for chapter in list(chapters.CHAPTERS.values())[1:]:
        expect(tab.page.get_by_role("button", name=f"Next: {chapter.label}")).to_be_visible(timeout=SLOW_MS)
        with tab.run():
            tab.page.get_by_role("button", name=f"Next: {chapter.label}").click()
        expect(tab.page.get_by_text(f"“{chapter.text}”").first).to_be_visible(timeout=SLOW_MS)
    again = new_tab()
    address = urlparse(tab.page.url)
    assert parse_qs(address.query)["view"] == ["Story"]
    again.open(f"{address.path}?{address.query}")
    expect(again.page.get_by_text(f"“{chapter.text}”").first).to_be_visible(timeout=SLOW_MS)
    assert tab.page.get_by_test_id("stException").count() == 0


def test_the_tour_leads_through_its_stops_and_is_offered_large_only_once(new_tab):
    tab = new_tab()
    tab.open("/?" + urlencode({"models": "starter-lstm"}))
    tab.page.get_by_role("button", name="Start the tour").click()
    for place, stop in enumerate(tour.STOPS, start=1):
        expect(tab.page.get_by_text(f"Stop {place} of {len(tour.STOPS)}: {stop.title}.")).to_be_visible(timeout=SLOW_MS)
        expect(tab.page.get_by_role("heading", name=stop.title, exact=True, level=1)).to_be_visible()
        if place < len(tour.STOPS):
            tab.page.get_by_role("button", name=f"Next: {tour.STOPS[place].title}").click()
    tab.page.get_by_role("button", name="Done").click()
    tab.open("/")
    expect(tab.page.get_by_role("button", name="Take the tour")).to_be_visible(timeout=SLOW_MS)
    assert tab.page.get_by_role("button", name="Start the tour").count() == 0
