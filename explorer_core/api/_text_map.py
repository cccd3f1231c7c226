"""Where a person's texts lie in the states of a model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import TextMap, TextStates

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def states_of_texts(
    model: LoadedModel,
    texts: Sequence[str],
    what: str = "head",
    layer: int = -1,
    direction: int = 0,
    *,
    progress: Progress | None = None,
) -> TextStates:
    """One state for each text: equal texts are read once, in batches of like length.

    Args:
        model: From `load_model`.
        texts: Any number of texts; those the model cannot read are left out.
        what: `head` for what the head reads, `final` for the state after the whole text, `mean` for the mean over all
            tokens; see `TextStates`.
        layer: From 0, or from the end; without meaning for `head`.
        direction: 0 forward, 1 backward.
        progress: Called with the share done; may raise `CancelledError`.

    Raises:
        InvalidInputError: If there is no such state, or no text can be read.
        IncompatibleError: If the model is neither recurrent nor a transformer.
    """
    from explorer_core.projecting import states

    return states.states_of_texts(model, texts, what, layer, direction, progress)


def project_texts(
    states: TextStates,
    method: str = "pca",
    *,
    n_texts: int = 5_000,
    perplexity: float = 30.0,
    seed: int = 0,
    progress: Progress | None = None,
) -> TextMap:
    """A map of texts: their states in two dimensions.

    Args:
        states: From `states_of_texts`.
        method: `pca` for the directions of largest variance, over all texts; `tsne` for neighbourhoods, of a sample.
        n_texts: Texts drawn at most for `tsne`, 3 to 5,000.
        perplexity: Of `tsne`, 2 to 200; less for few texts.
        seed: Of the sample and of `tsne`.
        progress: Called with the share of `tsne` done, four times; may raise `CancelledError`.

    Raises:
        InvalidInputError: If there is no such method, a number is out of bounds, or there are fewer than three texts.
    """
    from explorer_core.projecting import project

    return project.project(states, method, n_texts, perplexity, seed, progress)


def price_map(model: LoadedModel, texts: Sequence[str]) -> float:
    """Estimated seconds of `states_of_texts`, from reading some of the texts now."""
    from explorer_core.projecting import states

    return states.price(model, texts)


def state_choices(model: LoadedModel) -> tuple[int, int]:
    """Layers and directions whose states `states_of_texts` can give."""
    from explorer_core.projecting import states

    return states.layers_of(model)
