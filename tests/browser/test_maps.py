"""The maps of States in a browser: exact numbers where a person points, and a zoom that all maps share."""

from __future__ import annotations

import re
from urllib.parse import urlencode

import pytest
from playwright.sync_api import expect

from explorer_core import api
from explorer_core.numerals import number

TEXT = "the film was not good but the acting was great"
SLOW_MS = 60_000


@pytest.fixture
def opened(new_tab):
    def opener(text: str = TEXT, model: str = "starter-lstm", **address):
        tab = new_tab()
        tab.open("/states?" + urlencode({"models": model, "text": text, "view": "gates", **address}))
        expect(tab.page.locator(".maps canvas.over").first).to_be_visible(timeout=SLOW_MS)
        expect(tab.page.locator(".st-key-states_unit .js-plotly-plot")).to_be_visible(timeout=SLOW_MS)
        return tab

    return opener


def map_at(tab, index: int):
    canvas = tab.page.locator(".maps canvas.over").nth(index)
    canvas.scroll_into_view_if_needed()
    return canvas, canvas.bounding_box()


def drag(tab, index: int, start: tuple[int, int], end: tuple[int, int]) -> None:
    canvas, _ = map_at(tab, index)
    canvas.hover(position={"x": start[0], "y": start[1]})  # waits until the page has come to rest
    tab.page.mouse.down()
    canvas.hover(position={"x": (start[0] + end[0]) / 2, "y": (start[1] + end[1]) / 2})
    canvas.hover(position={"x": end[0], "y": end[1]})
    tab.page.mouse.up()


def test_a_tooltip_shows_the_float32_of_the_trace(opened, store):
    tab = opened(order="memory")
    trace = api.trace_states(api.load_model(str(store / "starter-lstm")), TEXT)
    tab.until(lambda: tab.page.evaluate("Object.keys(window.unrolledExact ?? {}).length") == 1, "the numbers")
    for index, (name, values) in enumerate(trace.quantities().items()):
        canvas, _ = map_at(tab, index)
        canvas.hover(position={"x": 100, "y": 60})
        said = tab.page.locator(".maps .tip").inner_text()
        word, unit = (int(found) for found in re.search(r"word (\d+), unit (\d+)", said).groups())
        exact = values[1, 0, trace.pos_of_words()[word - 1], unit]
        signed = name in ("hidden", "cell", "candidate")
        assert f"{name} {number(exact, signed=signed, digits=6)}" in said
        assert number(exact, signed=signed) == tab.page.locator(".maps .value").nth(index).inner_text()
        half_life = api.order_units(trace, "memory", layer=1).value[unit]
        assert f"{number(half_life)} tokens" in said


def test_a_drag_zooms_every_map_and_escape_double_click_and_button_go_back(opened):
    tab = opened()
    bar, tip = tab.page.locator(".maps .bar"), tab.page.locator(".maps .tip")
    ways_back = (
        lambda: tab.page.keyboard.press("Escape"),
        lambda: map_at(tab, 0)[0].dblclick(position={"x": 90, "y": 40}),
        lambda: tab.page.get_by_role("button", name="Show all").click(),
    )
    for go_back in ways_back:
        before = tab.page.evaluate("window.unrolledChosen?.states ?? null")
        if before is not None:  # a double click has chosen a unit, and Python has heard of it
            expect(tab.page.get_by_role("spinbutton", name="Unit")).to_have_value(str(before["unit"]))
        drag(tab, 1, (100, 30), (180, 120))
        expect(bar).to_contain_text(re.compile(r"words \d+ to \d+ of 10, \d+ of 16 units"))
        assert tab.page.evaluate("window.unrolledChosen?.states ?? null") == before  # a drag chooses nothing
        map_at(tab, 0)[0].hover(position={"x": 60, "y": 10})
        first = re.search(r"words (\d+) to", bar.inner_text())[1]
        assert int(first) > 1
        expect(tip).to_contain_text(f"word {first},")
        go_back()
        expect(bar).to_contain_text("Drag across a map")


def test_the_keyboard_zooms_around_the_cross_hair_and_another_layer_keeps_it(opened):
    tab = opened()
    bar = tab.page.locator(".maps .bar")
    canvas, _ = map_at(tab, 0)
    canvas.focus()
    tab.page.keyboard.press("+")
    expect(bar).to_contain_text("of 10, 8 of 16 units")
    zoomed = bar.get_by_role("status").inner_text()
    with tab.run():
        tab.page.get_by_role("combobox", name="Layer").click()
        tab.page.get_by_role("option", name="1", exact=True).click()
    expect(bar.get_by_role("status")).to_have_text(zoomed)
    map_at(tab, 0)[0].focus()
    tab.page.keyboard.press("-")
    expect(bar).to_contain_text("Drag across a map")


def test_a_dot_of_the_saturation_chooses_its_unit(new_tab):
    tab = new_tab()
    tab.open("/states?" + urlencode({"models": "starter-lstm", "text": TEXT, "view": "saturation"}))
    point = tab.page.locator(".st-key-states_saturation .js-plotly-plot .scatterlayer .point").first
    point.scroll_into_view_if_needed()
    unit = tab.page.evaluate(
        "() => document.querySelector('.st-key-states_saturation .js-plotly-plot').data[0].customdata[0]"
    )
    with tab.run():
        point.click(force=True)
    expect(tab.page.get_by_role("spinbutton", name="Unit")).to_have_value(str(unit[2]))
