"""Several models over one text: what stands on one axis is what each model says by itself."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from scipy import stats

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from tests.conftest import build_tiny

TEXT = "the plot was not very good , but the acting was unbelievably great"


@pytest.fixture(scope="module")
def models():
    return [build_tiny(family, seed=3) for family in ("rnn", "gru", "lstm", "bilstm", "bert")]


def test_the_axis_holds_each_models_own_verdicts(models):
    runnings = [api.trace_running(model, TEXT) for model in models]
    found = api.compare_running(runnings, 1)
    assert found.words == runnings[0].words
    for index, one in enumerate(runnings):
        np.testing.assert_array_equal(found.running_logits[index], one.running_logits)
        leaders = one.running_probs.argmax(1).tolist()
        decided = next(at for at in range(len(leaders)) if set(leaders[at:]) == {leaders[-1]})
        assert found.decided[index] == decided
    np.testing.assert_allclose(found.running_probs.sum(-1), 1, atol=1e-12)
    assert len(found.to_frame()) == len(models) * len(found.words)


def test_permuting_the_models_permutes_the_result(models):
    order = [3, 0, 4, 2, 1]
    runnings = [api.trace_running(model, TEXT) for model in models]
    found, turned = api.compare_running(runnings, 1), api.compare_running([runnings[at] for at in order], 1)
    np.testing.assert_array_equal(turned.running_logits, found.running_logits[order])
    np.testing.assert_array_equal(turned.decided, found.decided[order])
    scores = [api.attribute(model, TEXT, "gradient_norm", 1) for model in models]
    one, other = api.compare_scores(scores), api.compare_scores([scores[at] for at in order])
    np.testing.assert_array_equal(other.scores, one.scores[order])
    np.testing.assert_array_equal(other.taus, one.taus[np.ix_(order, order)])


def test_a_model_beside_itself_differs_in_nothing(models):
    for model in models:
        running, scores = api.trace_running(model, TEXT), api.attribute(model, TEXT, "gradient_norm", 1)
        both = api.compare_running([running, running], 0)
        assert not (both.running_logits[0] - both.running_logits[1]).any()
        twice = api.compare_scores([scores, scores])
        assert not (twice.scores[0] - twice.scores[1]).any()
        assert twice.taus[0, 1] == pytest.approx(1, abs=1e-12)


def test_a_model_that_read_less_ends_earlier(models):
    short = build_tiny("lstm", max_tokens=6, seed=3)
    found = api.compare_running([api.trace_running(short, TEXT), api.trace_running(models[2], TEXT)], 1)
    n_read = len(api.trace_running(short, TEXT).words)
    assert n_read < len(found.words)
    assert np.isfinite(found.running_logits[0, :n_read]).all()
    assert np.isnan(found.running_logits[0, n_read:]).all()
    assert np.isfinite(found.running_logits[1]).all()


def test_states_and_gates_are_those_of_the_traces(models):
    traces = [api.trace_states(model, TEXT) for model in models]
    names = {name: api.compare_states_of_text(traces, name) for name in ("move", "keep", "write", "size")}
    assert names["size"].models == tuple(model.name for model in models)
    assert set(names["keep"].architectures) == {"gru", "lstm", "bilstm"} == set(names["write"].architectures)
    assert set(names["move"].left_out) == {models[-1].name}
    for index, trace in enumerate(traces[:-1]):
        last = trace.reading.last_token_of_word
        states = np.concatenate([np.zeros((1, trace.hidden.shape[-1])), trace.hidden[-1, 0, last]]).astype(float)
        moves = [
            np.sqrt(((b - a) ** 2).sum()) / (np.sqrt((a**2).sum()) + np.sqrt((b**2).sum()))
            for a, b in itertools.pairwise(states)
        ]
        np.testing.assert_allclose(names["move"].values[index], moves, atol=1e-12)
        assert moves[0] == pytest.approx(1)
        np.testing.assert_allclose(
            names["size"].values[index], [np.sqrt(np.mean(h**2)) for h in states[1:]], atol=1e-12
        )
    lstm, gru = traces[2], traces[1]
    at = list(names["keep"].architectures).index("lstm")
    forget = lstm.quantities()["forget"][-1, 0, lstm.reading.last_token_of_word]
    np.testing.assert_allclose(names["keep"].values[at], forget.mean(-1), atol=1e-6)
    at = list(names["keep"].architectures).index("gru")
    np.testing.assert_allclose(names["keep"].values[at] + names["write"].values[at], 1, atol=1e-12)
    update = gru.quantities()["update"][-1, 0, gru.reading.last_token_of_word]
    np.testing.assert_allclose(names["keep"].values[at], update.mean(-1), atol=1e-6)
    bert = traces[-1]
    vectors = bert.hidden[-1, bert.reading.last_token_of_word].astype(float)
    np.testing.assert_allclose(names["size"].values[-1], np.sqrt(np.mean(vectors**2, axis=1)), atol=1e-6)


def test_the_reach_is_the_share_of_gradient_sizes_counted_back(models):
    gradients = [api.trace_gradients(model, TEXT, 1) for model in models]
    found = api.compare_reach(gradients)
    for index, one in enumerate(gradients):
        sizes = one.embedding_norm_by_word.tolist()
        for back in range(1, len(sizes) + 1):
            share = sum(sizes[-back:]) / sum(sizes)
            assert found.shares_within[index, back - 1] == pytest.approx(share, abs=1e-9)
        half = next(back for back in range(1, len(sizes) + 1) if sum(sizes[-back:]) / sum(sizes) >= 0.5)
        assert found.half_words[index] == half
        assert found.shares_within[index, -1] == pytest.approx(1, abs=1e-12)


def test_a_gradient_of_zero_reaches_nowhere(models):
    one = api.trace_gradients(models[2], TEXT, 1)
    still = dataclasses.replace(one, grad_embedding=np.zeros_like(one.grad_embedding))
    found = api.compare_reach([still, one])
    assert found.half_words[0] == 0 < found.half_words[1]
    assert not found.shares_within[0].any()


def test_taus_are_those_of_the_library(models):
    scores = [api.attribute(model, TEXT, "leave_one_out", 1) for model in models[:3]]
    found = api.compare_scores(scores)
    for one in range(3):
        for other in range(3):
            expected = stats.kendalltau(scores[one].scores, scores[other].scores).statistic
            assert found.taus[one, other] == pytest.approx(expected, abs=1e-9)


def test_what_cannot_be_compared_is_refused(models):
    other_classes = build_tiny("gru", labels=("ham", "spam"))
    mine = api.trace_running(models[0], TEXT)
    with pytest.raises(IncompatibleError, match="different classes"):
        api.compare_running([mine, api.trace_running(other_classes, TEXT)], 0)
    with pytest.raises(IncompatibleError, match="different texts"):
        api.compare_running([mine, api.trace_running(models[1], "another text")], 0)
    with pytest.raises(InvalidInputError, match="no class"):
        api.compare_running([mine], 2)
    with pytest.raises(InvalidInputError, match="quantities are"):
        api.compare_states_of_text([api.trace_states(models[0], TEXT)], "colour")
    with pytest.raises(IncompatibleError, match="None of these"):
        api.compare_states_of_text([api.trace_states(models[0], TEXT)], "keep")
    with pytest.raises(IncompatibleError, match="different methods"):
        api.compare_scores([api.attribute(models[0], TEXT, name, 1) for name in ("gradient_norm", "leave_one_out")])
    for call in (lambda: api.compare_running([], 0), lambda: api.compare_reach([]), lambda: api.compare_scores([])):
        with pytest.raises(InvalidInputError, match="nothing to compare"):
            call()


def test_scores_compare_where_each_network_takes_words_away_in_its_own_way():
    found = [api.attribute(build_tiny(family), TEXT, "leave_one_out", 1) for family in ("lstm", "bert")]
    assert found[0].knobs["removal"] != found[1].knobs["removal"]
    compared = api.compare_scores(found)
    np.testing.assert_array_equal(compared.scores, np.stack([one.scores for one in found]))
