"""What a recurrent network keeps: its exact ledger, its two halves, its memory promised and measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import BiLstmHalves, LstmLedger, MemoryTrace

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def lstm_ledger(
    model: LoadedModel,
    text: str,
    target: int | str | None = None,
    *,
    tanh_share: str = "proportional",
    progress: Progress | None = None,
) -> LstmLedger:
    """What each word wrote into the cell of an LSTM or BiLSTM, how much was kept, and what it added to every logit.

    Exact: over positions, written times kept sums to the cell at the end, the shares of the hidden state to the pooled
    hidden state, and the shares of the logits with the bias to the logits. It is the network's own bookkeeping: the
    gates of a word depend on the words before it, so a share is not what would happen without the word. Of a layered
    network the cells of every layer are in it, but only the top layer reaches the logits, and what it reads at a word
    has already mixed in the words around it.

    Args:
        model: From `load_model`; an LSTM or BiLSTM of any number of layers and any pooling.
        text: The text, as typed.
        target: Class that is explained, by index or label; left out, the predicted one.
        tanh_share: How tanh(c) is divided among the terms of c: `proportional` to them, which knows no order, or by
            `order`, the step tanh makes at each word (Murdoch and Szlam 2017). With mean pooling, `order` takes a
            time that grows with the square of the length.
        progress: See `Progress`; called only where the work is long.

    Raises:
        IncompatibleError: If the network has no cell; the message names the families that have one.
        InvalidInputError: If there is no such class or share, or the text cannot be read.
    """
    from explorer_core.tracing import ledger

    return ledger.trace(model, text, target, tanh_share, progress)


def trace_halves(model: LoadedModel, text: str, target: int | str | None = None) -> BiLstmHalves:
    """What the forward and the backward half of a bidirectional recurrent network have added to the logits so far.

    The forward half after the last position, the backward half after the first one, and the bias sum to the logits.

    Args:
        model: From `load_model`; a BiLSTM, or an LSTM, GRU or RNN that reads in both directions.
        text: The text, as typed.
        target: Class that is explained, by index or label; left out, the predicted one.

    Raises:
        IncompatibleError: If the network does not read in both directions.
        InvalidInputError: If there is no such class, or the text cannot be read.
    """
    from explorer_core.tracing import halves

    return halves.trace(model, text, target)


def trace_memory(
    model: LoadedModel, text: str, *, swap: str = "unknown", progress: Progress | None = None
) -> MemoryTrace:
    """What a recurrent network promises to remember of each word, and what it is measured to remember.

    Promised: the product of a unit's keep gates (forget gate of an LSTM, update gate of a GRU) from the word to the
    end; a vanilla RNN promises nothing. Measured: the word is swapped, the text is read again, and the change of the
    state at the end is set against the change right at the word. The work grows with the square of the length.

    Args:
        model: From `load_model`; any recurrent family.
        text: The text, as typed.
        swap: `unknown` reads each token of the word as the unknown token, so that positions stay aligned; `drop`
            leaves the word out. Special tokens that close the text stay. A text whose only word is dropped is read as
            nothing: the zero state.
        progress: See `Progress`.

    Raises:
        IncompatibleError: If the model is not recurrent.
        InvalidInputError: If the text has no words or too many characters, the swap is neither, or the tokenizer has
            no unknown token to swap for.
    """
    from explorer_core.tracing import memory

    return memory.trace_memory(model, text, swap=swap, progress=progress)
