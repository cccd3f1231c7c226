"""Hostile and broken input through the public doors: a clear sentence, nothing executed, nothing lost.

Each case goes through the front desk and through the command line; what a page does with it is tested in
`tests/pages` and `tests/browser`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from explorer_core import api, settings
from explorer_core.errors import ExplorerError, InvalidInputError, NotFoundError
from tests.doors import assert_is_a_sentence

HTML = "<script>alert(1)</script><img src=x onerror=alert(1)> a good film"
EVIL_NAMES = (
    "../../etc/passwd", "/etc/passwd", "..", ".", "~root", "a/../b", "a\0b", "C:\\Windows", "<img src=x>", "x" * 5_000,
    "", " ", "\n", "\x1b[2J", "nobody-has-this", "%2e%2e%2f", "name; rm -rf .", "$(touch owned)", "http://evil.test/m",
    "--help/x", "a--b/c", "file:///etc/passwd",
)  # fmt: skip
UNREADABLE = {
    "empty": "",
    "blank": " \n\t\u3000",
    "controls": "\x00\x01\x02\x03",
    "invisible": "\u200b\u200d\ufeff",
    "half a surrogate": "a good \ud83d film",
    "too long": "good " * (settings.MAX_TEXT_CHARS // 5 + 1),
}
READABLE = {
    "three characters": "abc",
    "one mark": "?",
    "20,000 words": "good " * 20_000,
    "one endless word": "x" * 50_000,
    "only line breaks and a word": "\n" * 10_000 + "good",
    "html": HTML,
    "terminal codes": "\x1b[2J\x1b]0;owned\x07 a good film",
    "right to left": "סרט טוב \u202egood\u202c فيلم",
    "emoji": "👩‍👩‍👧‍👦 loved it 🏳️‍🌈 ❤️",
    "ideographs": "这部电影很好看",
    "stacked marks": "g" + "\u0301" * 3_000 + "ood",
    "null inside": "a good\x00film",
    "format strings": "%s %n {0} {model.name} ${HOME} `id`",
}


# Texts --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_a_text_that_cannot_be_read_is_refused_at_every_door(tiny_model: Any, family: str, text: str) -> None:
    model = tiny_model(family)
    for door in (lambda: api.predict(model, [text]), lambda: api.trace_states(model, text),
                 lambda: api.running_verdict(model, text)):  # fmt: skip
        with pytest.raises(InvalidInputError) as caught:
            door()
        assert_is_a_sentence(caught.value)


@pytest.mark.parametrize("text", READABLE.values(), ids=READABLE)
def test_a_strange_text_is_read_and_what_was_cut_is_said(tiny_model: Any, text: str) -> None:
    for family in ("lstm", "bert"):
        model = tiny_model(family)
        trace = api.trace_states(model, text, running=False)
        assert len(trace.tokens) <= model.max_tokens
        assert "".join(trace.words) == "".join(text[slice(*span)] for span in trace.reading.word_spans)
        n_cut = len(trace.reading.truncated_words)
        assert (n_cut > 0) == any("were not" in note for note in trace.reading.notes if "reads at most" in note)
        assert api.predict(model, [text]).n_truncated.tolist() == [n_cut]


def test_one_bad_text_among_many_is_named_by_its_number(tiny_model: Any) -> None:
    with pytest.raises(InvalidInputError, match="3"):
        api.predict(tiny_model("lstm"), ["good", "bad", "", "fine"])


@pytest.mark.parametrize("value", [None, 3, b"bytes", ["a list"], 1.5])
def test_what_is_no_text_is_refused(tiny_model: Any, value: Any) -> None:
    with pytest.raises(InvalidInputError):
        api.predict(tiny_model("rnn"), [value])
    with pytest.raises(InvalidInputError):
        api.trace_states(tiny_model("rnn"), value)


@pytest.mark.parametrize("text", [value for name, value in UNREADABLE.items() if name != "controls"])
def test_the_command_line_refuses_the_same_texts(refused: Any, unchanged: str, text: str) -> None:
    assert_is_a_sentence(refused("predict", "--model", unchanged, text))
    assert_is_a_sentence(refused("trace", "--model", unchanged, "--text", text))


@pytest.mark.parametrize("text", [HTML, READABLE["terminal codes"], READABLE["right to left"], READABLE["emoji"]])
def test_hostile_text_stays_text_on_the_command_line(command: Any, unchanged: str, text: str) -> None:
    plain = command("trace", "--model", unchanged, "--text", text)
    assert plain.code == 0
    assert not {"\x1b", "\x07", "\u202e"} & set(plain.out)
    found = command("predict", "--model", unchanged, "--json", text)
    assert found.json["texts"][0]["text"] == text


# Names and runs -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", EVIL_NAMES)
def test_a_hostile_model_name_is_refused_at_every_door(refused: Any, unchanged: str, name: str) -> None:
    doors = (api.load_model, api.delete_model, api.restore_model, api.find_job, api.training_spec, api.training_curves,
             api.resume_training)  # fmt: skip
    for door in doors:
        if door is api.load_model and name in (".", "..", "~root"):
            continue  # these are folders; that they are no models is tested below
        with pytest.raises(ExplorerError) as caught:
            door(name)
        assert_is_a_sentence(caught.value)
    assert_is_a_sentence(refused("predict", "--model", name or "-", "good"))
    assert_is_a_sentence(refused("models", "show", name))
    assert not Path("owned").exists()


def test_the_hub_is_reported_as_out_of_reach_in_a_sentence(refused: Any, unchanged: str) -> None:
    assert_is_a_sentence(refused("predict", "--model", "someone/some-model", "good"))
    assert_is_a_sentence(refused("evaluate", "--model", unchanged, "--data", "hub:someone/some-set"))


def test_a_killed_worker_leaves_a_run_that_is_lost_and_the_others_as_they_were(
    command: Any, keep: Any, home: Path
) -> None:
    keep("lstm", name="bystander")
    folder = home / keep("gru", name="killed")
    (folder / "unrolled.json").unlink()
    (folder / "spec.json").write_text('{"name": "killed", "family": "gru"}')
    status = {"state": "running", "pid": 2**22 - 1, "create_time": 1.0, "updated": 0.0}
    (folder / "status.json").write_text(json.dumps(status))
    states = {card["name"]: card["status"] for card in command("models", "--json").json["models"]}
    assert states == {"killed": "lost", "bystander": "done"}


@pytest.mark.parametrize("file", ["status.json", "unrolled.json", "spec.json"])
@pytest.mark.parametrize("junk", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"[" * 100_000, b'{"state": 5}'])
def test_junk_in_one_run_hides_no_other(command: Any, keep: Any, home: Path, file: str, junk: bytes) -> None:
    keep("lstm", name="bystander")
    (home / keep("gru", name="junk") / file).write_bytes(junk)
    (home / "loose file").write_bytes(junk)
    answer = command("models", "--json")
    assert answer.code == 0
    assert "bystander" in {card["name"] for card in answer.json["models"]}


# The system ---------------------------------------------------------------------------------------------------------


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_full_disk_is_said_in_a_sentence(refused: Any, unchanged: str, tmp_path: Path) -> None:
    (tmp_path / "out.csv").symlink_to("/dev/full")
    assert "space" in refused("predict", "--model", unchanged, "--out", str(tmp_path / "out.csv"), "good")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_home_that_cannot_be_written_is_said_in_a_sentence(refused: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNROLLED_HOME", "/proc/nothing")
    assert_is_a_sentence(refused("train", "--name", "a"))


def test_a_home_that_is_a_file_is_said_in_a_sentence(
    refused: Any, command: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("x")
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path / "file"))
    assert command("models").code == 0
    assert_is_a_sentence(refused("train", "--name", "a"))
    with pytest.raises(NotFoundError):
        api.load_model("starter-lstm")
