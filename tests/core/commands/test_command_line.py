"""The command line as a whole: it teaches, answers in text or JSON, and says what went wrong in one sentence."""

from __future__ import annotations

import argparse
import errno
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from explorer_core import __main__, api, registry
from explorer_core.commands import _output
from explorer_core.errors import CancelledError, ExplorerError

ROOT = Path(__file__).parents[3]
COMMANDS = registry.describe("commands")


def run_python(*arguments: str, **settings: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, capture_output=True, text=True, timeout=120, **settings
    )


def test_the_commands_are_those_that_were_promised() -> None:
    assert set(COMMANDS) >= {"train", "models", "predict", "trace", "evaluate"}


def test_help_names_every_command_with_its_sentence_and_an_example(command: Any) -> None:
    answer = command("--help")
    flat = " ".join(answer.out.split())
    assert answer.code == 0
    for name, about in COMMANDS.items():
        assert about.sentence in flat
        assert f"python -m explorer_core {name}" in answer.out


@pytest.mark.parametrize("name", COMMANDS)
def test_help_of_every_command_teaches_by_examples(command: Any, name: str) -> None:
    answer = command(name, "--help")
    assert answer.code == 0
    assert "examples:" in answer.out
    assert "--json" in answer.out
    assert COMMANDS[name].sentence in " ".join(answer.out.split())


@pytest.mark.parametrize(
    "example",
    [example for about in COMMANDS.values() for example in about.extra["examples"]],
    ids=lambda text: text[:50],
)
def test_every_example_in_a_help_text_can_be_typed(example: str) -> None:
    words = shlex.split(example.split("|")[-1])
    if "explorer_core" in words:
        words = words[words.index("explorer_core") + 1 :]
    assert isinstance(__main__.build_parser().parse_args(words), argparse.Namespace)


@pytest.mark.parametrize("arguments", [["--help"], ["train", "--help"], ["models"], ["models", "--json"]])
def test_help_and_the_list_of_models_wait_for_no_torch(arguments: list[str]) -> None:
    code = (
        "import sys\nfrom explorer_core import __main__\n"
        "try:\n    __main__.main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        "heavy = {'torch', 'transformers', 'datasets', 'pandas', 'streamlit', 'sklearn'} & sys.modules.keys()\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)"
    )
    done = run_python("-c", code, *arguments)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], "COMMAND"),
        (["fly"], "'predict'"),
        (["trace"], "--text"),
        (["models", "burn"], "'show'"),
        (["predict", "--modle", "x", "text"], "--modle"),
        (["train", "--name", "a", "--epochs", "many"], "--epochs"),
        (["train", "--starter", "--resume", "x"], "--resume"),
    ],
)
def test_a_mistyped_command_is_answered_with_one_sentence(refused: Any, arguments: list[str], said: str) -> None:
    sentence = refused(*arguments)
    assert said in sentence
    assert "--help" in sentence


def test_a_mistake_leaves_the_process_with_exit_code_two_and_no_traceback() -> None:
    done = run_python("-m", "explorer_core", "predict", "--file", "/no/such/file")
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ExplorerError("Nothing fits.\nTry less."), 2, "Nothing fits. Try less."),
        (CancelledError("It was cancelled."), 130, "It was cancelled."),
        (KeyboardInterrupt(), 130, "Stopped."),
        (OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/full/disk"), 2, "No space left on device (/full/disk)"),
        (PermissionError(errno.EACCES, os.strerror(errno.EACCES), "/root/x"), 2, "Permission denied (/root/x)"),
    ],
    ids=["explorer", "cancelled", "ctrl-c", "disk-full", "forbidden"],
)
def test_what_stops_a_command_becomes_an_exit_code_and_a_sentence(
    command: Any, monkeypatch: pytest.MonkeyPatch, error: BaseException, code: int, said: str
) -> None:
    def stop() -> None:
        raise error

    monkeypatch.setattr(api, "list_models", stop)
    answer = command("models")
    assert answer.code == code
    assert said in answer.err
    assert answer.err.count("\n") == 1
    assert answer.out == ""


@pytest.mark.parametrize("error", [ZeroDivisionError("bug"), OSError("bug"), ConnectionError("bug")])
def test_a_bug_looks_like_a_bug(command: Any, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def stop() -> None:
        raise error

    monkeypatch.setattr(api, "list_models", stop)
    with pytest.raises(type(error), match="bug"):
        command("models")


def test_a_reader_that_leaves_the_pipe_is_no_error() -> None:
    script = f"{shlex.quote(sys.executable)} -m explorer_core train --help | head -c 1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run(["bash", "-c", script], cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr


def test_only_the_first_process_of_many_speaks(command: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RANK", "1")
    assert command("models").out == ""
    assert command("models", "show", "x").err.startswith("Process 1: ")
    monkeypatch.setenv("RANK", "0")
    assert command("models").out != ""


# Text on a terminal -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text", ["\x1b[2J\x1b]0;owned\x07", "a\u202eb", "one\ntwo", "\x00\x07\x08", "\u2028", "tab\there"]
)
def test_no_text_can_steer_the_terminal(text: str) -> None:
    shown = _output.cut(text)
    assert all(character.isprintable() for character in shown)
    assert "\n" not in shown


@pytest.mark.parametrize("text", ["short", "x" * 500, "漢字" * 200, "👩‍👩‍👧 " * 80, "é" * 100, ""])
def test_a_cell_never_takes_more_than_its_columns(text: str) -> None:
    assert _output.width(_output.cut(text, 30)) <= 30
    assert _output.cut("short", 30) == "short"


def test_columns_of_a_table_are_aligned_whatever_the_script() -> None:
    rows = [("good", "99.0 %", "a"), ("漢字", "7.5 %", "b"), ("é", "-", "c")]
    lines = _output.table(("word", "share", "x"), rows).splitlines()
    assert {_output.width(line) for line in lines} == {_output.width(lines[0])}
    assert lines[2].split() == ["good", "99.0", "%", "a"]
    assert (
        lines[3].index("7.5 %") - lines[2].index("99.0 %") == 1 - 2
    )  # set to the right; two characters of two columns


def test_a_table_without_rows_is_its_header() -> None:
    assert _output.table(("name", "value"), []).splitlines()[0] == "name  value"


def test_progress_is_shown_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    assert _output.progress_line("Reading") is None
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    show = _output.progress_line("Reading")
    assert show is not None
    show(0.5)
    show(1.0)
    assert "Reading: 50 %" in capsys.readouterr().err
