"""The untrained twin: weight for weight the network a run began from, made without touching anything that is shared."""

from __future__ import annotations

import dataclasses
import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer_core import api, settings
from explorer_core.architectures import _building, _pretrained
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.training import store, untrained
from explorer_core.training.spec import TrainingSpec
from tests.conftest import build_tiny, scale_up

TEXT = "the plot isn't good , but I loved the acting"
LABELS = ("negative", "positive")
TEXTS = ["The film was good, and the acting was lovely.", "The film was bad, and the acting was dull!"] * 4
SEED = 5


@pytest.fixture(autouse=True)
def _none_kept():
    untrained._kept.clear()
    yield
    untrained._kept.clear()


@pytest.fixture
def without(monkeypatch):
    """There are no pretrained weights."""
    monkeypatch.setattr(_pretrained, "find", lambda **_: None)


def spec_of(family: str, **changes) -> TrainingSpec:
    sizes = {"hidden_size": 8, "num_layers": 2, "embedding_size": 8, "max_words": 200, "seed": SEED}
    return TrainingSpec(name="mine", family=family, **sizes | changes)


def begun_and_trained(spec: TrainingSpec) -> tuple[dict[str, torch.Tensor], LoadedModel]:
    """The weights a run begins with, and a network in which all of them but frozen ones are others."""
    module, tokenizer = _building.build(spec, LABELS, TEXTS)
    begun = {name: weight.clone() for name, weight in module.state_dict().items()}
    frozen = module.get_input_embeddings().weight.clone() if module.config.freeze_embeddings else None
    scale_up(module, seed=1)
    if frozen is not None:
        module.get_input_embeddings().weight.data.copy_(frozen)
    module.eval().requires_grad_(False)
    model = LoadedModel(
        "mine", spec.family, "recurrent", LABELS, module, tokenizer, "cpu", f"fingerprint of {spec.family}", 4_096
    )
    return begun, model


def assert_begins_with(twin: LoadedModel, begun: dict[str, torch.Tensor]) -> None:
    weights = twin.module.state_dict()
    assert weights.keys() == begun.keys()
    for name, weight in begun.items():
        assert torch.equal(weights[name], weight), name


def test_with_the_seed_of_its_spec_it_is_the_network_training_began_with(recurrent_family, without):
    begun, model = begun_and_trained(spec_of(recurrent_family, embeddings="scratch"))
    assert any(not torch.equal(weight, begun[name]) for name, weight in model.module.state_dict().items())
    assert_begins_with(api.untrained_twin(model, SEED), begun)
    other = api.untrained_twin(model, SEED + 1).module.state_dict()
    assert not torch.equal(other["rnn.weight_hh_l0"], begun["rnn.weight_hh_l0"])


def test_frozen_word_vectors_are_those_of_the_network_itself(pretrained):
    begun, model = begun_and_trained(spec_of("lstm", embeddings="frozen"))
    twin = api.untrained_twin(model, SEED)
    assert_begins_with(twin, begun)
    assert twin.module.get_input_embeddings() is model.module.get_input_embeddings()  # no second 47 MB


def keep_run(home, model: LoadedModel, spec: TrainingSpec, fingerprint: str) -> None:
    folder = home / model.name
    model.module.save_pretrained(folder)
    card = store.make_card(
        model.name, architecture=model.architecture, labels=LABELS, n_params=1, trained_on="nothing", metrics={},
        fingerprint=fingerprint,
    )  # fmt: skip
    (folder / "unrolled.json").write_text(json.dumps(card))
    (folder / "spec.json").write_text(spec.to_json())


def test_tuned_word_vectors_are_as_they_came_where_the_run_is_known(pretrained, home):
    spec = spec_of("gru", embeddings="tuned")
    begun, model = begun_and_trained(spec)
    unknown = api.untrained_twin(model, SEED).module.state_dict()
    assert not torch.equal(unknown["embedding.weight"], begun["embedding.weight"])
    assert torch.equal(unknown["rnn.weight_hh_l0"], begun["rnn.weight_hh_l0"])
    untrained._kept.clear()
    keep_run(home, model, spec, "of another network with that name")
    assert not torch.equal(api.untrained_twin(model, SEED).module.embedding.weight, begun["embedding.weight"])
    untrained._kept.clear()
    keep_run(home, model, spec, model.fingerprint)
    assert_begins_with(api.untrained_twin(model, SEED), begun)


def test_global_generators_are_left_alone_and_do_not_matter(recurrent_family):
    model = build_tiny(recurrent_family)
    torch.manual_seed(1)
    before = torch.random.get_rng_state()
    first = api.untrained_twin(model)
    assert torch.equal(torch.random.get_rng_state(), before)
    untrained._kept.clear()
    torch.manual_seed(2)
    again = api.untrained_twin(model)
    assert again is not first
    assert_begins_with(again, dict(first.module.state_dict()))


def test_it_can_be_read_as_any_network_and_is_known_as_another_one(recurrent_family):
    model = build_tiny(recurrent_family, dtype="float64")
    twin = api.untrained_twin(model)
    assert twin.fingerprint != model.fingerprint
    assert twin.fingerprint != api.untrained_twin(model, 1).fingerprint
    assert (twin.labels, twin.tokenizer, twin.max_tokens) == (model.labels, model.tokenizer, model.max_tokens)
    assert twin.module.dtype == torch.float64
    assert not twin.module.training
    assert not any(weight.requires_grad for weight in twin.module.parameters())
    assert not np.allclose(api.predict(twin, [TEXT]).logits, api.predict(model, [TEXT]).logits)


def test_twins_are_kept_within_a_bound_those_used_last_longest(monkeypatch):
    model = build_tiny("lstm")
    one = untrained._n_bytes(api.untrained_twin(model))
    assert one == sum(weight.numel() * 4 for weight in model.module.parameters())
    monkeypatch.setattr(settings, "MAX_UNTRAINED_MIB", 2.5 * one / 2**20)
    untrained._kept.clear()
    first, second = api.untrained_twin(model, 1), api.untrained_twin(model, 2)
    assert api.untrained_twin(model, 1) is first
    api.untrained_twin(model, 3)
    assert len(untrained._kept) == 2
    assert api.untrained_twin(model, 1) is first
    assert api.untrained_twin(model, 2) is not second
    monkeypatch.setattr(settings, "MAX_UNTRAINED_MIB", 0.5 * one / 2**20)
    assert api.untrained_twin(model, 4) is not api.untrained_twin(model, 4)
    assert not untrained._kept


def test_another_config_with_the_same_weights_has_a_twin_of_its_own():
    last, mean = build_tiny("gru"), build_tiny("gru", pooling="mean")
    assert last.fingerprint == mean.fingerprint
    assert api.untrained_twin(mean).module.config.pooling == "mean"
    assert api.untrained_twin(last).module.config.pooling == "last"


def test_eight_threads_are_given_the_same_twin():
    model = build_tiny("rnn")
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: api.untrained_twin(model), range(16)))
    assert len({id(each) for each in found}) == 1


def test_a_bert_and_a_seed_that_is_none_are_refused():
    with pytest.raises(IncompatibleError, match="Choose a recurrent model"):
        api.untrained_twin(build_tiny("bert"))
    for seed in (-1, 2**31, "0", 1.5, True, None):
        with pytest.raises(InvalidInputError, match="Seed"):
            api.untrained_twin(build_tiny("lstm"), seed)


# Its Jacobians ------------------------------------------------------------------------------------------------------


def test_untrained_jacobians_are_those_of_the_twin_under_the_name_of_the_network(recurrent_family):
    model = build_tiny(recurrent_family)
    found = api.trace_untrained_jacobians(model, TEXT, seed=3, layer=0, norm="frobenius", target="negative")
    twin = api.trace_jacobians(
        api.untrained_twin(model, 3), TEXT, layer=0, norm="frobenius", target="negative", spectrum=False
    )
    assert (found.model, found.fingerprint, found.untrained_seed) == (model.name, model.fingerprint, 3)
    assert twin.untrained_seed is None
    mine, its = found.arrays(), twin.arrays()
    for name in its.keys() - {"model", "fingerprint"}:
        np.testing.assert_array_equal(mine[name], its[name], err_msg=name)
    assert mine.keys() - its.keys() == {"untrained_seed"}


def test_the_class_explained_is_the_one_the_trained_network_predicts():
    for seed in range(4):
        model = build_tiny("lstm", seed=seed)
        predicted = int(api.predict(model, [TEXT]).logits[0].argmax())
        assert api.trace_untrained_jacobians(model, TEXT).target == predicted


def test_a_bundle_with_both_kinds_of_jacobians_is_accepted(tmp_path):
    model = build_tiny("lstm")
    own, twin = api.trace_jacobians(model, TEXT, spectrum=False), api.trace_untrained_jacobians(model, TEXT, target=1)
    made = [
        api.Made("trace_jacobians", {"spectrum": False}, own),
        api.Made("trace_untrained_jacobians", {"target": 1}, twin),
    ]
    assert api.reproduce_bundle(tmp_path / "both.zip", model, TEXT, made).stat().st_size > 1_000
    stranger = dataclasses.replace(twin, fingerprint="another")
    with pytest.raises(IncompatibleError, match="other weights"):
        api.reproduce_bundle(tmp_path / "x.zip", model, TEXT, [api.Made("trace_untrained_jacobians", {}, stranger)])
