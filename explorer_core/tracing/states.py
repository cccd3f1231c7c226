"""What a network remembers, word by word: one text, and everything the network computed while reading it."""

from __future__ import annotations

from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.results import RecurrentTrace, TransformerTrace
from explorer_core.text import read_text
from explorer_core.tracing import recurrent, transformer
from explorer_core.tracing._prefixes import Progress


def trace(
    model: LoadedModel, text: str, *, running: bool = True, progress: Progress | None = None
) -> RecurrentTrace | TransformerTrace:
    """States of every position, and the running verdict; see `api.trace_states`."""
    check_kind(model)
    reading = read_text(model.tokenizer, text, model.max_tokens)
    if model.kind == "recurrent":
        return recurrent.trace(model, reading, running=running, progress=progress)
    return transformer.trace(model, reading, running=running, progress=progress)


def check_kind(model: LoadedModel) -> None:
    """Refuse a network that is read in neither way.

    Raises:
        IncompatibleError: If it is neither recurrent nor a transformer.
    """
    if model.kind not in ("recurrent", "transformer"):
        raise IncompatibleError(
            f"{model.name[:60]!r} is neither a recurrent network nor a BERT, so it has no states to show. "
            "Choose another model."
        )
