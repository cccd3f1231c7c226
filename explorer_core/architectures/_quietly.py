"""Calls into transformers that touch its globals, one at a time and without its bars and warnings.

`from_pretrained` swaps functions of `torch.nn.init` while it runs; two threads doing so at once can leave the swapped
ones behind. What it would log (weights that are missing or left over) is checked and said by us.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from transformers.utils import logging

from explorer_core.errors import ExplorerError, IncompatibleError

logging.disable_progress_bar()
_ONE_AT_A_TIME = threading.RLock()


@contextmanager
def quietly() -> Iterator[None]:
    """Run one call into transformers alone, with its log set to errors and set back afterwards."""
    with _ONE_AT_A_TIME:
        verbosity = logging.get_verbosity()
        logging.set_verbosity_error()
        try:
            yield
        finally:
            logging.set_verbosity(verbosity)


@contextmanager
def refusing(sentence: str) -> Iterator[None]:
    """Turn whatever a parser raises on a hostile or broken file into a refusal that begins with `sentence`.

    Raises:
        IncompatibleError: For any error that is not already one of ours, also a panic of a Rust library, which is no
            `Exception`.
    """
    try:
        yield
    except (ExplorerError, MemoryError):
        raise
    except BaseException as error:
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise IncompatibleError(f"{sentence} ({reason}). Save it again with save_pretrained.") from error
