"""Minimal pairs: found exactly as by comparing all, made from columns, and judged on both sides."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import ExplorerError
from explorer_core.judging import pairs
from tests.core.judged_by_hand import make_judgement, make_table
from tests.core.test_edits import levenshtein


@pytest.mark.parametrize("most", [1, 2, 3, 5])
@pytest.mark.parametrize("seed", range(3))
def test_the_search_finds_what_comparing_all_pairs_finds(most, seed):
    rng = np.random.default_rng(seed)
    words = [f"w{number}" for number in range(12)]
    texts, labels = [], []
    for _ in range(40):
        first = rng.choice(words, size=rng.integers(1, 26)).tolist()
        for _ in range(3):
            changed = list(first)
            for _ in range(rng.integers(0, most + 2)):
                place = int(rng.integers(len(changed) + 1))
                changed[place : place + int(rng.integers(2))] = rng.choice(words, size=rng.integers(2)).tolist()
            texts.append(changed)
            labels.append(int(rng.integers(2)))
    expected = set()
    for one in range(len(texts)):
        for two in range(one + 1, len(texts)):
            distance = levenshtein(texts[one], texts[two])
            if labels[one] != labels[two] and 0 < distance <= min(most, max(len(texts[one]), len(texts[two])) // 4):
                expected.add((distance, one, two))
    found, is_whole = pairs.close_pairs(texts, labels, most)
    assert is_whole
    assert set(found) == expected
    assert len(found) == len(expected) > 5
    assert found == sorted(found)


def test_a_search_that_would_take_too_long_ends_and_says_so(monkeypatch):
    monkeypatch.setattr(pairs, "MOST_COMPARED", 50)
    texts = [f"a b c d e f g {number}" for number in range(40)]
    table = make_table(texts, [str(number % 2) for number in range(40)])
    found = api.find_pairs(table, most_edits=2)
    assert len(found)
    assert "there may be more" in found.notes[-1]


TEXTS = ["it was a good film", "nothing like it", "It was a bad film", "alone here", "so good", "so bad"]


def test_pairs_are_found_by_ids_and_odd_ones_are_told():
    table = make_table(TEXTS, ["p", "p", "n", "n", "p", "n"], group=["x", "", "x", "y", "z", "z"])
    found = api.find_pairs(table, ids="group")
    assert list(zip(found.first.tolist(), found.second.tolist(), found.names, strict=True)) == [
        (0, 2, "x"),
        (4, 5, "z"),
    ]
    assert "1 values" in found.notes[0]
    assert found.to_frame()["first text"].tolist() == ["it was a good film", "so good"]
    close = api.find_pairs(table, most_edits=3)
    assert [(one, two) for one, two in zip(close.first.tolist(), close.second.tolist(), strict=True)] == [(0, 2)]
    assert close.distance.tolist() == [1]


def test_two_columns_of_texts_become_one_table_of_pairs():
    seconds = ["it was a bad film", "", "It was a good film", "x", "y", "z"]
    table = make_table(TEXTS, ["p", "p", "n", "n", "p", "n"], other=seconds, kind=["n", "n", "p", "p", "", "new"])
    found = api.find_pairs(table, second_text="other", second_label="kind")
    assert len(found) == 5
    assert found.table.texts[:4] == (TEXTS[0], seconds[0], TEXTS[2], seconds[2])
    values = [found.table.label_values[label] if label >= 0 else None for label in found.table.label]
    assert values == ["p", "n", "n", "p", "n", "p", "p", None, "n", "new"]
    assert found.table.n_words[:2].tolist() == [5, 5]
    assert "1 texts have no second" in found.notes[0]


def test_outcomes_and_turns_are_those_of_a_count_by_hand():
    table = make_table([f"t{number}" for number in range(8)], list("pnpnpnpp"), group=list("aabbccdd"))
    say = {"n": [1.0, 0.0], "p": [0.0, 1.0]}
    said = "pnppnpnn"  # both right, one right (no turn), none right (turns), none of p p right (no turn)
    judged = make_judgement(table, [[say[one] for one in said]], [1, 0, 1, 0, 1, 0, 1, 1])
    found = api.judge_pairs(judged, api.find_pairs(table, ids="group"))
    assert found.outcome.tolist() == [[0, 1, 2, 2]]
    assert found.turns.tolist() == [[True, False, True, False]]
    assert found.n_outcomes.tolist() == [[1, 1, 2]]
    assert found.shares.tolist() == [[0.25, 0.25, 0.5]]
    assert found.turn_shares.tolist() == [0.5]
    assert (found.low < found.shares).all()
    assert (found.shares < found.high).all()
    frame = found.to_frame()
    assert frame["outcome m0"].tolist() == ["both right", "only one right", "none right", "none right"]
    assert frame["first predicted m0"].tolist() == ["positive", "positive", "negative", "negative"]
    assert len(found.counts_frame()) == 4


def test_pairs_with_a_text_nobody_can_read_are_left_out(tiny_model, read):
    content = "text,label,pair\na good film,p,1\na bad film,n,1\nso good,p,2\n\u200b,n,2\n"
    table = read("a.csv", content, text_column="text", label_column="label")
    found = api.find_pairs(table, ids="pair")
    judged = api.judge([tiny_model("lstm")], found.table, {"p": "positive", "n": "negative"}, is_kept=False)
    both = api.judge_pairs(judged, found)
    assert both.pairs.names == ("1",)
    assert judged.table.texts[both.first[0]] == "a good film"
    other = make_judgement(make_table(["x", "y"], ["p", "n"]), np.zeros((1, 2, 2)), [1, 0])
    with pytest.raises(ExplorerError, match="other texts"):
        api.judge_pairs(other, found)


def test_what_makes_no_pairs_is_said():
    table = make_table(TEXTS, ["p"] * 6, group=list("abcdef"), empty=[""] * 6)
    for options, said in (
        ({"ids": "group"}, "exactly twice"),
        ({"ids": "nothing"}, "no other column"),
        ({"second_text": "empty"}, "no texts"),
        ({"ids": "group", "second_text": "empty"}, "one of both"),
        ({"most_edits": 99}, "12"),
    ):
        with pytest.raises(ExplorerError, match=said):
            api.find_pairs(table, **options)
    assert len(api.find_pairs(table)) == 0


@pytest.mark.realdata
def test_rewritten_reviews_are_pairs_with_opposite_labels(tiny_model):
    folder = Path(os.environ["EXPLORER_TEST_DATA"])
    for name, second, n_pairs in (
        ("cad_imdb/cad_dev_pairs.csv", "revised", 244),
        ("contrast_imdb/contrast_dev_pairs.csv", "contrast", 100),
    ):
        spec = api.TextsSpec(text_column="original_text", label_column="original_label")
        found = api.find_pairs(
            api.read_texts([folder / name], spec), second_text=f"{second}_text", second_label=f"{second}_label"
        )
        assert len(found) == n_pairs
        assert (found.table.label[found.first] != found.table.label[found.second]).all()
    judged = api.judge([tiny_model("gru")], found.table, {"0": "negative", "1": "positive"}, is_kept=False)
    both = api.judge_pairs(judged, found)
    assert both.n_outcomes.sum() == 100
    assert (both.turns[0] == (both.outcome[0] != 1)).all()


@pytest.mark.realdata
def test_pairs_of_reviews_are_found_without_their_ids():
    """Halves of pairs that differ by few words are found again when all texts stand in one column."""
    path = Path(os.environ["EXPLORER_TEST_DATA"]) / "contrast_imdb/contrast_dev_pairs.csv"
    spec = api.TextsSpec(text_column="original_text", label_column="original_label")
    given = api.find_pairs(api.read_texts([path], spec), second_text="contrast_text", second_label="contrast_label")
    words = [text.casefold().split() for text in given.table.texts]
    near = set()
    for one, two in zip(given.first.tolist(), given.second.tolist(), strict=True):
        if 0 < levenshtein(words[one], words[two]) <= 8:
            near.add((one, two))
    found = api.find_pairs(given.table, most_edits=8)
    assert near
    assert near <= set(zip(found.first.tolist(), found.second.tolist(), strict=True))
