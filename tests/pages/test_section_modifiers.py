"""The section Modifiers: pairs by phenomenon, those of the desk; a file of one's own; one pair with its edit."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np
import pytest

from explorer_core import api
from pages._ui import cache_texts, modifier_pairs, sections, state, way_back
from pages._ui.sections.compare import modifiers
from tests.pages.conftest import chart, chosen_models, numbers, press_label, said
from tests.pages.tiny import save_tiny

PAGE = "pages/compare.py"
EVIL = "<img src=x onerror=alert(1)>"
CSV = "review,stars,pair_id,phenomenon\n" + "".join(
    f"film number {row // 2} {EVIL} was {('really', 'not')[row % 2]} good for all of us,{(5, 1)[row % 2]},p{row // 2},"
    f"{('negation', 'a <b>')[row // 2 % 2]}\n"
    for row in range(16)
)

pytestmark = pytest.mark.usefixtures("nothing_left_running")


@pytest.fixture
def open_modifiers(open_section, monkeypatch):
    few = api.read_starter("test")
    pairs = [place for place, name in enumerate(few.columns["pair"]) if name][:24]
    few = few.take(np.array(pairs))
    monkeypatch.setattr(api, "read_starter", lambda split="test": few)
    return functools.partial(open_section, "modifiers")


def table(app):
    return next(one.value for one in app.dataframe if "second" in one.value)


def test_the_pictures_are_those_of_the_desk_and_rows_open_their_edit(open_modifiers, home):
    models = [save_tiny(home, f"starter-{family}", family) for family in ("rnn", "lstm")]
    pairs = api.find_pairs(api.read_starter("test"), ids="pair")
    bench = api.measure_modifiers(models, pairs, "phenomenon")
    place = int(bench.swing[0].argmin())
    app = press_label(open_modifiers("rnn", "lstm", modifiers_row=str(place)), "Measure the pairs")
    drawn = chart(app, modifiers.BENCH)["data"]
    assert numbers(drawn[0]["x"]) == pytest.approx(bench.right[0].tolist())
    assert numbers(drawn[2]["x"]) == pytest.approx(bench.swing_mean[0].tolist(), abs=1e-5)
    assert table(app)["swing"].tolist() == pytest.approx(sorted(bench.swing[0].tolist()), abs=1e-5)
    html = " ".join(node.proto.body for node in app.get("html"))
    assert "<del>" in html
    assert {"modifiers_first_States", "modifiers_second_Words"} <= {button.key for button in app.button}
    app.button(key="modifiers_second_Words").click().run()
    assert app.session_state[state.TEXT] == pairs.table.texts[bench.pairs.second[place]]
    assert way_back._list_of("modifiers") == "compare"
    assert way_back._list_of("pairs") == "texts"


def test_a_phenomenon_and_what_is_shown_choose_the_pairs(open_modifiers):
    app = press_label(open_modifiers("gru"), "Measure the pairs")
    bench = api.measure_modifiers(
        chosen_models(app), api.find_pairs(api.read_starter("test"), ids="pair"), "phenomenon"
    )
    group = bench.groups[1]
    app.selectbox(key=modifiers.GROUP).select(group).run()
    assert len(table(app)) == int(bench.n_pairs[1])
    app.selectbox(key=modifiers.SHOWN).select("not right on both sides").run()
    wrong = [place for place in bench.members(group) if not bench.is_right[0, place]]
    assert (len(table(app)) if wrong else 0) == len(wrong)
    assert sum(bench.is_right[0, bench.members(group)]) + len(wrong) == int(bench.n_pairs[1])


def test_pairs_of_a_file_are_measured_and_hostile_words_stay_text(open_modifiers):
    app = open_modifiers("lstm")
    path = api.save_upload(CSV.encode(), "csv")
    spec = api.TextsSpec(text_column="review", label_column="stars")
    app.session_state[cache_texts.CHOICE] = cache_texts.Choice((str(path),), ("mine <b>.csv",), spec=spec)
    app.selectbox(key=modifiers.SOURCE).select("file").run()
    app = press_label(app, "Measure the pairs")
    assert not app.exception
    assert not app.error
    pairs = api.find_pairs(api.read_texts([path], spec), ids="pair_id")
    bench = api.measure_modifiers(chosen_models(app), pairs, "phenomenon", mapping={"5": "positive", "1": "negative"})
    assert table(app)["swing"].tolist() == pytest.approx(sorted(bench.swing[0].tolist()), abs=1e-5)
    html = " ".join(node.proto.body for node in app.get("html"))
    assert "<img" not in html
    assert "<b>" not in said(app)


def test_without_a_file_or_a_model_it_says_what_to_do(open_modifiers):
    app = open_modifiers("rnn", modifiers_texts="file")
    assert "No file is given yet" in said(app)
    app.session_state[state.MODELS] = []
    app.run()
    assert "Choose 1 more model in the sidebar" in said(app)


def test_labels_that_are_no_class_of_the_models_are_said(open_modifiers, monkeypatch):
    odd = dataclasses.replace(api.read_starter("test"), label_values=("spam", "ham"))
    monkeypatch.setattr(api, "read_starter", lambda split="test": odd)
    app = press_label(open_modifiers("rnn"), "Measure the pairs")
    assert "No pair can be measured" in said(app)


def test_it_is_a_section_without_the_text_and_keeps_its_place():
    (section,) = [one for one in sections.describe("compare") if one.name == "modifiers"]
    assert section.alone
    assert set(modifiers.KEYS) >= {modifiers.SOURCE, modifiers.GROUP, modifier_pairs.ROW}
