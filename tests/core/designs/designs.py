"""Tiny designs, so that a whole one is trained in a few seconds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from explorer_core import api
from explorer_core.designs.spec import DesignSpec, Network
from explorer_core.results import LearningLine
from explorer_core.training.spec import DataSpec

SMALL: dict[str, Any] = {"hidden_size": 4, "embeddings": "scratch", "embedding_size": 4}
NETWORKS = (Network("rnn", **SMALL), Network("lstm", **SMALL))


def tiny_design(data: Path | None, name: str = "both", **changes: Any) -> DesignSpec:
    """A design of two tiny networks over a file, or over the starter corpus."""
    source = DataSpec() if data is None else DataSpec("local_file", {"path": str(data)})
    fields: dict[str, Any] = {
        "networks": NETWORKS, "data": source, "vocabulary": "words", "epochs": 2, "batch_size": 8, "device": "cpu",
    }  # fmt: skip
    return api.DesignSpec(name=name, **(fields | changes))


def made_lines(name: str) -> list[LearningLine]:
    """Three runs of two networks of one family, one of them before its first epoch."""
    step = np.array([4, 8])
    return [
        LearningLine(name, "lstm", 0, 3, step, np.array([0.7, 0.5]), np.array([0.4, 0.8])),
        LearningLine("other", "lstm", 1, None, step, np.array([0.6, 0.55]), np.array([0.5, 0.7])),
        LearningLine("new", "rnn", 2, None, step[:0], np.zeros(0), np.zeros(0)),
    ]
