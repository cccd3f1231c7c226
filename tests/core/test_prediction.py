"""Verdicts over many texts equal those of each text alone, in the order the texts came."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from explorer_core import api, prediction
from explorer_core.errors import CancelledError, InvalidInputError

TEXTS = [
    "good",
    "this film is not good, but the acting was lovely and the story was never dull",
    "bad",
    "we expected more of the food and less of the service",
    "the room was fine. the room was fine. the room was fine.",
]


def alone(model, text: str) -> np.ndarray:
    with torch.no_grad():
        return model.module(**model.tokenizer(text, return_tensors="pt")).logits[0].numpy()


def test_each_verdict_is_that_of_the_text_alone(family, tiny_model):
    model = tiny_model(family, dtype="float64")
    found = api.predict(model, TEXTS)
    for text, logits in zip(TEXTS, found.logits, strict=True):
        np.testing.assert_allclose(logits, alone(model, text), atol=1e-12)
    assert found.texts == tuple(TEXTS)
    assert (found.model, found.labels) == (model.name, model.labels)
    np.testing.assert_allclose(found.probs.sum(1), 1, atol=1e-6)


def test_the_order_of_the_texts_does_not_matter(family, tiny_model, monkeypatch):
    monkeypatch.setattr(prediction, "BATCH_TEXTS", 2)
    monkeypatch.setattr(prediction, "_TEXTS_AT_ONCE", 2)
    model = tiny_model(family)
    forwards, backwards = api.predict(model, TEXTS), api.predict(model, TEXTS[::-1])
    np.testing.assert_allclose(forwards.logits, backwards.logits[::-1], atol=1e-5)


def test_batches_stay_within_the_budget_and_hold_every_row_once():
    lengths = [*np.random.default_rng(0).integers(1, 3000, 500).tolist(), 20_000]
    batches = list(prediction.batch_by_length(lengths))
    assert sorted(row for rows in batches for row in rows) == list(range(501))
    for rows in batches:
        assert len(rows) <= prediction.BATCH_TEXTS
        assert len(rows) == 1 or len(rows) * max(lengths[row] for row in rows) <= prediction.BATCH_TOKENS
    assert list(prediction.batch_by_length([])) == []


def test_no_texts_give_no_verdicts(tiny_model):
    found = api.predict(tiny_model("lstm"), [])
    assert found.logits.shape == (0, 2)
    assert found.predicted == ()


@pytest.mark.parametrize("bad", ["", "   \n", "\x00", "x" * 200_000, "\ud800", None, 3])
def test_a_text_that_cannot_be_read_is_named_by_its_number(family, tiny_model, bad):
    with pytest.raises(InvalidInputError, match=r"^Text 2 of 3: "):
        api.predict(tiny_model(family), ["good", bad, "bad"])
    with pytest.raises(InvalidInputError, match=r"^(?!Text 1)"):
        api.predict(tiny_model(family), [bad])


def test_one_text_in_place_of_a_list_is_refused(tiny_model):
    with pytest.raises(InvalidInputError, match="list of texts"):
        api.predict(tiny_model("lstm"), "good film")


def test_words_not_read_and_words_not_known_are_counted(family, tiny_model):
    model = tiny_model(family, max_tokens=8)
    n_read = 8 - 2 * (family == "bert")
    found = api.predict(model, ["good", "good " * 20, "good 😀 film 中", "good film"])
    assert found.n_truncated.tolist() == [0, 20 - n_read, 0, 0]
    assert found.n_unknown.tolist() == [0, 0, 2, 0]


def test_progress_climbs_to_one(tiny_model, monkeypatch):
    monkeypatch.setattr(prediction, "BATCH_TEXTS", 2)
    shares: list[float] = []
    api.predict(tiny_model("gru"), TEXTS, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    assert len(shares) > 3


def test_a_cancelled_prediction_stops_and_leaves_the_model_as_it_was(family, tiny_model):
    model = tiny_model(family)
    before = {key: value.clone() for key, value in model.module.state_dict().items()}

    def cancel(share: float) -> None:
        raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        api.predict(model, TEXTS, progress=cancel)
    assert not torch.is_inference_mode_enabled()
    assert all(torch.equal(value, before[key]) for key, value in model.module.state_dict().items())
    assert not model.module.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.module.modules())


def test_a_network_that_gives_no_numbers_is_said_to_be_broken(tiny_model):
    model = tiny_model("lstm")
    model.module.classifier.bias[0] = float("nan")
    with pytest.raises(InvalidInputError, match="not finite"):
        api.predict(model, TEXTS)


def test_eight_threads_give_identical_verdicts(family, tiny_model):
    model = tiny_model(family)
    expected = api.predict(model, TEXTS).logits
    found: list[np.ndarray] = []
    failed: list[BaseException] = []

    def read() -> None:
        try:
            found.extend(api.predict(model, TEXTS).logits for _ in range(5))
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=read) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert len(found) == 40
    assert all(np.array_equal(logits, expected) for logits in found)


@pytest.mark.gpu
def test_cuda_gives_the_verdicts_of_the_cpu(family, tiny_model):
    here, there = tiny_model(family), tiny_model(family, device="cuda")
    np.testing.assert_allclose(api.predict(there, TEXTS).logits, api.predict(here, TEXTS).logits, atol=1e-4)
