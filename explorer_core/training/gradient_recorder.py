"""How far back the loss reaches, recorded at some steps of a run on texts that stay the same.

Reading them changes nothing the training knows of: no weight, no gradient, no mode, no random number. Of several
processes only the first one records.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from explorer_core import registry
from explorer_core.tracing import _probe, transformer
from explorer_core.training import _gradient_log
from explorer_core.training.recorders import group_of
from explorer_core.training.spec import TrainingSpec


class GradientRecorder(TrainerCallback):
    """Norms of the gradient of the loss by hidden state and distance, and by group of weights; see `_gradient_log`."""

    def __init__(
        self, spec: TrainingSpec, folder: Path, module: nn.Module, rows: Mapping[str, Sequence[Mapping[str, Any]]]
    ):
        self.folder, self.module = folder, module
        self.kind = registry.describe("architectures")[spec.family].extra["kind"]
        self.split = "validation" if rows["validation"] else "train"
        ids, labels = _gradient_log.choose_texts(rows[self.split], spec.seed, keeps_first=self.kind == "transformer")
        device = next(module.parameters()).device
        self.texts = _probe.ProbeTexts(
            ids=torch.from_numpy(ids).to(device),
            lengths=torch.full((len(ids),), ids.shape[1], device=device),
            labels=torch.from_numpy(labels).to(device),
            n_distances=ids.shape[1],
        )
        if self.kind == "transformer":
            transformer.recording_twin(module)  # now, while its forward pass is not yet wrapped in an autocast
        self._wanted = spec.record_gradients
        self._steps: frozenset[int] = frozenset()

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any
    ) -> None:
        """Says what is recorded, and records the network before its first step."""
        self._steps = frozenset(_gradient_log.recording_steps(state.max_steps, self._wanted))
        found = self._measure()
        start = {"shape": list(found["hidden"].shape), "n_steps": state.max_steps, "split": self.split}
        self._append("start", state, start | {"n_texts": len(self.texts.ids)})
        if state.global_step in self._steps:
            self._append("record", state, found)

    def on_step_end(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **kwargs: Any) -> None:
        """Records where it is time."""
        if state.global_step in self._steps:
            self._append("record", state, self._measure())

    def _measure(self) -> dict[str, Any]:
        began_s = time.perf_counter()
        found = _probe.measure(self.module, self.kind, self.texts, group_of)
        took_s = time.perf_counter() - began_s
        return {"loss_nats": found.loss_nats, "hidden": found.hidden, "groups": found.groups, "took_s": took_s}

    def _append(self, event: str, state: TrainerState, entries: dict[str, Any]) -> None:
        when = {"event": event, "step": state.global_step, "epoch": float(state.epoch or 0.0)}
        _gradient_log.append(self.folder, when | entries)
