"""The lab as a whole: it learns, it is the same again, it stops when asked, and it leaves nothing behind."""

from __future__ import annotations

import dataclasses
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import torch

from explorer_core import api
from explorer_core.errors import CancelledError, InvalidInputError
from explorer_core.lab import networks, run
from explorer_core.results import LabResult, finding_of

SMALL = api.LabSpec(lags=(2, 3), gate_biases=(0.0, 1.0), n_units=4, steps=13, batch_size=4, n_seeds=2)


def assert_same(one: LabResult, other: LabResult) -> None:
    for name, values in one.arrays().items():
        np.testing.assert_array_equal(values, other.arrays()[name], err_msg=name)


def state_of_the_process() -> tuple[Any, ...]:
    """What a lab may not change."""
    return (
        np.random.get_state()[1].tolist(), random.getstate(), torch.get_rng_state().tolist(), np.geterr(),
        torch.get_num_threads(), torch.is_grad_enabled(), torch.get_default_dtype(),
    )  # fmt: skip


def lab_threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("lab")]


# Learning -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("task", ["first_token", "copy", "adding"])
def test_every_family_learns_every_task_over_a_tiny_lag(task: str) -> None:
    """Copy and adding take long to be learned well; here it is enough that they are learned at all."""
    spec = api.LabSpec(task=task, lags=(2,), gate_biases=(1.0,), orthogonal=False, steps=300, learning_rate=0.02,
                       n_seeds=1)  # fmt: skip
    found = api.run_lab(spec)
    assert found.is_finished
    enough = 0.99 if task == "first_token" else 0.55
    assert (found.final_accuracy >= enough).all(), found.final_accuracy
    assert (found.loss[..., -1] < found.loss[..., 0] / 2).all()


def test_over_twenty_steps_the_rnn_fails_where_the_lstm_that_keeps_holds() -> None:
    spec = api.LabSpec(families=("rnn", "lstm"), lags=(20,), gate_biases=(0.0, 4.0), orthogonal=False, steps=150)
    found = api.run_lab(spec)
    assert [setting.start for setting in found.settings] == ["PyTorch's start", "forget bias 0", "forget bias 4"]
    rnn, forgetful, keeping = np.median(found.final_accuracy[:, 0], axis=-1)
    assert max(rnn, forgetful) < 0.45
    assert keeping > 0.95
    shares = np.median(found.grad_share[:, 0], axis=1)  # [setting, moment]
    assert shares[0, 0] < 1e-4 and shares[1, 0] < 1e-3
    assert shares[2, 0] > 0.1
    assert found.learned_lag(0) is None and found.learned_lag(2) == 20


def test_an_untrained_network_answers_as_a_guess_does() -> None:
    found = api.run_lab(dataclasses.replace(SMALL, steps=1, n_seeds=8))
    assert found.accuracy[..., 0].mean() == pytest.approx(found.chance, abs=0.05)
    assert found.loss[..., 0].mean() > 1.2  # ln 4 is 1.39


def test_the_mean_gate_of_bias_b_carries_the_gradient_as_its_sigmoid_says() -> None:
    """With recurrent weights of one unit near zero, the share that arrives is about sigmoid(b) a step."""
    for bias in (0.0, 2.0):
        weights = networks.build(
            "lstm", [np.random.default_rng(0)], width=8, n_units=4, n_out=4, orthogonal=(False,), keep_bias=(bias,)
        )
        weights["weight_hh"][:] = 0
        weights["weight_ih"][:, 4:8] = 0  # the forget gate hears nothing but its bias
        batch = run.TASKS["first_token"].draw(np.random.default_rng(1), 20, 32)
        norms = run.grad_norm("lstm", weights, 1, batch)[0]
        np.testing.assert_allclose(norms[1:] / norms[:-1], 1 / (1 + np.exp(-bias)), rtol=1e-6)


# Adam and clipping --------------------------------------------------------------------------------------------------


def test_a_step_is_that_of_torch_for_every_network_of_the_stack() -> None:
    rng = np.random.default_rng(0)
    weights = {"a": rng.standard_normal((3, 4, 2)), "b": rng.standard_normal((3, 5))}
    theirs = [{name: torch.from_numpy(value[each].copy()).requires_grad_() for name, value in weights.items()}
              for each in range(3)]  # fmt: skip
    optimizers = [torch.optim.Adam(list(each.values()), lr=0.03) for each in theirs]
    means = [{name: np.zeros_like(value) for name, value in weights.items()} for _ in range(2)]
    for step in range(1, 6):
        grad = {name: rng.standard_normal(value.shape) * (3 if step % 2 else 0.01) for name, value in weights.items()}
        for each, optimizer in enumerate(optimizers):
            for name, value in theirs[each].items():
                value.grad = torch.from_numpy(grad[name][each].copy())
            torch.nn.utils.clip_grad_norm_(list(theirs[each].values()), 1.0)
            optimizer.step()
        run.clip(grad, 1.0)
        run.adam_step(weights, grad, means, step, 0.03)
    for each in range(3):
        for name, value in theirs[each].items():
            np.testing.assert_allclose(weights[name][each], value.detach().numpy(), rtol=1e-4, atol=1e-6)


def test_a_clip_norm_of_zero_leaves_a_gradient_alone() -> None:
    grad = {"a": np.full((2, 3), 100.0)}
    run.clip(grad, 0.0)
    assert (grad["a"] == 100).all()


# The same again -----------------------------------------------------------------------------------------------------


def test_the_same_spec_gives_the_same_numbers_however_it_is_shared_out(monkeypatch: pytest.MonkeyPatch) -> None:
    first = api.run_lab(SMALL)
    monkeypatch.setattr(run, "N_THREADS", 1)
    assert_same(api.run_lab(SMALL), first)
    monkeypatch.setattr(run, "MOST_GATES", 1)  # a stack for each seed
    np.testing.assert_allclose(api.run_lab(SMALL).loss, first.loss, rtol=1e-4)
    other = api.run_lab(dataclasses.replace(SMALL, seed=1))
    assert not np.array_equal(other.loss, first.loss)


def test_a_network_does_not_feel_which_others_learn_beside_it() -> None:
    many = api.run_lab(SMALL)
    few = api.run_lab(dataclasses.replace(SMALL, families=("lstm",), gate_biases=(1.0,), lags=(3,), orthogonal=False))
    row = many.settings.index(few.settings[0])
    np.testing.assert_allclose(many.loss[row, 1], few.loss[0, 0], rtol=1e-4)
    np.testing.assert_allclose(many.grad_start[row, 1], few.grad_start[0, 0], rtol=1e-4)


def test_seeds_start_and_read_differently() -> None:
    found = api.run_lab(SMALL)
    assert (np.abs(found.loss[:, :, 0] - found.loss[:, :, 1]) > 0).all()


def test_eight_threads_get_what_one_gets_and_the_process_is_left_alone() -> None:
    before = state_of_the_process()
    expected = api.run_lab(SMALL)
    with ThreadPoolExecutor(8) as pool:
        for found in pool.map(api.run_lab, [SMALL] * 8):
            assert_same(found, expected)
    assert state_of_the_process() == before
    assert not lab_threads()


# On the way ---------------------------------------------------------------------------------------------------------


def test_what_is_watched_grows_and_ends_with_the_result() -> None:
    seen: list[LabResult] = []
    shares: list[float] = []
    found = api.run_lab(SMALL, progress=shares.append, watch=seen.append)
    assert [each.n_checks_done for each in seen] == list(range(1, len(found.steps) + 1))
    assert [each.is_finished for each in seen] == [False] * (len(seen) - 1) + [True]
    assert np.isnan(seen[0].grad_norm[..., 1, :]).all() and not np.isnan(seen[0].grad_start[..., 0]).any()
    assert_same(seen[-1], found)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)


@pytest.mark.parametrize("moment", [0, 1, 5])
def test_a_lab_is_cancelled_at_any_moment_and_its_threads_end(moment: int) -> None:
    before, told = state_of_the_process(), []

    def progress(share: float) -> None:
        told.append(share)
        if len(told) > moment:
            raise CancelledError("Stopped.")

    with pytest.raises(CancelledError):
        api.run_lab(dataclasses.replace(SMALL, steps=2_000), progress=progress)
    assert len(told) == moment + 1
    assert told[-1] < 0.5
    assert not lab_threads()
    assert state_of_the_process() == before


def test_a_crash_inside_a_network_is_not_swallowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(networks, "walk_back", _broken)
    with pytest.raises(MemoryError, match="no room"):
        api.run_lab(SMALL)
    assert not lab_threads()


def _broken(*_: Any) -> None:
    raise MemoryError("no room")


def test_a_network_that_diverges_is_said_and_the_others_do_not_feel_it(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = api.run_lab(SMALL)
    build: Callable[..., networks.Weights] = networks.build

    def break_one(family: str, *args: Any, **more: Any) -> networks.Weights:
        weights = build(family, *args, **more)
        if family == "gru":
            weights["head_weight"][1::3] = np.nan  # the second of three starts, of either seed: update bias 1
        return weights

    monkeypatch.setattr(networks, "build", break_one)
    found = api.run_lab(SMALL)
    broken = next(row for row, one in enumerate(found.settings) if (one.family, one.gate_bias) == ("gru", 1.0))
    assert (found.diverged[broken] == 0).all()
    assert np.isnan(found.accuracy[broken]).all() and np.isnan(found.grad_norm[broken]).all()
    others = [row for row in range(len(found.settings)) if row != broken]
    np.testing.assert_array_equal(found.loss[others], whole.loss[others])
    assert (found.diverged[others] == -1).all()
    assert found.is_finished and found.learned_lag(broken) is None
    said = finding_of(found)[-1]
    assert said.startswith("4 networks of 32 diverged") and "GRU, update bias 1, lag 2, seed 0, at step 0" in said


# Refused ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("task", "echo", "first_token, copy, adding"),
        ("families", (), "1 to 3 different of rnn, gru, lstm"),
        ("families", ("rnn", "bert"), "of rnn, gru, lstm"),
        ("families", ["rnn"], "of rnn, gru, lstm"),
        ("lags", (), "1 to 8 different whole numbers from 1 to 200"),
        ("lags", (0,), "from 1 to 200"),
        ("lags", (201,), "from 1 to 200"),
        ("lags", (5, 5), "different"),
        ("lags", (5.0,), "whole numbers"),
        ("lags", (True,), "whole numbers"),
        ("lags", tuple(range(1, 10)), "1 to 8"),
        ("lags", "5", "whole numbers"),
        ("gate_biases", (float("nan"),), "from -2 to 6"),
        ("gate_biases", (7.0,), "from -2 to 6"),
        ("gate_biases", (0.0, 0), "different"),
        ("n_units", 1, "2 to 64"),
        ("n_units", 65, "2 to 64"),
        ("steps", 0, "1 to 2000"),
        ("steps", 2_001, "1 to 2000"),
        ("batch_size", 65, "1 to 64"),
        ("learning_rate", 0.2, "1e-05 to 0.1"),
        ("learning_rate", float("inf"), "1e-05 to 0.1"),
        ("clip_norm", -1.0, "0.0 to 100.0"),
        ("n_seeds", 9, "1 to 8"),
        ("orthogonal", 1, "False, True"),
        ("seed", -1, "0 to 2147483647"),
    ],
)
def test_a_setting_that_is_not_allowed_is_refused_with_what_is(field: str, value: Any, said: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        api.LabSpec(**{field: value})
    assert said in str(caught.value)
    assert len(str(caught.value)) < 300


def test_settings_on_their_bounds_are_allowed() -> None:
    spec = api.LabSpec(lags=(1, 200), gate_biases=(-2, 6), n_units=64, steps=1, batch_size=64, n_seeds=8, clip_norm=0.0)
    assert spec.gate_biases == (-2.0, 6.0)
    api.run_lab(dataclasses.replace(spec, lags=(1,), n_units=2, n_seeds=1, batch_size=1))


def test_a_lab_nobody_would_wait_for_is_refused_before_it_begins() -> None:
    spec = api.LabSpec(lags=(150, 200), n_units=64, steps=2_000, n_seeds=8, batch_size=64)
    for call in (api.price_lab, api.run_lab):
        with pytest.raises(InvalidInputError, match="at most 20 are allowed"):
            call(spec)


@pytest.mark.parametrize(
    "more", [{"lags": (5, 10)}, {"steps": 400}, {"n_units": 32}, {"n_seeds": 4}, {"families": ("rnn", "lstm")}]
)
def test_a_larger_lab_costs_more(more: dict[str, Any]) -> None:
    small = api.LabSpec(lags=(5,), families=("lstm",), steps=200, n_seeds=2)
    assert api.price_lab(dataclasses.replace(small, **more)).seconds > api.price_lab(small).seconds
    price = api.price_lab(small)
    assert price.n_networks == small.n_networks == 4 * 1 * 2
    assert "8 small networks" in price.sentence and price.sentence.endswith("An estimate.")


def test_the_default_and_what_is_suggested_are_priced_under_a_minute() -> None:
    for task in ("first_token", "copy", "adding"):
        assert api.price_lab(api.LabSpec.suggested(task)).seconds < 60
    assert api.LabSpec.suggested("first_token") == api.LabSpec()


def test_a_spec_travels_as_json() -> None:
    spec = api.LabSpec(lags=(20, 5), gate_biases=(2, 0), families=("lstm", "rnn"))
    assert (spec.lags, spec.gate_biases, spec.families) == ((5, 20), (0.0, 2.0), ("rnn", "lstm"))
    assert api.LabSpec.from_json(spec.to_json()) == spec
    assert api.LabSpec.from_json("{}") == api.LabSpec()


@pytest.mark.parametrize("text", ["", "[1]", "{", '{"lag": 5}', '{"lags": 5}', '{"lags": [[1]]}', "[" * 100_000])
def test_json_that_is_no_spec_is_refused_in_words(text: str) -> None:
    with pytest.raises(InvalidInputError) as caught:
        api.LabSpec.from_json(text)
    assert len(str(caught.value)) < 300
