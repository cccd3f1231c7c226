"""The command line: `python -m explorer_core COMMAND`. What the front desk does, without a browser.

Results go to standard output, as aligned text or with `--json` as JSON; what went wrong goes to standard error as one
sentence. Exit codes: 0 done, 2 input that cannot be used, 130 stopped by Ctrl-C or cancelled.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from explorer_core import registry
from explorer_core.commands import _output
from explorer_core.errors import CancelledError, ExplorerError

PROGRAM = "python -m explorer_core"
BAD_INPUT, STOPPED = 2, 130
# what a disk or its owner may answer; any other system error is a bug and shows itself as one
_REFUSALS = (errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.EISDIR, errno.ENAMETOOLONG)
_DESCRIPTION = """Watch small recurrent networks and BERT read a text, word by word.

Every command is also a function of explorer_core.api, and nearly all of it is in the app (make run).
Everything written lies under runs/, or where the environment variable UNROLLED_HOME points."""


class Parser(argparse.ArgumentParser):
    """An argument parser that answers a mistake with one sentence."""

    def error(self, message: str) -> NoReturn:
        """Say what was wrong and where help is, then leave."""
        self.exit(BAD_INPUT, f"{message[:1].upper()}{message[1:]}. `{self.prog} --help` shows what is allowed.\n")


def build_parser() -> argparse.ArgumentParser:
    """The parser of every command found in `commands/`."""
    commands = registry.describe("commands")
    layout = argparse.RawDescriptionHelpFormatter
    parser = Parser(
        prog=PROGRAM, description=_DESCRIPTION, formatter_class=layout, allow_abbrev=False,
        epilog=_examples(tuple(about.extra["examples"][0] for about in commands.values())),
    )  # fmt: skip
    choices = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", title="commands")
    for name, about in commands.items():
        child = choices.add_parser(
            name, help=about.sentence, description=about.sentence, formatter_class=layout, allow_abbrev=False,
            epilog=_examples(about.extra["examples"]),
        )  # fmt: skip
        child.add_argument("--json", action="store_true", help="print the result as JSON")
        registry.load("commands", name).add_arguments(child)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code.

    Args:
        arguments: Words after the program's name; the process's own when left out.
    """
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):  # a terminal that knows no UTF-8 gets "?" rather than a crash
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    # before torch is there: threads that spin while they wait make all slow as soon as the cores have other work too
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        args = build_parser().parse_args(arguments)
        command = registry.load("commands", args.command)
        found = command.run(args)
        if found is not None and _output.is_first_process():
            text = json.dumps(found, indent=2, ensure_ascii=False) if args.json else command.render(found)
            sys.stdout.write(text + "\n")
            sys.stdout.flush()
    except CancelledError as error:
        return _leave(STOPPED, str(error))
    except ExplorerError as error:
        return _leave(BAD_INPUT, str(error))
    except KeyboardInterrupt:
        return _leave(STOPPED, "Stopped.")
    except BrokenPipeError:  # the reader of the pipe left, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except OSError as error:
        if error.errno not in _REFUSALS:
            raise
        where = f" ({error.filename})" if error.filename else ""
        return _leave(BAD_INPUT, f"Nothing could be written or read there: {error.strerror}{where}.")
    return 0


def _examples(examples: Sequence[str]) -> str:
    lines = (example if "explorer_core" in example else f"{PROGRAM} {example}" for example in examples)
    return "examples:\n" + "\n".join(f"  {line}" for line in lines)


def _leave(code: int, sentence: str) -> int:
    """The exit code, after the sentence was written to standard error on one line."""
    who = "" if _output.is_first_process() else f"Process {os.environ['RANK']}: "
    sys.stderr.write(f"{who}{' '.join(sentence.split())}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
