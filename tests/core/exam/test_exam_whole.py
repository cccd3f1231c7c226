"""A whole exam, from the corpus to the table, with a network that is really trained."""

from __future__ import annotations

import numpy as np
import pytest

from explorer_core import api
from explorer_core.errors import CancelledError
from tests.core.training.test_jobs import wait_until

SPEC = api.ExamSpec(
    families=("gru",), methods=("leave_one_out", "gradient_norm"), n_texts=12, n_train=500, epochs=6, hidden_size=32,
    max_words=12,
)  # fmt: skip


@pytest.mark.slow
def test_a_trained_network_believes_the_planted_word_and_leaving_it_out_finds_it():
    watched = []
    found = api.run_exam(SPEC, watch=watched.append)
    assert len(watched) == 1
    (network,) = found.networks
    assert network.accuracy >= 0.95
    assert network.prob_with > network.prob_without + 0.3
    assert found.problem("gru") == ""
    row = found.row("gru", "leave_one_out")
    assert row.precision > row.random_precision + 0.4
    assert row.n_texts == found.turned.sum() == len(found.counts("gru"))
    assert api.load_exam(found.name).rows == found.rows
    assert api.list_exam_jobs()[0].status.state == "done"
    np.testing.assert_array_equal(np.isnan(found.ranks[0]), np.tile(~found.turned[0], (2, 1)))


@pytest.mark.slow
def test_an_exam_in_a_process_of_its_own_can_be_cancelled():
    job = api.start_exam(SPEC)
    assert not job.status.is_over
    job.cancel()
    wait_until(lambda: job.name not in [one.name for one in api.list_exam_jobs()], 90)
    assert api.list_exams() == ()


def test_progress_rises_to_one_and_training_can_be_stopped(home):
    shares = []

    def progress(share):
        shares.append(share)
        if share > 0.05:
            raise CancelledError("Enough.")

    with pytest.raises(CancelledError):
        api.run_exam(SPEC, progress=progress)
    assert shares == sorted(shares)
    assert not list((home / ".exams").iterdir())
