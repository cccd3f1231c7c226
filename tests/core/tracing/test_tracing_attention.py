"""Attention between words: what aggregation, the numbers of a head and rollout promise, as equations."""

from __future__ import annotations

import copy

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError
from explorer_core.results.attention import SHARES
from explorer_core.tracing import attention

TEXT = "The plot isn't unbelievably good, but I loved the acting..."


def draw(number: int) -> tuple[np.ndarray, np.ndarray]:
    """Random patterns [layer, head, query_pos, key_pos] and the word of each token, with words of several tokens and
    special tokens at both ends and, now and then, inside."""
    rng = np.random.default_rng(number)
    n_words = int(rng.integers(1, 12))
    owner = np.repeat(np.arange(n_words), rng.integers(1, 4, n_words))
    owner = np.concatenate([[-1] * int(rng.integers(0, 3)), owner, [-1] * int(rng.integers(0, 3))]).astype(np.int64)
    if rng.random() < 0.3:
        owner = np.insert(owner, int(rng.integers(0, len(owner))), -1)
    shape = (int(rng.integers(1, 4)), int(rng.integers(1, 4)), len(owner))
    pattern = rng.dirichlet(np.full(len(owner), float(rng.choice([0.05, 0.3, 5.0]))), size=shape)
    return pattern, owner


def aggregated(pattern, entry_of_pos):
    """The definition, entry by entry: mean over the tokens of the query, sum over the tokens of the key."""
    n_entries = entry_of_pos.max() + 1
    found = np.zeros((*pattern.shape[:-2], n_entries, n_entries))
    for query in range(n_entries):
        for key in range(n_entries):
            block = pattern[..., entry_of_pos == query, :][..., entry_of_pos == key]
            found[..., query, key] = block.sum(-1).mean(-1)
    return found


# From tokens to words -----------------------------------------------------------------------------------------------


def test_two_hundred_aggregations_are_the_definitions():
    for number in range(200):
        pattern, owner = draw(number)
        entry_of_pos, _ = attention.find_entries(owner)
        found = attention.word_attention(pattern, entry_of_pos)
        assert np.abs(found - aggregated(pattern, entry_of_pos)).max() <= 1e-12
        assert np.abs(found.sum(-1) - 1).max() <= 1e-12


def test_the_mass_that_falls_on_each_word_is_what_its_tokens_are_given():
    for number in range(50):
        pattern, owner = draw(number)
        entry_of_pos, word_of_entry = attention.find_entries(owner)
        found = attention.word_attention(pattern, entry_of_pos)
        sizes = np.bincount(entry_of_pos, minlength=len(word_of_entry))
        given = np.zeros((*pattern.shape[:-2], len(word_of_entry)))
        for pos, entry in enumerate(entry_of_pos):
            given[..., entry] += pattern[..., pos].sum(-1)
        assert np.allclose((found * sizes[:, None]).sum(-2), given, rtol=0, atol=1e-9)


def test_aggregation_with_one_token_a_word_is_the_identity():
    pattern = draw(3)[0]
    owner = np.arange(pattern.shape[-1]) - 1
    assert attention.word_attention(pattern, attention.find_entries(owner)[0]) is pattern


def test_special_tokens_stay_entries_of_their_own_and_the_order_is_kept():
    entry_of_pos, word_of_entry = attention.find_entries(np.array([-1, 0, 0, 1, -1, 2, -1, 2, -1]))
    assert word_of_entry.tolist() == [-1, 0, 1, -1, 2, -1, -1]
    assert entry_of_pos.tolist() == [0, 1, 1, 2, 3, 4, 5, 4, 6]


# One head in a few numbers ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 2, 7, 512])
def test_the_entropy_of_a_uniform_row_is_the_binary_logarithm_of_its_length(n):
    found = attention.row_entropy(np.full((3, n), 1 / n))
    assert np.allclose(found, np.log2(n), rtol=0, atol=1e-12)


def test_the_entropy_of_a_row_on_one_entry_is_zero():
    assert attention.row_entropy(np.eye(5)).tolist() == [0.0] * 5


def test_the_distance_of_looking_at_oneself_is_zero_and_at_the_next_word_one():
    word_of_entry = np.array([-1, 0, 1, 2, -1])
    ahead = np.roll(np.eye(5), 1, axis=1)
    assert attention.mean_distance(np.eye(5), word_of_entry) == 0
    assert attention.mean_distance(ahead, word_of_entry) == 1


def test_distance_leaves_special_tokens_out_and_is_zero_without_attention_on_words():
    word_of_entry = np.array([-1, 0, 1, 2])
    on_first = np.zeros((4, 4))
    on_first[:, 0] = 1
    assert attention.mean_distance(on_first, word_of_entry) == 0
    mixed = 0.9 * on_first + 0.1 * np.eye(4)[[0, 2, 3, 1]]  # words look 1, 1 and 2 words away with a tenth of it
    assert attention.mean_distance(mixed, word_of_entry) == pytest.approx(4 / 3)


def test_two_hundred_distances_are_the_weighted_means_of_a_loop():
    for number in range(200):
        pattern, owner = draw(number)
        entry_of_pos, word_of_entry = attention.find_entries(owner)
        found = attention.word_attention(pattern, entry_of_pos)
        words = np.flatnonzero(word_of_entry >= 0)
        pairs = [(found[..., q, k], abs(int(word_of_entry[q] - word_of_entry[k]))) for q in words for k in words]
        expected = sum(w * d for w, d in pairs) / sum(w for w, _ in pairs)
        assert np.allclose(attention.mean_distance(found, word_of_entry), expected, rtol=0, atol=1e-9)


def test_shares_say_where_each_row_of_a_word_looks():
    #  entries: [CLS] a , b [SEP]
    word_of_entry, is_punctuation = np.array([-1, 0, 1, 2, -1]), np.array([False, True, False])
    pattern = np.array(
        [
            [1.0, 0.0, 0.0, 0.0, 0.0],
            [0.1, 0.2, 0.3, 0.0, 0.4],
            [0.0, 0.5, 0.5, 0.0, 0.0],
            [0.2, 0.0, 0.6, 0.2, 0.0],
            [0.0, 0.0, 0.0, 0.0, 1.0],
        ]
    )
    found = attention.measure_shares(pattern, word_of_entry, is_punctuation)
    expected = {
        "opening": 0.3 / 3, "closing": 0.4 / 3, "punctuation": 1.4 / 3, "itself": 0.9 / 3,
        "previous": (0.5 + 0.6) / 2, "next": (0.3 + 0.0) / 2,
    }  # fmt: skip
    assert found == pytest.approx(expected)
    assert tuple(expected) == SHARES


def test_one_word_has_none_before_and_none_after_it():
    found = attention.measure_shares(np.ones((1, 1)), np.array([0]), np.array([False]))
    assert found == {"opening": 0, "closing": 0, "punctuation": 0, "itself": 1, "previous": 0, "next": 0}


# Rollout ------------------------------------------------------------------------------------------------------------


def test_rollout_is_the_product_of_a_float64_loop_over_layers():
    for number in range(50):
        pattern, _ = draw(number)
        n_pos = pattern.shape[-1]
        expected, found = np.eye(n_pos), attention.roll_out(pattern)
        for layer in range(len(pattern)):
            mean = sum(pattern[layer, head] for head in range(pattern.shape[1])) / pattern.shape[1]
            step = np.zeros((n_pos, n_pos))
            for query in range(n_pos):
                for key in range(n_pos):
                    step[query, key] = 0.5 * mean[query, key] + 0.5 * (query == key)
            expected = step @ expected
            assert np.abs(found[layer] - expected).max() <= 1e-12
        assert np.abs(found.sum(-1) - 1).max() <= 1e-12


def test_rollout_of_heads_that_look_at_themselves_is_the_identity():
    assert np.array_equal(attention.roll_out(np.tile(np.eye(4), (3, 2, 1, 1)))[-1], np.eye(4))


# Whole summaries ----------------------------------------------------------------------------------------------------


def test_a_summary_is_made_of_the_librarys_own_attention(tiny_model):
    model = tiny_model("bert", num_layers=3)
    trace = api.trace_states(model, TEXT, running=False)
    eager = copy.deepcopy(model.module)
    eager.set_attn_implementation("eager")
    with torch.inference_mode():
        given = eager(**model.tokenizer(TEXT, return_tensors="pt"), output_attentions=True)
    pattern = torch.cat(given.attentions).double().numpy()
    entry_of_pos, _ = attention.find_entries(trace.word_of_token)
    found = api.summarise_attention(trace)
    assert np.abs(found.word_pattern - aggregated(pattern, entry_of_pos)).max() <= 1e-6
    assert np.abs(found.word_pattern.sum(-1) - 1).max() <= 1e-6
    assert np.abs(found.rollout.sum(-1) - 1).max() <= 1e-6
    assert np.abs(found.rollout - aggregated(attention.roll_out(pattern), entry_of_pos)).max() <= 1e-6
    assert found.entries == ("[CLS]", *trace.words, "[SEP]")
    assert found.is_special.tolist() == [True] + [False] * len(trace.words) + [True]
    assert found.reading_of_text.sum() == pytest.approx(1, abs=1e-6)


def test_numbers_of_a_head_are_within_their_bounds(tiny_model):
    found = api.summarise_attention(api.trace_states(tiny_model("bert"), TEXT))
    n_entries = len(found.word_of_entry)
    assert (found.entropy >= 0).all() and (found.entropy <= np.log2(n_entries) + 1e-6).all()
    assert (found.distance >= 0).all() and (found.distance <= len(found.words) - 1).all()
    assert (found.shares >= 0).all() and (found.shares <= 1).all()
    frame = found.to_frame()
    assert list(frame.columns) == ["layer", "head", "entropy", "distance", *SHARES]
    assert len(frame) == found.entropy.size
    assert (frame["layer"].min(), frame["head"].max()) == (1, found.entropy.shape[1])


@pytest.mark.parametrize("text", ["terrible", "[SEP] [CLS] x", "so good 😀 👩\u200d👧", "كان الفيلم رائعا", "..."])
def test_any_text_has_a_summary(tiny_model, text):
    found = api.summarise_attention(api.trace_states(tiny_model("bert"), text))
    assert len(found.entries) == found.word_pattern.shape[-1]
    assert np.abs(found.word_pattern.sum(-1) - 1).max() <= 1e-6


def test_text_of_punctuation_alone_gets_all_attention_on_punctuation_or_special_tokens(tiny_model):
    found = api.summarise_attention(api.trace_states(tiny_model("bert"), "... !"))
    shares = found.quantities()
    assert np.allclose(shares["opening"] + shares["closing"] + shares["punctuation"], 1, atol=1e-6)


def test_a_network_without_attention_is_refused(recurrent_family, tiny_model):
    with pytest.raises(IncompatibleError, match="Only a BERT"):
        api.summarise_attention(api.trace_states(tiny_model(recurrent_family), TEXT))
