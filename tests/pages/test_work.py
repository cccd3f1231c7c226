"""Work in the background: shared by key, cancelled, queued, bounded, and drawn until it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from explorer_core.errors import InvalidInputError, JobError
from pages._ui import work

LIMIT_S = 20.0


class Held:
    """A call that waits in the middle until it is let go."""

    def __init__(self) -> None:
        self.began, self.let_go = threading.Event(), threading.Event()

    def __call__(self, progress: work.Progress) -> str:
        progress(0.25)
        self.began.set()
        assert self.let_go.wait(LIMIT_S)
        progress(0.5)
        return "finished"


@pytest.fixture
def held() -> Iterator[Callable[[], Held]]:
    made: list[Held] = []

    def make() -> Held:
        made.append(Held())
        return made[-1]

    yield make
    for each in made:
        each.let_go.set()


def test_work_is_found_again_by_its_key_with_its_answer() -> None:
    assert work.task("a") is None
    assert work.is_idle("a")
    work.start("a", "Counting", lambda progress: 6 * 7)
    found = work.wait("a", LIMIT_S)
    assert (found.state, found.result, found.share, found.eta_s) == ("done", 42, 1.0, None)
    assert work.task("a") == found
    work.forget("a")
    assert work.task("a") is None


def test_a_key_that_is_worked_on_is_not_started_twice(held: Callable[[], Held]) -> None:
    first, second = held(), held()
    work.start("a", "First", first)
    assert first.began.wait(LIMIT_S)
    assert work.start("a", "Second", second).label == "First"
    assert not work.is_idle("a")
    first.let_go.set()
    assert work.wait("a", LIMIT_S).result == "finished"
    assert not second.began.is_set()


def test_finished_work_of_a_key_can_be_done_anew() -> None:
    for answer in (1, 2):
        work.start("a", "Counting", lambda progress, answer=answer: answer)
        assert work.wait("a", LIMIT_S).result == answer


def test_cancelled_work_stops_at_its_next_report_and_keeps_nothing(held: Callable[[], Held]) -> None:
    call = held()
    work.start("a", "Counting", call)
    assert call.began.wait(LIMIT_S)
    work.cancel("a")
    assert work.task("a").is_stopping
    call.let_go.set()
    found = work.wait("a", LIMIT_S)
    assert (found.state, found.result, found.share) == ("cancelled", None, 0.25)


def test_work_beyond_two_waits_for_its_turn_in_order(held: Callable[[], Held]) -> None:
    calls = [held() for _ in range(4)]
    for index, call in enumerate(calls):
        work.start(str(index), "Counting", call)
    assert calls[0].began.wait(LIMIT_S)
    assert calls[1].began.wait(LIMIT_S)
    assert [work.task(str(index)).state for index in range(4)] == ["running", "running", "queued", "queued"]
    assert "waiting for its turn" in work.words(work.task("3"))
    work.cancel("2")
    assert work.wait("2", LIMIT_S).state == "cancelled"
    assert not calls[2].began.is_set()
    calls[1].let_go.set()
    assert calls[3].began.wait(LIMIT_S)


def test_too_much_waiting_work_is_refused_in_a_sentence(held: Callable[[], Held]) -> None:
    for index in range(work.MAX_AT_ONCE):
        call = held()
        work.start(str(index), "Counting", call)
        assert call.began.wait(LIMIT_S)
    for index in range(work.MAX_WAITING):
        work.start(f"waits {index}", "Counting", held())
    with pytest.raises(JobError, match="waiting for their turn"):
        work.start("one more", "Counting", held())
    for index in range(work.MAX_WAITING):
        work.cancel(f"waits {index}")


def test_failed_work_frees_its_place_and_says_why() -> None:
    def refuse(progress: work.Progress) -> None:
        raise InvalidInputError("That cannot be counted.")

    def break_down(progress: work.Progress) -> None:
        raise ZeroDivisionError

    for index in range(4):
        work.start(str(index), "Counting", break_down)
        assert work.wait(str(index), LIMIT_S).state == "failed"
    assert "bug in Unrolled" in work.task("0").sentence
    work.start("a", "Counting", refuse)
    found = work.wait("a", LIMIT_S)
    assert (found.state, found.sentence) == ("failed", "That cannot be counted.")
    assert isinstance(found.error, InvalidInputError)


def test_only_the_newest_finished_work_is_kept() -> None:
    for index in range(work.MAX_FINISHED + 3):
        work.start(str(index), "Counting", lambda progress: None)
        work.wait(str(index), LIMIT_S)
    kept = [index for index in range(work.MAX_FINISHED + 3) if work.task(str(index)) is not None]
    assert kept == list(range(3, work.MAX_FINISHED + 3))


def test_the_share_never_falls_and_never_passes_one(held: Callable[[], Held]) -> None:
    seen: list[float] = []

    def call(progress: work.Progress) -> None:
        for share in (0.5, 0.2, 7.0):
            progress(share)
            seen.append(work.task("a").share)

    work.start("a", "Counting", call)
    work.wait("a", LIMIT_S)
    assert seen == [0.5, 0.5, 1.0]


def test_forgetting_work_that_runs_cancels_it(held: Callable[[], Held]) -> None:
    call = held()
    work.start("a", "Counting", call)
    assert call.began.wait(LIMIT_S)
    work.forget("a")
    assert work.task("a") is None
    call.let_go.set()
    work.start("b", "Counting", lambda progress: "b")
    assert work.wait("b", LIMIT_S).result == "b"


# On the page --------------------------------------------------------------------------------------------------------


def page() -> Any:
    def script() -> None:
        import streamlit as st

        from pages._ui import work

        st.text(f"answer: {work.draw('a')}")

    return AppTest.from_function(script, default_timeout=20)


def test_running_work_is_drawn_with_a_bar_and_a_button_that_cancels(held: Callable[[], Held]) -> None:
    call = held()
    work.start("a", "Reading [the](corpus)", call)
    assert call.began.wait(LIMIT_S)
    app = page().run()
    assert not app.exception
    assert app.text[0].value == "answer: None"
    assert "\\[the\\]" in work.words(work.task("a"))
    assert app.button[0].label == "Cancel"
    app.button[0].click().run()
    assert work.task("a").is_stopping
    call.let_go.set()
    work.wait("a", LIMIT_S)
    app.run()
    assert "cancelled" in app.caption[0].value
    assert not app.button


def test_the_answer_is_drawn_when_work_is_done_and_the_sentence_when_it_failed() -> None:
    work.start("a", "Counting", lambda progress: 42)
    work.wait("a", LIMIT_S)
    assert page().run().text[0].value == "answer: 42"

    def refuse(progress: work.Progress) -> None:
        raise InvalidInputError("No *words*.")

    work.start("a", "Counting", refuse)
    work.wait("a", LIMIT_S)
    app = page().run()
    assert app.error[0].value.replace("\\", "") == "No *words*."
    assert app.text[0].value == "answer: None"
