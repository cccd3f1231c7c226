"""Near-duplicates with different labels: the fast search finds what comparing all pairs finds."""

from __future__ import annotations

import re

import numpy as np
import pytest

from explorer_core import api
from explorer_core.reasons import near_duplicates
from tests.core.judged_by_hand import make_judgement, make_table


def compared(texts, labels, least):
    """Each text's largest Jaccard likeness to a text of another label, by comparing all pairs."""
    sets = [set(re.findall(r"\w+", text.lower())) for text in texts]
    found = {}
    for one in range(len(texts)):
        likes = [
            len(sets[one] & sets[two]) / len(sets[one] | sets[two])
            for two in range(len(texts))
            if labels[one] != labels[two] and sets[one] | sets[two]
        ]
        if likes and max(likes) >= least - 1e-12:
            found[one] = max(likes)
    return found


@pytest.mark.parametrize("least", [0.5, 0.6, 0.75, 0.8, 0.9, 1.0])
@pytest.mark.parametrize("seed", range(4))
def test_the_search_is_exact(least, seed):
    rng = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(25)]
    texts, labels = [], []
    for _ in range(60):
        first = rng.choice(words, size=rng.integers(1, 22))
        for _ in range(3):
            changed = np.where(rng.random(len(first)) < 0.1, rng.choice(words, size=len(first)), first)
            texts.append(" ".join(changed))
            labels.append(int(rng.integers(3)))
    found, is_whole = near_duplicates.alike(texts, labels, least)
    assert is_whole
    expected = compared(texts, labels, least)
    assert {place: value for place, (value, _) in found.items()} == pytest.approx(expected)
    assert expected
    for place, (_, other) in found.items():
        assert labels[place] != labels[other]


def test_a_likeness_of_exactly_the_threshold_counts_at_every_size():
    for size in range(5, 101, 5):
        ours = [f"w{number}" for number in range(size)]
        found, _ = near_duplicates.alike([" ".join(ours), " ".join(ours[: size * 4 // 5])], [0, 1], 0.8)
        assert len(found) == 2, size


def test_both_texts_stand_side_by_side_and_case_does_not_matter():
    texts = ["I loved this film so much", "something else here", "i LOVED this film so much!", "loved it"]
    judged = make_judgement(make_table(texts, ["a", "b", "b", "a"]), np.zeros((1, 4, 2)), [0, 1, 1, 0])
    found = api.order_texts(judged, "near_duplicates")
    assert found.rows.tolist() == [0, 2]
    assert found.partner.tolist() == [2, 0]
    assert found.values.tolist() == pytest.approx([6 / 7, 6 / 7])
    assert "row 4" in found.details[0]
    assert "labelled positive" in found.details[0]


def test_a_search_that_would_take_too_long_ends_and_says_so():
    texts = [f"a b c d e f g h i {number}" for number in range(60)]
    found, is_whole = near_duplicates.alike(texts, [number % 2 for number in range(60)], 0.5, most=100)
    assert not is_whole
    assert found
