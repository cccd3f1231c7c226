"""Promises of the split: seeded, stratified, every class on every side where possible, belongings never parted."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core.datasets._splitting import join_rows, letters_of, split_rows


def alone(n_rows: int) -> np.ndarray:
    return np.arange(n_rows)


def test_shares_are_80_10_10_in_every_class():
    labels = np.repeat([0, 1, 2], [1_000, 300, 50])
    split = split_rows(labels, alone(len(labels)))
    for label, n_rows in enumerate([1_000, 300, 50]):
        counts = {side: int(((split == side) & (labels == label)).sum()) for side in ("train", "validation", "test")}
        assert counts == {"train": n_rows * 8 // 10, "validation": n_rows // 10, "test": n_rows // 10}


def test_the_same_seed_gives_the_same_split_and_another_seed_another():
    labels = np.tile([0, 1], 100)
    assert (split_rows(labels, alone(200), seed=3) == split_rows(labels, alone(200), seed=3)).all()
    assert (split_rows(labels, alone(200), seed=3) != split_rows(labels, alone(200), seed=4)).any()


@pytest.mark.parametrize("n_rows", range(3, 30))
def test_three_rows_of_a_class_are_enough_for_every_side(n_rows):
    labels = np.repeat([0, 1], [n_rows, 3])
    split = split_rows(labels, alone(len(labels)))
    for label in (0, 1):
        assert set(split[labels == label]) == {"train", "validation", "test"}


def test_two_rows_of_a_class_train_and_validate():
    split = split_rows(np.array([0, 0, 1, 1]), alone(4))
    assert sorted(split[:2]) == sorted(split[2:]) == ["train", "validation"]


def test_pairs_of_opposite_labels_reach_every_side():
    labels = np.tile([0, 1], 8)
    together = np.repeat(np.arange(8), 2)
    split = split_rows(labels, together)
    assert set(split) == {"train", "validation", "test"}
    assert (split[::2] == split[1::2]).all()


def test_joined_rows_do_not_fill_the_small_sides():
    labels = np.zeros(1_000, dtype=int)
    together = np.concatenate([np.repeat(np.arange(100), 2), np.arange(200, 1_000)])
    split = split_rows(labels, together)
    n_joined = int((split[:200] == "validation").sum())
    assert 0 < n_joined < 60  # about a fifth of the rows, so about 20 of 100
    assert (split == "validation").sum() == 100


@pytest.mark.parametrize("seed", range(20))
def test_random_belongings_are_never_parted_and_training_has_every_class(seed):
    rng = np.random.default_rng(seed)
    n_rows = int(rng.integers(4, 300))
    labels = rng.integers(0, int(rng.integers(2, 6)), n_rows)
    together = rng.integers(0, max(2, n_rows // 3), n_rows)
    split = split_rows(labels, together, seed)
    for group in np.unique(together):
        assert len(set(split[together == group])) == 1
    assert set(labels[split == "train"]) == set(labels)


def test_one_group_of_everything_trains():
    assert set(split_rows(np.array([0, 1, 0, 1]), np.zeros(4, dtype=int))) == {"train"}


def test_letters_ignore_case_blanks_and_marks_but_not_other_alphabets():
    assert letters_of("  It's GREAT!! ") == letters_of("its great") == "itsgreat"
    assert letters_of("Straße") == letters_of("STRASSE")
    assert letters_of("好い！") == "好い"
    assert letters_of("👍") == "👍"
    assert letters_of("a1_b2") == "a1b2"


def test_rows_are_joined_through_letters_pairs_and_both_in_turn():
    texts = ["Good.", "bad", "GOOD", "fine", "well"]
    together = join_rows([letters_of(text) for text in texts], ["", "p", "p", "", ""])
    assert together[0] == together[1] == together[2]
    assert len({*together.tolist()}) == 3


def test_no_rows_split_into_nothing():
    assert split_rows(np.array([], dtype=int), np.array([], dtype=int)).shape == (0,)
