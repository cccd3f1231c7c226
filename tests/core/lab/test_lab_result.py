"""What a lab hands out: which lag counts as learned, what a share is, and sentences made from the numbers."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from explorer_core import api
from explorer_core.results import LabResult, finding_of

SPEC = api.LabSpec(lags=(5, 20), gate_biases=(0.0, 3.0), n_seeds=3, steps=100)
STARTS = [(one.family, one.gate_bias, one.is_orthogonal) for one in SPEC.settings]


def lab(learned: dict[tuple[str, float | None, bool], tuple[float, float]] | None = None, **more: Any) -> LabResult:
    """A lab by hand: accuracy at both lags by start, 1 where nothing is said; shares are 10^-lag, of an LSTM 1."""
    shape = (len(STARTS), 2, 3)
    accuracy = np.full((*shape, 3), 0.25)
    accuracy[..., 2] = 1.0
    for start, values in (learned or {}).items():
        accuracy[STARTS.index(start), :, :, 2] = np.array(values)[:, None]
    grad_norm = np.full((*shape, 2, 22), np.nan)
    for row, (family, *_) in enumerate(STARTS):
        for place, lag in enumerate(SPEC.lags):
            first = 1.0 if family == "lstm" else 10.0**-lag
            grad_norm[row, place, :, :, : lag + 1] = np.geomspace(2.0, 2.0 * first, lag + 1)
    given = {
        "spec": SPEC, "steps": np.array([0, 50, 100]), "accuracy": accuracy, "loss": 1.5 - accuracy,
        "grad_norm": grad_norm, "diverged": np.full(shape, -1), "chance": 0.25, "n_test": 8, "n_probed": 4,
    }  # fmt: skip
    return LabResult(**{**given, **more})


RNN, GRU, LSTM = ("rnn", None, False), ("gru", 3.0, False), ("lstm", 3.0, False)


def test_every_start_is_there_once_and_families_are_compared_at_the_largest_bias() -> None:
    assert STARTS == [
        RNN, ("rnn", None, True),
        ("gru", 0.0, False), GRU, ("gru", 3.0, True),
        ("lstm", 0.0, False), LSTM, ("lstm", 3.0, True),
    ]  # fmt: skip
    assert SPEC.n_networks == 8 * 2 * 3


@pytest.mark.parametrize(
    ("accuracies", "expected"), [((1.0, 1.0), 20), ((0.9, 0.89), 5), ((0.89, 1.0), None), ((0.25, 0.25), None)]
)
def test_a_lag_is_learned_if_all_up_to_it_are(accuracies: tuple[float, float], expected: int | None) -> None:
    assert lab({LSTM: accuracies}).learned_lag(STARTS.index(LSTM)) == expected


def test_a_lag_is_learned_if_most_seeds_learn_it_and_one_that_diverged_did_not() -> None:
    row = STARTS.index(GRU)
    found = lab()
    found.accuracy[row, 1, 0, 2] = 0.3
    assert found.learned_lag(row) == 20
    found.accuracy[row, 1, 1, 2], found.diverged[row, 1, 1] = np.nan, 70
    assert found.learned_lag(row) == 5


def test_the_share_is_the_gradient_at_the_first_step_over_that_at_the_last() -> None:
    found = lab()
    np.testing.assert_allclose(found.grad_share[STARTS.index(RNN), :, 0, 0], [1e-5, 1e-20])
    np.testing.assert_allclose(found.grad_start[STARTS.index(RNN), :, 0, 0], [2e-5, 2e-20])
    np.testing.assert_allclose(found.grad_share[STARTS.index(LSTM)], 1.0)


def test_a_gradient_that_was_not_measured_has_no_share() -> None:
    found = lab()
    found.grad_norm[0, 0, 0, 1] = np.nan
    found.grad_norm[0, 1, 0, 1, :21] = 0.0  # nothing sets out, so nothing can arrive
    assert np.isnan(found.grad_share[0, :, 0, 1]).all()
    assert np.isfinite(found.grad_share[0, :, 0, 0]).all()


def test_a_lab_that_is_not_finished_is_told_up_to_the_last_common_measurement() -> None:
    found = lab()
    found.accuracy[3:, ..., 2] = np.nan
    assert found.n_checks_done == 2
    assert not found.is_finished
    assert (found.final_accuracy == 0.25).all()
    assert finding_of(found)[0].startswith("So far, after 50 of 100 steps, the task is learned")
    found.accuracy[...] = np.nan
    assert finding_of(found) == ("Nothing has been measured yet.",)


def test_the_finding_says_who_learned_over_which_lag_and_what_the_start_changed() -> None:
    learned = {RNN: (1.0, 0.3), ("rnn", None, True): (1.0, 1.0), ("gru", 0.0, False): (0.3, 0.3),
               ("lstm", 0.0, False): (1.0, 0.2)}  # fmt: skip
    assert finding_of(lab(learned)) == (
        "After 100 steps the task is learned (90 % right in the median of 3 seeds) by the RNN up to a lag of 5, by the "
        "GRU (update bias 3) up to a lag of 20 and by the LSTM (forget bias 3) up to a lag of 20; the longest lag is "
        "20.",
        "At a lag of 20 the RNN fails, where the GRU and the LSTM hold.",
        "The gate that keeps: the GRU reaches no lag and 20 with update bias 0 and 3; the LSTM reaches 5 and 20 with "
        "forget bias 0 and 3.",
        "Orthogonal recurrent weights take the RNN from 5 to 20 and leave the GRU at 20 and the LSTM at 20.",
        "Of the gradient at the last step, this share reached the first one before learning, at a lag of 20: 1.0e−20 "
        "for the RNN, 1.0e−20 for the GRU and 1.0 for the LSTM.",
        "Of the 30 networks in which less than a thousandth reached it, 21 learned; of the other 18, 15.",
    )


def test_the_finding_does_not_claim_a_winner_where_all_do_alike() -> None:
    said = " ".join(finding_of(lab()))
    assert "fail" not in said
    assert "Orthogonal recurrent weights leave the RNN at 20, the GRU at 20 and the LSTM at 20." in said
    assert "the GRU reaches 20 with every update bias" in said


def test_the_finding_leaves_out_what_was_not_tried() -> None:
    spec = api.LabSpec(families=("rnn",), lags=(2,), orthogonal=False, steps=4, n_seeds=1, n_units=4)
    said = finding_of(api.run_lab(spec))
    assert len(said) == 2
    assert "median" not in said[0]


def test_the_table_has_a_row_for_each_network_and_measurement() -> None:
    found = lab()
    frame = found.to_frame()
    assert len(frame) == 8 * 2 * 3 * 3
    row = frame[(frame.family == "rnn") & ~frame.orthogonal & (frame.lag == 20) & (frame.seed == 1)]
    assert row.step.tolist() == [0, 50, 100]
    assert row.accuracy.tolist() == [0.25, 0.25, 1.0]
    np.testing.assert_allclose(row.grad_start, [2e-20, np.nan, 2e-20])
    np.testing.assert_allclose(row.grad_end, [2.0, np.nan, 2.0])
    assert frame[frame.family == "rnn"].gate_bias.isna().all()
    assert frame[frame.family == "lstm"].gate_bias.unique().tolist() == [0.0, 3.0]


def test_what_is_saved_holds_all_and_the_settings_to_repeat_it(tmp_path: Path) -> None:
    found = lab()
    with np.load(found.save(tmp_path / "lab.npz")) as arrays:
        assert api.LabSpec.from_json(str(arrays["spec"])) == SPEC
        assert arrays["families"].tolist() == [family for family, *_ in STARTS]
        assert json.loads(str(arrays["spec"]))["lags"] == [5, 20] == arrays["lags"].tolist()
        np.testing.assert_array_equal(arrays["grad_norm"], found.grad_norm)
    assert len(pd.read_csv(found.save(tmp_path / "lab.csv"))) == 8 * 2 * 3 * 3


@pytest.mark.parametrize("name", ["accuracy", "loss", "grad_norm", "diverged"])
def test_an_array_of_the_wrong_shape_is_never_handed_out(name: str) -> None:
    found = lab()
    with pytest.raises(AssertionError, match=name):
        dataclasses.replace(found, **{name: getattr(found, name)[1:]})
