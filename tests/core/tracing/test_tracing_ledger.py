"""The ledger of an LSTM: its three sums, its definition, and what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.tracing import ledger
from tests.core import oracle, random_ledgers, random_networks

TEXT = "The plot isn't good, but I loved the acting 😀 wonderful"
SHARES = ["proportional", "order"]
POOLINGS = ["last", "mean", "max"]


def books_of(expected: oracle.OracleTrace, pooling: str, tanh_share: str) -> ledger.Books:
    return ledger.keep_books(expected.gates, expected.hidden[-1], pooling, tanh_share)


# The sums -----------------------------------------------------------------------------------------------------------


def test_the_three_sums_are_the_oracles_cell_state_and_logits():
    """Sum of written x kept = c_T; sum of shares = pooled h; sum of logit shares + bias = logits, to 1e-5."""
    cases = list(random_ledgers.lstms())
    assert len(cases) == 200
    assert {case.module.config.num_layers for case in cases} == {1, 2, 3}
    assert {case.module.config.pooling for case in cases} == set(POOLINGS)
    assert any((case.lengths < case.vectors.shape[1]).any() for case in cases)
    worst = np.max([random_ledgers.largest_differences(case) for case in cases], axis=0)
    assert worst.max() <= 1e-5


@pytest.mark.parametrize("tanh_share", SHARES)
@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("family", ["lstm", "bilstm"])
def test_the_sums_of_a_typed_text_hold_in_both_precisions(family, pooling, tanh_share, tiny_model):
    for dtype, allowed in (("float32", 1e-5), ("float64", 1e-12)):
        model = tiny_model(family, pooling=pooling, dtype=dtype, num_layers=2)
        books = api.lstm_ledger(model, TEXT, tanh_share=tanh_share)
        assert max(books.cell_residual, books.hidden_residual, books.logit_residual) <= allowed
        traced = api.trace_states(model, TEXT, running=False)
        assert np.array_equal(books.logits, traced.logits)
        assert np.array_equal(books.cell_end[:, 0], traced.cell[:, 0, -1])
        assert np.abs(books.logit_share[:, :, books.target].sum() + books.bias[books.target]
                      - traced.logits[books.target]) <= allowed  # fmt: skip


# What each position did ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tanh_share", SHARES)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_entry_is_what_its_definition_says(pooling, tanh_share):
    for family in ("lstm", "bilstm"):
        module = random_networks.build(family, seed=3, gain=1.5, num_layers=2, dtype=torch.float64)
        vectors = torch.randn(13, 6, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
        expected = oracle.read(module, vectors)
        found = books_of(expected, pooling, tanh_share)
        written, kept, share = random_ledgers.defined(expected, pooling, tanh_share)
        for ours, theirs in ((found.written, written), (found.kept, kept), (found.hidden_share, share)):
            assert np.abs(ours - theirs).max() <= 1e-13


def test_a_text_longer_than_the_memory_is_divided_as_defined():
    """In order, with the mean, words long forgotten are left out of the walk, and no sum moves by it."""
    module = random_networks.build("lstm", seed=1, gain=2.0, dtype=torch.float64)
    vectors = torch.randn(160, 6, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    expected = oracle.read(module, vectors)
    found = books_of(expected, "mean", "order").hidden_share
    assert np.abs(found - random_ledgers.defined(expected, "mean", "order")[2]).max() <= 1e-13


def test_one_word_has_the_whole_state_to_itself(tiny_model):
    """With one word, the share of the state is the state, however the tanh is divided."""
    model = tiny_model("lstm", num_layers=1)
    for tanh_share in SHARES:
        books = api.lstm_ledger(model, "good", tanh_share=tanh_share)
        assert np.allclose(books.hidden_share[:, 0], books.pooled, atol=1e-6)
        assert np.array_equal(books.kept, np.ones_like(books.kept))


def test_a_cell_of_zero_is_divided_by_the_slope_of_tanh_there():
    """tanh(c) / c goes to 1 where c goes to 0: terms +a and -a keep their size, and cancel."""
    gates = np.zeros((1, 1, 2, 4, 1))
    gates[..., 1, :] = gates[..., 3, :] = gates[..., 0, :] = 1.0
    gates[0, 0, :, 2, 0] = [0.5, -0.5]
    share = ledger.keep_books(gates, np.zeros((1, 2, 1)), "last", "proportional").hidden_share
    assert share[0, :, 0].tolist() == [0.5, -0.5]
    share = ledger.keep_books(gates, np.zeros((1, 2, 1)), "last", "order").hidden_share
    assert share[0, :, 0].tolist() == [np.tanh(0.5), -np.tanh(0.5)]


def test_turning_a_text_round_swaps_the_halves_of_a_bilstm():
    """With the backward weights equal to the forward ones, the ledger of the turned text is the ledger turned."""
    module = random_networks.build("bilstm", seed=4, dtype=torch.float64)
    for name, weight in module.rnn.named_parameters():
        if name.endswith("_reverse"):
            weight.copy_(module.rnn.get_parameter(name.removesuffix("_reverse")))
    vectors = torch.randn(9, 6, generator=torch.Generator().manual_seed(6), dtype=torch.float64)
    for tanh_share in SHARES:
        there = books_of(oracle.read(module, vectors), "mean", tanh_share)
        back = books_of(oracle.read(module, vectors.flip(0)), "mean", tanh_share)
        assert np.allclose(there.hidden_share, back.hidden_share[::-1, ::-1], atol=1e-14)
        assert np.allclose(there.kept, back.kept[:, ::-1, ::-1], atol=1e-14)


def test_the_order_of_equal_terms_matters_only_to_the_share_by_order():
    gates = np.zeros((1, 1, 2, 4, 1))
    gates[..., 0, :] = gates[..., 1, :] = gates[..., 3, :] = 1.0
    gates[0, 0, :, 2, 0] = 0.9
    proportional, by_order = (
        ledger.keep_books(gates, np.zeros((1, 2, 1)), "last", share).hidden_share[0, :, 0] for share in SHARES
    )
    assert proportional[0] == pytest.approx(proportional[1])
    assert by_order[0] == pytest.approx(np.tanh(0.9))
    assert by_order[0] > by_order[1]
    assert by_order.sum() == pytest.approx(proportional.sum())


# Target, words, refusals --------------------------------------------------------------------------------------------


def test_the_target_is_the_predicted_class_or_the_one_asked_for(tiny_model):
    model = tiny_model("lstm", labels=("sport", "politics", "weather"))
    predicted = int(api.trace_states(model, TEXT).logits.argmax())
    assert api.lstm_ledger(model, TEXT).target == predicted
    assert api.lstm_ledger(model, TEXT, "weather").target == api.lstm_ledger(model, TEXT, 2).target == 2
    assert api.lstm_ledger(model, TEXT, np.int64(1)).target == 1


@pytest.mark.parametrize("target", ["sunny", 3, -1, True, 1.0, "0"])
@pytest.mark.parametrize("call", [api.lstm_ledger, api.trace_halves])
def test_an_unknown_class_is_refused_with_those_there_are(call, target, tiny_model):
    model = tiny_model("bilstm", labels=("sport", "politics", "weather"))
    with pytest.raises(InvalidInputError, match="sport, politics, weather"):
        call(model, TEXT, target)


def test_an_unknown_share_is_refused_with_those_there_are(tiny_model):
    with pytest.raises(InvalidInputError, match="proportional, order"):
        api.lstm_ledger(tiny_model("lstm"), TEXT, tanh_share="fair")


@pytest.mark.parametrize("family", ["rnn", "gru", "bert"])
def test_networks_without_a_cell_are_refused_with_the_families_that_have_one(family, tiny_model):
    with pytest.raises(IncompatibleError, match=r"no cell .* LSTM or BiLSTM"):
        api.lstm_ledger(tiny_model(family), TEXT)


def test_words_sum_over_their_tokens_and_special_tokens_stand_alone(tiny_model):
    model = tiny_model("bilstm", vocabulary="words", end_token=True, num_layers=1)
    books = api.lstm_ledger(model, "not so bad")
    assert books.entries.names == ("not", "so", "bad", "[END]")
    assert books.entries.place.tolist() == [0, 1, 2, 3]
    scores = books.logit_share[:, :, books.target].sum(0)
    assert np.allclose(books.word_scores, scores[:3])
    assert books.entry_scores.sum() + books.bias[books.target] == pytest.approx(books.logits[books.target], abs=1e-5)


def test_pieces_of_a_word_are_added_up(tiny_model):
    model = tiny_model("lstm", num_layers=1)
    books = api.lstm_ledger(model, "unbelievably good")
    n_pieces = len(books.tokens) - 1
    assert n_pieces > 3
    size = np.abs(books.written[0, 0])
    assert books.written_by_word[0, 0, 0] == pytest.approx(size[:n_pieces].sum())
    kept = (size * books.kept[0, 0])[:n_pieces].sum() / size[:n_pieces].sum()
    assert books.kept_share_by_word[0, 0, 0] == pytest.approx(kept)
    assert books.word_scores[0] == pytest.approx(books.logit_share[0, :n_pieces, books.target].sum())
    assert np.all((books.kept_share_by_word >= 0) & (books.kept_share_by_word <= 1 + 1e-12))
    assert books.top_kept_share.shape == (2,)


def test_the_ledger_is_taken_away_with_one_row_a_token(tmp_path, tiny_model):
    books = api.lstm_ledger(tiny_model("bilstm", num_layers=2), "not <b>bad</b>", "positive")
    frame = books.to_frame()
    assert list(frame["token"]) == list(books.tokens)
    both = frame["logit_positive_forward"] + frame["logit_positive_backward"]
    assert np.allclose(frame["logit_positive"], both)
    assert frame["logit_positive"].sum() + books.bias[1] == pytest.approx(books.logits[1], abs=1e-5)
    assert {"written_layer1_forward", "kept_share_layer2_backward"} <= set(frame.columns)
    arrays = np.load(books.save(tmp_path / "ledger.npz"))
    assert np.array_equal(arrays["hidden_share"], books.hidden_share)
    assert str(arrays["tanh_share"]) == "proportional"


def test_an_empty_text_is_refused_in_words(tiny_model):
    with pytest.raises(InvalidInputError, match="empty"):
        api.lstm_ledger(tiny_model("lstm"), "  ")
