"""Settings of an exam: checked when they are born, and the same after a journey through JSON."""

from __future__ import annotations

import json

import pytest

from explorer_core import api
from explorer_core.errors import InvalidInputError
from explorer_core.exam import store
from explorer_core.exam.spec import KNOBS, SHORTCUTS, WORDS
from tests.doors import assert_is_a_sentence


def test_settings_come_back_from_json_as_they_were():
    spec = api.ExamSpec(
        families=("bilstm", "rnn"), shortcut="word", words=("ja", "nein"), methods=("lime",), seed=7,
        data=api.DataSpec("hub", {"id": "some/thing"}),
    )  # fmt: skip
    assert api.ExamSpec.from_json(spec.to_json()) == spec
    assert api.ExamSpec.from_json("{}") == api.ExamSpec()


def test_settings_with_a_file_whose_name_is_not_unicode_are_kept_whole():
    spec = api.ExamSpec(data=api.DataSpec("local_file", {"path": "caf\udce9.csv"}))
    assert store.read_spec(store.claim(spec)) == spec


def test_families_and_methods_stand_in_the_order_of_their_registry():
    spec = api.ExamSpec(families=("lstm", "rnn"), methods=("lime", "integrated_gradients"))
    assert (spec.families, spec.methods) == (("rnn", "lstm"), ("integrated_gradients", "lime"))
    assert api.ExamSpec().methods == tuple(about.name for about in api.list_methods())


@pytest.mark.parametrize("shortcut", list(SHORTCUTS))
def test_every_shortcut_brings_its_own_two_words(shortcut):
    assert api.ExamSpec(shortcut=shortcut).words == WORDS[shortcut]


@pytest.mark.parametrize("name", list(KNOBS))
def test_a_value_beyond_its_bounds_is_refused_in_words(name):
    for value in ("nothing",) if KNOBS[name].choices else (KNOBS[name].low - 1, KNOBS[name].high + 1, "7", True):
        with pytest.raises(InvalidInputError) as refused:
            api.ExamSpec(**{name: value})
        assert_is_a_sentence(refused.value)


@pytest.mark.parametrize(
    "given",
    [
        {"families": ()},
        {"families": ("lstm", "lstm")},
        {"families": "lstm"},
        {"families": ("mamba",)},
        {"methods": ("deeplift",)},
        {"words": ("wug",)},
        {"words": ("wug", "WUG")},
        {"words": ("two words", "wug")},
        {"words": ("<b>", "wug")},
        {"words": ("", "wug")},
        {"words": ("x" * 41, "wug")},
        {"words": ("好好", "wug")},
        {"words": (1, "wug")},
        {"data": "starter"},
    ],
)
def test_what_cannot_be_an_exam_is_refused_in_words(given):
    with pytest.raises(InvalidInputError) as refused:
        api.ExamSpec(**given)
    assert_is_a_sentence(refused.value)


@pytest.mark.parametrize("text", ["", "[]", "7", '{"family": "lstm"}', '{"data": 5}', '{"words": 5}', "[" * 100_000])
def test_json_that_is_no_exam_is_refused_in_words(text):
    with pytest.raises(InvalidInputError) as refused:
        api.ExamSpec.from_json(text)
    assert_is_a_sentence(refused.value)


def test_hostile_json_cannot_add_a_field():
    plain = api.ExamSpec().to_plain() | {"folder": "/etc"}
    with pytest.raises(InvalidInputError, match="fields"):
        api.ExamSpec.from_json(json.dumps(plain))
