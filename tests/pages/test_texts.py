"""The page Texts: texts are given, their columns and labels changed, and models judged over them."""

from __future__ import annotations

import dataclasses
import gc
import sys

import pytest

from explorer_core import api
from pages._ui import cache, cache_texts, text_choice, work
from pages._ui.sections.texts import judge
from tests.core.judged_by_hand import make_table
from tests.pages.conftest import press, said
from tests.pages.tiny import save_tiny

pytestmark = pytest.mark.usefixtures("nothing_left_running")
CSV = "review,stars,city\n" + "".join(
    f"the film was {('good', 'bad')[row % 2]} and number {row}{' again' * (row % 5)},"
    f"{(5, 1)[row % 2]},{('Oslo', 'Rome')[row % 3 == 0]}\n"
    for row in range(24)
)


def test_the_page_says_what_to_give_and_judges_nothing_by_itself(open_texts):
    app = open_texts(None)
    assert "Nothing leaves the computer" in said(app)
    assert "Give a file" in said(open_texts(None, view="Judge"))
    assert not work._desk().jobs


def test_a_file_is_shown_with_its_columns_its_labels_and_its_first_texts(open_texts):
    app = open_texts(CSV)
    shown = said(app)
    assert "24 texts" in shown
    assert "24 with a label from “\u2068stars\u2069”" in shown
    assert {box.label for box in app.selectbox} >= {"Column of texts", "Column of labels", "Long texts"}
    tables = [table.value for table in app.dataframe]
    (first,) = [table for table in tables if "text" in table]
    assert first["text"].iloc[0] == "the film was good and number 0"
    assert "city" in first


def test_columns_are_changed_and_labels_left_out(open_texts):
    app = open_texts(CSV)
    box = next(box for box in app.selectbox if box.label == "Column of labels")
    box.select("(none)").run()
    assert "no labels" in said(app)
    box = next(box for box in app.selectbox if box.label == "Column of texts")
    box.select("city").run()
    assert not app.exception
    assert "texts" in said(app)


def test_a_choice_that_cannot_be_read_is_said_and_taken_back(open_texts):
    app = open_texts(CSV)
    app.session_state[cache_texts.CHOICE] = dataclasses.replace(
        app.session_state[cache_texts.CHOICE], spec=api.TextsSpec(text_column="stars", label_column="stars")
    )
    app.run()
    assert "chosen for both" in said(app)
    next(button for button in app.button if button.key == "texts_reset").click().run()
    assert "24 texts" in said(app)


def test_long_texts_are_cut_as_chosen(open_texts):
    app = open_texts("One here. Two here. Three here.\nFour here.\n", "a.txt")
    next(box for box in app.selectbox if box.label == "Long texts").select("sentence").run()
    assert not app.exception
    assert "4 pieces are judged" in said(app)
    next(box for box in app.selectbox if box.label == "Texts of a TXT file").select("document").run()
    assert not app.exception


def test_deleting_takes_the_file_off_the_machine(open_texts, home):
    app = open_texts(CSV)
    assert list((home / ".uploads").iterdir())
    next(button for button in app.button if button.key == "texts_delete").click().run()
    assert not list((home / ".uploads").iterdir())
    assert "Nothing leaves the computer" in said(app)


def test_judging_shows_the_scores_of_the_desk(open_texts):
    app = open_texts(CSV, view="Judge")
    press(app, "texts_judge")
    assert not app.exception
    (judged,) = cache_texts.boards().values()
    assert judged.is_finished
    shown = " ".join(node.proto.body for node in app.get("html"))
    for scores in judged.scores:
        assert f"{scores.accuracy:.3f}" in shown
        assert scores.model in shown
    keys = {node.key for node in app.get("plotly_chart")}
    assert {"texts_confusion", "texts_reliability", "texts_decisions", "texts_effect_0"} <= keys
    assert not [button for button in app.button if button.key == "texts_judge"]


def test_what_scores_texts_stays_out_of_the_rounds_of_the_garbage_collector(open_texts):
    cache.settle_scoring.cache_clear()
    app = open_texts(CSV, view="Judge")
    press(app, "texts_judge")
    assert cache.settle_scoring.cache_info().currsize == 1
    scoring = sys.modules["sklearn.metrics"].__dict__
    assert not any(one is scoring for one in gc.get_objects())  # they hold up every run's end if they are walked


def test_without_labels_there_are_decisions_and_disagreement_but_no_scores(open_texts):
    app = open_texts("the film was good\nthe film was bad\nnever again\n", "a.txt", view="Judge")
    press(app, "texts_judge")
    assert not app.exception
    keys = {node.key for node in app.get("plotly_chart")}
    assert "texts_decisions" in keys
    assert "texts_confusion" not in keys
    assert "Cohen" in said(app)


def test_models_of_other_classes_are_left_out_and_named(open_texts, home):
    save_tiny(home, "starter-rnn", "rnn", labels=("ham", "spam"))
    app = open_texts(CSV, models=("starter-lstm",), view="Judge")
    assert "starter-rnn" in said(app)


def test_hostile_labels_and_names_stay_text(open_texts, home):
    labels = ("<b>no</b>", "<img src=x onerror=alert(1)>")
    save_tiny(home, "starter-lstm", "lstm", labels=labels)
    rows = "".join(f"a film {row} <script>alert(1)</script>,{labels[row % 2]}\n" for row in range(20))
    app = open_texts(f"text,label\n{rows}", "<script>.csv", models=(), view="Judge")
    press(app, "texts_judge")
    assert not app.exception
    shown = " ".join(node.proto.body for node in app.get("html"))
    assert "&lt;img src=x" in shown
    assert "<img" not in shown
    assert "<b>no" not in shown


def test_where_no_column_looks_like_texts_one_can_be_chosen(open_texts):
    rows = "".join(f"{row},2024-01-{row % 28 + 1:02d},{row * 1.5}\n" for row in range(30))
    app = open_texts(f"id,when,price\n{rows}")
    assert "No column looks like texts" in said(app)
    next(box for box in app.selectbox if box.label == "Column of texts").select("when").run()
    assert not app.exception
    assert "30 texts" in said(app)


def test_the_price_is_told_before_the_press_and_the_report_is_there_after_it(open_texts):
    app = open_texts(CSV, view="Judge")
    assert "on this machine" in said(app)
    assert "tokens" in said(app)
    press(app, "texts_judge")
    app.query_params["view"] = "Report"
    app.session_state["view"] = "report"
    app.run()
    assert not app.exception
    assert {button.key for button in app.get("download_button")} >= {"texts_report_html", "texts_report_bundle"}
    assert "most confident mistakes" in said(app)


def test_models_of_the_same_weights_are_judged_each_under_its_own_name(home):
    save_tiny(home, "one", "lstm")
    (info,) = cache.model_infos(["one"])
    copy = dataclasses.replace(info, name="copy")
    desk = cache_texts.Desk(text_choice.Choice(), make_table(["good"], [None]), (info,))
    assert judge.key_of(desk, [info], {}) == judge.key_of(desk, [info], {}) != judge.key_of(desk, [copy], {})
