"""States over a whole corpus: an index on disk, cards of units, patterns."""

from __future__ import annotations

from typing import TYPE_CHECKING

from explorer_core.progress import Progress
from explorer_core.results import IndexPrice, PatternMatches, RecurrentTrace, SimilarUnits, TransformerTrace, UnitCard

if TYPE_CHECKING:
    from explorer_core.corpus._index import StateIndex
    from explorer_core.corpus._texts import Corpus
    from explorer_core.loaded import LoadedModel


def index_states(
    model: LoadedModel,
    data: Corpus,
    *,
    split: str = "all",
    layer: int = -1,
    direction: int = 0,
    quantity: str = "hidden",
    progress: Progress | None = None,
) -> StateIndex:
    """What one layer held after every word of a corpus, kept on disk and found again without reading it anew.

    Values are rounded to half precision (three significant digits). An index is made as a whole or not at all; those
    used longest ago make room for new ones (`settings.MAX_INDICES_MIB`).

    Args:
        model: From `load_model`.
        data: From `read_data`, where to read it, or texts without labels.
        split: `train`, `validation`, `test` or `all`.
        layer: From 0; of a BERT 0 is the embedding; negative ones count from the last.
        direction: 0 forward, 1 backward.
        quantity: `hidden`, `cell` or the name of a gate.
        progress: See `Progress`.

    Raises:
        InvalidInputError: If there is no such layer, direction or quantity, no text can be read, or the disk is full.
        NotFoundError: If there are no texts.
        CancelledError: If `progress` raised it; nothing is left behind.
    """
    from explorer_core.corpus import building

    return building.index_states(
        model, data, split=split, layer=layer, direction=direction, quantity=quantity, progress=progress
    )


def open_index(
    model: LoadedModel,
    data: Corpus,
    *,
    split: str = "all",
    layer: int = -1,
    direction: int = 0,
    quantity: str = "hidden",
) -> StateIndex:
    """An index that `index_states` made before, with the same arguments.

    Raises:
        NotFoundError: If there is none.
    """
    from explorer_core.corpus import building

    return building.open_index(model, data, split=split, layer=layer, direction=direction, quantity=quantity)


def price_index(model: LoadedModel, data: Corpus, *, split: str = "all") -> IndexPrice:
    """Words, estimated seconds and disk of `index_states`, from reading a sample of the texts now."""
    from explorer_core.corpus import building

    return building.price(model, data, split=split)


def unit_card(index: StateIndex, unit: int, *, n_words: int = 10, n_places: int = 8) -> UnitCard:
    """What one unit does over a corpus: words and places at both ends of its scale, correlations with label, position
    and word sentiment, half-life, saturation of its gates, dead or not.

    Args:
        index: From `index_states`.
        unit: From 0.
        n_words: Words listed at each end.
        n_places: Places listed at each end, one a text.

    Raises:
        InvalidInputError: If there is no such unit.
    """
    from explorer_core.corpus import units

    return units.unit_card(index, unit, n_words=n_words, n_places=n_places)


def similar_units(index: StateIndex, unit: int, n: int = 8) -> SimilarUnits:
    """Units whose values over a corpus go with one unit's, and against them, by Pearson correlation; at most n each.

    Raises:
        InvalidInputError: If there is no such unit.
    """
    from explorer_core.corpus import units

    return units.similar_units(index, unit, n)


def find_pattern(
    index: StateIndex,
    trace: RecurrentTrace | TransformerTrace,
    span: tuple[int, int],
    threshold: float,
    *,
    off_before: bool = False,
    off_after: bool = False,
    n: int = 100,
) -> PatternMatches:
    """Where in a corpus the same units are on as over a span of a text (Strobelt et al. 2018, LSTMVis).

    The units at or above the threshold at every word of the span are the pattern. Every place of the corpus of as many
    words, never across the end of a text, is scored by the Jaccard index of the pattern with the units that fit there.

    Args:
        index: From `index_states`, with the same model.
        trace: From `trace_states`.
        span: First and last word, from 0, both within.
        threshold: On the values of the index.
        off_before: Whether a unit must also be off (below the threshold) at the word before; where a text begins
            there is none, and it holds.
        off_after: The same of the word after.
        n: Texts listed at most, each with its best place.

    Raises:
        InvalidInputError: If there is no such span, or no unit fits; the message says what to change.
        IncompatibleError: If the text was read by another model.
    """
    from explorer_core.corpus import patterns

    return patterns.find_pattern(index, trace, span, threshold, off_before=off_before, off_after=off_after, n=n)
