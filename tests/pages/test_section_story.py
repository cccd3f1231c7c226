"""The story: every chapter measures its claim on the ready models, and says so where they do not bear it out."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from pages._ui import chapters, state
from tests.pages.conftest import said
from tests.pages.tiny import fill_home


@pytest.fixture
def open_story(open_app, home, warmed):
    def opener(names, **address):
        fill_home(home, names)
        app = open_app("pages/compare.py", models=list(names), view="story", **address)
        assert not app.exception
        assert not app.error
        return app

    return opener


@pytest.mark.parametrize("name", chapters.CHAPTERS)
def test_a_chapter_says_the_numbers_of_these_models(open_story, name):
    chapter = chapters.CHAPTERS[name]
    app = open_story([f"starter-{family}" for family in chapter.families], chapter=name)
    told = said(app)
    assert chapter.text in told
    for family in chapter.families:
        found = api.predict(api.load_model(f"starter-{family}"), [chapter.text])
        assert number(float(found.probs[0, 1])) in told
    assert len(app.get("plotly_chart")) == 2
    assert told.count("What it does not show") == 1


def test_the_shares_moved_are_those_of_the_states(open_story):
    app = open_story(["starter-rnn", "starter-lstm"], chapter="keeps")
    shares = [int(one) for one in re.findall(r"(\d+) %", said(app))]
    for family, share in zip(("rnn", "lstm"), shares, strict=True):
        trace = api.trace_states(api.load_model(f"starter-{family}"), chapters.CHAPTERS["keeps"].text)
        h = trace.hidden[-1, 0, trace.reading.last_token_of_word].astype(float)
        moved = [np.linalg.norm(b - a) / (np.linalg.norm(a) + np.linalg.norm(b)) for a, b in itertools.pairwise(h)]
        assert share == round(100 * float(np.mean(moved)))


def test_what_untrained_networks_do_not_show_is_not_claimed(open_story):
    app = open_story(["starter-rnn", "starter-lstm"], chapter="keeps")
    ends = [float(api.predict(api.load_model(f"starter-{name}"), [chapters.CHAPTERS["keeps"].text]).probs[0, 1])
            for name in ("rnn", "lstm")]  # fmt: skip
    assert ("do not show it" in said(app)) or ends[1] > 0.5 > ends[0]


def test_a_family_that_is_not_ready_is_named(open_story):
    app = open_story(["starter-rnn"], chapter="looks_ahead")
    assert "LSTM and BiLSTM" in " ".join(one.value for one in app.info)


def test_the_next_chapter_and_its_text_are_one_press_away(open_story):
    app = open_story(["starter-rnn", "starter-lstm"])
    next(one for one in app.button if one.label == "Next: The LSTM keeps").click().run()
    assert chapters.CHAPTERS["keeps"].text in said(app)
    next(one for one in app.button if one.label == "Take this text").click().run()
    assert app.session_state[state.TEXT] == chapters.CHAPTERS["keeps"].text
