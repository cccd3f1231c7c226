"""Memory of a recurrent network, promised and measured.

The promise: an LSTM's cell is c_t = f_t c_(t-1) + i_t g_t, so of what a word left in a cell the product of the later
forget gates is still there at the end, if nothing else changes. A GRU keeps by its update gate in the same way,
h_t = (1 - z_t) n_t + z_t h_(t-1). A vanilla RNN rewrites its state at every word and promises nothing.

The measurement: a word is swapped for the unknown token, or dropped, and the text is read again. How far the state is
off right after that word, and how far at the end, says what was really kept. The two differ because a changed state
also changes the gates and candidates of every later word; only where these look at the words alone is the promise
exact. (The forget gate as a time scale, and its limits: Ohno and Kumagai 2021, Recurrent neural networks for learning
long-term temporal dependencies with reanalysis of time scale representation, arXiv 2111.03282.)
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.results.memory import SWAPS, MemoryTrace
from explorer_core.text import Reading, read_text
from explorer_core.tracing import _kernel
from explorer_core.tracing._arrays import read_ids, to_numpy
from explorer_core.tracing._kernel import BatchStates
from explorer_core.tracing._swaps import Progress, SwappedStates, Swaps, pick, put_on, read_swaps


@torch.inference_mode()
def trace_memory(
    model: LoadedModel, text: str, *, swap: str = "unknown", progress: Progress | None = None
) -> MemoryTrace:
    """What the gates promise to keep of every word, and what is kept; see `api.trace_memory`."""
    if model.kind != "recurrent":
        raise IncompatibleError(
            f"{model.name[:60]!r} does not read word by word, so it has no memory from word to word. Choose an RNN, "
            "GRU, LSTM or BiLSTM."
        )
    if swap not in SWAPS:
        raise InvalidInputError(f"A word is swapped by {str(swap)[:40]!r}; allowed: {', '.join(SWAPS)}.")
    module: Any = model.module
    unknown_id = model.tokenizer.unk_token_id
    if swap == "unknown" and unknown_id is None:
        raise InvalidInputError(
            f"The tokenizer of {model.name[:60]!r} has no unknown token to swap words for. Drop the words instead "
            "(swap='drop')."
        )
    reading = read_text(model.tokenizer, text, model.max_tokens)
    ids, table = read_ids(model, reading), module.get_input_embeddings()
    vectors = table(ids)[0]  # [pos, width]
    states = _kernel.trace_batch(module, vectors[None])
    first, last = reading.first_token_of_word, reading.last_token_of_word
    is_swapped, unknown = np.ones(len(reading.words), dtype=bool), None
    if swap == "unknown":
        unknown = table(torch.tensor(unknown_id, device=ids.device))  # [width]
        is_swapped = np.array(
            [bool((reading.token_ids[a : b + 1] != unknown_id).any()) for a, b in zip(first, last, strict=True)]
        )
    swapped = None
    if is_swapped.any():
        swaps = Swaps(vectors, first[is_swapped], last[is_swapped], unknown)
        swapped = read_swaps(module, swaps, states, progress)
    return _compare(model, reading, swap, states, swapped, is_swapped)


def _compare(
    model: LoadedModel,
    reading: Reading,
    swap: str,
    states: BatchStates,
    swapped: SwappedStates | None,
    is_swapped: np.ndarray,
) -> MemoryTrace:
    """The result: differences between the swapped and the plain reading, and the promise of the plain one's gates."""
    module: Any = model.module
    logits = module.classifier(module.pool(states.top, None))[0]  # [class]
    kept = [each for each in (states.hidden, states.cell) if each is not None]
    after = np.stack([reading.last_token_of_word, reading.first_token_of_word], axis=1)  # [word, direction]
    ends = np.broadcast_to([len(reading.token_ids) - 1, 0], after.shape)
    plain_step = pick(kept[-1].expand(len(after), *kept[-1].shape[1:]), after)
    plain_ends = [pick(each.expand(len(after), *each.shape[1:]), ends) for each in kept]
    n_words, n_classes = len(is_swapped), len(logits)
    step, end = torch.zeros_like(plain_step), [torch.zeros_like(each) for each in plain_ends]
    logit_change = logits.new_zeros(n_words, n_classes)
    if swapped is not None:
        words = put_on(np.flatnonzero(is_swapped), logits)
        step[words] = swapped.step[-1] - plain_step[words]
        for whole, now, was in zip(end, swapped.end, plain_ends, strict=True):
            whole[words] = now - was[words]
        logit_change[words] = swapped.logits - logits
    finals = [to_numpy(each[0]) for each in plain_ends]
    changes = [_relative(to_numpy(each), final) for each, final in zip(end, finals, strict=True)]
    half_life, promised = _promise(module, reading, states)
    return MemoryTrace(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=to_numpy(logits),
        swap=swap,
        state="cell" if module.has_cell else "hidden",
        keep_gate=keep_gate(module),
        half_life=half_life,
        promised_kept=promised,
        step_change=_words_third(to_numpy(step)),
        end_change=_words_third(to_numpy(end[-1])),
        final_hidden=finals[0],
        final_cell=finals[1] if module.has_cell else None,
        hidden_change=changes[0],
        cell_change=changes[1] if module.has_cell else None,
        logit_change=to_numpy(logit_change),
        is_swapped=is_swapped,
    )


def keep_gate(module: Any) -> str:
    """Name of the gate that says how much of the state is kept, or nothing."""
    return next((name for name in ("forget", "update") if name in module.gate_names), "")


def _promise(module: Any, reading: Reading, states: BatchStates) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Half-lives [layer, direction, unit], and what the gates keep of each word [layer, direction, word, unit]."""
    name = keep_gate(module)
    if not name:
        return None, None
    own = to_numpy(states.gates[0, :, :, :, module.gate_names.index(name)])  # [layer, direction, pos, unit]
    keep, info = own.astype(np.float64), np.finfo(own.dtype)
    half_life = np.log(0.5) / np.log(np.clip(keep, info.tiny, 1 - info.epsneg)).mean(2)
    one = np.ones_like(keep[:, :, :1])
    promised = [np.concatenate([one, keep[:, :, :0:-1].cumprod(2)], 2)[:, 0, ::-1][:, reading.last_token_of_word]]
    if keep.shape[1] > 1:  # backward, what was read after a word stands before it
        before = np.concatenate([one, keep[:, :, :-1].cumprod(2)], 2)[:, 1]
        promised.append(before[:, reading.first_token_of_word])
    return half_life.astype(own.dtype), np.stack(promised, axis=1).astype(own.dtype)


def _relative(change: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Length of a change [word, layer, direction, unit] over that of the state; shape [layer, direction, word]."""
    size = np.linalg.norm(final, axis=-1)  # [layer, direction]
    length = np.moveaxis(np.linalg.norm(change, axis=-1), 0, -1)
    return np.divide(length, size[..., None], out=np.zeros_like(length), where=size[..., None] > 0)


def _words_third(values: np.ndarray) -> np.ndarray:
    """[word, layer, direction, unit] as [layer, direction, word, unit]."""
    return np.ascontiguousarray(np.moveaxis(values, 0, 2))
