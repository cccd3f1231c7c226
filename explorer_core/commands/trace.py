"""What a model remembers of a text, word by word."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from explorer_core import api
from explorer_core.api import Made
from explorer_core.commands import (
    _inputs,
    _trace_corpus,
    _trace_gradients,
    _trace_layers,
    _trace_states,
    _trace_words,
    _traces,
)
from explorer_core.errors import InvalidInputError
from explorer_core.results import pack_arrays

ABOUT = {
    "label": "Trace",
    "sentence": "States, gates and the running verdict of one text, word by word, and what was made of them.",
    "examples": (
        'trace --model starter-lstm --text "Slow, but worth every minute."',
        'trace --model starter-bert --text "Slow, but worth every minute." --out trace.npz',
        'trace --what ledger --text "Slow, but worth every minute." --target positive --bundle ledger.zip',
        'trace --what memory --model starter-gru --text "Slow, but worth every minute." --swap drop',
        'trace --what gradients --text "Slow, but worth every minute." --of loss --label positive --out gradients.npz',
        'trace --what attention --model starter-bert --text "Slow, but worth every minute." --json',
        "trace --what unit --unit 7 --data reviews.csv",
        'trace --what pattern --text "Slow, but worth every minute." --span 3:4 --threshold 0.3',
    ),
    "order": 40,
}
KINDS = (
    _trace_states.KINDS
    | _trace_words.KINDS
    | _trace_gradients.KINDS
    | _trace_layers.KINDS
    | _trace_corpus.KINDS
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Model, text, what to tell of it, where to save."""
    _inputs.add_model(parser)
    parser.add_argument("--text", metavar="TEXT", help="the text to read")
    told = "; ".join(f"{name}: {kind.sentence}" for name, kind in KINDS.items())
    parser.add_argument("--what", choices=list(KINDS), default="states", help=f"{told}; default: states")
    parser.add_argument("--out", metavar="PATH", help="save every array (.npz), or the main table (.csv)")
    parser.add_argument(
        "--bundle", metavar="PATH.zip",
        help="save a zip with text, arrays, settings and a script that computes the same numbers again",
    )  # fmt: skip
    parser.add_argument(
        "--no-running", action="store_true", default=None,
        help="leave out the verdict after every word, which is slow for long texts with a BiLSTM or BERT",
    )  # fmt: skip
    parser.add_argument("--target", metavar="CLASS", help="class that is explained; default: the predicted one")
    parser.add_argument("--of", metavar="WHAT", help="logit or loss: what is differentiated")
    parser.add_argument("--label", metavar="CLASS", help="the right class, for --of loss")
    parser.add_argument("--norm", metavar="NORM", help="spectral or frobenius")
    parser.add_argument(
        "--no-spectrum", action="store_true", default=None,
        help="leave out eigenvalues and singular values of every step, by far the longest part",
    )  # fmt: skip
    parser.add_argument("--layer", type=int, metavar="N", help="from 1, the words up; default: the top one")
    parser.add_argument("--direction", metavar="WAY", help="forward or backward")
    parser.add_argument("--unit", type=int, metavar="N", help="from 0")
    parser.add_argument("--span", metavar="A:B", help="first and last word, from 1")
    parser.add_argument("--threshold", type=float, metavar="X", help="value from which on a unit counts as on")
    parser.add_argument("--swap", metavar="HOW", help="unknown (as the unknown token) or drop (left out)")
    parser.add_argument("--tanh-share", metavar="HOW", help="proportional (knows no order) or order (of reading)")
    _inputs.add_data(parser.add_argument_group("corpus of --what unit and pattern"), default=None)


def run(args: argparse.Namespace) -> dict[str, Any]:
    """What was asked for, as plain values, after it was saved where asked.

    Raises:
        InvalidInputError: If an option is missing, does not belong to what is asked for, or has no such value.
        IncompatibleError: If the model has no such thing.
    """
    kind = KINDS[args.what]
    check_options(args)
    _inputs.check_target(args.out)
    _inputs.check_target(args.bundle, (".zip",))
    model = api.load_model(args.model, args.device)
    made = kind.make(model, args)
    found: dict[str, Any] = {
        "what": args.what,
        "model": model.name,
        "architecture": model.architecture,
        "fingerprint": model.fingerprint,
        "labels": list(model.labels),
    } | kind.describe([one.result for one in made], args)
    saved = [save(made, args.out)] if args.out else []
    if args.bundle:
        saved.append(str(api.reproduce_bundle(Path(args.bundle).expanduser(), model, args.text, made)))
    return found | ({"saved": saved[0] if len(saved) == 1 else saved} if saved else {})


def render(found: dict[str, Any]) -> str:
    """The table, unless it was saved, then what was not read."""
    saved = found.get("saved", [])
    lines = [f"Saved to {path}" for path in ([saved] if isinstance(saved, str) else saved)]
    if not lines:
        lines = KINDS[found["what"]].render(found)
    elif "probs" in found:
        lines.append(_traces.verdict(found))
    return "\n".join([*lines, *found.get("notes", [])])


def check_options(args: argparse.Namespace) -> None:
    """Refuse what is missing, and what does not belong to what is asked for.

    Raises:
        InvalidInputError: If something is.
    """
    kind = KINDS[args.what]
    needs = {*kind.needs, *(("text",) if args.bundle else ())}
    missing = [name for name in ("text", "unit", "span", "threshold") if name in needs and getattr(args, name) is None]
    if missing:
        flags = " and ".join(map(_flag, missing))
        raise InvalidInputError(f"--what {args.what}{' with --bundle' * bool(args.bundle)} needs {flags}; see --help.")
    known = {name for other in KINDS.values() for name in other.options}
    odd = [name for name in sorted(known - {*kind.options}) if getattr(args, name) not in (None, [])]
    if odd:
        takes = ", ".join(map(_flag, kind.options)) or "no option of its own"
        raise InvalidInputError(f"{_flag(odd[0])} does not go with --what {args.what}, which takes {takes}.")


def save(made: list[Made], path: str) -> str:
    """Write every array, or the table of the first result; returns where."""
    if len(made) > 1 and path.endswith(".npz"):
        target = Path(path).expanduser()
        target.write_bytes(pack_arrays({one.call: one.result for one in made}))
        return str(target)
    return _inputs.save(made[0].result, path)


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
