"""The verdict after every word, without states or gates: what a page draws for many models at once."""

from __future__ import annotations

import numpy as np

from explorer_core.loaded import LoadedModel
from explorer_core.results import RunningVerdict, check_finite
from explorer_core.text import read_text
from explorer_core.tracing import recurrent, states, transformer
from explorer_core.tracing._prefixes import Progress


def trace_running(model: LoadedModel, text: str, *, progress: Progress | None = None) -> np.ndarray:
    """Logits after every word, shape [word, class]; the last row is the whole text's. See `api.running_verdict`.

    Raises:
        InvalidInputError: If the text has no words, or the network gives numbers that are not finite.
    """
    states.check_kind(model)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    room = recurrent if model.kind == "recurrent" else transformer
    logits = room.trace_running(model, reading, progress)
    check_finite(logits, "running_logits")
    return logits


def trace_verdict(model: LoadedModel, text: str, *, progress: Progress | None = None) -> RunningVerdict:
    """The same as a result with its words; see `api.trace_running`."""
    logits = trace_running(model, text, progress=progress)
    return RunningVerdict(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=read_text(model.tokenizer, text, model.max_tokens),
        logits=logits[-1],
        running_logits=logits,
    )
