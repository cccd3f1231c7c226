"""What a person does from the first look to a model of their own, in a real browser."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser.conftest import Server, Tab
from tests.pages.tiny import fill_home

SLOW_MS = 60_000  # torch is imported with the first verdict
HOSTILE = (
    "<script>window.hit=1</script> <img src=x onerror=window.hit=1> ![a](http://192.0.2.1/a.png) "
    "<style>*{display:none}</style> [b](javascript:window.hit=1) good \u202enomel film"
)


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[Server]:
    """A server that a test may stop, over a store that it may change."""
    server = Server(fill_home(tmp_path / "own" / "home", ["starter-lstm", "starter-gru"]))
    try:
        server.start()
        yield server
    finally:
        server.stop()


def expect(thing):
    from playwright.sync_api import expect as playwright_expect

    return playwright_expect(thing)


def chart(tab: Tab, n_words: int):
    """The running verdict over a text of so many words."""
    return tab.page.get_by_role("figure", name=re.compile(f"after each of {n_words} words"))


def read(tab: Tab, text: str) -> None:
    box = tab.page.get_by_role("textbox", name="Text", exact=True)
    box.fill(text)
    with tab.run():
        box.press("Control+Enter")


def go_to(tab: Tab, title: str) -> None:
    with tab.run():
        tab.page.get_by_test_id("stSidebarNavLink").filter(has_text=title).click()


def chosen_models(tab: Tab) -> list[str]:
    shown = tab.page.get_by_test_id("stSidebar").get_by_test_id("stMultiSelectTagsContainer").inner_text()
    return [line.strip() for line in shown.split("\n") if line.strip()]


def test_a_sentence_typed_on_home_shows_the_verdict_of_every_model_word_by_word(tab):
    tab.open()
    expect(chart(tab, 16)).to_be_visible(timeout=SLOW_MS)
    read(tab, "the film was not good")
    expect(chart(tab, 5)).to_be_visible(timeout=SLOW_MS)
    for family in ("LSTM", "RNN", "GRU", "BiLSTM", "BERT"):
        expect(chart(tab, 5).get_by_text(family, exact=True)).to_be_visible()


def test_states_shows_the_gates_of_the_sentence(tab):
    tab.open("/?models=starter-lstm&text=the+film+was+good")
    expect(chart(tab, 4)).to_be_visible(timeout=SLOW_MS)
    go_to(tab, "States")
    expect(tab.page.get_by_text("Forget gate", exact=False).first).to_be_visible(timeout=SLOW_MS)
    expect(tab.page.locator("canvas").first).to_be_visible()
    assert "text=the+film+was+good" in tab.page.url


@pytest.mark.long
def test_a_restart_is_outlived_by_a_link_as_the_very_first_request_and_by_an_open_tab(new_tab, own_server):
    wanted = {"models": "starter-gru", "text": "not bad at all", "target": "negative"}
    first = new_tab(on=own_server)
    first.open("/states?" + urlencode(wanted))
    for visit in (first, None):
        if visit is None:
            address = first.page.url
            first.page.context.close()
            own_server.stop()
            own_server.start()
            visit = new_tab(on=own_server)
            visit.open(address.removeprefix(own_server.url))
        expect(visit.page.get_by_role("heading", name="States")).to_be_visible()
        expect(visit.page.get_by_test_id("stSidebar")).to_be_visible()
        expect(visit.page.get_by_role("textbox", name="Text", exact=True)).to_have_value("not bad at all")
        expect(visit.page.get_by_role("combobox", name="Target class")).to_have_value("negative")
        assert chosen_models(visit) == ["starter-gru"]
        expect(visit.page.get_by_text("probability of negative").first).to_be_visible(timeout=SLOW_MS)
    own_server.stop()
    own_server.start()
    visit.until(lambda: visit.connected == 2, "a new connection of the tab that stayed open")
    read(visit, "not bad")
    expect(visit.page.get_by_role("textbox", name="Text", exact=True)).to_have_value("not bad")
    expect(visit.page.locator(".strip .place")).to_have_count(2, timeout=SLOW_MS)
    assert chosen_models(visit) == ["starter-gru"]


@pytest.mark.long
@pytest.mark.slow
def test_a_model_trains_from_an_uploaded_file_with_a_cancel_and_a_resume_in_between(new_tab, own_server, tmp_path):
    tab = new_tab(on=own_server, viewport={"width": 1280, "height": 2400})
    page = tab.page
    tab.open("/models")
    with tab.run():
        page.get_by_role("radio", name="A file of yours").click()
    with tab.run():
        page.locator('input[type="file"]').first.set_input_files(write_csv(tmp_path / "opinions.csv"))
    expect(page.get_by_text("600 of 600 rows can be used.")).to_be_visible(timeout=SLOW_MS)
    page.get_by_text("More settings").click()
    choose(tab, "Vocabulary", "words")
    for label, value in (("Units", "8"), ("Epochs", "30")):
        with tab.run():
            page.get_by_role("spinbutton", name=label, exact=True).fill(value)
            page.get_by_role("spinbutton", name=label, exact=True).press("Enter")
    with tab.run():
        page.get_by_role("textbox", name="Name", exact=True).fill("opinions")
        page.get_by_role("textbox", name="Name", exact=True).press("Enter")
    with tab.run():
        page.get_by_role("button", name="Train", exact=True).click()
    expect(page.get_by_text(re.compile(r"training, step [\d,]+ of"))).to_be_visible(timeout=SLOW_MS)
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Resume")).to_be_visible(timeout=SLOW_MS)
    page.reload()
    shown = page.get_by_role("combobox", name="Look at")
    expect(shown).to_have_value("opinions", timeout=SLOW_MS)  # a refresh loses nothing
    page.get_by_role("button", name="Resume").click()
    expect(page.get_by_text(re.compile("parameters; accuracy"))).to_be_visible(timeout=2 * SLOW_MS)
    expect(page.get_by_role("figure", name=re.compile("After step"))).to_be_visible()
    address = own_server.url + "/?models=opinions&text=the+food+was+awful"
    with tab.run():
        page.goto(address)
    expect(chart(tab, 4)).to_be_visible(timeout=SLOW_MS)


def test_hostile_text_is_shown_and_neither_runs_nor_loads_anything(tab):
    tab.open("/?" + urlencode({"models": "starter-lstm", "text": HOSTILE}))
    expect(tab.page.get_by_role("figure").first).to_be_visible(timeout=SLOW_MS)
    for page in ("Home", "States", "Models"):
        go_to(tab, page)
        assert tab.page.evaluate("window.hit") is None
        assert tab.page.locator('img[src="x"], img[src*="192.0.2.1"], a[href^="javascript"]').count() == 0
        expect(tab.page.get_by_role("heading", level=1)).to_be_visible()  # no style of the text hides the page
    go_to(tab, "Home")
    expect(tab.page.get_by_role("figure").first).to_be_visible(timeout=SLOW_MS)
    drawn = tab.page.evaluate("[...document.querySelectorAll('svg text')].map(item => item.textContent).join(' ')")
    assert "script" in drawn
    assert "\u202e" not in drawn


def test_hostile_names_in_the_address_are_shown_as_they_stand(tab):
    tab.open("/?" + urlencode({"models": ["<img src=x onerror=window.hit=1>", "../../etc/passwd"]}, doseq=True))
    expect(tab.page.get_by_text("<img src=x onerror=window.hit=1>")).to_be_visible()
    expect(tab.page.get_by_text("../../etc/passwd")).to_be_visible()
    assert tab.page.evaluate("window.hit") is None
    assert tab.page.locator('img[src="x"]').count() == 0


def test_an_unknown_model_in_the_address_is_said_and_the_page_goes_on(tab):
    tab.open("/?models=no-such-model")
    expect(tab.page.get_by_text(re.compile("a model that is not here: no-such-model"))).to_be_visible()
    expect(chart(tab, 16)).to_be_visible(timeout=SLOW_MS)


def test_two_sessions_do_not_disturb_each_other(new_tab):
    one, two = new_tab(), new_tab()
    one.open("/?models=starter-lstm&text=the+film+was+good")
    two.open("/?models=starter-rnn&text=bad")
    expect(chart(one, 4)).to_be_visible(timeout=SLOW_MS)
    expect(chart(two, 1)).to_be_visible(timeout=SLOW_MS)
    read(two, "the room was not good at all")
    expect(chart(two, 7)).to_be_visible(timeout=SLOW_MS)
    go_to(one, "Models")
    go_to(one, "Home")
    expect(chart(one, 4)).to_be_visible(timeout=SLOW_MS)
    assert chosen_models(one) == ["starter-lstm"]
    assert chosen_models(two) == ["starter-rnn"]


def test_a_long_text_survives_a_refresh(tab):
    text = "the film was good and the food was bad " * 1_000  # 40,000 characters
    tab.open("/?models=starter-rnn")
    expect(chart(tab, 16)).to_be_visible(timeout=SLOW_MS)
    read(tab, text.strip())
    expect(tab.page.get_by_role("figure").first).to_be_visible(timeout=SLOW_MS)
    with tab.run():
        tab.page.reload()
    expect(tab.page.get_by_role("textbox", name="Text", exact=True)).to_have_value(text.strip())


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_no_page_is_wider_than_the_window(new_tab, scheme, width):
    tab = new_tab(viewport={"width": width, "height": 900}, color_scheme=scheme)
    for path in ("/", "/models", "/states"):
        tab.open(path + "?models=starter-lstm")
        overflow = tab.page.evaluate(
            "(() => { const main = document.querySelector('[data-testid=stMain]');"
            " return main.scrollWidth - main.clientWidth })()"
        )
        assert overflow <= 1, path


def choose(tab: Tab, label: str, option: str) -> None:
    box = tab.page.get_by_role("combobox", name=label, exact=True)
    box.click()
    with tab.run():
        tab.page.get_by_role("option", name=option, exact=True).click()


def write_csv(path: Path, n_rows: int = 600) -> str:
    """Rows that differ, with a label that can be learned."""
    draw = random.Random(0)
    things = ("film", "room", "food", "plot", "service", "acting", "story", "coat", "course", "tour")
    words = {"yes": ("good", "great", "wonderful", "lovely"), "no": ("bad", "awful", "boring", "terrible")}
    lines = ["opinion,liked"]
    while len(lines) <= n_rows:
        label = draw.choice(("yes", "no"))
        line = f"number {len(lines)}: the {draw.choice(things)} was {draw.choice(words[label])},{label}"
        lines.append(line)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(path)
