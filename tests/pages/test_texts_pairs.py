"""Minimal pairs on the page Texts, and a file of it in the form of the page Models."""

from __future__ import annotations

import dataclasses

import pytest

from explorer_core import api
from pages._ui import cache_texts, sections, train_on_it
from tests.pages.conftest import press, said, settled

pytestmark = pytest.mark.usefixtures("nothing_left_running")
SPEC = api.TextsSpec(text_column="review", label_column="stars")
EVIL = "<img src=x onerror=alert(1)>"
CSV = "review,stars,pair_id,other,other_stars\n" + "".join(
    f"film number {row // 2} {EVIL} was really {('good', 'bad')[row % 2]} for all of us,{(5, 1)[row % 2]},p{row // 2},"
    f"film number {row // 2} was not it,{(1, 5)[row % 2]}\n"
    for row in range(24)
)


@pytest.fixture
def open_pairs(open_texts):
    def opener(view="pairs", **shown):
        return open_texts(CSV, "mine <b>.csv", spec=SPEC, shown={sections.VIEW: view} | shown)

    return opener


@pytest.mark.parametrize(
    ("shown", "options"),
    [
        ({"pairs_how": "ids"}, {"ids": "pair_id"}),
        ({"pairs_how": "found"}, {"most_edits": 3}),
        (
            {"pairs_how": "columns", "pairs_second": "other", "pairs_second_label": "other_stars"},
            {"second_text": "other", "second_label": "other_stars"},
        ),
    ],
)
def test_pairs_are_judged_as_the_desk_judges_them(open_pairs, shown, options):
    app = settled(open_pairs(**shown))
    pairs = api.find_pairs(api.read_texts(cache_texts_paths(app), SPEC), **options)
    assert f"{len(pairs):,} pairs" in said(app)
    press(app, "texts_judge")
    (judged,) = cache_texts.boards().values()
    found = api.judge_pairs(judged, pairs)
    html = " ".join(node.proto.body for node in app.get("html"))
    for number in range(2):
        for share in (*found.shares[number], found.turn_shares[number]):
            assert f"{share:.3f}" in html
    (table,) = [one.value for one in app.dataframe if "second" in one.value]
    assert table["pair"].tolist() == list(pairs.names[:100])


def test_the_edit_of_a_pair_is_inline_and_hostile_words_stay_text(open_pairs):
    app = settled(open_pairs(pairs_how="ids", pairs_row=3))
    press(app, "texts_judge")
    html = " ".join(node.proto.body for node in app.get("html"))
    assert "<del>good </del><ins>bad </ins>" in html
    assert "&lt;img src=x" in html
    assert "<img" not in html
    keys = {button.key for button in app.button}
    assert {"pairs_first_States", "pairs_second_Words"} <= keys


def test_the_form_of_the_page_models_has_the_file_and_its_columns(open_pairs):
    app = open_pairs(view="upload")
    (path,) = cache_texts_paths(app)
    next(button for button in app.button if button.key == "train_on_it").click().run()
    app.switch_page("pages/models.py").run()  # AppTest does not follow a page that sends to another
    assert not app.exception
    assert "mine <b>.csv" in said(app)
    boxes = {box.label: box.value for box in app.selectbox}
    assert boxes["Column of texts"] == "review"
    assert boxes["Column of labels"] == "stars"
    assert "24 of 24 rows can be used" in said(app)
    assert app.session_state[train_on_it._GIVEN].path == path
    assert [button for button in app.button if button.key == "train_start"]
    next(button for button in app.button if button.key == "train_other").click().run()
    assert not app.exception
    assert "mine <b>.csv" not in said(app)


def test_what_the_labels_mean_is_carried_to_the_form_and_can_be_changed_there(open_pairs):
    app = open_pairs(view="upload")
    given = app.session_state[cache_texts.CHOICE]
    app.session_state[cache_texts.CHOICE] = dataclasses.replace(given, mapping={"5": "positive"})
    app.run()
    press(app, "train_on_it")
    app.switch_page("pages/models.py").run()
    names = {box.label: box for box in app.text_input if box.key.startswith("data_name_")}
    assert {label: box.value for label, box in names.items()} == {"1": "negative", "5": "positive"}
    names["1"].input("<b>dull</b>").run()
    assert not app.exception
    assert "24 of 24 rows can be used" in said(app)
    samples = next(table.value for table in app.dataframe if "Label" in table.value)
    assert set(samples["Label"]) == {"<b>dull</b>", "positive"}
    box = next(box for box in app.text_input if box.key.startswith("data_name_"))
    box.input("").run()
    assert "same label" in " ".join(element.value for element in app.error)


def test_rows_with_the_same_letters_or_pair_train_on_one_side(open_pairs):
    app = open_pairs(view="upload")
    data = api.read_data(api.DataSpec(train_on_it.SOURCE, {"path": cache_texts_paths(app)[0], "text_column": "review",
                                                           "label_column": "stars"}))  # fmt: skip
    sides = {}
    for row, pair in enumerate(data.groups["pair_id" if "pair_id" in data.groups else "pair"]):
        sides.setdefault(pair, set()).add(str(data.split[row]))
    assert len(sides) == 12
    assert all(len(side) == 1 for side in sides.values())


def cache_texts_paths(app):
    return list(app.session_state[cache_texts.CHOICE].paths)
