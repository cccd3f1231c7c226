"""One layer of a network over many texts: its values after every word, and what its gates do on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.corpus._texts import ReadTexts
from explorer_core.errors import InvalidInputError
from explorer_core.half_precision import to_half
from explorer_core.loaded import LoadedModel
from explorer_core.results import DIRECTIONS, check_finite
from explorer_core.tracing import _kernel, states, transformer

BATCH_TOKENS = 8_192  # positions of one batch, padding included
BATCH_MIB = 128  # of all states and gates of one batch
SATURATED = (0.1, 0.9)  # a gate below the first is shut, above the second open
_SHUT = 1e-12  # keeps the logarithm of a gate that is zero in float32
KEEPERS = ("forget", "update")  # gates that say how much of the past is kept (LSTM, GRU)


@dataclass(frozen=True)
class Choice:
    """Which states of a network: layer and direction from 0, and the name of a quantity."""

    layer: int
    direction: int
    quantity: str


class GateSums:
    """What the gates of a layer do, added up over tokens.

    Attributes:
        n_tokens: Tokens so far.
        low, high: Tokens at which each gate is shut, and open; int arrays [gate, unit].
        log_keep: Sum of ln(gate) of the gate that keeps the past; float64 array [unit], or `None` without one.
    """

    def __init__(self, names: Sequence[str], n_units: int) -> None:
        self.names = tuple(name for name in names if name != "candidate")  # its tanh is no share
        self._places = [index for index, name in enumerate(names) if name != "candidate"]
        self._keeper = next((index for index, name in enumerate(names) if name in KEEPERS), None)
        self.n_tokens = 0
        self.low = np.zeros((len(self.names), n_units), dtype=np.int64)
        self.high = np.zeros((len(self.names), n_units), dtype=np.int64)
        self.log_keep = None if self._keeper is None else np.zeros(n_units)

    def add(self, gates: Tensor) -> None:
        """Take in gates of shape [token, gate, unit]."""
        shares = gates[:, self._places]
        self.n_tokens += len(gates)
        self.low += (shares < SATURATED[0]).sum(0).cpu().numpy()
        self.high += (shares > SATURATED[1]).sum(0).cpu().numpy()
        if self.log_keep is not None:
            logs = gates[:, self._keeper].clamp(min=_SHUT).log()
            self.log_keep += logs.sum(0).double().cpu().numpy()  # at most a batch of float32 sums


def choose(model: LoadedModel, layer: int, direction: int, quantity: str) -> Choice:
    """The states meant, with negative layers counted from the end.

    Raises:
        IncompatibleError: If the network is neither recurrent nor a transformer.
        InvalidInputError: If it has no such layer, direction or quantity; the message names those it has.
    """
    states.check_kind(model)
    module: Any = model.module
    is_recurrent = model.kind == "recurrent"
    n_layers = module.rnn.num_layers if is_recurrent else module.config.num_hidden_layers + 1
    n_directions = 1 + (is_recurrent and bool(module.rnn.bidirectional))
    names = ("hidden", *(("cell",) if module.has_cell else ()), *module.gate_names) if is_recurrent else ("hidden",)
    if not isinstance(layer, int | np.integer) or not -n_layers <= layer < n_layers:
        raise InvalidInputError(
            f"There is no layer {str(layer)[:20]!r}; layers of this model run from 0 to {n_layers - 1}."
        )
    if direction not in range(n_directions):
        allowed = ", ".join(f"{index} ({name})" for index, name in enumerate(DIRECTIONS[:n_directions]))
        raise InvalidInputError(f"There is no direction {str(direction)[:20]!r}; allowed: {allowed}.")
    if quantity not in names:
        raise InvalidInputError(f"This model has no quantity {str(quantity)[:40]!r}; allowed: {', '.join(names)}.")
    return Choice(int(layer) % n_layers, int(direction), quantity)


def size_of(model: LoadedModel) -> int:
    """Units of one layer and direction."""
    module: Any = model.module
    return module.rnn.hidden_size if model.kind == "recurrent" else module.config.hidden_size


def gate_names(model: LoadedModel) -> tuple[str, ...]:
    """Names of the gates; none for a transformer."""
    return tuple(model.module.gate_names) if model.kind == "recurrent" else ()


def values_after_words(
    model: LoadedModel, texts: ReadTexts, rows: range, choice: Choice, gates: GateSums
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Values of the chosen states after the words of some texts, in batches of like length.

    Args:
        model: Never changed.
        texts: As read for the direction of `choice`.
        rows: Which texts, without gaps.
        choice: Which states.
        gates: Takes in the gates of every token.

    Yields:
        Numbers of words, int array [word], and their values, float16 array [word, unit].

    Raises:
        InvalidInputError: If the network gives numbers that are not finite.
    """
    lengths = np.diff(texts.id_starts[rows.start : rows.stop + 1])
    for batch in _batches(lengths, _tokens_at_once(model)):
        numbers = batch + rows.start
        values = _read_batch(model, texts, numbers, choice, gates)  # [text, pos, unit]
        counts = texts.starts[numbers + 1] - texts.starts[numbers]
        words = np.concatenate([np.arange(texts.starts[row], texts.starts[row + 1]) for row in numbers])
        which = torch.from_numpy(np.repeat(np.arange(len(batch)), counts))
        where = torch.from_numpy(texts.pos[words].astype(np.int64))
        found = values[which.to(values.device), where.to(values.device)].float().cpu().numpy()
        check_finite(found, choice.quantity)
        yield words, to_half(found)


def _tokens_at_once(model: LoadedModel) -> int:
    """Positions of a batch whose states and gates stay within the memory for them."""
    module: Any = model.module
    if model.kind != "recurrent":
        return BATCH_TOKENS
    kernels = module.rnn.num_layers * (1 + bool(module.rnn.bidirectional))
    each = kernels * module.rnn.hidden_size * (len(module.gate_names) + 3) * 4
    return max(min(BATCH_TOKENS, BATCH_MIB * 2**20 // each), 1)


def _batches(lengths: np.ndarray, n_tokens: int) -> Iterator[np.ndarray]:
    """Texts of like length, longest first, at most so many positions with their padding; those of no words are left
    out.
    """
    order = np.argsort(-lengths, kind="stable")
    order = order[lengths[order] > 0]
    start = 0
    while start < len(order):
        n_rows = max(n_tokens // int(lengths[order[start]]), 1)
        yield order[start : start + n_rows]
        start += n_rows


@torch.inference_mode()
def _read_batch(model: LoadedModel, texts: ReadTexts, numbers: np.ndarray, choice: Choice, gates: GateSums) -> Tensor:
    """The chosen states at every position, shape [text, pos, unit]."""
    module: Any = model.module
    rows = [texts.ids[texts.id_starts[row] : texts.id_starts[row + 1]] for row in numbers]
    lengths = torch.tensor([len(row) for row in rows])
    padded = np.full((len(rows), int(lengths.max())), module.config.pad_token_id or 0, dtype=np.int64)
    for index, row in enumerate(rows):
        padded[index, : len(row)] = row
    ids = torch.from_numpy(padded).to(model.device)
    is_read = torch.arange(ids.shape[1]) < lengths[:, None]  # [text, pos]
    is_read = is_read.to(model.device)
    if model.kind != "recurrent":
        twin = transformer.recording_twin(module)
        given = twin(input_ids=ids, attention_mask=is_read.long(), output_hidden_states=True)
        return given.hidden_states[choice.layer]
    traced = _kernel.trace_batch(module, module.get_input_embeddings()(ids), lengths)
    at = (slice(None), choice.layer, choice.direction)
    if gates.names:
        gates.add(traced.gates[at][is_read])
    if choice.quantity == "hidden":
        return traced.hidden[at]
    if choice.quantity == "cell":
        assert traced.cell is not None
        return traced.cell[at]
    return traced.gates[at][:, :, module.gate_names.index(choice.quantity)]
