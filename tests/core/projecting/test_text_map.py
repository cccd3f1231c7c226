"""States of many texts are those of single ones, and a map of them keeps what it promises."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import CancelledError, InvalidInputError
from explorer_core.results import TextStates
from tests.conftest import WORDS, build_tiny


def some_texts(n, seed=0):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 12))) for _ in range(n)]


def states_by_hand(values):
    return TextStates("m", "lstm", "f", "head", 0, 0, np.arange(len(values)), values.astype(np.float32), len(values))


def test_states_of_texts_are_those_of_tracing_each_by_itself(family):
    model = build_tiny(family)
    texts = [*some_texts(12), "", "good film"]
    n_layers, n_directions = api.state_choices(model)
    for what in ("head", "final", "mean"):
        for layer in range(n_layers):
            for direction in range(n_directions):
                found = api.states_of_texts(model, texts, what, layer, direction)
                assert found.indices.tolist() == [*range(12), 13]
                for row, place in enumerate(found.indices):
                    trace = api.trace_states(model, texts[place])
                    if family == "bert":
                        hidden = trace.hidden[-1 if what == "head" else layer]
                        expected = hidden.mean(0) if what == "mean" else hidden[0]
                    elif what == "head":
                        ends = [half[0 if side else -1] for side, half in enumerate(trace.hidden[-1])]
                        expected = np.concatenate(ends)
                    else:
                        half = trace.hidden[layer, direction]
                        expected = half.mean(0) if what == "mean" else half[0 if direction else -1]
                    np.testing.assert_allclose(found.states[row], expected, atol=1e-5)


@pytest.mark.parametrize("pooling", ["mean", "max"])
def test_what_the_head_reads_gives_the_verdict(recurrent_family, pooling):
    model, texts = build_tiny(recurrent_family, pooling=pooling), some_texts(9)
    found = api.states_of_texts(model, texts)
    weight, bias = (each.detach().numpy() for each in (model.module.classifier.weight, model.module.classifier.bias))
    np.testing.assert_allclose(found.states @ weight.T + bias, api.predict(model, texts).logits, atol=1e-5)


def test_equal_texts_have_equal_states_and_every_other_order_gives_the_same_points(family):
    model, texts = build_tiny(family), some_texts(30)
    texts[7] = texts[3]
    states = api.states_of_texts(model, texts)
    np.testing.assert_array_equal(states.states[7], states.states[3])
    order = np.random.default_rng(1).permutation(30)
    turned = api.states_of_texts(model, [texts[place] for place in order])
    np.testing.assert_allclose(turned.states, states.states[order], atol=1e-6)
    one, other = api.project_texts(states), api.project_texts(turned)
    np.testing.assert_allclose(other.xy, one.xy[order], atol=1e-4)


@pytest.mark.parametrize("shape", [(200, 12), (8, 30)])
def test_principal_components_are_those_of_a_singular_value_decomposition(shape):
    values = np.random.default_rng(2).normal(size=shape) @ np.diag(np.linspace(3, 0.5, shape[1]))
    found = api.project_texts(states_by_hand(values))
    centred = values - values.mean(0)
    left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
    expected = left[:, :2] * sizes[:2]
    signs = np.sign((expected * found.xy).sum(0))
    np.testing.assert_allclose(found.xy, expected * signs, atol=1e-4)
    np.testing.assert_allclose(found.explained, sizes[:2] ** 2 / (sizes**2).sum(), atol=1e-6)


def test_states_without_any_difference_lie_on_one_point():
    found = api.project_texts(states_by_hand(np.ones((5, 4))))
    assert not found.xy.any()
    assert found.explained.tolist() == [0, 0]


def test_neighbours_stay_together_in_t_sne_and_its_seed_gives_it_again():
    rng = np.random.default_rng(4)
    group = np.repeat(np.arange(3), 40)
    values = rng.normal(size=(120, 10)) + 12 * np.eye(10)[group]
    found = api.project_texts(states_by_hand(values), "tsne", seed=3)
    assert found.explained is None
    distances = np.linalg.norm(found.xy[:, None] - found.xy[None], axis=-1) + 1e9 * np.eye(120)
    assert (group[distances.argmin(1)] == group).all()
    np.testing.assert_array_equal(found.xy, api.project_texts(states_by_hand(values), "tsne", seed=3).xy)


def test_t_sne_in_rounds_is_about_as_good_as_the_library_in_one_go():
    from sklearn.manifold import TSNE, trustworthiness

    values = np.random.default_rng(5).normal(size=(300, 8)) + np.repeat(np.eye(8)[:6] * 4, 50, axis=0)
    ours = api.project_texts(states_by_hand(values), "tsne").xy
    theirs = TSNE(random_state=0, init="pca", perplexity=30).fit_transform(values)
    assert trustworthiness(values, ours) > trustworthiness(values, theirs) - 0.02


def test_t_sne_takes_a_sample_and_says_which():
    values = np.random.default_rng(6).normal(size=(60, 5))
    one, again, other = (api.project_texts(states_by_hand(values), "tsne", n_texts=20, seed=seed) for seed in (0, 0, 1))
    assert (len(one.indices), one.n_given) == (20, 60)
    np.testing.assert_array_equal(one.indices, again.indices)
    assert one.indices.tolist() != other.indices.tolist()


def test_it_can_be_cancelled_between_rounds_and_while_reading():
    def stop(share):
        if share >= 0.25:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        api.project_texts(states_by_hand(np.random.default_rng(7).normal(size=(30, 4))), "tsne", progress=stop)
    with pytest.raises(CancelledError):
        api.states_of_texts(build_tiny("lstm"), some_texts(20), progress=stop)


def test_wishes_that_cannot_be_met_are_refused_with_what_is_allowed():
    model, texts = build_tiny("lstm"), some_texts(4)
    for wish, said in (
        ({"what": "cell"}, "head, final, mean"),
        ({"what": "final", "layer": 9}, "0 to 1"),
        ({"what": "final", "direction": 1}, "0 \\(forward\\)"),
    ):
        with pytest.raises(InvalidInputError, match=said):
            api.states_of_texts(model, texts, **wish)
    with pytest.raises(InvalidInputError, match="can read"):
        api.states_of_texts(model, [""])
    states = api.states_of_texts(model, texts)
    for wish, said in (({"method": "umap"}, "pca, tsne"), ({"method": "tsne", "n_texts": 9_999}, "5,000")):
        with pytest.raises(InvalidInputError, match=said):
            api.project_texts(states, **wish)
    with pytest.raises(InvalidInputError, match="three texts"):
        api.project_texts(api.states_of_texts(model, texts[:2]))
    assert api.price_map(model, texts) > 0


@pytest.mark.parametrize("method", ["pca", "tsne"])
def test_a_network_of_one_unit_has_a_map_on_a_line(method):
    model = build_tiny("lstm", hidden_size=1, num_layers=1)
    states = api.states_of_texts(model, ["good", "bad film", "a great story", "never"], "final")
    found = api.project_texts(states, method)
    assert found.xy.shape == (4, 2) and np.isfinite(found.xy).all()
    if method == "pca":
        centred = states.states[:, 0] - states.states[:, 0].mean()
        np.testing.assert_allclose(np.abs(found.xy[:, 0]), np.abs(centred), atol=1e-6)
        assert not found.xy[:, 1].any() and found.explained.tolist() == [pytest.approx(1), 0]
