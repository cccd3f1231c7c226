"""What every method promises, on every family it fits."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch

from explorer_core import api, registry
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError, NotFoundError
from tests.conftest import FAMILIES, build_tiny

TEXT = "The plot isn't unbelievably good , 😀 but"
QUICK = {"n_samples": 50}
METHODS = registry.describe("attribution")


def fits(method: str, family: str) -> bool:
    needs = METHODS[method].extra.get("needs")
    return needs is None or (family in ("lstm", "bilstm") if needs == "cell" else family == "bert")


CASES = [(method, family) for method in METHODS for family in FAMILIES if fits(method, family)]


def knobs_of(method: str, **more):
    names = {knob.name for knob in registry.load("attribution", method).KNOBS}
    return {name: value for name, value in {**QUICK, **more}.items() if name in names}


def logit_of(model, vectors: torch.Tensor, target: int) -> float:
    with torch.no_grad():
        given = torch.ones(vectors.shape[:2], dtype=torch.long)
        return float(model.module(inputs_embeds=vectors, attention_mask=given).logits[0, target])


@pytest.mark.parametrize(("method", "family"), CASES)
def test_a_method_is_aligned_finite_seeded_and_keeps_its_promise(method, family):
    model = build_tiny(family)
    found = api.attribute(model, TEXT, method, "positive", **knobs_of(method, seed=3))
    assert found.words == tuple(TEXT.split()) or "".join(found.words) == TEXT.replace(" ", "")
    assert found.value == pytest.approx(api.predict(model, [TEXT]).logits[0, 1], abs=1e-5)
    assert (found.method, found.target_label) == (method, "positive")
    if not found.signed:
        assert (found.scores >= 0).all()
    if found.token_scores is not None and found.signed:
        owner = found.reading.word_of_token
        for word, score in enumerate(found.scores):
            assert score == pytest.approx(found.token_scores[owner == word].sum(), abs=1e-6)
    if found.complete:
        assert found.relative_gap is not None
        allowed = 0.0101 if method == "integrated_gradients" else 1e-4
        assert found.relative_gap <= allowed or abs(found.convergence_delta) < 1e-5
    else:
        assert found.convergence_delta is None
    draws = "seed" in knobs_of(method, seed=3)
    assert (found.standard_error is not None) == draws
    again = api.attribute(model, TEXT, method, 1, **knobs_of(method, seed=3))
    np.testing.assert_array_equal(again.scores, found.scores)
    if draws:
        other = api.attribute(model, TEXT, method, 1, **knobs_of(method, seed=4))
        assert not np.array_equal(other.scores, found.scores)
    assert len(found.to_frame()) == len(found.entries.names)


@pytest.mark.parametrize(("method", "family"), CASES)
def test_every_knob_works_at_both_ends(method, family):
    model = build_tiny(family, num_layers=1)
    for knob in registry.load("attribution", method).KNOBS:
        ends = knob.choices or (
            knob.low,
            min(knob.high, 200) if knob.name in ("n_samples", "max_points") else knob.high,
        )
        for value in ends:
            try:
                found = api.attribute(model, "not bad", method, **{**knobs_of(method), knob.name: value})
            except IncompatibleError as error:
                assert knob.name in ("baseline", "removal")
                assert f"no {value} token" in str(error)
            else:
                assert np.isfinite(found.scores).all()
        with pytest.raises(InvalidInputError, match=knob.label):
            api.attribute(model, "not bad", method, **{knob.name: object()})


@pytest.mark.parametrize(("method", "family"), CASES)
def test_one_word_and_one_token_more_than_are_read_are_explained(method, family):
    model = build_tiny(family, max_tokens=8)
    assert api.attribute(model, "terrible", method, **knobs_of(method)).scores.shape == (1,)
    found = api.attribute(model, "good " * 30, method, **knobs_of(method))
    assert any("at most 8 tokens" in note for note in found.notes)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("baseline", ["pad", "unk", "zero", "mean"])
def test_integrated_gradients_add_up_to_what_own_forward_passes_say(family, baseline):
    model = build_tiny(family)
    found = api.attribute(model, TEXT, "integrated_gradients", 0, baseline=baseline, tolerance=1e-4, max_points=1024)
    with torch.no_grad():
        table = model.module.get_input_embeddings()
        ids = torch.from_numpy(found.reading.token_ids)[None]
        vectors = table(ids)
        replaced = {"zero": torch.zeros(1), "mean": table.weight.mean(0)}.get(baseline)
        if replaced is None:
            replaced = table.weight[getattr(model.tokenizer, f"{baseline}_token_id")]
        start = torch.where(torch.from_numpy(found.reading.word_of_token >= 0)[None, :, None], replaced, vectors)
    move = logit_of(model, vectors, 0) - logit_of(model, start, 0)
    assert found.move == pytest.approx(move, abs=1e-5)
    assert found.token_scores.sum() == pytest.approx(move, abs=max(1e-4 * abs(move), 2e-5))
    assert (found.token_scores[found.reading.word_of_token < 0] == 0).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_integrated_gradients_are_captums_over_plain_autograd(family):
    from captum.attr import IntegratedGradients

    model = build_tiny(family)
    found = api.attribute(model, TEXT, "integrated_gradients", 0, baseline="zero", max_points=6)
    halved = api.attribute(model, TEXT, "integrated_gradients", 0, baseline="zero", max_points=4_096, tolerance=1e-4)
    vectors = model.module.get_input_embeddings()(torch.from_numpy(found.reading.token_ids)[None]).detach()
    is_word = torch.from_numpy(found.reading.word_of_token >= 0)[None, :, None]
    given = torch.ones(1, vectors.shape[1], dtype=torch.long)

    def forward(some):
        return model.module(inputs_embeds=some, attention_mask=given.expand(len(some), -1)).logits[:, 0]

    def theirs(n_steps: int) -> np.ndarray:
        start = torch.where(is_word, 0.0, vectors)
        scores = IntegratedGradients(forward).attribute(vectors, start, n_steps=n_steps, method="gausslegendre")
        return scores[0].detach().sum(-1).numpy()

    np.testing.assert_allclose(found.token_scores, theirs(6), atol=2e-6)
    assert halved.n_passes > 20 or family == "bert"  # the way was cut; a small BERT is nearly straight
    np.testing.assert_allclose(halved.token_scores, theirs(400), atol=1e-3)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_word_taken_away_is_the_text_read_without_its_tokens(family):
    model = build_tiny(family)
    removals = ("drop", "unk") if family != "bert" else ("unk", "mask")
    for removal in removals:
        found = api.attribute(model, TEXT, "leave_one_out", 1, removal=removal)
        owner, ids = found.reading.word_of_token, found.reading.token_ids
        for word, score in enumerate(found.scores):
            if removal == "drop":
                left = torch.from_numpy(ids[owner != word])[None]
            else:
                left = torch.from_numpy(np.where(owner == word, getattr(model.tokenizer, f"{removal}_token_id"), ids))
                left = left[None]
            with torch.no_grad():
                without = model.module(input_ids=left, attention_mask=torch.ones_like(left)).logits[0, 1]
            assert score == pytest.approx(found.value - float(without), abs=2e-5)


def test_a_dropped_word_of_a_bert_is_hidden_from_attention():
    model = build_tiny("bert")
    found = api.attribute(model, TEXT, "leave_one_out", 1, removal="drop")
    owner, ids = found.reading.word_of_token, torch.from_numpy(found.reading.token_ids)[None]
    for word in (0, 3):
        mask = torch.from_numpy((owner != word).astype(np.int64))[None]
        with torch.no_grad():
            without = model.module(input_ids=ids, attention_mask=mask).logits[0, 1]
        assert found.scores[word] == pytest.approx(found.value - float(without), abs=2e-5)


def test_a_window_of_words_is_taken_away_together():
    model = build_tiny("lstm")
    single = api.attribute(model, "good bad film", "leave_one_out", 1, removal="drop", window=3)
    assert single.scores == pytest.approx(np.full(3, single.scores[0]))
    empty = api.attribute(model, "good bad film", "shapley_sampling", 1, removal="drop")
    assert single.scores[0] == pytest.approx(empty.move, abs=1e-5)


@pytest.mark.parametrize("family", ["lstm", "bert"])
def test_sampled_shapley_values_are_the_exact_ones_within_their_error(family):
    from itertools import combinations
    from math import factorial

    model, text = build_tiny(family), "the film was not good at all"
    found = api.attribute(model, text, "shapley_sampling", 1, removal="unk", n_samples=200)
    n = len(found.words)
    ids, owner = found.reading.token_ids, found.reading.word_of_token
    worth = {}
    for size in range(n + 1):
        for there in combinations(range(n), size):
            kept = np.isin(owner, there) | (owner < 0)
            left = torch.from_numpy(np.where(kept, ids, model.tokenizer.unk_token_id))[None]
            with torch.no_grad():
                worth[there] = float(model.module(input_ids=left, attention_mask=torch.ones_like(left)).logits[0, 1])
    exact = np.zeros(n)
    for there, value in worth.items():
        for word in range(n):
            if word not in there:
                weight = factorial(len(there)) * factorial(n - len(there) - 1) / factorial(n)
                exact[word] += weight * (worth[tuple(sorted((*there, word)))] - value)
    assert (np.abs(found.scores - exact) <= 5 * found.standard_error + 1e-5).all()
    assert found.scores.sum() == pytest.approx(exact.sum(), abs=1e-5)


def test_a_stated_standard_error_is_the_spread_of_repeats():
    model = build_tiny("lstm", num_layers=1)
    runs = [
        api.attribute(model, "not a good film", "shapley_sampling", 1, n_samples=25, seed=seed) for seed in range(60)
    ]
    spread = np.std([run.scores for run in runs], axis=0, ddof=1)
    stated = np.sqrt(np.mean([run.standard_error**2 for run in runs], axis=0))
    np.testing.assert_allclose(stated[spread > 1e-3], spread[spread > 1e-3], rtol=0.35)


def test_threads_answer_as_one_alone():
    models = [build_tiny("lstm"), build_tiny("bert")]
    methods = ["integrated_gradients", "leave_one_out", "shapley_sampling", "smooth_grad"]
    jobs = [(model, method) for model in models for method in methods] * 4

    def run(job):
        model, method = job
        return api.attribute(model, "not a good film", method, 1, **knobs_of(method)).scores

    alone = [run(job) for job in jobs[: len(models) * len(methods)]]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(run, jobs))
    for index, scores in enumerate(together):
        np.testing.assert_array_equal(scores, alone[index % len(alone)])


@pytest.mark.parametrize("method", [name for name in METHODS if name not in ("lstm_ledger", "attention_rollout")])
def test_cancelled_work_ends_and_the_next_is_whole(method):
    model = build_tiny("lstm")

    def stop(share: float) -> None:
        raise CancelledError("stopped")

    whole = api.attribute(model, TEXT, method, **knobs_of(method))
    if method not in ("gradient_norm", "input_x_gradient"):  # over at once
        with pytest.raises(CancelledError):
            api.attribute(model, TEXT, method, progress=stop, **knobs_of(method))
    np.testing.assert_array_equal(api.attribute(model, TEXT, method, **knobs_of(method)).scores, whole.scores)


def test_progress_rises_and_never_passes_one():
    told = []
    api.attribute(build_tiny("lstm"), TEXT, "lime", progress=told.append, n_samples=50)
    assert told == sorted(told)
    assert 0 < told[0] <= told[-1] <= 1


@pytest.mark.parametrize("family", ["rnn", "lstm", "bert"])
def test_integrated_gradients_read_no_more_than_they_need_and_tell_how_far_they_are(family):
    told: list[float] = []
    found = api.attribute(build_tiny(family), TEXT, "integrated_gradients", 0, baseline="zero", progress=told.append)
    n_points = next(int(note.split()[0]) for note in found.notes if note.endswith(" points."))
    assert n_points <= 18  # nothing was halved, so the cuts need no logits of their own
    assert found.n_passes <= n_points + 1 + 8
    assert told == sorted(told)
    assert 0.7 <= told[-1] <= 1


def test_what_cannot_be_asked_is_refused_in_words():
    model = build_tiny("lstm")
    with pytest.raises(NotFoundError, match="magic"):
        api.attribute(model, TEXT, "magic")
    with pytest.raises(InvalidInputError, match="has no setting 'sampels'"):
        api.attribute(model, TEXT, "lime", sampels=3)
    with pytest.raises(InvalidInputError, match="no class"):
        api.attribute(model, TEXT, target="nobody")
    with pytest.raises(IncompatibleError, match="attention"):
        api.attribute(model, TEXT, "attention_rollout")
    with pytest.raises(IncompatibleError, match="cell"):
        api.attribute(build_tiny("gru"), TEXT, "lstm_ledger")


def test_a_flat_move_is_said():
    model = build_tiny("lstm")
    text = "[PAD]" if "[PAD]" in model.tokenizer.get_vocab() else "good"
    with torch.no_grad():
        model.module.classifier.weight.zero_()
    found = api.attribute(model, text)
    assert any("moves by" in note for note in found.notes)
    assert np.abs(found.scores).max() < 1e-6


def test_list_methods_names_those_that_fit():
    assert {about.name for about in api.list_methods()} == set(METHODS)
    assert "attention_rollout" not in {about.name for about in api.list_methods(build_tiny("lstm"))}
    assert "lstm_ledger" not in {about.name for about in api.list_methods(build_tiny("bert"))}


@pytest.mark.parametrize(("method", "family"), CASES)
def test_a_price_counts_about_the_passes_that_are_made(method, family):
    model = build_tiny(family)
    price = api.price_attribution(model, TEXT, method, **knobs_of(method))
    found = api.attribute(model, TEXT, method, **knobs_of(method))
    assert price.seconds > 0
    assert price.memory_mib > 0
    if method != "integrated_gradients":  # which reads as many as it needs
        assert found.n_passes == pytest.approx(price.n_passes, rel=0.35, abs=3)


def test_a_jump_on_the_way_is_found_and_said():
    """A state that grows at every word tips at one point of the way, within less than single precision tells apart."""
    model = build_tiny("rnn", num_layers=1, hidden_size=2, embedding_size=2)
    module = model.module
    with torch.no_grad():
        for weight in module.rnn.parameters():
            weight.zero_()
        module.rnn.weight_hh_l0.copy_(3 * torch.eye(2))
        module.rnn.weight_ih_l0.copy_(torch.eye(2))
        module.classifier.weight.copy_(torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
        module.classifier.bias.zero_()
        table = module.get_input_embeddings().weight
        table.fill_(0.02)
        table[model.tokenizer.unk_token_id] = -0.02
    found = api.attribute(model, "good film " * 40, "integrated_gradients", 1, baseline="unk")
    assert found.move == pytest.approx(2 * float(found.value), rel=1e-3)
    assert any("jumps on the way" in note and "50 % of the way" in note for note in found.notes)
    assert found.relative_gap > 0.5
