"""Page Texts: words over the whole file, and the map of its texts."""

from __future__ import annotations

import re

import numpy as np
import pytest

from explorer_core import api
from pages._ui import cache_report, cache_texts
from pages._ui.sections.texts import map as text_map
from tests.pages.conftest import press, said
from tests.pages.test_texts import CSV
from tests.pages.tiny import save_tiny

pytestmark = pytest.mark.usefixtures("nothing_left_running")


def test_words_are_scored_when_asked_and_shown_with_what_they_are_of(open_texts):
    app = open_texts(CSV, view="Words")
    assert not cache_report.reports()
    assert "Every word of 24 texts" in said(app)
    press(app, "report_ask")
    (found,) = cache_report.reports().values()
    assert set(found) == {"starter-lstm", "starter-gru"}
    assert [one.method for one in found.values()] == ["lstm_ledger", "input_x_gradient"]
    assert "report_words" in {node.key for node in app.get("plotly_chart")}
    shown = said(app)
    assert "24 texts" in shown
    assert "The rule" in shown
    assert "What it cannot know" in shown
    expected = api.contrast_words(*found.values()).words[0]
    assert expected in {table.value["word"].iloc[0] for table in app.dataframe}
    assert not [button for button in app.button if button.key == "report_ask"]


def test_words_of_a_slice_are_counted_in_its_texts_only(open_texts):
    app = press(open_texts(CSV, view="Words"), "report_ask")
    count = CSV.count("Rome")
    for shown, n_texts in (
        ({"slice_label": "negative"}, 12),
        ({"slice_label": None, "slice_column": "city", "slice_value": "Rome"}, count),
        ({"slice_words": "bad"}, sum("bad" in row and "Rome" in row for row in CSV.splitlines())),
    ):
        for key, value in shown.items():
            app.session_state[key] = value
        app.run()
        assert not app.exception
        assert f"over {n_texts} texts" in said(app)
        table = app.dataframe[0].value.set_index("word")
        assert table.loc["number", "n_texts"] == n_texts
    assert "Where the two differ most" in said(app)
    app.session_state["slice_words"] = "zebra"
    app.run()
    assert "No text is like that" in said(app)


def test_without_labels_no_word_is_suspected(open_texts):
    app = press(open_texts("a good film\na bad film\nnever\n", "a.txt", view="Words"), "report_ask")
    assert "without them no word is suspected" in said(app)


def test_hostile_words_and_labels_stay_text(open_texts, home):
    labels = ("<b>no</b>", "<img src=x onerror=alert(1)>")
    save_tiny(home, "starter-lstm", "lstm", labels=labels)
    rows = "".join(f"a \u202efilm {row} <script>alert(1)</script>,{labels[row % 2]}\n" for row in range(20))
    app = press(open_texts(f"text,label\n{rows}", "a.csv", models=(), view="Words"), "report_ask")
    assert "<script>" not in "".join(node.proto.body for node in app.get("html"))
    assert not [node for node in (*app.markdown, *app.caption) if re.search(r"(?<!\\)<(img|b>)", node.value)]


def test_the_map_is_drawn_of_judged_texts_in_a_colour_of_choice(open_texts):
    app = press(open_texts(CSV, view="Map"), "texts_judge")
    chart = [node.key for node in app.get("plotly_chart")]
    assert any(key.startswith("map_chart_") for key in chart)
    assert "of the variance of 16 units" in said(app)
    for color in ("label", "city", "confidence", "words"):
        app.session_state["map_color"] = color
        app.run()
        assert not app.exception, color


def test_what_the_browser_says_of_a_choice_is_checked(open_texts):
    points = [{"customdata": place} for place in (3, [5], 3, -1, 99, "x", None, [])]
    np.testing.assert_array_equal(text_map.chosen_of({"selection": {"points": points}}, 24), [3, 5])
    assert not len(text_map.chosen_of(None, 24))
    app = press(open_texts(CSV, view="Map"), "texts_judge")
    (judged,) = cache_texts.boards().values()
    for color in text_map.colour_names(judged):
        values = text_map.values_of(judged, 0, color)
        assert len(values) == 24, color
    assert not app.exception
