"""Slices of judged texts, held against plain loops, and their accuracy beside that of all."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest
from scipy.stats import norm

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.judging import slices
from tests.core.judged_by_hand import make_judgement, make_random_judgement, make_table


@pytest.fixture
def random_judgement():
    return make_random_judgement()


def wilson(n_right, n_all):
    """The interval from its formula."""
    z, share = norm.ppf(0.975), n_right / n_all
    middle = (share + z**2 / (2 * n_all)) / (1 + z**2 / n_all)
    half = z / (1 + z**2 / n_all) * np.sqrt(share * (1 - share) / n_all + z**2 / (4 * n_all**2))
    return middle - half, middle + half


def test_a_slice_is_what_a_loop_over_the_rows_finds(random_judgement):
    judged = random_judgement
    where = api.SliceSpec(
        column="city", value="Rome", min_words=3, max_words=8, words=("Film",), label="mixed", predicted="negative"
    )
    found = api.select_texts(judged, where, model="m1")
    expected = [
        row
        for row, text in enumerate(judged.table.texts)
        if row % 2
        and 3 <= len(text.split()) <= 8
        and "film" in text.split()
        and judged.true[row] == 2
        and judged.logits[1, row].argmax() == 0
    ]
    assert found.rows.tolist() == expected
    everything = api.select_texts(judged)
    assert len(everything) == 200
    assert everything.said == "all texts"


def test_accuracy_stands_beside_that_of_all_with_intervals(random_judgement):
    judged = random_judgement
    found = api.select_texts(judged, api.SliceSpec(column="stars", low=2, high=3))
    stars = judged.table.columns["stars"]
    for model in range(2):
        for rows, share, ends in (
            ([row for row in range(200) if 2 <= stars[row] <= 3], found.accuracy, found.interval),
            (range(200), found.all_accuracy, found.all_interval),
        ):
            labelled = [row for row in rows if judged.true[row] >= 0]
            n_right = sum(judged.logits[model, row].argmax() == judged.true[row] for row in labelled)
            assert share[model] == pytest.approx(n_right / len(labelled), abs=1e-12)
            np.testing.assert_allclose(ends[model], wilson(n_right, len(labelled)), atol=1e-9)
    assert len(found.to_frame()) == 2


def test_right_and_wrong_part_the_labelled_texts(random_judgement):
    judged = random_judgement
    right = api.select_texts(judged, api.SliceSpec(right=True))
    wrong = api.select_texts(judged, api.SliceSpec(right=False))
    assert sorted([*right.rows, *wrong.rows]) == np.flatnonzero(judged.true >= 0).tolist()
    assert right.accuracy[0] == 1
    assert wrong.accuracy[0] == 0


def test_a_slice_without_labels_has_no_accuracy():
    judged = make_judgement(make_table(["a", "b"], [None, None]), np.zeros((1, 2, 2)))
    found = api.select_texts(judged, api.SliceSpec(words=("a",)))
    assert found.rows.tolist() == [0]
    assert np.isnan(found.accuracy).all()
    assert np.isnan(found.interval).all()


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("art",), [0, 4]),
        (("ART", "is"), [0]),
        (("not good",), [2]),
        (("c++",), [3]),
        (("straße",), [5]),
        (("",), [0, 1, 2, 3, 4, 5]),
        ((".*",), []),
    ],
)
def test_words_are_whole_and_case_is_ignored(words, expected):
    texts = ["Art is long", "start party arts", "NOT good", "I write C++ daily", "an art", "Die STRASSE"]
    assert np.flatnonzero(slices.contains(texts, words)).tolist() == expected


def test_length_bins_share_no_length_and_leave_none_out(random_judgement):
    n_words = random_judgement.table.n_words
    bins = api.slice_choices(random_judgement)["lengths"]
    assert 1 < len(bins) <= 5
    assert sum(((n_words >= low) & (n_words <= high)).sum() for low, high in bins) == 200
    assert all(one[1] < other[0] for one, other in itertools.pairwise(bins))
    assert slices.length_bins(np.zeros(0, dtype=int)) == ()


def test_values_of_a_column_are_counted_as_shown(random_judgement):
    values = dict(api.slice_choices(random_judgement, "stars")["values"])
    stars = random_judgement.table.columns["stars"].tolist()
    assert values == {f"{star:g}": stars.count(star) for star in set(stars)}
    for value, count in values.items():
        assert len(api.select_texts(random_judgement, api.SliceSpec(column="stars", value=value))) == count


def test_a_column_of_many_different_numbers_is_chosen_from_by_ranges_that_leave_none_out(read):
    rng = np.random.default_rng(5)
    prices = [round(float(price), 4) for price in rng.lognormal(size=300)]
    rows = "".join(
        f"a film number {row},{'' if row % 10 == 0 else price},{row % 7}\n" for row, price in enumerate(prices)
    )
    table = read("a.csv", f"text,price,city\n{rows}", label_column="")
    assert api.slice_choices(table, "city")["ranges"] == ()
    ranges = api.slice_choices(table, "price")["ranges"]
    cells = table.columns["price"]
    counts = [int(((cells >= low) & (cells <= high)).sum()) for low, high in ranges]
    assert len(ranges) == 5
    assert sum(counts) == 270
    assert max(counts) - min(counts) <= 2
    assert all(one[1] < other[0] for one, other in itertools.pairwise(ranges))


def test_what_cannot_be_meant_is_said(random_judgement):
    for make, said in (
        (lambda: api.SliceSpec(value="x"), "without a column"),
        (lambda: api.SliceSpec(min_words=4, max_words=3), "other way round"),
        (lambda: api.select_texts(random_judgement, api.SliceSpec(column="nothing")), "no other column"),
        (lambda: api.select_texts(random_judgement, api.SliceSpec(column="city", low=1)), "no numbers"),
        (lambda: api.select_texts(random_judgement, api.SliceSpec(label="ham")), re.escape("'ham'")),
    ):
        with pytest.raises(ExplorerError, match=said):
            make()


def test_a_file_with_another_column_is_another_file_for_every_cache():
    texts = ["good", "bad film"]
    made = [make_table(texts, ["a", "b"], **columns)
            for columns in ({}, {"pair": ["1", "1"]}, {"pair": ["1", "2"]}, {"kind": ["1", "1"]},
                            {"pair": np.array([1.0, 1.0])}, {"pair": np.array([1.0, np.nan])})]  # fmt: skip
    assert len({table.digest for table in made}) == len(made)
    assert make_table(texts, ["a", "b"], pair=["1", "2"]).digest == made[2].digest
