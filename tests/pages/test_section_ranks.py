"""The section Rank agreement: ranks in a text, the map over many, and rows that open their text."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.results import word_ranks
from pages._ui import cache, many_texts, sections, state, work
from pages._ui.sections.words import ranks
from tests.conftest import build_tiny
from tests.pages.conftest import chart, numbers, said
from tests.pages.test_section_human import nothing_left_running, small_corpus  # noqa: F401
from tests.pages.tiny import save_tiny

PAGE, VIEW, TEXT = "pages/words.py", "Ranks", "not unbelievably bad but great"
USABLE = 4  # texts of the small corpus with at least three words


@pytest.fixture
def open_ranks(open_app, home, warmed, monkeypatch):
    def opener(family: str = "lstm", **address):
        monkeypatch.setattr(api, "read_data", lambda spec: small_corpus())
        save_tiny(home, f"starter-{family}", family)
        app = open_app(PAGE, **{"view": VIEW, "text": TEXT, **address})
        assert not app.exception
        return app

    return opener


def mapped(app):
    next(one for one in app.button if one.label == "Map the agreement").click().run()
    for key in list(work._desk().jobs):
        work.wait(key, 60)
    app.run()
    assert not app.exception
    return app


def load(family: str):
    info = cache.model_info(f"starter-{family}")
    return cache.load(info.name, info.fingerprint)


def test_every_method_has_a_mark_over_every_word(open_ranks, family):
    app = open_ranks(family, target="positive")
    model = load(family)
    methods = api.compared_methods(model)
    expected = word_ranks([api.attribute(model, TEXT, name, "positive") for name in methods])
    marks = [one for one in chart(app, ranks.CHART)["data"] if one["mode"] == "markers"]
    assert len(marks) == len(methods)
    for one, row in zip(marks, expected, strict=True):
        assert numbers(one["y"]) == pytest.approx(row.tolist())
    assert "Kendall's tau in this text" in said(app)
    assert ("This network has no attention" in said(app)) == (family != "bert")


def test_the_words_furthest_apart_are_named():
    model = build_tiny("lstm")
    found = [api.attribute(model, TEXT, name) for name in ("gradient_norm", "leave_one_out")]
    apart = np.abs(np.subtract(*word_ranks(found)))
    assert found[0].words[int(apart.argmax())] in ranks.told(found)


def test_the_map_is_made_when_asked_for_and_is_that_of_the_desk(open_ranks):
    app = open_ranks()
    assert "To score the words of 5 texts by 3 methods" in said(app)
    assert not [node for node in app.get("plotly_chart") if node.key == ranks.MAP]
    app = mapped(app)
    expected = api.map_agreement(load("lstm"), small_corpus(), split="test")
    drawn = chart(app, ranks.MAP)["data"]
    assert len(drawn) == 4  # three pairs and the map of two of them
    for pair in range(3):
        assert numbers(drawn[pair]["x"]) == pytest.approx(expected.tau[pair].tolist())
    assert len(expected.texts) == USABLE
    assert "rank words most alike" in said(app)
    assert "Left out: 1 text with fewer than 3 words." in said(app)
    (table,) = [frame.value for frame in app.dataframe]
    assert table["Words"].tolist() == expected.n_words[np.argsort(expected.tau.min(0), kind="stable")].tolist()


def test_a_row_opens_its_text_and_there_is_a_way_back(open_ranks, monkeypatch):
    app = open_ranks()
    look = type("Look", (), {"text": TEXT})()
    found = api.map_agreement(load("lstm"), small_corpus(), split="test")
    kept = {"chosen": {"selection": {"rows": [1]}}}
    monkeypatch.setattr(ranks.st, "session_state", kept)
    monkeypatch.setattr(many_texts.st, "session_state", kept)
    ranks._open("chosen", look, found, np.arange(len(found.texts)))
    assert kept[state.TEXT] == found.texts[1]
    assert kept[sections.VIEW] == "ranks"
    many_texts._go_back()
    assert kept[state.TEXT] == TEXT
    assert not app.exception


def test_an_opened_text_offers_the_way_back(open_ranks):
    app = open_ranks()
    app.session_state[many_texts._BACK] = "the text before"
    app.run()
    next(one for one in app.button if one.key == "many_texts_back_button").click().run()
    assert app.session_state[state.TEXT] == "the text before"


def test_a_file_is_mapped_and_a_broken_one_says_why(open_ranks):
    app = open_ranks()
    app.selectbox(key=f"{ranks.KEY}_source").select(many_texts.FILE).run()
    app.get("file_uploader")[0].upload("a.csv", b"\x00\x01\x02").run()
    assert not app.exception
    assert "null bytes" in said(app)
    rows = "".join(f"the film number {n} was good,positive\na dull and boring film {n},negative\n" for n in range(4))
    app.get("file_uploader")[0].upload("b.csv", f"text,label\n{rows}".encode()).run()
    assert not app.exception
    assert [one for one in app.button if one.label == "Map the agreement"]


def test_one_method_is_not_enough(open_ranks):
    app = open_ranks()
    app.multiselect(key=ranks.METHODS).set_value(["leave_one_out"]).run()
    assert "Choose at least two methods." in said(app)


@pytest.mark.parametrize(
    "text", ["terrible", "so good \U0001f60d", "كان الفيلم رائعا", "</td><script>x</script> [a](http://h)"]
)
def test_any_text_is_shown(open_ranks, text):
    app = open_ranks("gru", text=text)
    assert not app.error
    assert not [one for one in app.get("html") if "<script" in one.proto.body]
    assert "[a](" not in "\n".join(one.value for one in (*app.caption, *app.markdown))
