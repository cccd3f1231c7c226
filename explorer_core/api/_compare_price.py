"""What a network costs: to train, to keep and to read with."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import ModelPrice, RunRecord

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def measure_price(
    model: LoadedModel,
    *,
    lengths: Sequence[int] = (8, 32, 128),
    batches: Sequence[int] = (1, 16),
    progress: Progress | None = None,
) -> ModelPrice:
    """How long a network takes to read on this machine now, and the memory and energy of it.

    One measurement at a time in a process; another waits. What else the machine does slows it: the quartiles say how
    much. Texts are tokens drawn from the vocabulary, so a number is about a length, not about a text.

    Args:
        model: From `load_model`.
        lengths: Tokens of a text, special ones included; lengths beyond what the network reads are left out.
        batches: Texts read together.
        progress: See `Progress`.

    Raises:
        InvalidInputError: If a length or batch is none, or the network reads none of the lengths.
    """
    from explorer_core.comparing import price

    return price.measure(model, lengths, batches, progress)


def price_measuring(
    models: Sequence[LoadedModel], *, lengths: Sequence[int] = (8, 32, 128), batches: Sequence[int] = (1, 16)
) -> float:
    """Estimated seconds of `measure_price` of some networks, one after the other."""
    from explorer_core.comparing import price

    return price.estimate(models, lengths, batches)


def run_record(name: str) -> RunRecord:
    """What a run wrote down of itself: training time and energy, size on disk, metrics with an interval. No torch.

    Raises:
        NotFoundError: If there is no such run.
    """
    from explorer_core.training import records

    return records.read(name)


def forward_twins(model: LoadedModel) -> tuple[str, ...]:
    """Ready runs that read one way only and are the equal of one half of a bidirectional network: its kind of cell,
    its layers, the units of one direction, its pooling and its classes. Those trained on the same data come first.
    """
    from explorer_core.training import records

    config = model.module.config
    kinds = {"LSTM": "lstm", "GRU": "gru", "RNN_TANH": "rnn"}
    if model.kind != "recurrent" or not config.bidirectional:
        return ()
    return records.forward_twins(kinds[model.module.rnn.mode], model.name, config.to_dict(), model.labels)
