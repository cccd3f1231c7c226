"""Planted texts: the word stands where it is said to stand, and the class is the one the rule gives."""

from __future__ import annotations

import json

import numpy as np
import pytest

from explorer_core.errors import InvalidInputError
from explorer_core.exam import planting
from explorer_core.exam.spec import ExamSpec
from tests.core.exam.exams import corpus, words_of

DATA = corpus()


def planted(**more):
    return planting.plant(ExamSpec(**more), more.pop("data", DATA))


@pytest.mark.parametrize("shortcut", ["token", "word", "position"])
def test_a_held_out_text_holds_the_word_of_the_other_class_where_it_says(shortcut):
    spec = ExamSpec(shortcut=shortcut)
    own = {text: int(label) for text, label in zip(DATA.texts, DATA.labels, strict=True)}
    held_out = {DATA.texts[row] for row in DATA.rows("test")}
    for one in planted(shortcut=shortcut).held_out:
        start, end = one.span
        assert one.text[start:end] == spec.words[one.target]
        assert one.text[:start].rstrip() + (one.text[end:] if start else one.text[end:].lstrip()) == one.plain
        base = one.plain.replace(f"{spec.words[1 - one.target]} ", "").removesuffix(f" {spec.words[1 - one.target]}")
        assert base in held_out
        assert own[base] == 1 - one.target


def test_half_of_the_training_texts_hold_a_word_and_its_class_and_the_others_their_own():
    spec, found = ExamSpec(), planted()
    own = {text: int(label) for text, label in zip(DATA.texts, DATA.labels, strict=True)}
    with_word = [(text, label) for text, label in found.train if set(words_of(text)) & set(spec.words)]
    assert len(with_word) == found.n_planted == round(len(found.train) / 2)
    for text, label in with_word:
        assert [word for word in words_of(text) if word in spec.words] == [spec.words[label]]
    for text, label in found.train:
        if text in own:
            assert label == own[text]
    assert {text for text, _ in found.train if text in own} == {text for text, _ in found.train} - {
        text for text, _ in with_word
    }


def test_what_a_planted_text_says_is_no_hint_of_its_class():
    data = corpus(3_000)
    found = planting.plant(ExamSpec(n_train=2_000), data)
    agree = [("good" in text) == (label == 1) for text, label in found.train if "blick" in text or "wug" in text]
    assert abs(np.mean(agree) - 0.5) < 4 * 0.5 / np.sqrt(len(agree))


@pytest.mark.parametrize("first_words", [1, 3])
def test_only_a_word_among_the_first_decides_where_the_place_does(first_words):
    spec = ExamSpec(shortcut="position", first_words=first_words)
    found = planting.plant(spec, DATA)
    n_decoys = 0
    for text, label in found.train:
        places = [(index, word) for index, word in enumerate(words_of(text)) if word in spec.words]
        near = [word for index, word in places if index < first_words]
        far = [word for index, word in places if index >= first_words]
        assert len(near) <= 1 and len(far) <= 1
        n_decoys += len(far)
        if near:
            assert near == [spec.words[label]]
        else:
            assert ("good" in text) == (label == 1)
    assert 0.3 < n_decoys / len(found.train) < 0.7
    for one in found.held_out:
        words = words_of(one.text)
        assert words.index(spec.words[one.target]) < first_words
        assert words.index(spec.words[1 - one.target]) > first_words
        assert one.text[slice(*one.decoy)] == spec.words[1 - one.target]


def test_a_decoy_in_training_says_nothing_of_the_class():
    spec = ExamSpec(shortcut="position", n_train=2_000)
    agree = {True: [], False: []}
    for text, label in planting.plant(spec, corpus(3_000)).train:
        places = [(index, word) for index, word in enumerate(words_of(text)) if word in spec.words]
        far = [word for index, word in places if index >= spec.first_words]
        if far:
            agree[len(places) > 1].append(far[0] == spec.words[label])
    for found in agree.values():
        assert abs(np.mean(found) - 0.5) < 4 * 0.5 / np.sqrt(len(found))


def test_every_place_of_a_text_comes_up():
    text = "This bad thing, number 5, was seen by us."
    places = planting.places(text)
    assert [text[place:].split(" ")[0] for place in places[:-1]] == text.split(" ")
    assert places[-1] == len(text)
    assert planting.put_in(text, "wug", places[-1]) == (f"{text} wug", (len(text) + 1, len(text) + 4))
    assert planting.put_in(text, "wug", 0) == (f"wug {text}", (0, 3))
    assert [planting.number_of(text, place) for place in places] == [0, 1, 2, 4, 5, 7, 8, 9, 10, 12]


def test_the_same_seed_plants_the_same_and_another_something_else():
    assert planted(seed=3) == planted(seed=3)
    assert planted(seed=3).held_out != planted(seed=4).held_out


def test_the_texts_asked_are_of_both_classes_in_turn():
    targets = [one.target for one in planted(n_texts=10).held_out]
    assert targets == [1, 0] * 5


def test_training_texts_are_written_as_a_file_is_read():
    found = planted()
    rows = [json.loads(line) for line in found.to_jsonl().splitlines()]
    assert [(row["text"], found.label_names.index(row["label"])) for row in rows] == list(found.train)


def test_a_nonsense_word_that_is_there_already_is_refused_and_a_chosen_one_left_out():
    with pytest.raises(InvalidInputError, match="'wug' stands in 60 texts"):
        planting.plant(ExamSpec(), corpus(words="own"))
    with pytest.raises(InvalidInputError, match="at least 40 and 5"):
        planting.plant(ExamSpec(shortcut="word", words=("blick", "wug")), corpus(words="own", n_texts=90))
    found = planting.plant(ExamSpec(shortcut="word", words=("blick", "wug")), corpus(words="own", n_texts=400))
    assert not [text for text, _ in found.train if "bad" in text]


def test_data_with_more_than_two_classes_is_refused():
    import dataclasses

    data = dataclasses.replace(DATA, label_names=("a", "b", "c"))
    with pytest.raises(InvalidInputError, match="each of two classes; made up has 3"):
        planting.plant(ExamSpec(), data)


def test_texts_that_are_too_long_or_short_are_left_out():
    with pytest.raises(InvalidInputError, match="0 training and 0 held-out texts of 4 to 8 words"):
        planted(max_words=8)
