"""Memory, promised and measured: every swapped text against an oracle that reads it from nothing, and the identities
that hold where a promise must be kept."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError
from explorer_core.results.memory import SWAPS
from explorer_core.tracing import _kernel, _prefixes, _swaps
from explorer_core.tracing import memory as tracing_memory
from tests.conftest import build_tiny
from tests.core import oracle, random_networks

TEXT = "The plot isn't good, but I loved the unbelievable acting"
N_CONFIGURATIONS = 80


def spans_of(rng: np.random.Generator, n_pos: int) -> np.ndarray:
    """First and last token of each word, int array [word, 2]: words of one to three tokens, and now and then special
    tokens around them."""
    opening, closing = (int(rng.integers(0, 2)) if n_pos > 2 else 0 for _ in range(2))
    spans, pos = [], opening
    while pos < n_pos - closing:
        end = min(pos + int(rng.integers(1, 4)), n_pos - closing)
        spans.append((pos, end - 1))
        pos = end
    return np.array(spans)


def swap_in(vectors: np.ndarray, first: int, last: int, unknown: np.ndarray | None) -> np.ndarray:
    """The text with one word taken away, as plain vectors [pos, width]."""
    middle = np.empty((0, vectors.shape[1])) if unknown is None else np.repeat(unknown[None], last - first + 1, 0)
    return np.concatenate([vectors[:first], middle, vectors[last + 1 :]])


def oracle_swap(module, vectors, first: int, last: int, unknown) -> dict[str, np.ndarray]:
    """Hidden, cell and logits of a swapped text: `step` and `end` as [layer, direction, unit]."""
    swapped = swap_in(vectors, first, last, unknown)
    read = oracle.read(module, swapped) if len(swapped) else None
    n_directions = 2 if module.config.bidirectional else 1
    zero = np.zeros((module.config.num_layers, n_directions, module.config.hidden_size))
    at = (last, first) if unknown is not None else (first - 1, first)
    found = {}
    for name in ("hidden", "cell") if module.has_cell else ("hidden",):
        step, end = zero.copy(), zero.copy()
        for direction in range(n_directions):
            if read is not None:
                if 0 <= at[direction] < len(swapped):
                    step[:, direction] = getattr(read, name)[:, direction, at[direction]]
                end[:, direction] = getattr(read, name)[:, direction, 0 if direction else -1]
        found |= {f"step {name}": step, f"end {name}": end}
    head = module.classifier
    return found | {"logits": head.bias.double().numpy() if read is None else read.logits}


@pytest.mark.parametrize("swap", SWAPS)
def test_every_swapped_text_is_what_the_oracle_reads_from_nothing(swap):
    """Over random families, layers, directions, poolings, words and special tokens, in double precision."""
    for number in range(N_CONFIGURATIONS):
        rng = np.random.default_rng(1_000 + number)
        case = random_networks.draw(number, torch.float64)
        vectors, module = case.text(0), case.module
        spans = spans_of(rng, len(vectors))
        unknown = torch.from_numpy(rng.normal(size=vectors.shape[1])) if swap == "unknown" else None
        swaps = _swaps.Swaps(vectors, spans[:, 0], spans[:, 1], unknown)
        states = _kernel.trace_batch(module, vectors[None])
        readers = [_swaps.read_whole, _swaps.read_on] if _swaps.can_read_on(module) else [_swaps.read_whole]
        with torch.inference_mode():
            found = [read(module, swaps, states) for read in readers]
        for word, (first, last) in enumerate(spans):
            wanted = oracle_swap(module, vectors.numpy(), first, last, None if unknown is None else unknown.numpy())
            for given in found:
                names = ["hidden", "cell"][: len(given.step)]
                pairs = [
                    *((given.step[index], wanted[f"step {name}"]) for index, name in enumerate(names)),
                    *((given.end[index], wanted[f"end {name}"]) for index, name in enumerate(names)),
                    (given.logits, wanted["logits"]),
                ]
                for values, expected in pairs:
                    assert random_networks.distance(values[word], expected) <= 1e-12


@pytest.mark.parametrize("swap", SWAPS)
@pytest.mark.parametrize("sizes", [{}, {"num_layers": 1, "pooling": "mean"}, {"pooling": "max"}])
def test_a_trace_holds_the_differences_the_oracle_finds(recurrent_family, swap, sizes):
    """step_change, end_change, relative changes and logit_change of a typed text with words of several tokens."""
    model = build_tiny(recurrent_family, dtype="float64", **sizes)
    traced = api.trace_memory(model, TEXT, swap=swap)
    table = model.module.get_input_embeddings().weight
    vectors = table[torch.from_numpy(traced.reading.token_ids)].numpy()
    unknown = table[model.tokenizer.unk_token_id].numpy() if swap == "unknown" else None
    plain = oracle.read(model.module, vectors)
    state = plain.hidden if plain.cell is None else plain.cell
    first, last = traced.reading.first_token_of_word, traced.reading.last_token_of_word
    assert (last > first).any()
    assert traced.state == ("hidden" if plain.cell is None else "cell")
    for word in range(len(traced.words)):
        wanted = oracle_swap(model.module, vectors, first[word], last[word], unknown)
        for direction in range(len(traced.directions)):
            after, end = (last[word], -1) if direction == 0 else (first[word], 0)
            step = wanted[f"step {traced.state}"][:, direction] - state[:, direction, after]
            change = wanted[f"end {traced.state}"][:, direction] - state[:, direction, end]
            np.testing.assert_allclose(traced.step_change[:, direction, word], step, rtol=0, atol=1e-11)
            np.testing.assert_allclose(traced.end_change[:, direction, word], change, rtol=0, atol=1e-11)
            hidden = wanted["end hidden"][:, direction] - plain.hidden[:, direction, end]
            relative = np.linalg.norm(hidden, axis=-1) / np.linalg.norm(plain.hidden[:, direction, end], axis=-1)
            np.testing.assert_allclose(traced.hidden_change[:, direction, word], relative, rtol=0, atol=1e-11)
        np.testing.assert_allclose(traced.logit_change[word], wanted["logits"] - plain.logits, rtol=0, atol=1e-11)
    assert (traced.cell_change is None) == (plain.cell is None)
    for values in traced.arrays().values():
        assert values.dtype.kind != "f" or np.isfinite(values).all()


def test_a_promise_is_the_product_of_the_keep_gates_after_the_word(recurrent_family):
    """Forward: tokens after its last one; backward: tokens before its first one; in a plain loop."""
    model = build_tiny(recurrent_family, dtype="float64")
    traced, states = api.trace_memory(model, TEXT), api.trace_states(model, TEXT)
    if recurrent_family == "rnn":
        assert (traced.keep_gate, traced.promised_kept, traced.half_life, traced.horizon()) == ("", None, None, None)
        assert traced.unit_promised is traced.disagreement is None
        return
    keep = states.quantities()[traced.keep_gate]
    reading = traced.reading
    for direction in range(len(traced.directions)):
        for word in range(len(traced.words)):
            later = (
                range(reading.last_token_of_word[word] + 1, len(reading.tokens))
                if direction == 0
                else range(reading.first_token_of_word[word])
            )
            product = np.ones_like(keep[:, direction, 0])
            for pos in later:
                product = product * keep[:, direction, pos]
            np.testing.assert_allclose(traced.promised_kept[:, direction, word], product, rtol=1e-12, atol=0)
    np.testing.assert_allclose(traced.half_life, np.log(0.5) / np.log(keep).mean(2), rtol=1e-12)


# Identities ---------------------------------------------------------------------------------------------------------


def without_memory_of_itself(family: str):
    """A network whose gates and candidates look at the words alone: its recurrent weights are zero."""
    model = build_tiny(family, dtype="float64", num_layers=1)
    with torch.no_grad():
        for name, weight in model.module.rnn.named_parameters():
            if name.startswith("weight_hh"):
                weight.zero_()
    return model


@pytest.mark.parametrize("swap", SWAPS)
@pytest.mark.parametrize("family", ["lstm", "bilstm", "gru"])
def test_where_gates_look_at_the_words_alone_the_promise_is_kept_exactly(family, swap):
    """|end_change| = |step_change| x product of the later keep gates, for every word and unit."""
    traced = api.trace_memory(without_memory_of_itself(family), TEXT, swap=swap)
    np.testing.assert_allclose(
        np.abs(traced.end_change), np.abs(traced.step_change) * traced.promised_kept, rtol=0, atol=1e-13
    )
    kept = traced.measured_kept
    is_measured = np.isfinite(kept)
    assert is_measured.mean() > 0.3
    np.testing.assert_allclose(kept[is_measured], traced.promised_kept[is_measured], rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(traced.unit_measured, traced.unit_promised, rtol=1e-9, atol=1e-12)
    assert np.abs(traced.disagreement).max() <= 1e-9


def test_a_vanilla_rnn_without_recurrent_weights_keeps_nothing_of_any_word_but_the_last():
    traced = api.trace_memory(without_memory_of_itself("rnn"), TEXT)
    assert np.abs(traced.end_change[:, :, :-1]).max() <= 1e-15
    assert np.array_equal(traced.end_change[:, :, -1], traced.step_change[:, :, -1])
    assert np.abs(traced.step_change).max() > 0.1


@pytest.mark.parametrize("keep", [0.25, 0.5, 0.9, 0.999])
@pytest.mark.parametrize("family", ["lstm", "gru"])
def test_a_constant_gate_has_the_half_life_of_its_own_power(family, keep):
    """f = 2^(-1 / half-life): after a half-life of tokens, half is left."""
    model = without_memory_of_itself(family)
    gate = model.module.gate_names.index("forget" if family == "lstm" else "update")
    with torch.no_grad():
        for name, weight in model.module.rnn.named_parameters():
            block = weight[16 * gate : 16 * gate + 16]
            block.fill_(float(np.log(keep / (1 - keep))) if name.startswith("bias_ih") else 0.0)
    traced = api.trace_memory(model, TEXT)
    np.testing.assert_allclose(2.0 ** (-1 / traced.half_life), keep, rtol=1e-12)
    n_after = len(traced.tokens) - 1 - traced.reading.last_token_of_word
    np.testing.assert_allclose(traced.promised_kept[0, 0, :, 0], 0.5 ** (n_after / traced.half_life[0, 0, 0]))


def test_a_gate_that_is_fully_open_or_shut_has_a_finite_half_life():
    model = without_memory_of_itself("lstm")
    with torch.no_grad():
        model.module.rnn.weight_ih_l0[16:32].zero_()
        model.module.rnn.bias_ih_l0[16:24] = 900.0
        model.module.rnn.bias_ih_l0[24:32] = -900.0
    traced = api.trace_memory(model, TEXT)
    assert np.isfinite(traced.half_life).all()
    assert traced.half_life[0, 0, :8].min() > 1e6
    assert 0 < traced.half_life[0, 0, 8:].max() < 0.01
    assert (traced.horizon()[0, 0, :8] == len(traced.words)).all()
    assert (traced.horizon()[0, 0, 8:] == 1).all()


@pytest.mark.parametrize("swap", SWAPS)
def test_swapping_an_unknown_word_for_the_unknown_token_changes_exactly_nothing(recurrent_family, swap):
    model = build_tiny(recurrent_family, vocabulary="words")
    traced = api.trace_memory(model, "the zzz film was qqq good", swap=swap)
    is_unknown = np.array([word in ("zzz", "qqq") for word in traced.words])
    assert np.array_equal(traced.is_swapped, ~is_unknown if swap == "unknown" else np.ones(6, bool))
    for changes in (traced.step_change[:, :, is_unknown], traced.end_change[:, :, is_unknown],
                    traced.hidden_change[:, :, is_unknown], traced.logit_change[is_unknown]):  # fmt: skip
        assert changes.any() == (swap == "drop")
    assert traced.step_change[:, :, ~is_unknown].any()


def test_a_text_of_nothing_but_unknown_words_has_nothing_to_measure(recurrent_family):
    traced = api.trace_memory(build_tiny(recurrent_family, vocabulary="words"), "zzz qqq")
    assert not traced.is_swapped.any()
    assert not traced.step_change.any()
    assert np.isnan(traced.unit_measured).all()
    assert not traced.is_measurable.any()


# Texts and refusals -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_text_whose_only_word_is_dropped_is_read_as_nothing(recurrent_family, pooling):
    """The state is zero, and the logits are the head's own bias."""
    model = build_tiny(recurrent_family, pooling=pooling, vocabulary="words", dtype="float64")
    traced, states = api.trace_memory(model, "good", swap="drop"), api.trace_states(model, "good")
    plain = states.hidden if states.cell is None else states.cell
    assert np.array_equal(traced.end_change[:, :, 0], -plain[:, :, 0])
    assert np.array_equal(traced.step_change, traced.end_change)
    np.testing.assert_allclose(traced.hidden_change, 1.0, rtol=1e-12)
    bias = model.module.classifier.bias.numpy()
    np.testing.assert_allclose(traced.logit_change[0], bias - traced.logits, rtol=0, atol=1e-12)
    if traced.promised_kept is not None:
        assert (traced.promised_kept == 1).all()
        assert (traced.horizon() == 1).all()


@pytest.mark.parametrize("swap", SWAPS)
def test_closing_tokens_stay_where_they_are(recurrent_family, swap):
    """The swapped text ends as the tokenizer ends it: its logits are the model's own over those very ids."""
    model = build_tiny(recurrent_family, vocabulary="words", end_token=True, dtype="float64")
    traced = api.trace_memory(model, "not bad at all", swap=swap)
    assert traced.tokens[-1] == "[END]"
    for word in range(4):
        ids = traced.reading.token_ids.tolist()
        ids[word : word + 1] = [model.tokenizer.unk_token_id] if swap == "unknown" else []
        with torch.inference_mode():
            logits = model.module(input_ids=torch.tensor([ids])).logits[0].numpy()
        np.testing.assert_allclose(traced.logits + traced.logit_change[word], logits, rtol=0, atol=1e-12)


@pytest.mark.parametrize("budget", [1, 7, 40])
@pytest.mark.parametrize("swap", SWAPS)
def test_the_size_of_a_batch_does_not_change_what_is_measured(recurrent_family, swap, budget, monkeypatch):
    model = build_tiny(recurrent_family, dtype="float64", pooling="mean")
    whole = api.trace_memory(model, TEXT, swap=swap)
    monkeypatch.setattr(_prefixes, "TOKEN_BUDGET", budget)
    parts = api.trace_memory(model, TEXT, swap=swap)
    for name, values in whole.arrays().items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(parts.arrays()[name], values, rtol=1e-9, atol=1e-12)


def test_single_precision_is_near_double(recurrent_family):
    near, exact = (
        api.trace_memory(build_tiny(recurrent_family, dtype=dtype), TEXT) for dtype in ("float32", "float64")
    )
    assert near.step_change.dtype == near.end_change.dtype == np.float32
    for name in ("step_change", "end_change", "logit_change"):
        assert np.abs(getattr(near, name) - getattr(exact, name)).max() <= 1e-5


def test_reading_reports_how_far_it_is_and_can_be_cancelled(recurrent_family, monkeypatch):
    monkeypatch.setattr(_prefixes, "TOKEN_BUDGET", 30)
    model, shares = build_tiny(recurrent_family), []
    api.trace_memory(model, TEXT, progress=shares.append)
    assert len(shares) > 2
    assert shares == sorted(shares)
    assert shares[-1] == 1.0

    def stop(share: float) -> None:
        raise CancelledError("Cancelled.")

    with pytest.raises(CancelledError):
        api.trace_memory(model, TEXT, progress=stop)


def test_a_bert_has_no_memory_from_word_to_word():
    with pytest.raises(IncompatibleError, match="no memory from word to word"):
        api.trace_memory(build_tiny("bert"), TEXT)


@pytest.mark.parametrize("swap", ["", "mask", "Drop", None, 3])
def test_an_unknown_way_of_swapping_is_refused_with_those_there_are(swap):
    with pytest.raises(InvalidInputError, match="allowed: unknown, drop"):
        api.trace_memory(build_tiny("lstm"), TEXT, swap=swap)


def test_without_an_unknown_token_dropping_is_offered_instead():
    model = build_tiny("lstm")
    model.tokenizer.unk_token = None
    with pytest.raises(InvalidInputError, match="Drop the words instead"):
        api.trace_memory(model, TEXT)
    assert api.trace_memory(model, TEXT, swap="drop").swap == "drop"


@pytest.mark.parametrize("text", ["", " \n", 7])
def test_nothing_to_read_is_refused_in_words(text):
    with pytest.raises(InvalidInputError):
        api.trace_memory(build_tiny("lstm"), text)


def test_a_reading_leaves_no_trace_in_the_model(recurrent_family):
    model = build_tiny(recurrent_family)
    before = {name: weight.clone() for name, weight in model.module.named_parameters()}
    first = api.trace_memory(model, TEXT)
    assert all(torch.equal(weight, before[name]) for name, weight in model.module.named_parameters())
    assert not model.module.training
    assert torch.is_grad_enabled()
    again = api.trace_memory(model, TEXT)
    for name, values in first.arrays().items():
        assert np.array_equal(again.arrays()[name], values, equal_nan=values.dtype.kind == "f")


def test_the_keep_gate_is_found_by_its_name(recurrent_family):
    wanted = {"rnn": "", "gru": "update", "lstm": "forget", "bilstm": "forget"}
    assert tracing_memory.keep_gate(build_tiny(recurrent_family).module) == wanted[recurrent_family]


@pytest.mark.gpu
@pytest.mark.parametrize("swap", SWAPS)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_a_gpu_measures_the_same_memory(recurrent_family, swap, pooling):
    here, there = (
        api.trace_memory(build_tiny(recurrent_family, dtype="float64", pooling=pooling, device=device), TEXT, swap=swap)
        for device in ("cpu", "cuda")
    )
    for name, values in here.arrays().items():
        if values.dtype.kind == "f":
            np.testing.assert_allclose(there.arrays()[name], values, rtol=1e-6, atol=1e-9)
