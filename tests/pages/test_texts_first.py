"""The list of texts to read first: it shows what the desk says, and a row opens on other pages and comes back."""

from __future__ import annotations

import numpy as np
import pytest
import streamlit as st

from explorer_core import api
from pages._ui import cache_texts, sections, state, text_rows, way_back, work
from pages._ui.sections.texts import first
from tests.pages.conftest import press, said, settled
from tests.pages.tiny import fill_home, save_tiny

pytestmark = pytest.mark.usefixtures("nothing_left_running")
PAGE = "pages/texts.py"
HOSTILE = "<img src=x onerror=alert(1)> & [a](javascript:alert(1))"
CSV = "review,stars,city\n" + "".join(
    f"the film was {('good', 'bad')[row % 2]} and number {row}{' again' * (row % 5)},"
    f"{(5, 1)[row % 2]},{('Oslo', 'Rome')[row % 3 == 0]}\n"
    for row in range(230)
)


@pytest.fixture
def open_list(open_texts):
    """The list over a file that has been judged."""

    def opener(content=CSV, models=("starter-lstm", "starter-gru"), **shown):
        return show(press(open_texts(content, models=models, view="judge"), "texts_judge"), **shown)

    return opener


def show(app, **shown):
    """Go to the list with some values of its widgets."""
    for key, value in ({sections.VIEW: "first"} | shown).items():
        app.session_state[key] = value
    app.run()
    assert not app.exception
    return app


def judged():
    return next(iter(cache_texts.boards().values()))


def table(app):
    return next(one for one in app.dataframe if "text" in one.value).value


def select(app, key):
    return next(box for box in app.selectbox if box.key == key)


def test_the_list_says_what_it_needs_before_texts_are_judged(open_app, home, warmed):
    fill_home(home, ("starter-lstm",))
    app = open_app(PAGE, view="first")
    assert "Give a file" in said(app)
    assert "likely label errors" in said(app)


@pytest.mark.parametrize(
    "reason",
    ["confident_mistakes", "closest_calls", "disagreement", "unknown_words", "label_errors", "near_duplicates"],
)
def test_rows_are_those_of_the_desk_a_hundred_at_a_time(open_list, reason):
    app = open_list(first_reason=reason)
    settled(app)
    order = api.order_texts(judged(), reason)
    definition = next(about for about in api.list_reasons() if about.name == reason).sentence
    assert definition in said(app)
    if not len(order):
        assert "on this list" in said(app)
        return
    shown = table(app)
    assert len(shown) == min(len(order), 100)
    np.testing.assert_allclose(shown[order.value_name], order.values[:100])
    assert shown["row"].tolist() == judged().table.row_numbers[order.rows[:100]].tolist()


def test_a_slice_changes_the_list_and_shows_accuracy_beside_that_of_all(open_list):
    app = open_list(first_reason="closest_calls")
    select(app, "slice_column").select("city").run()
    select(app, "slice_value").select("Rome").run()
    assert not app.exception
    found = api.select_texts(judged(), api.SliceSpec(column="city", value="Rome"))
    assert f"{len(found):,} of 230 texts" in said(app)
    shown = " ".join(node.proto.body for node in app.get("html"))
    assert f"{found.accuracy[0]:.3f}" in shown
    assert f"{found.all_accuracy[1]:.3f}" in shown
    next(box for box in app.text_input if box.key == "slice_words").input("number, zebra").run()
    assert "No text is like that" in said(app)


def test_a_slice_by_a_column_of_many_numbers_is_a_range_of_them(open_list):
    lines = CSV.rstrip("\n").split("\n")
    rows = [f"{line},{'price' if not row else row * 0.25}" for row, line in enumerate(lines)]
    app = open_list("\n".join(rows), first_reason="closest_calls", slice_column="price")
    box = select(app, "slice_value")
    assert box.options == ["0.25 to 11.5", "11.75 to 23", "23.25 to 34.5", "34.75 to 46", "46.25 to 57.5"]
    box.select("11.75 to 23").run()
    assert not app.exception
    assert "46 of 230 texts" in said(app)


def test_reading_again_is_priced_and_asked_for_first(open_list):
    app = open_list(first_reason="late_flips", models=("starter-lstm",))
    assert "on this machine" in said(app)
    assert not [one for one in app.dataframe if "text" in one.value]
    press(app, "first_ask")
    task = next(work.task(key) for key in work._desk().jobs if key.startswith("first"))
    assert task.state == "done"
    if len(task.result):
        assert len(table(app)) == min(len(task.result), 100)


def test_a_row_opens_on_another_page_and_the_way_back_leads_to_the_same_place(open_list):
    app = open_list()
    order = api.order_texts(judged(), "closest_calls")
    show(app, first_reason="closest_calls", first_page=2, first_row=int(order.rows[104]))
    text = judged().table.texts[order.rows[104]]
    assert table(app)["row"].iloc[0] == judged().table.row_numbers[order.rows[100]]
    button = next(button for button in app.button if button.key == "first_open_States")
    button.click().run()
    assert not app.exception
    assert app.session_state[state.TEXT] == text
    app.switch_page(way_back.PAGES["States"]).run()  # AppTest does not follow a page that sends to another
    assert [button for button in app.button if button.key == "way_back"]
    next(button for button in app.button if button.key == "way_back").click().run()
    app.switch_page(PAGE).run()
    assert not app.exception
    assert app.session_state[first.REASON] == "closest_calls"
    assert app.session_state[first.PAGE] == 2
    assert app.session_state[first.ROW] == order.rows[104]
    assert [button for button in app.button if button.key == "first_open_States"]


def test_the_page_opened_looks_into_the_model_by_whose_verdicts_the_list_is_sorted(open_list):
    app = open_list()
    order = api.order_texts(judged(), "closest_calls", model="starter-gru")
    show(app, first_reason="closest_calls", first_model="starter-gru", first_row=int(order.rows[2]))
    buttons = {button.key: button for button in app.button}
    assert {f"first_open_{page}" for page in way_back.PAGES} <= buttons.keys()
    buttons["first_open_Compare"].click().run()
    assert app.session_state[state.LOOK] == "starter-gru"
    assert app.session_state[state.TEXT] == judged().table.texts[order.rows[2]]


def test_the_chosen_row_comes_from_the_address_and_a_row_that_is_none_is_no_harm(open_list):
    app = open_list()
    for asked in ("99999", "-1", "²", "x"):
        app.query_params[first.ROW] = asked
        show(app)
        assert not [button for button in app.button if button.key == "first_open_States"], asked
    order = api.order_texts(judged(), "closest_calls")
    app.query_params[first.ROW] = str(order.rows[3])
    show(app, first_reason="closest_calls")
    assert [button for button in app.button if button.key == "first_open_States"]
    assert app.query_params[first.ROW] in (str(order.rows[3]), [str(order.rows[3])])


def test_a_press_that_the_table_does_not_hold_opens_nothing(open_list):
    open_list()
    place = text_rows.Place("first", first.ROW)
    for pressed in (None, {"row": 5, "label": "States"}, {"row": -1, "label": "States"}):
        st.session_state["pressed"] = pressed
        text_rows._press(place, "pressed", (7, 8), ("one", "two"), "States")
        assert way_back._NEXT not in st.session_state


def test_hostile_texts_stay_text_in_the_table_and_in_the_edit(open_list, home):
    labels = ("<b>no</b>", "<img src=x onerror=alert(1)>")
    save_tiny(home, "starter-lstm", "lstm", labels=labels)
    rows = "".join(f'"{HOSTILE} and many more words here {(row // 2) * 7}",{labels[row % 2]}\n' for row in range(20))
    app = open_list(f"text,label\n{rows}", models=("starter-lstm",))
    order = api.order_texts(judged(), "near_duplicates")
    assert len(order) == 20
    show(app, first_reason="near_duplicates", first_row=int(order.rows[0]))
    settled(app)
    assert table(app)["text"].iloc[0].startswith("<img")
    shown = " ".join(node.proto.body for node in app.get("html"))
    assert "&lt;img src=x" in shown
    assert "<img" not in shown
    assert "<b>no" not in shown


def test_the_way_back_is_not_drawn_over_another_text(open_app, home, warmed):
    fill_home(home, ("starter-lstm",))
    app = open_app("pages/states.py", text="something else")
    app.session_state[way_back._OPENED] = ("first", "the text")
    app.run()
    assert not [button for button in app.button if button.key == "way_back"]
