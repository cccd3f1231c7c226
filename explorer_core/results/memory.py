"""What a recurrent network promises to remember of each word, and what it is measured to remember."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.results._base import DIRECTIONS, check_array
from explorer_core.results.traces import Trace

SWAPS = ("unknown", "drop")
KEEP_GATES = ("", "forget", "update")


@dataclass(frozen=True)
class MemoryTrace(Trace):
    """Memory of every unit for every word, as the gates promise it and as swapping the word measures it.

    A direction has read the whole text at its end: after the last token forward, after the first one backward. "Kept"
    is a share: 1 is all of it, and a measured share above 1 is a change that grew.

    Attributes:
        swap: How a word was taken away: `unknown` (each of its tokens read as the unknown token, so that positions
            stay aligned) or `drop` (its tokens left out).
        state: What is compared: `cell` for an LSTM, `hidden` for a GRU and a vanilla RNN.
        keep_gate: The gate that promises: `forget` (LSTM), `update` (GRU: h = (1 - z) n + z h_before), or empty for a
            vanilla RNN, which promises nothing.
        half_life: ln(1/2) / mean(ln keep) over the tokens of this text, in tokens of reading, at least 0; shape
            [layer, direction, unit]. After so many tokens of its average gate half of a state is left. A gate that
            rounds to 1 counts as the largest number below it, so that the longest half-life is about 2e7 tokens in
            single precision. `None` without a keep gate.
        promised_kept: Product of the keep gates after a word (backward: before it) to the end of reading, in [0, 1];
            shape [layer, direction, word, unit]; `None` without a keep gate. It takes the gates as they were on this
            text, and leaves out that a changed state changes the later gates and candidates.
        step_change: State right after the word if it is swapped, minus the state as it was; same shape. For `drop`,
            the state that the next word finds. In a layer above another, and for a BiLSTM's second layer also
            before the word, what the layer reads changes too.
        end_change: The same difference at the end of reading; same shape.
        final_hidden: h at the end of reading, nothing swapped; shape [layer, direction, unit].
        final_cell: c there, before its tanh; `None` without a cell.
        hidden_change: Length (L2 norm) of the difference that a swap makes to h at the end, over the length of h;
            at least 0, and 0 where h itself is zero; shape [layer, direction, word].
        cell_change: The same for c; `None` without a cell.
        logit_change: Logit of every class if the word is swapped, minus `logits`; shape [word, class].
        is_swapped: Whether a swap changes what is read; false for a word that is the unknown token already, whose
            changes are all zero; bool array [word].
    """

    swap: str
    state: str
    keep_gate: str
    half_life: np.ndarray | None
    promised_kept: np.ndarray | None
    step_change: np.ndarray
    end_change: np.ndarray
    final_hidden: np.ndarray
    final_cell: np.ndarray | None
    hidden_change: np.ndarray
    cell_change: np.ndarray | None
    logit_change: np.ndarray
    is_swapped: np.ndarray

    MIN_SHARE: ClassVar[float] = 0.1
    MIN_STEP: ClassVar[float] = 1e-4

    def __post_init__(self) -> None:
        super().__post_init__()
        n_layers, n_directions, n_units = self.final_hidden.shape
        n_words = len(self.words)
        whole = (n_layers, n_directions, n_words, n_units)
        assert self.swap in SWAPS
        assert self.keep_gate in KEEP_GATES
        check_array(self.final_hidden, self.final_hidden.shape, "final_hidden")
        check_array(self.step_change, whole, "step_change")
        check_array(self.end_change, whole, "end_change")
        check_array(self.hidden_change, whole[:3], "hidden_change")
        check_array(self.logit_change, (n_words, len(self.labels)), "logit_change")
        check_array(self.is_swapped, (n_words,), "is_swapped")
        for name, values, shape in (
            ("half_life", self.half_life, self.final_hidden.shape),
            ("promised_kept", self.promised_kept, whole),
            ("final_cell", self.final_cell, self.final_hidden.shape),
            ("cell_change", self.cell_change, whole[:3]),
        ):
            if values is not None:
                check_array(values, shape, name)

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the direction axis."""
        return DIRECTIONS[: self.final_hidden.shape[1]]

    @property
    def is_measurable(self) -> np.ndarray:
        """Where the change at the word is large enough to say what is left of it: at least a tenth of the unit's
        largest over the words (`MIN_SHARE`) and at least 1e-4 (`MIN_STEP`); bool [layer, direction, word, unit].
        """
        size = np.abs(self.step_change)
        return size >= np.maximum(self.MIN_SHARE * size.max(2, keepdims=True), self.MIN_STEP)

    @property
    def measured_kept(self) -> np.ndarray:
        """|end_change| / |step_change|, at least 0, and NaN where `is_measurable` is false; shape [layer, direction,
        word, unit]. Above 1, the change grew on the way to the end.
        """
        size, is_measurable = np.abs(self.step_change), self.is_measurable
        kept = np.full(size.shape, np.nan, size.dtype)
        return np.divide(np.abs(self.end_change), size, out=kept, where=is_measurable)

    @property
    def unit_measured(self) -> np.ndarray:
        """What a unit is measured to keep over all words: sum of |end_change| over sum of |step_change|; at least 0,
        and NaN for a unit whose changes sum to less than `MIN_STEP`; shape [layer, direction, unit]. Words that
        change a unit much count much.
        """
        return self._over_words(np.abs(self.end_change))

    @property
    def unit_promised(self) -> np.ndarray | None:
        """What the keep gates promise for the same changes: mean of `promised_kept` over words, weighted by
        |step_change|; in [0, 1], NaN as in `unit_measured`; shape [layer, direction, unit]. Equals `unit_measured`
        where gates and candidates do not depend on the state.
        """
        if self.promised_kept is None:
            return None
        return self._over_words(np.abs(self.step_change) * self.promised_kept)

    @property
    def disagreement(self) -> np.ndarray | None:
        """`unit_measured` - `unit_promised`; positive where more is left than promised."""
        return None if self.unit_promised is None else self.unit_measured - self.unit_promised

    @property
    def top_hidden_change(self) -> np.ndarray:
        """Relative change of h at the end in the top layer, both directions as one vector; shape [word]."""
        return _joined(self.hidden_change[-1], self.final_hidden[-1])

    @property
    def top_cell_change(self) -> np.ndarray | None:
        """The same for c; `None` without a cell."""
        if self.cell_change is None or self.final_cell is None:
            return None
        return _joined(self.cell_change[-1], self.final_cell[-1])

    def horizon(self, share: float = 0.5) -> np.ndarray | None:
        """How many words back from the end the gates promise to keep less than a share.

        Args:
            share: In (0, 1); 0.5 is the half-life on this very text.

        Returns:
            Words from 0, int array [layer, direction, unit]: a word read so many words before the last one read is
            the nearest of which less than the share is promised. The number of words where there is none: the
            horizon is longer than this text. `None` without a keep gate.

        Raises:
            InvalidInputError: If the share is not between 0 and 1.
        """
        if not isinstance(share, int | float) or not 0 < share < 1:
            raise InvalidInputError(f"A share between 0 and 1 is expected, not {share!r}.")
        if self.promised_kept is None:
            return None
        back = np.stack([kept[:, ::-1] if index == 0 else kept for index, kept in enumerate(
            self.promised_kept.swapaxes(0, 1))], axis=1)  # [layer, direction, words back, unit]  # fmt: skip
        is_below = back < share
        return np.where(is_below.any(2), is_below.argmax(2), len(self.words))

    def farthest_from_promise(self, layer: int, direction: int, most: int = 100) -> tuple[np.ndarray, np.ndarray]:
        """Words and units where what is left at the end is farthest from what the gates promised, the farthest first.

        Ranked by ||end_change| - promised_kept x |step_change||, in units of the state, so that a change too small to
        matter is not on top; without a keep gate by `measured_kept`. Only where `is_measurable`.

        Args:
            layer: Layer of the units, from 0.
            direction: 0 forward, 1 backward.
            most: How many at most.

        Returns:
            Index of the word and of the unit, two int arrays [case].
        """
        step, end = np.abs(self.step_change[layer, direction]), np.abs(self.end_change[layer, direction])
        if self.promised_kept is None:
            rank = self.measured_kept[layer, direction]
        else:
            rank = np.abs(end - self.promised_kept[layer, direction] * step)
        rank = np.where(self.is_measurable[layer, direction], rank, -1.0)
        first = np.argsort(-rank, axis=None, kind="stable")[:most]
        words, units = np.unravel_index(first[rank.ravel()[first] >= 0], rank.shape)
        return words, units

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array, with the unit's two numbers, both horizons (half and a tenth) and the top layer's changes."""
        more = {
            "unit_measured": self.unit_measured,
            "unit_promised": self.unit_promised,
            "horizon_half": self.horizon(0.5),
            "horizon_tenth": self.horizon(0.1),
            "top_hidden_change": self.top_hidden_change,
            "top_cell_change": self.top_cell_change,
        }
        return super().arrays() | {name: values for name, values in more.items() if values is not None}

    def to_frame(self) -> Any:
        """One row for each layer, direction, word and unit: promised and measured share, both changes."""
        import pandas as pd

        layer, direction, word, unit = (axis.ravel() for axis in np.indices(self.step_change.shape))
        frame = pd.DataFrame(
            {
                "layer": layer,
                "direction": np.array(self.directions)[direction],
                "word_index": word,
                "word": np.array(self.words, dtype=object)[word],
                "unit": unit,
            }
        )
        if self.promised_kept is not None and self.half_life is not None:
            frame["half_life_tokens"] = self.half_life[layer, direction, unit]
            frame["promised_kept"] = self.promised_kept.ravel()
        return frame.assign(
            measured_kept=self.measured_kept.ravel(),
            step_change=self.step_change.ravel(),
            end_change=self.end_change.ravel(),
        )

    def _over_words(self, left: np.ndarray) -> np.ndarray:
        """What is left over what there was, summed over the words; shape [layer, direction, unit]."""
        total = np.abs(self.step_change).sum(2)
        kept = np.full(total.shape, np.nan, total.dtype)
        return np.divide(left.sum(2), total, out=kept, where=total >= self.MIN_STEP)


def _joined(change: np.ndarray, final: np.ndarray) -> np.ndarray:
    """Relative change [word] of several vectors taken as one, from that of each [direction, word]."""
    size = np.linalg.norm(final, axis=-1)  # [direction]
    whole = float(np.linalg.norm(size))
    return np.linalg.norm(change * size[:, None], axis=0) / whole if whole else np.zeros(change.shape[1])
