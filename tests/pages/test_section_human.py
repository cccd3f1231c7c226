"""The section Human agreement: priced, measured in the background, a person's file with its columns, opened texts."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import streamlit as st

from explorer_core import api
from explorer_core.datasets._labelled_texts import LabelledTexts
from pages._ui import cache, cache_agreement, many_texts, scored, sections, state, work
from pages._ui.sections.words import human
from tests.pages.conftest import numbers, said
from tests.pages.tiny import save_tiny

PAGE, VIEW = "pages/words.py", "People"
TEXTS = (
    "the film was good",
    "a dull plot , never lovely",
    "boring <b>x</b> ![a](http://h/i.png)",
    "we loved it",
    "good",
)
SPANS = (((13, 17),), ((2, 6),), ((0, 6), (7, 10)), ((3, 8),), ((0, 4),))
METHODS = ["Gradient norm", "Leave one out"]


def small_corpus(labels=("negative", "positive")):
    split = np.full(len(TEXTS), "test")
    return LabelledTexts(
        TEXTS, np.arange(len(TEXTS)) % 2, tuple(labels), split, "starter corpus", "Small.",
        groups={"phenomenon": ("plain", "negation", "plain", "", "plain")}, spans=SPANS,
    )  # fmt: skip


@pytest.fixture(autouse=True)
def nothing_left_running():
    """Work in the background ends with its test."""
    yield
    for key in list(work._desk().jobs):
        work.cancel(key)
        work.wait(key, 60)


@pytest.fixture
def open_human(open_app, home, warmed, monkeypatch):
    from explorer_core.datasets import _rationales

    def opener(family: str = "lstm", *, labels=("negative", "positive"), **address):
        monkeypatch.setattr(_rationales, "read", lambda spec: small_corpus(labels))
        save_tiny(home, f"starter-{family}", family, labels=labels)
        address = {"view": VIEW, "text": "not bad at all", human.METHODS: METHODS, **address}
        app = open_app(PAGE, **address)
        assert not app.exception
        return app

    return opener


def measured(app):
    """The page after its one button was pressed and the work has ended."""
    next(one for one in app.button if one.label == "Measure agreement").click().run()
    for key in list(work._desk().jobs):
        work.wait(key, 60)
    app.run()
    assert not app.exception
    return app


def bodies(app) -> str:
    return "\n".join(node.proto.body for node in app.get("html"))


def upload(app, name: str, content: bytes):
    app.selectbox(key=f"{human.KEY}_source").select(many_texts.FILE).run()
    app.get("file_uploader")[0].upload(name, content).run()
    assert not app.exception
    return app


def test_nothing_is_measured_before_the_press_and_the_price_is_said(open_human):
    app = open_human()
    assert "To score the words of 5 texts by 2 methods, the network reads" in said(app)
    assert not work._desk().jobs
    assert not app.get("plotly_chart")


def test_chart_and_table_show_what_the_desk_measures(open_human, family):
    app = measured(open_human(family))
    info = cache.model_info(f"starter-{family}")
    expected = api.measure_human_agreement(
        cache.load(info.name, info.fingerprint), small_corpus(), methods=("gradient_norm", "leave_one_out")
    )
    chart = json.loads(next(node for node in app.get("plotly_chart") if node.key == human.CHART).proto.spec)
    assert sorted(numbers(chart["data"][0]["x"])) == pytest.approx(sorted(expected.mean[:, 0].tolist()))
    for value in (*expected.mean.ravel(), *expected.random):
        assert f"{value:.2f} <small>" in bodies(app)
    assert "Left out: 1 text with every word marked." in said(app)
    assert "Faithfulness" in said(app)


def test_a_phenomenon_narrows_the_texts(open_human):
    app = open_human()
    assert app.selectbox(key=f"{human.KEY}_phenomenon").options == ["every phenomenon", "negation", "plain"]
    app.selectbox(key=f"{human.KEY}_phenomenon").select("plain").run()
    assert "words of 3 texts" in said(app)


def test_marks_and_top_words_are_drawn_and_hostile_texts_stay_text(open_human):
    app = measured(open_human())
    shown = bodies(app)
    assert "<span class='m" in shown and "class='t'" in shown
    assert "&lt;" in shown and "<b>x" not in shown
    assert "![a](" not in "\n".join(one.value for one in (*app.caption, *app.markdown))


def test_hostile_labels_stay_text(open_human):
    app = measured(open_human(labels=("<img src=x>", "![a](http://h/b.png)")))
    assert "<img" not in bodies(app)
    shown = "\n".join(one.value for one in (*app.caption, *app.markdown))
    assert not re.search(r"(?<!\\)(<img|!\[a)", shown)


def test_a_text_opens_on_this_page_by_the_method_it_was_listed_for(open_human):
    app = measured(open_human())
    before = app.session_state[state.TEXT]
    button = next(one for one in app.button if one.label == "Open")
    at = int(button.key.rpartition("_")[2])
    app = button.click().run()
    assert app.session_state[state.TEXT] == TEXTS[at]
    assert app.session_state[sections.VIEW] == "method"
    assert app.session_state[scored.METHOD] in ("gradient_norm", "leave_one_out")
    app = next(one for one in app.button if one.label.startswith("Back to")).click().run()
    assert app.session_state[state.TEXT] == before


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", b"text,label,rationale\na lovely film,positive,2:8\nwhat a dull plot,negative,7-11\n"),
        ("a.jsonl", b'{"tokens":["a","lovely","film"],"label":1,"mean_rationale":[0,0.7,0.2]}\n'
                    b'{"tokens":["so","dull"],"label":0,"mean_rationale":[0,1]}\n'),
    ],
)  # fmt: skip
def test_a_file_of_a_person_is_measured(open_human, name, content):
    app = upload(open_human(), name, content)
    assert "2 texts with rationales." in said(app)
    app = measured(app)
    assert "Over 2 texts" in said(app)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"text,label,rationale\na lovely film,1,oops\ndull,0,<b>\n", "No row of"),
        (b"text,label,rationale\na lovely film,1,0:99\ndull,0,-3:4\n", "a span beyond the end of its text"),
        (b"text,label\na lovely film,1\ndull,0\n", "No column looks like rationales"),
        (b"\x00\x01\x02", "null bytes"),
    ],
)
def test_a_file_without_readable_rationales_says_why(open_human, content, says):
    app = upload(open_human(), "a.csv", content)
    assert says in "\n".join(one.value for one in app.error).replace("\\", "")
    assert not [one for one in app.button if one.label == "Measure agreement"]


def test_rows_that_cannot_be_read_are_told(open_human):
    content = b"text,label,rationale\na lovely film,positive,2:8\nwhat a dull plot,negative,7-11\nbad,negative,8:2\n"
    assert "1 row with a span that ends before it begins: row 4" in said(upload(open_human(), "a.csv", content))


def test_no_method_is_said(open_human):
    app = open_human()
    app.multiselect(key=human.METHODS).set_value([]).run()
    assert "Choose at least one method." in said(app)


def test_prices_are_kept_and_known_before_the_model_reads_again(open_human):
    app = open_human()
    app.run()
    info = cache.model_info("starter-lstm")
    texts = (many_texts.STARTER, "{}", None, "auto", "")
    methods = ("gradient_norm", "leave_one_out")
    found = cache_agreement.prices(info.name, info.fingerprint, repr(texts), methods, 5, TEXTS)
    assert found["gradient_norm"].n_passes == 5
    st.cache_data.clear()
