"""The section Change the text: an edit shown inline, its suggestions, and what it moves."""

from __future__ import annotations

import functools
import io
import json
import runpy
import sys
import zipfile

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from pages._ui import cache, state, take_away
from pages._ui.sections.compare import edit
from tests.pages.conftest import numbers, said, settled

PAGE, TEXT, EDITED = "pages/compare.py", "the film is not good but great", "the film is good but great"

pytestmark = pytest.mark.usefixtures("nothing_left_running")


@pytest.fixture
def open_edit(open_section):
    return functools.partial(open_section, "edit", text=TEXT, target="positive")


def charts(app) -> dict[str, dict]:
    return {node.key: json.loads(node.proto.spec) for node in app.get("plotly_chart")}


def inline(app) -> str:
    return next(one.proto.body for one in app.get("html") if "class='edit'" in one.proto.body)


def test_an_edit_is_shown_inline_and_moves_what_the_desk_says(open_edit, family):
    app = open_edit(family, compare_text2=EDITED)
    info = cache.model_info(f"starter-{family}")
    found = api.compare_texts(cache.load(info.name, info.fingerprint), TEXT, EDITED, 1)
    assert "<del>not </del>" in inline(app)
    assert set(charts(app)) == {edit.VERDICTS, edit.STATES, edit.SCORES}
    drawn = next(one for one in charts(app)[edit.SCORES]["data"] if one.get("yaxis") == "y2")
    np.testing.assert_allclose(numbers(drawn["y"]), found.score_difference, atol=1e-6)
    before, after = (number(float(found.probs[side, 1])) for side in range(2))
    assert f"the probability of positive goes from {before} to {after}" in said(app)
    assert [one for one in app.get("download_button") if "bundle" in one.proto.label]


def test_the_box_is_filled_with_the_text_and_follows_it_until_it_is_edited(open_edit):
    app = open_edit("lstm")
    assert app.session_state[edit.TEXT] == TEXT
    assert "The two texts are the same, and nothing moved." in said(app)
    assert not charts(app)
    app.session_state[state.TEXT] = "another text"
    app.run()
    assert app.session_state[edit.TEXT] == "another text"
    app.text_area(key=edit.TEXT).set_value("another good text").run()
    app.session_state[state.TEXT] = TEXT
    app.run()
    assert app.session_state[edit.TEXT] == "another good text"
    assert not app.exception


def test_a_suggested_edit_is_taken_by_a_press_and_undone_by_another(open_edit):
    app = open_edit("gru")
    labels = {one.label.replace("\\", ""): one for one in app.button}
    label = next(name for name in labels if "Without" in name and "not" in name)
    settled(labels[label].click().run())
    assert app.session_state[edit.TEXT] == EDITED
    assert edit.VERDICTS in charts(app)
    assert any("→" in name and "bad" in name for name in labels)  # good becomes bad
    app.button(key="edit_undo").click().run()
    assert app.session_state[edit.TEXT] == TEXT
    texts = [one.label for one in app.button if (one.key or "").startswith("edit_suggested")]
    assert len(texts) == len(set(texts))


def test_states_are_measured_by_their_turn_too_and_the_model_is_chosen(open_edit):
    app = open_edit("rnn", "bilstm", compare_text2=EDITED, edit_states="Turn", edit_model="starter-bilstm")
    drawn = charts(app)[edit.STATES]
    assert len(drawn["data"]) == 4  # two layers, two directions
    info = cache.model_info("starter-bilstm")
    found = api.compare_texts(cache.load(info.name, info.fingerprint), TEXT, EDITED, 1)
    there = found.in_both
    assert numbers(drawn["data"][1]["y"]) == pytest.approx(found.state_turn[0, 1, there].tolist(), abs=1e-6)


@pytest.mark.parametrize(
    ("text", "other"),
    [
        ("terrible", "good"), ("so good \U0001f60d", "so \U0001f60d"), ("كان الفيلم رائعا", "كان رائعا"),
        ("a </td><script>x</script> [a](http://h)", "a %{y} $1$ \u202eevil <b>b</b>"), (TEXT, "   "),
    ],
)  # fmt: skip
def test_any_two_texts_are_compared(open_edit, text, other):
    app = open_edit("bert", text=text, compare_text2=other)
    assert not app.error
    if not other.strip():
        assert "The edited text is empty." in said(app)
        return
    assert set(charts(app)) == {edit.VERDICTS, edit.STATES, edit.SCORES}
    for node in app.get("html"):
        assert "<script" not in node.proto.body
        assert "<b>b" not in node.proto.body
    assert "[a](" not in "\n".join(one.value for one in (*app.caption, *app.markdown))


def test_without_a_model_it_says_what_to_do(open_app, home, warmed):
    app = open_app(PAGE, text=TEXT, view="edit")
    assert not app.exception
    assert "No model to look into yet." in said(app)


def test_the_bundle_of_an_edit_computes_itself_again(open_edit, tmp_path, monkeypatch):
    offered = []
    monkeypatch.setattr(edit.take_away, "offer", lambda key, look, made, **more: offered.append((look, made, more)))
    open_edit("bilstm", compare_text2=EDITED)
    look, made, more = offered[-1]
    calls = [take_away.as_made(call, *value) for call, value in made.items()]
    with zipfile.ZipFile(io.BytesIO(take_away.bundle(look, calls, more["figures"]))) as archive:
        archive.extractall(tmp_path)
    assert b"before" in (tmp_path / "figures.html").read_bytes()
    monkeypatch.setattr(sys, "argv", ["reproduce.py"])
    runpy.run_path(str(tmp_path / "reproduce.py"))  # leaves with a sentence where an array differs
