"""What a design may be: bounds, names, and a way there and back through JSON."""

from __future__ import annotations

import dataclasses
import json

import pytest

from explorer_core import api
from explorer_core.designs import store
from explorer_core.designs.spec import KNOBS, MOST, NETWORK_KNOBS, DesignSpec, Network, check_name
from explorer_core.errors import InvalidInputError
from explorer_core.training.spec import TrainingSpec
from tests.core.designs.designs import NETWORKS, SMALL, tiny_design


def test_every_field_of_a_training_is_shared_or_a_networks_own():
    """name, family, data, the seed of a run, and the knobs of a network: nothing of a training is left to chance."""
    own = {"name", "family", "data"} | set(NETWORK_KNOBS)
    shared = set(KNOBS) - {"n_seeds"}
    left_out = {item.name for item in dataclasses.fields(TrainingSpec)} - own - shared
    assert left_out == {"early_stopping", "end_token"}  # would stop networks at different steps; says nothing here


def test_the_runs_differ_in_nothing_but_what_a_network_has_of_its_own():
    spec = tiny_design(None, n_seeds=2)
    plain = [dataclasses.asdict(run) for run in spec.runs()]
    for one in plain:
        for name in ("name", "family", *NETWORK_KNOBS):
            one.pop(name)
    assert plain[0] == plain[1]
    assert plain[2] == plain[3] == plain[0] | {"seed": spec.seed + 1}


def test_a_design_of_a_file_whose_name_is_not_unicode_is_kept_whole():
    spec = tiny_design("caf\udce9.csv")
    store.claim(spec)
    assert store.read_spec(spec.name) == spec


def test_runs_have_names_of_their_own_that_say_what_they_are():
    spec = tiny_design(None, "a-b", networks=(*NETWORKS, Network("lstm", hidden_size=8)), n_seeds=2,
                       vocabulary="wordpiece")  # fmt: skip
    assert spec.run_names() == (
        ("a-b-rnn-s1", "a-b-rnn-s2"), ("a-b-lstm-1-s1", "a-b-lstm-1-s2"), ("a-b-lstm-2-s1", "a-b-lstm-2-s2"),
    )  # fmt: skip
    names = [run.name for run in spec.runs()]
    assert names == ["a-b-rnn-s1", "a-b-lstm-1-s1", "a-b-lstm-2-s1", "a-b-rnn-s2", "a-b-lstm-1-s2", "a-b-lstm-2-s2"]
    assert spec.labels() == ("RNN 4, learned 4", "LSTM 4, learned 4", "LSTM 8")
    assert tiny_design(None).labels() == ("RNN", "LSTM")


def test_networks_that_look_alike_are_told_apart_by_a_number():
    slow, quick = Network("gru", **SMALL, learning_rate=1e-3), Network("gru", **SMALL)
    assert tiny_design(None, networks=(slow, quick)).labels() == ("GRU 4, learned 4 (1)", "GRU 4, learned 4 (2)")


def test_the_longest_name_still_names_every_run():
    spec = tiny_design(None, "x" * 30, networks=(Network("bilstm", **SMALL), Network("bilstm", hidden_size=8,
                       embeddings="scratch")), n_seeds=3)  # fmt: skip
    assert max(len(run.name) for run in spec.runs()) <= 48


def test_a_rate_left_out_is_that_of_the_familys_starter():
    starters = {spec.family: spec.learning_rate for spec in api.starter_specs()}
    assert {family: Network(family).learning_rate for family in starters} == starters


def test_a_design_comes_back_from_its_json():
    spec = tiny_design(None, n_seeds=3, networks=(*NETWORKS, Network("bert", start="random")))
    assert DesignSpec.from_json(spec.to_json()) == spec
    brief = DesignSpec.from_json('{"name": "a", "networks": [{"family": "rnn"}, {"family": "lstm"}]}')
    assert brief == DesignSpec("a", (Network("rnn"), Network("lstm")))


@pytest.mark.parametrize(
    "name", ["", "A", "-a", "a_b", "../a", "a/b", "a\0", "x" * 31, "a\n", "é", "<b>", None, 3, ["a"]]
)
def test_a_hostile_name_is_refused(name):
    with pytest.raises(InvalidInputError, match="30 lower-case letters"):
        check_name(name)


@pytest.mark.parametrize(
    ("plain", "said"),
    [
        ("{", "not valid JSON"),
        ("[]", "JSON object"),
        ("[" * 100_000, "not valid JSON"),
        ('{"name": "a"}', "a list of networks"),
        ('{"name": "a", "networks": "rnn"}', "a list of networks"),
        ('{"name": "a", "networks": [1, 2]}', "JSON object"),
        ('{"name": "a", "networks": [{"units": 3}]}', "not units"),
        ('{"name": "a", "networks": [{"hidden_size": 3}]}', "at least a family"),
        ('{"name": "a", "networks": [{"family": "rnn"}]}', "2 to 6 networks"),
        ('{"name": "a", "networks": [{"family": "nope"}, {"family": "rnn"}]}', "no family 'nope'"),
        ('{"name": "a", "networks": [{"family": "rnn"}, {"family": "rnn"}]}', "are the same"),
        ('{"name": "a", "networks": [{"family": ["rnn"]}, {"family": "rnn"}]}', "no family"),
        ('{"name": "a", "networks": [{"family": "rnn"}, {"family": "gru"}], "epochs": 0}', "Epochs is 0"),
        ('{"name": "a", "networks": [{"family": "rnn"}, {"family": "gru"}], "lr": 0}', "not lr"),
        ('{"name": "a", "networks": [{"family": "rnn"}, {"family": "gru"}], "data": 3}', "source and options"),
        ('{"name": "a", "networks": [{"family": "rnn"}, {"family": "gru"}], "data": {"source": ""}}', "no data source"),
        ('{"name": "a", "networks": [{"family": "rnn"}, {"family": "gru"}], "n_seeds": 4}', "Seeds for each is 4"),
        ('{"name": "a", "networks": [{"family": "rnn"}, {"family": "gru"}], "vocabulary": "words"}', "scratch"),
    ],
)  # fmt: skip
def test_what_cannot_be_trained_is_refused_in_words(plain, said):
    with pytest.raises(InvalidInputError, match=said):
        DesignSpec.from_json(plain)


def test_more_networks_than_fit_are_refused():
    networks = [{"family": "rnn", "hidden_size": units} for units in range(1, MOST + 2)]
    with pytest.raises(InvalidInputError, match="2 to 6 networks, here 7"):
        DesignSpec.from_json(json.dumps({"name": "a", "networks": networks}))


def test_the_last_seed_has_to_be_one():
    with pytest.raises(InvalidInputError, match="no next one"):
        tiny_design(None, seed=2**31 - 1, n_seeds=2)
