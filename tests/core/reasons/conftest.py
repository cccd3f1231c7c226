"""Judgements made by hand."""

from __future__ import annotations

import pytest

from explorer_core.results import Judgement
from tests.core.judged_by_hand import make_random_judgement


@pytest.fixture
def random_judgement() -> Judgement:
    return make_random_judgement()
