"""One vector a text: what a network ends with after reading it, in one layer. Equal texts are read once."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch

from explorer_core import prediction
from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import DIRECTIONS, TextStates
from explorer_core.tracing import _kernel, states, transformer
from explorer_core.tracing._arrays import to_numpy
from explorer_core.tracing._broken import refuse_broken

WHAT = ("head", "final", "mean")
_AT_ONCE = 4_096  # texts tokenised together
_TRIED = {"recurrent": 128, "transformer": 8}


def states_of_texts(
    model: LoadedModel,
    texts: Sequence[str],
    what: str,
    layer: int,
    direction: int,
    progress: Progress | None = None,
) -> TextStates:
    """The states of all texts; see `api.states_of_texts`."""
    layer, direction = _check(model, what, layer, direction)
    numbers: dict[str, int] = {}
    of_text = np.fromiter((numbers.setdefault(text, len(numbers)) for text in texts), np.int64, len(texts))
    found, is_read = _read(model, list(numbers), what, layer, direction, progress or (lambda share: None))
    indices = np.flatnonzero(is_read[of_text])
    if not len(indices):
        raise InvalidInputError("None of these texts holds anything the model can read. Choose another column.")
    return TextStates(
        model=model.name,
        architecture=model.architecture,
        fingerprint=model.fingerprint,
        what=what,
        layer=layer,
        direction=direction,
        indices=indices,
        states=found[of_text[indices]],
        n_given=len(texts),
    )


def price(model: LoadedModel, texts: Sequence[str]) -> float:
    """Seconds all the states take, about, from reading some of the texts now."""
    some = [texts[place] for place in np.random.default_rng(0).permutation(len(texts))[: _TRIED[model.kind]]]
    began_s = time.perf_counter()
    _read(model, some, "head", 0, 0, lambda share: None)
    return (time.perf_counter() - began_s) / max(len(some), 1) * len(texts)


def layers_of(model: LoadedModel) -> tuple[int, int]:
    """Layers and directions a network has."""
    module: Any = model.module
    if model.kind == "recurrent":
        return module.rnn.num_layers, 1 + bool(module.rnn.bidirectional)
    return module.config.num_hidden_layers + 1, 1


def _check(model: LoadedModel, what: str, layer: int, direction: int) -> tuple[int, int]:
    """Layer and direction from 0.

    Raises:
        IncompatibleError: If the network is neither recurrent nor a transformer.
        InvalidInputError: If it has no such state; the message names those it has.
    """
    states.check_kind(model)
    n_layers, n_directions = layers_of(model)
    if what not in WHAT:
        raise InvalidInputError(f"There is no state {str(what)[:40]!r}; allowed: {', '.join(WHAT)}.")
    if not isinstance(layer, int | np.integer) or not -n_layers <= layer < n_layers:
        raise InvalidInputError(
            f"There is no layer {str(layer)[:20]!r}; layers of this model run from 0 to {n_layers - 1}."
        )
    if direction not in range(n_directions):
        allowed = ", ".join(f"{index} ({name})" for index, name in enumerate(DIRECTIONS[:n_directions]))
        raise InvalidInputError(f"There is no direction {str(direction)[:20]!r}; allowed: {allowed}.")
    return (n_layers - 1, 0) if what == "head" else (int(layer) % n_layers, int(direction))


def _read(
    model: LoadedModel, texts: Sequence[str], what: str, layer: int, direction: int, report: Progress
) -> tuple[np.ndarray, np.ndarray]:
    """States of different texts, float32 [text, unit], and which can be read."""
    read_batch = _recurrent if model.kind == "recurrent" else _transformer
    found: np.ndarray | None = None
    is_read = np.zeros(len(texts), dtype=bool)
    for start in range(0, len(texts), _AT_ONCE):
        ids = prediction.read_ids(model, texts[start : start + _AT_ONCE], may_skip=True).ids
        there = [row for row, one in enumerate(ids) if one]
        n_done, n_all = 0, max(sum(map(len, ids)), 1)
        for batch in prediction.batch_by_length([len(ids[row]) for row in there]):
            report((start + n_done / n_all * min(_AT_ONCE, len(texts) - start)) / len(texts))
            rows = [there[place] for place in batch]
            values = read_batch(model, [ids[row] for row in rows], what, layer, direction)
            refuse_broken(model, values)
            if found is None:
                found = np.zeros((len(texts), values.shape[1]), dtype=np.float32)
            found[start + np.array(rows)] = values
            is_read[start + np.array(rows)] = True
            n_done += sum(len(ids[row]) for row in rows)
    report(1.0)
    return np.zeros((len(texts), 0), np.float32) if found is None else found, is_read


@torch.inference_mode()
def _recurrent(model: LoadedModel, rows: list[list[int]], what: str, layer: int, direction: int) -> np.ndarray:
    """States of a batch of a recurrent network, shape [text, unit]."""
    module: Any = model.module
    given = prediction.pad(rows, model)
    vectors, lengths = module.get_input_embeddings()(given["input_ids"]), given["attention_mask"].sum(1)
    if what == "head":
        return to_numpy(module.pool(module.run_kernel(vectors, lengths), lengths))
    traced = _kernel.trace_batch(module, vectors, lengths).hidden[:, layer, direction]  # [text, pos, unit]
    if what == "mean":
        return to_numpy(traced.sum(1) / lengths[:, None])
    last = torch.zeros_like(lengths) if direction else lengths - 1  # the backward half ends at the first word
    return to_numpy(traced[torch.arange(len(last), device=last.device), last])


@torch.inference_mode()
def _transformer(model: LoadedModel, rows: list[list[int]], what: str, layer: int, direction: int) -> np.ndarray:
    """States of a batch of a transformer, shape [text, unit]."""
    module: Any = model.module
    given = prediction.pad(rows, model)
    if layer == module.config.num_hidden_layers:
        hidden = module.base_model(**given).last_hidden_state
    else:
        hidden = transformer.recording_twin(module)(**given, output_hidden_states=True).hidden_states[layer]
    if what != "mean":
        return to_numpy(hidden[:, 0])
    is_there = given["attention_mask"][..., None].to(hidden.dtype)
    return to_numpy((hidden * is_there).sum(1) / is_there.sum(1))
