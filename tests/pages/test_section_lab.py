"""The section Vanishing lab: nothing trains before the press, results come while it trains, and it can be stopped."""

from __future__ import annotations

import dataclasses
import io
import threading

import numpy as np
import pytest

from explorer_core import api
from explorer_core.lab import spec as lab_spec
from explorer_core.results import finding_of
from pages._ui import lab_form, take_away, work
from pages._ui.sections.gradients import lab
from tests.pages.conftest import said
from tests.pages.tiny import save_tiny

PAGE, VIEW, LIMIT_S = "pages/gradients.py", "Vanishing lab", 60
SMALL = {"lags": (2, 5), "steps": 6, "n_units": 2, "n_seeds": 1, "batch_size": 4}


@pytest.fixture(autouse=True)
def _small(monkeypatch):
    """Labs that take no time."""
    tasks = {"first_token": SMALL, "copy": SMALL | {"steps": 7}, "adding": SMALL | {"steps": 8}}
    monkeypatch.setattr(lab_spec, "SUGGESTED", tasks)


@pytest.fixture
def open_lab(open_app, home, warmed):
    def opener(family: str = "lstm", **address):
        save_tiny(home, f"starter-{family}", family)
        given = {"text": "not bad at all", "models": [f"starter-{family}"], "view": VIEW} | address
        app = open_app(PAGE, **given)
        assert not app.exception
        return app

    return opener


@pytest.fixture
def held(monkeypatch):
    """A lab that waits after its first measurement until it is let go."""
    go_on, run_lab = threading.Event(), api.run_lab

    def slow(spec, *, progress, watch):
        def wait(result):
            watch(result)
            while not go_on.wait(0.05):
                progress(0.1)

        return run_lab(spec, progress=progress, watch=wait)

    monkeypatch.setattr(api, "run_lab", slow)
    yield go_on
    go_on.set()


def small(task: str = "first_token", **more) -> api.LabSpec:
    return dataclasses.replace(api.LabSpec.suggested(task), **more)


def train(app, spec=None):
    app.button(key=lab.RUN).click().run()
    found = work.wait(lab.key_of(spec or small()), LIMIT_S)
    app.run()
    assert not app.exception
    return found


def charts(app) -> list[str]:
    return [node.proto.id for node in app.get("plotly_chart")]


def until_measured(app):
    """Runs the page until the first measurement is there."""
    for _ in range(200):
        if charts(app.run()):
            return app
    raise AssertionError("no picture came")


# Before the press ---------------------------------------------------------------------------------------------------


def test_nothing_is_trained_before_the_press_and_the_price_is_said(open_lab, monkeypatch):
    monkeypatch.setattr(api, "run_lab", lambda *_, **__: pytest.fail("it trained"))
    app = open_lab()
    assert api.price_lab(small()).sentence in said(app)
    assert app.button(key=lab.RUN)
    assert not charts(app)


@pytest.mark.parametrize("family", ["rnn", "bert"])
def test_the_lab_stands_without_a_text_strip_for_any_model(open_lab, family):
    app = open_lab(family)
    assert lab.SECTION["question"] in said(app)
    assert not app.error
    assert not [node for node in app.get("bidi_component") if "strip" in str(node.proto)]


@pytest.mark.parametrize("task", list(lab_form.TASKS))
def test_an_example_is_shown_with_its_answer_and_the_next_is_another(open_lab, task):
    app = open_lab(lab_task=lab_form.TASKS[task])
    assert app.selectbox(key=lab_form.TASK).value == task
    shown = []
    for seed in range(3):
        example = api.lab_example(task, 2, seed)
        assert example.question in said(app)
        assert f"**{example.answer}**" in said(app)
        assert example.check in said(app)
        steps = next(node.proto.body for node in app.get("html") if "lab-steps" in node.proto.body)
        assert steps.count("<span") == len(example.steps)
        assert steps.count("class=on") == sum(example.matters)
        shown.append(steps)
        app.button(key=lab_form.ANOTHER).click().run()
    assert len(set(shown)) > 1


def test_a_task_comes_with_its_suggested_settings_and_keeps_those_of_the_person(open_lab):
    app = open_lab()
    app.number_input(key="lab_first_token_n_seeds").set_value(2).run()
    assert api.price_lab(small(n_seeds=2)).sentence in said(app)
    app.selectbox(key=lab_form.TASK).set_value("copy").run()
    assert api.price_lab(small("copy")).sentence in said(app)
    app.selectbox(key=lab_form.TASK).set_value("first_token").run()
    assert app.number_input(key="lab_first_token_n_seeds").value == 2


def test_settings_outlive_a_look_at_another_section(open_lab):
    app = open_lab()
    app.multiselect(key="lab_first_token_lags").set_value([5, 10]).run()
    app.segmented_control(key="view").set_value("words").run()
    app.segmented_control(key="view").set_value("lab").run()
    assert app.multiselect(key="lab_first_token_lags").value == [5, 10]


def test_no_lag_at_all_is_refused_in_words(open_lab):
    app = open_lab()
    app.multiselect(key="lab_first_token_lags").set_value([]).run()
    assert not app.exception
    assert "1 to 8 different whole numbers" in said(app)
    assert not [button for button in app.button if button.key == lab.RUN]


def test_a_lab_nobody_would_wait_for_has_no_button(open_lab):
    app = open_lab()
    app.multiselect(key="lab_first_token_lags").set_value([150, 200]).run()
    for name, value in (("n_units", 64), ("steps", 2_000), ("n_seeds", 8), ("batch_size", 64)):
        app.number_input(key=f"lab_first_token_{name}").set_value(value).run()
    assert "at most 20 are allowed" in said(app)
    assert not [button for button in app.button if button.key == lab.RUN]


# While it trains, and after -----------------------------------------------------------------------------------------


def test_results_come_while_it_trains(open_lab, held):
    app = open_lab()
    app.button(key=lab.RUN).click().run()
    until_measured(app)
    assert "So far, after 0 of 6 steps" in said(app)
    assert len(charts(app)) == 4
    assert not app.get("download_button")
    held.set()
    assert work.wait(lab.key_of(small()), LIMIT_S).state == "done"
    app.run()
    assert "After 6 steps the task is learned" in said(app)


def test_a_cancelled_lab_shows_what_had_been_measured_and_can_be_begun_again(open_lab, held):
    app = open_lab()
    app.button(key=lab.RUN).click().run()
    until_measured(app)
    work.cancel(lab.key_of(small()))
    assert work.wait(lab.key_of(small()), LIMIT_S).state == "cancelled"
    app.run()
    assert "Cancelled. What had been measured is below." in said(app)
    assert "So far, after 0 of 6 steps" in said(app)
    held.set()
    assert train(app).state == "done"
    assert "Cancelled" not in said(app)


def test_the_finding_is_made_from_the_numbers_of_the_front_desk(open_lab):
    app = open_lab()
    assert train(app).state == "done"
    expected = finding_of(api.run_lab(small()))
    for sentence in expected:
        assert sentence in said(app)
    assert len(charts(app)) == 4
    assert len(app.get("download_button")) == 3


def test_results_stay_when_a_setting_is_changed_and_say_so(open_lab):
    app = open_lab()
    train(app)
    app.number_input(key="lab_first_token_seed").set_value(7).run()
    assert "results of an earlier lab: First letter, lags 2, 5, 6 steps" in said(app)
    assert len(charts(app)) == 4
    assert train(app, small(seed=7)).state == "done"
    assert "earlier lab" not in said(app)


def test_a_lab_that_was_trained_is_there_at_once_for_another_session(open_lab, open_app):
    train(open_lab())
    other = open_app(PAGE, text="not bad at all", models=["starter-lstm"], view=VIEW)
    assert "After 6 steps the task is learned" in said(other)
    assert not [button for button in other.button if button.key == lab.RUN]


def test_a_lab_that_fails_says_why(open_lab, monkeypatch):
    from explorer_core.errors import InvalidInputError

    def refuse(*_, **__):
        raise InvalidInputError("This <b>cannot</b> be.")

    monkeypatch.setattr(api, "run_lab", refuse)
    app = open_lab()
    assert train(app).state == "failed"
    assert "This <b>cannot</b> be." in said(app)
    assert app.button(key=lab.RUN)


def test_the_lag_whose_learning_is_shown_can_be_chosen(open_lab):
    app = open_lab()
    train(app)
    assert app.selectbox(key=lab.LAG).value == 5
    app.selectbox(key=lab.LAG).set_value(2).run()
    assert not app.exception


def test_what_is_taken_away_holds_all_arrays_and_the_settings():
    result = api.run_lab(small())
    with np.load(io.BytesIO(take_away.npz(result))) as arrays:
        np.testing.assert_array_equal(arrays["accuracy"], result.accuracy)
        assert api.LabSpec.from_json(str(arrays["spec"])) == small()
    assert take_away.csv(result).count(b"\r\n") == 1 + result.accuracy.size


def test_only_the_labs_begun_last_are_kept(monkeypatch, open_lab):
    monkeypatch.setattr(lab, "MOST_BOARDS", 2)
    app = open_lab()
    for seed in range(3):
        app.number_input(key="lab_first_token_seed").set_value(seed).run()
        train(app, small(seed=seed))
    assert list(lab._boards()) == [lab.key_of(small(seed=seed)) for seed in (1, 2)]
