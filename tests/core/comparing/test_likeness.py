"""States that are compared are those of tracing each text by itself; a network is like itself."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.comparing import likeness
from explorer_core.comparing._cka import debiased_cka
from explorer_core.errors import CancelledError, InvalidInputError
from tests.conftest import WORDS, build_tiny

FAMILIES = ("gru", "bilstm", "bert")


@pytest.fixture(scope="module")
def texts():
    rng = np.random.default_rng(0)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 9))) + " unbelievably" for _ in range(14)]


@pytest.fixture(scope="module")
def models():
    return {family: build_tiny(family) for family in FAMILIES}


def states_by_tracing(model, text, what):
    """Layers of one text, each [state, unit], the embedding first where it is compared."""
    trace = api.trace_states(model, text)
    reading = trace.reading
    if model.kind == "transformer":
        layers = list(trace.hidden)
        if what == "final":
            return [layer[:1] for layer in layers]
        return [
            layer.mean(0, keepdims=True) if what == "mean" else layer[reading.last_token_of_word] for layer in layers
        ]
    found = []
    for halves in trace.hidden:  # [direction, pos, unit]
        parts = []
        for direction, half in enumerate(halves):
            if what == "mean":
                parts.append(half.mean(0, keepdims=True))
            elif what == "words":
                parts.append(half[reading.first_token_of_word if direction else reading.last_token_of_word])
            else:
                parts.append(half[:1] if direction else half[-1:])
        found += [*parts, np.concatenate(parts, -1)] if len(parts) > 1 else parts
    if what == "final":
        return found
    vectors = model.module.get_input_embeddings().weight[reading.token_ids].numpy()
    return [vectors.mean(0, keepdims=True) if what == "mean" else vectors[reading.last_token_of_word], *found]


@pytest.mark.parametrize("what", likeness.WHAT)
def test_cka_is_that_of_states_traced_text_by_text(models, texts, what):
    for one, other in (("gru", "bilstm"), ("bilstm", "bert")):
        found = api.compare_states(models[one], models[other], texts, what, untrained=False)
        sides = [
            [
                np.concatenate(layer)
                for layer in zip(*(states_by_tracing(models[name], text, what) for text in texts), strict=True)
            ]
            for name in (one, other)
        ]
        assert found.n_states == len(sides[0][0])
        assert [len(names) for names in found.layers] == [len(side) for side in sides]
        for row, mine in enumerate(sides[0]):
            for column, theirs in enumerate(sides[1]):
                expected = debiased_cka(mine, theirs)  # the order of texts does not matter
                assert found.cka[row, column] == pytest.approx(expected, abs=1e-4, nan_ok=True)


def test_a_network_is_wholly_like_itself_layer_by_layer(models, texts):
    for model in models.values():
        found = api.compare_states(model, model, texts, "words")
        assert np.diag(found.cka) == pytest.approx(np.ones(len(found.cka)), abs=1e-12)
        assert found.cka == pytest.approx(found.cka.T, abs=1e-9)
        assert np.diag(found.untrained) == pytest.approx(np.ones(len(found.cka)), abs=1e-12)


def test_two_networks_turned_round_turn_the_matrix_round(models, texts):
    one, other = (api.compare_states(models[a], models[b], texts, "words", n_states=40)
                  for a, b in (("gru", "bert"), ("bert", "gru")))  # fmt: skip
    for name in ("cka", "plain", "untrained"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name).T, atol=1e-6)
    assert one.layers == other.layers[::-1]


def test_the_same_first_token_of_every_text_has_no_likeness(models, texts):
    found = api.compare_states(models["bert"], models["gru"], texts, "final")
    assert np.isnan(found.cka[0]).all()
    assert not np.isnan(found.cka[1:]).any()
    assert len(found.to_frame()) == found.cka.size
    assert np.isnan(found.untrained[0]).all()


def test_words_are_drawn_with_the_seed_and_no_more_than_asked_for(models, texts):
    one, same, other = (api.compare_states(models["gru"], models["bilstm"], texts, "words", n_states=20, seed=seed,
                                           untrained=False) for seed in (0, 0, 1))  # fmt: skip
    assert one.n_states == 20
    np.testing.assert_array_equal(one.cka, same.cka)
    assert not np.allclose(one.cka, other.cka)


def test_the_base_line_is_of_fresh_weights(models, texts):
    found = api.compare_states(models["gru"], models["gru"], texts, "final")
    twin = api.untrained_twin(models["gru"])
    own = api.compare_states(twin, twin, texts, "final", untrained=False)
    np.testing.assert_allclose(found.untrained, own.cka, atol=1e-9)


def test_what_cannot_be_compared_is_refused_with_what_to_do(models, texts):
    with pytest.raises(InvalidInputError, match="too few"):
        api.compare_states(models["gru"], models["bert"], ["good", "bad", " "], "final")
    with pytest.raises(InvalidInputError, match="final, mean, words"):
        api.compare_states(models["gru"], models["bert"], texts, "nonsense")
    with pytest.raises(InvalidInputError, match="4 to 5000"):
        api.compare_states(models["gru"], models["bert"], texts, n_states=3)


def test_it_can_be_cancelled_and_its_share_never_falls(models, texts):
    shares = []
    api.compare_states(models["gru"], models["bilstm"], texts, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(share):
        if share > 0.4:
            raise CancelledError("stop")

    with pytest.raises(CancelledError):
        api.compare_states(models["gru"], models["bilstm"], texts, progress=stop)
    assert api.price_states(list(models.values()), texts, 14) > 0
