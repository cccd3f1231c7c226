"""The states of a corpus, in batches and on disk, against every text read alone."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from explorer_core import api, settings
from explorer_core.corpus import _folders, _index, _network, _texts, building
from explorer_core.errors import CancelledError, InvalidInputError, NotFoundError
from explorer_core.training.spec import DataSpec
from tests.core.corpus.conftest import corpus, folders, read_one_by_one


def close(found, wanted):
    """Equal but for the last bit of a half: batches of another shape round the ninth digit otherwise."""
    wanted = wanted.astype(np.float64)
    return np.allclose(np.asarray(found, dtype=np.float64), wanted, rtol=2**-10, atol=2e-6)


# Exact --------------------------------------------------------------------------------------------------------------


def test_every_family_keeps_what_each_text_holds_alone(family, tiny_model):
    model, data = tiny_model(family), corpus()
    index = api.index_states(model, data)
    alone = read_one_by_one(model, data.texts)
    assert index.states.dtype == np.float16
    assert index.states.shape == (index.about.n_units, len(alone.words))
    assert close(index.states, alone.values.T)
    assert [index.vocabulary[kind] for kind in index.word_ids] == alone.words
    assert np.array_equal(index.text_of_word, alone.text)
    assert np.array_equal(index.number_in_text, alone.number)
    assert np.array_equal(index.labels, data.labels)


@pytest.mark.parametrize(
    "pick", [(0, 0, "cell"), (1, 1, "hidden"), (0, 1, "forget"), (-1, 1, "cell"), (-2, 0, "output")]
)
def test_every_layer_direction_and_quantity_can_be_kept(tiny_model, pick):
    model, data = tiny_model("bilstm"), corpus(20)
    layer, direction, quantity = pick
    index = api.index_states(model, data, layer=layer, direction=direction, quantity=quantity)
    assert close(index.states, read_one_by_one(model, data.texts, *pick).values.T)
    assert (index.about.layer, index.about.direction, index.about.quantity) == (layer % 2, direction, quantity)


def test_every_layer_of_a_bert_can_be_kept(tiny_model):
    model, data = tiny_model("bert"), corpus(12)
    for layer in (0, 1, 2):
        index = api.index_states(model, data, layer=layer)
        assert close(index.states, read_one_by_one(model, data.texts, layer).values.T)


def test_small_batches_and_small_chunks_give_the_same_index(lstm, monkeypatch):
    data = corpus()
    whole = api.index_states(lstm, data)
    monkeypatch.setattr(_network, "BATCH_TOKENS", 16)
    monkeypatch.setattr(building, "CHUNK_WORDS", 25)
    monkeypatch.setattr(settings, "MAX_INDEX_WORDS", 999)  # another key
    parts = api.index_states(lstm, data)
    assert parts.about.key != whole.about.key
    assert close(parts.states, whole.states)
    for name in ("mean", "std", "low", "high", "gate_low", "gate_high", "log_keep"):
        assert np.allclose(getattr(parts, name), getattr(whole, name), atol=1e-4), name


def test_sums_over_units_are_those_of_the_kept_values(lstm):
    index = api.index_states(lstm, corpus())
    values = index.states.astype(np.float64)
    assert np.allclose(index.mean, values.mean(1))
    assert np.allclose(index.std, values.std(1))
    assert np.allclose([index.low, index.high], np.percentile(values, [1, 99], axis=1))


@pytest.mark.parametrize(("name", "keeper"), [("lstm", "forget"), ("gru", "update")])
def test_gates_are_added_up_over_every_token(name, keeper, tiny_model):
    model, data = tiny_model(name), corpus()
    index = api.index_states(model, data)
    gates = read_one_by_one(model, data.texts).gates.astype(np.float64)  # [token, gate, unit]
    names = list(model.module.gate_names)
    assert index.about.n_tokens == len(gates)
    assert index.about.gate_names == tuple(each for each in names if each != "candidate")
    for place, each in enumerate(index.about.gate_names):
        share = gates[:, names.index(each)]
        assert np.allclose(index.gate_low[place], (share < 0.1).mean(0), atol=2 / len(gates))
        assert np.allclose(index.gate_high[place], (share > 0.9).mean(0), atol=2 / len(gates))
    assert np.allclose(index.log_keep, np.log(gates[:, names.index(keeper)]).mean(0), atol=1e-5)


# Kept ---------------------------------------------------------------------------------------------------------------


def test_an_index_is_opened_again_without_reading_the_corpus(lstm, monkeypatch):
    data = corpus()
    with pytest.raises(NotFoundError, match="Read the corpus"):
        api.open_index(lstm, data)
    built = api.index_states(lstm, data)
    monkeypatch.setattr(_network, "values_after_words", lambda *args: pytest.fail("it was read again"))
    for opened in (api.index_states(lstm, data), api.open_index(lstm, data)):
        assert opened.about == built.about
        for item in dataclasses.fields(opened):
            if item.name != "about":
                assert np.array_equal(getattr(opened, item.name), getattr(built, item.name)), item.name


def test_another_corpus_model_layer_or_part_is_another_index(lstm, tiny_model, home):
    data = corpus()
    relabelled = dataclasses.replace(data, labels=1 - data.labels)
    asked = [
        (lstm, data, {}),
        (lstm, relabelled, {}),
        (lstm, corpus(seed=1), {}),
        (tiny_model("lstm", seed=9, hidden_size=12), data, {}),
        (lstm, data, {"layer": 0}),
        (lstm, data, {"quantity": "cell"}),
        (lstm, data, {"split": "test"}),
    ]
    keys = {api.index_states(model, texts, **more).about.key for model, texts, more in asked}
    assert len(keys) == len(asked) == len(folders(home))


def test_texts_come_back_as_they_were(lstm):
    texts = [
        "Good",
        "<b>x</b> & \u202e good",
        "😀 film 👩\u200d👧",
        "كان الفيلم good",
        "a\nb\tc",
        "it's not-so good...",
    ]
    index = api.index_states(lstm, texts)
    assert [index.text(number) for number in range(len(texts))] == texts
    assert index.about.label_names == ()
    assert (index.labels == -1).all()
    for number, text in enumerate(texts):
        trace = api.trace_states(lstm, text, running=False)
        spans = index.spans[index.starts[number] : index.starts[number + 1]]
        assert [text[start : start + size] for start, size in spans] == list(trace.words)


def test_texts_that_cannot_be_read_are_kept_without_words(lstm):
    index = api.index_states(lstm, ["\u200b \x00", "good film", " ", "dull"])
    assert index.n_words_of_text.tolist() == [0, 2, 0, 1]
    assert "2 texts hold nothing" in index.about.notes[0]
    with pytest.raises(InvalidInputError, match="None of the texts"):
        api.index_states(lstm, [" ", "\u200b"])


def test_what_is_longer_than_the_network_reads_is_said(tiny_model):
    model = tiny_model("lstm", max_tokens=6)
    index = api.index_states(model, ["good " * 20, "bad"])
    assert index.n_words_of_text.tolist() == [6, 1]
    assert "longer than the 6 tokens" in index.about.notes[0]


def test_a_corpus_beyond_the_limit_of_words_is_cut_at_a_text(lstm, monkeypatch):
    data = corpus()
    monkeypatch.setattr(settings, "MAX_INDEX_WORDS", 100)
    index = api.index_states(lstm, data)
    assert index.about.n_words <= 100
    assert 1 < index.about.n_texts < 40
    assert f"Only the first {index.about.n_texts} of 40 texts" in index.about.notes[0]
    assert len(index.labels) == index.about.n_texts
    assert api.price_index(lstm, data).is_cut


def test_the_starter_corpus_is_read_by_its_name(lstm, monkeypatch):
    monkeypatch.setattr(settings, "MAX_INDEX_WORDS", 400)
    index = api.index_states(lstm, DataSpec("starter"), split="test")
    assert index.about.corpus == "starter corpus, test rows"
    assert index.about.label_names == ("negative", "positive")


def test_a_price_counts_a_small_corpus_exactly(lstm):
    data = corpus()
    price, index = api.price_index(lstm, data), api.index_states(lstm, data)
    assert (price.n_texts, price.n_words, price.is_cut) == (40, index.about.n_words, False)
    assert price.seconds > 0
    assert price.size_mib >= index.states.nbytes / 2**20


# Whole or not at all ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [0.0, 0.2, 0.5, 0.98, 1.0])
def test_cancelling_leaves_nothing_behind(lstm, home, share):
    def stop(done: float) -> None:
        if done >= share:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        api.index_states(lstm, corpus(), progress=stop)
    assert folders(home) == []
    with pytest.raises(NotFoundError):
        api.open_index(lstm, corpus())
    assert api.index_states(lstm, corpus()).about.n_texts == 40


def test_a_crash_in_the_middle_leaves_nothing_behind(lstm, home, monkeypatch):
    def crash(*args):
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(_index, "write", crash)
        with pytest.raises(MemoryError):
            api.index_states(lstm, corpus())
    assert folders(home) == []
    assert api.index_states(lstm, corpus()).about.n_texts == 40


def test_what_a_killed_process_left_is_never_opened_and_is_cleared_away(lstm, home):
    key = api.index_states(lstm, corpus()).about.key
    left = home / ".index" / f"{key}.building-dead"
    (home / ".index" / key).rename(left)
    with pytest.raises(NotFoundError):
        api.open_index(lstm, corpus())
    api.index_states(lstm, corpus())
    assert folders(home) == [key]


@pytest.mark.parametrize("name", [_index.STATES, _index.WORDS, _index.TEXTS, _index.VOCABULARY, _folders.ABOUT])
def test_a_broken_index_is_built_anew(lstm, home, name):
    built = api.index_states(lstm, corpus())
    before = np.array(built.states)
    file = home / ".index" / built.about.key / name
    file.write_bytes(file.read_bytes()[:-7])
    with pytest.raises(NotFoundError):
        api.open_index(lstm, corpus())
    assert close(api.index_states(lstm, corpus()).states, before)


@pytest.mark.parametrize("name", [_index.WORDS, _index.TEXTS, _index.VOCABULARY, _folders.ABOUT])
@pytest.mark.parametrize("content", [b"null", b"[]", b'"x"', b"[" * 100_000, b"{}", b""])
def test_an_index_with_foreign_content_is_built_anew(lstm, home, name, content):
    built = api.index_states(lstm, corpus())
    (home / ".index" / built.about.key / name).write_bytes(content)
    with pytest.raises(NotFoundError):
        api.open_index(lstm, corpus())
    assert api.unit_card(api.index_states(lstm, corpus()), 0).n_texts == 40


@pytest.mark.parametrize(
    "change", [{"n_texts": 5}, {"label_names": None}, {"layer": 7}, {"quantity": "x"}, {"more": 1}]
)
def test_an_index_that_says_something_else_than_was_written_is_built_anew(lstm, home, change):
    about = home / ".index" / api.index_states(lstm, corpus()).about.key / _folders.ABOUT
    about.write_text(json.dumps(json.loads(about.read_text()) | change))
    with pytest.raises(NotFoundError):
        api.open_index(lstm, corpus())
    assert api.index_states(lstm, corpus()).about.n_texts == 40


def test_an_index_dropped_by_another_process_meanwhile_takes_no_room(tmp_path):
    assert _folders._size_mib(tmp_path / "gone") == 0


def test_numbers_that_are_none_are_refused_and_leave_nothing(tiny_model, home):
    import torch

    model = tiny_model("lstm")
    with torch.no_grad():
        model.module.rnn.weight_hh_l1.fill_(float("nan"))
    with pytest.raises(InvalidInputError, match="not finite"):
        api.index_states(model, corpus())
    assert folders(home) == []


def test_progress_rises_from_zero_to_one(lstm):
    seen: list[float] = []
    api.index_states(lstm, corpus(), progress=seen.append)
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0.0, 1.0)


def test_one_builds_while_another_waits(lstm):
    import threading

    data, found, began, go = corpus(), [], threading.Event(), threading.Event()

    def slow(share: float) -> None:
        began.set()
        assert go.wait(20)

    first = threading.Thread(target=lambda: found.append(api.index_states(lstm, data, progress=slow)))
    first.start()
    assert began.wait(20)
    waited: list[float] = []

    def watch(share: float) -> None:
        waited.append(share)
        go.set()

    found.append(api.index_states(lstm, data, progress=watch))
    first.join(20)
    assert set(waited) == {0.0}  # it never read anything itself
    assert np.array_equal(found[0].states, found[1].states)


def test_waiting_for_another_builder_can_be_cancelled(lstm):
    from filelock import FileLock

    data = corpus()
    key = api.index_states(lstm, data).about.key
    (_folders.folder_of(key) / _folders.ABOUT).unlink()

    def stop(share: float) -> None:
        raise CancelledError("stopped")

    with FileLock(_folders.folder_of(key).with_name(f"{key}.lock")), pytest.raises(CancelledError):
        api.index_states(lstm, data, progress=stop)


# Refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"layer": 2}, "0 to 1"),
        ({"layer": -3}, "0 to 1"),
        ({"layer": "x"}, "0 to 1"),
        ({"direction": 1}, "allowed: 0 \\(forward\\)"),
        ({"quantity": "memory"}, "hidden, cell, input, forget, candidate, output"),
        ({"split": "rest"}, "no split"),
    ],
)
def test_what_the_network_has_not_is_refused_with_what_it_has(lstm, more, says):
    with pytest.raises(InvalidInputError, match=says):
        api.index_states(lstm, corpus(), **more)


@pytest.mark.parametrize(("texts", "says"), [([], "no texts"), ("a", "list of texts"), (["a", None], "Text 2 is no")])
def test_no_texts_and_what_is_none_are_refused(lstm, texts, says):
    with pytest.raises((NotFoundError, InvalidInputError), match=says):
        api.index_states(lstm, texts)


def test_a_price_is_measured_on_few_of_many_long_texts(lstm, monkeypatch):
    seen = []
    read_all = _texts.read_all
    monkeypatch.setattr(
        _texts, "read_all", lambda model, texts, *more: seen.append(len(texts)) or read_all(model, texts, *more)
    )
    api.price_index(lstm, ["good film " * 500] * 300)
    assert max(seen) == 8
