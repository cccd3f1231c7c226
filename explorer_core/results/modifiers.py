"""Minimal pairs by phenomenon: who gets both sides right, how far the verdict swings, and how long that lasts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from explorer_core.results._base import Exportable, check_array
from explorer_core.results.text_pairs import TextPairs

ALL_PAIRS = "all pairs"
_OF_GROUP = ("right", "swing", "lasting", "at_end")


@dataclass(frozen=True, eq=False)
class ModifierBench(Exportable):
    """What networks make of both texts of minimal pairs with different labels; axes [model, pair] or [model, group].

    The margin of a text is the logit of the first text's class less that of the second's. The swing of a pair is the
    margin of its first text less that of its second: above zero, the edit moves the network to the right side.

    Attributes:
        models, architectures, fingerprints: Which networks.
        labels: Names of the classes.
        pairs: The pairs that were measured.
        phenomena: Phenomenon of each pair, "" where none is named; shape [pair].
        true: Class of both texts; int array [pair, side].
        logits: Over the whole texts; shape [model, pair, side, class].
        effect: Swing of the running verdicts after the last changed word and after every word that follows; shape
            [model, pair, word], NaN behind the end of the texts, where the last is `swing`. Where the texts begin
            differently and end alike, entry 0 is after the first word that only one of them needs.
        n_after: Words that follow the last changed one; int array [pair].
        lasted: Words after the last changed one up to which the effect stays at or above half of its largest value,
            from there on; -1 where it is never above zero; int array [model, pair].
        fell: Whether it was seen to fall below; else the texts ended first.
        groups: `ALL_PAIRS`, then the phenomena, those with most pairs first.
        n_pairs, n_effects: Pairs of each group, and of them, by network, those with an effect; int arrays [group] and
            [model, group].
        right: Share of pairs right on both sides, with `right_low`, `right_high` (Wilson).
        swing_mean: Mean swing in logits, with `swing_low`, `swing_high` (bootstrap over pairs).
        lasting: Mean number of the next `horizon` words the effect lasts, by Kaplan and Meier, with `lasting_low`,
            `lasting_high` (bootstrap over pairs); NaN without effects.
        at_end: Share of effects that are still there when the texts end, with `at_end_low`, `at_end_high` (Wilson).
        curve: Share of effects that last at least 0, 1, 2, ... words; shape [model, group, word].
        curve_low, curve_high: Its 95 % interval at every word, likewise.
        horizon: Words of `lasting`.
        left_out: Pairs that were not measured, by reason.
        n_resamples, seed: Of the bootstrap.
    """

    models: tuple[str, ...]
    architectures: tuple[str, ...]
    fingerprints: tuple[str, ...]
    labels: tuple[str, ...]
    pairs: TextPairs
    phenomena: tuple[str, ...]
    true: np.ndarray
    logits: np.ndarray
    effect: np.ndarray
    n_after: np.ndarray
    lasted: np.ndarray
    fell: np.ndarray
    groups: tuple[str, ...]
    n_pairs: np.ndarray
    n_effects: np.ndarray
    right: np.ndarray
    right_low: np.ndarray
    right_high: np.ndarray
    swing_mean: np.ndarray
    swing_low: np.ndarray
    swing_high: np.ndarray
    lasting: np.ndarray
    lasting_low: np.ndarray
    lasting_high: np.ndarray
    at_end: np.ndarray
    at_end_low: np.ndarray
    at_end_high: np.ndarray
    curve: np.ndarray
    curve_low: np.ndarray
    curve_high: np.ndarray
    horizon: int
    left_out: Mapping[str, int]
    n_resamples: int
    seed: int

    def __post_init__(self) -> None:
        n_models, n_pairs, n_groups = len(self.models), len(self.pairs), len(self.groups)
        check_array(self.logits, (n_models, n_pairs, 2, len(self.labels)), "logits")
        check_array(self.swing_mean, (n_models, n_groups), "swing_mean")
        check_array(self.lasted, (n_models, n_pairs), "lasted")
        assert self.effect.shape[:2] == self.fell.shape == self.lasted.shape
        assert len(self.phenomena) == len(self.true) == len(self.n_after) == n_pairs
        assert all(getattr(self, name).shape == (n_models, n_groups) for name in ("right", "lasting", "at_end"))

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def margins(self) -> np.ndarray:
        """Logit of the first text's class less that of the second's, over either text; shape [model, pair, side]."""
        rows = np.arange(len(self))
        return self.logits[:, rows, :, self.true[:, 0]].transpose(1, 0, 2) - self.logits[
            :, rows, :, self.true[:, 1]
        ].transpose(1, 0, 2)

    @property
    def swing(self) -> np.ndarray:
        """Margin of the first text less that of the second, in logits; shape [model, pair]."""
        found: np.ndarray = self.margins[..., 0] - self.margins[..., 1]
        return found

    @property
    def predicted(self) -> np.ndarray:
        """Class each network decides for; int array [model, pair, side]."""
        return self.logits.argmax(-1)

    @property
    def is_right(self) -> np.ndarray:
        """Whether each network is right on both sides; bool array [model, pair]."""
        return (self.predicted == self.true).all(-1)

    def members(self, group: int | str) -> np.ndarray:
        """Places of the pairs of a group, by its index or name; int array."""
        name = group if isinstance(group, str) else self.groups[group]
        if name == ALL_PAIRS:
            return np.arange(len(self))
        return np.flatnonzero([one == name for one in self.phenomena])

    def to_frame(self) -> Any:
        """One row for each pair: both texts with their rows and labels, its phenomenon, the words after the change, and
        for every network whether it is right on both sides, swing, and how long the effect lasts.
        """
        frame = self.pairs.to_frame()
        frame["phenomenon"], frame["words after"] = self.phenomena, self.n_after
        for number, model in enumerate(self.models):
            frame[f"both right {model}"] = self.is_right[number]
            frame[f"swing {model}"] = self.swing[number]
            frame[f"lasted {model}"] = self.lasted[number]
            frame[f"fell {model}"] = self.fell[number]
        return frame

    def groups_frame(self) -> Any:
        """One row for each group and network, with every share and mean and its interval."""
        import pandas as pd

        rows = []
        for group, name in enumerate(self.groups):
            for number, model in enumerate(self.models):
                row: dict[str, Any] = {"phenomenon": name, "n_pairs": int(self.n_pairs[group]), "model": model}
                row["n_effects"] = int(self.n_effects[number, group])
                for quantity in _OF_GROUP:
                    value = "swing_mean" if quantity == "swing" else quantity
                    row[value] = getattr(self, value)[number, group]
                    row |= {f"{quantity}_{end}": getattr(self, f"{quantity}_{end}")[number, group]
                            for end in ("low", "high")}  # fmt: skip
                rows.append(row)
        return pd.DataFrame(rows)

    def arrays(self) -> dict[str, np.ndarray]:
        """Every array, and the texts of the pairs as UTF-8 bytes with their bounds under `pairs.`."""
        fields = [name for name in self.__dataclass_fields__ if name not in ("pairs", "left_out")]
        found = {name: np.asarray(getattr(self, name)) for name in fields}
        found |= {"pairs.first": self.pairs.first, "pairs.second": self.pairs.second}
        found["pairs.names"] = np.array(self.pairs.names)
        return found | {f"pairs.{name}": array for name, array in self.pairs.table.arrays().items()}
