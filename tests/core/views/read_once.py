"""One tiny network over one text, and what the front desk makes of both: what the pictures are drawn from."""

from __future__ import annotations

import dataclasses
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from explorer_core import api
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.results import Checkpoint, GradientHistory, PairHistory, softmax
from explorer_core.views.running_verdict import VerdictLine
from tests.conftest import build_tiny
from tests.core.comparing import compared


class Read:
    """One tiny network over one text, and what the front desk makes of both."""

    def __init__(self, family: str, text: str) -> None:
        self.model = build_tiny(family, max_tokens=1024)
        self.text = text
        self.unit = {"layer": 1, "direction": int(family == "bilstm"), "unit": 5}

    @cached_property
    def trace(self) -> Any:
        return api.trace_states(self.model, self.text)

    @cached_property
    def ledger(self) -> Any:
        return api.lstm_ledger(self.model, self.text)

    @cached_property
    def memory(self) -> Any:
        return api.trace_memory(self.model, self.text)

    @cached_property
    def gradients(self) -> Any:
        return api.trace_gradients(self.model, self.text)

    @cached_property
    def jacobians(self) -> Any:
        return api.trace_jacobians(self.model, self.text, layer=1)

    @cached_property
    def untrained(self) -> Any:
        return api.trace_untrained_jacobians(self.model, self.text, layer=1, target=self.jacobians.target)

    @cached_property
    def scores(self) -> Any:
        methods = {"gradient_norm": {}, "leave_one_out": {}, "gradient_shap": {"n_samples": 5}}
        return [api.attribute(self.model, self.text, method, 1, **knobs) for method, knobs in methods.items()]

    @cached_property
    def complete(self) -> Any:
        return api.attribute(self.model, self.text, "integrated_gradients", 1, max_points=8)

    @cached_property
    def human(self) -> Any:
        texts, spans = (self.text, "the film was good", "never dull"), (((0, 1),), ((13, 17),), ((0, 5),))
        labels, split = np.array([0, 1, 0]), np.full(3, "test")
        data = LabelledTexts(texts, labels, (self.text, "other"), split, self.text, "Some.", spans=spans)
        return api.measure_human_agreement(self.model, data, methods=["gradient_norm", "leave_one_out"])

    @cached_property
    def agreement(self) -> Any:
        methods = ["gradient_norm", "input_x_gradient", "leave_one_out"]
        return api.map_agreement(self.model, (self.text, "the film was good", "a dull plot"), methods=methods)

    @cached_property
    def summary(self) -> Any:
        return api.summarise_attention(self.trace)

    @cached_property
    def index(self) -> Any:
        texts = (self.text, "the film was good , but the food was bad", f"never {self.text}") * 5
        split = np.full(len(texts), "train")
        labels = np.arange(len(texts)) % 3
        data = LabelledTexts(texts, labels, (self.text, "other", "\u202e<b>third"), split, "some", "Some texts.")
        return api.index_states(self.model, data)

    @cached_property
    def pattern(self) -> Any:
        return api.find_pattern(self.index, self.trace, (0, 0), 0.05)

    @cached_property
    def epochs(self) -> Any:
        models = (self.model, build_tiny(self.model.architecture, max_tokens=1024, seed=1))
        moments = (Checkpoint(step, step / 2, Path()) for step in (1, 2))
        is_short = len(self.text) < 300
        return api.trace_checkpoints(dict(zip(moments, models, strict=True)), self.text, with_connectivity=is_short)

    @property
    def pairs(self) -> PairHistory:
        """As of data whose phenomenon is the text itself."""
        n_right, shape = np.array([[3, 1], [5, 4]]), (2, 2)
        return PairHistory(
            "tiny", "some data", ("a", "b"), np.array([1, 2]), np.array([0.5, 1.0]), ("all", self.text),
            np.array([9, 5]), n_right, np.full(shape, 0.1), np.full(shape, 0.9),
        )  # fmt: skip

    @property
    def recorded(self) -> GradientHistory:
        """A run that was clipped, exploded and broke."""
        rng = np.random.default_rng(0)
        norms = 10.0 ** -rng.uniform(0, 9, (5, 2, 1 + (self.model.architecture == "bilstm"), 12))
        norms[-1, 0, 0, 3], norms[-2] = np.nan, 0.0
        train_norm = rng.uniform(0.5, 1.5, 64)
        train_norm[40], train_norm[63] = 50.0, np.nan
        return GradientHistory(
            self.text, self.model.architecture, 100, "validation", 12, np.array([0, 4, 16, 36, 64]), np.arange(5.0),
            np.ones(5), norms, ("head", self.text), np.abs(rng.normal(size=(5, 2))), np.arange(1, 65), train_norm, 1.0,
        )  # fmt: skip

    @property
    def values(self) -> np.ndarray:
        """The top layer's forward hidden states, shape [word, unit]."""
        top = self.trace.hidden[-1]
        return (top if top.ndim == 2 else top[0])[self.trace.reading.last_token_of_word]

    @cached_property
    def judged(self) -> Any:
        """Labels and names of networks are the text itself."""
        models = [self.model, build_tiny(self.model.architecture, max_tokens=1024, seed=1)]
        models[1] = dataclasses.replace(models[1], name=self.text)
        rows = (f"{label}\t{' '.join(self.text.split())} {number}" for number, label in enumerate(("neg", "pos") * 12))
        found = api.judge(models, api.read_texts(pasted="\n".join(rows)), n_resamples=20, is_kept=False)
        return dataclasses.replace(found, labels=(self.text, "other"))

    @cached_property
    def map_of_texts(self) -> Any:
        return api.project_texts(api.states_of_texts(self.model, [*self.judged.table.texts[:6], "good"]))

    @cached_property
    def word_reports(self) -> Any:
        """Of two networks over the same texts; the class is the text itself."""
        table = self.judged.table
        models = [build_tiny(self.model.architecture, labels=("other", self.text), seed=seed) for seed in (0, 1)]
        return [api.report_words(model, table, {}, n_texts=4).by_word for model in models]

    @cached_property
    def change(self) -> Any:
        return compared.change_of(self.model, self.text)

    @cached_property
    def named(self) -> list[Any]:
        """Two networks, the second and the first class named as the text."""
        models = [build_tiny(self.model.architecture, max_tokens=1024, seed=seed) for seed in (0, 1)]
        labels = (self.text, "other")
        return [dataclasses.replace(one, labels=labels, name=name)
                for one, name in zip(models, ("a", self.text), strict=True)]  # fmt: skip

    @cached_property
    def modifiers(self) -> Any:
        """Of one phenomenon that is the text itself."""
        line = " ".join(self.text.split())
        table = api.read_texts(pasted=f"neg\t{line} good\npos\tnot {line} good")
        columns = {"pair": ("p", "p"), "kind": (self.text, self.text)}
        pairs = api.find_pairs(dataclasses.replace(table, columns=columns), ids="pair")
        return api.measure_modifiers(self.named, pairs, "kind", mapping={"neg": self.text, "pos": "other"})

    @cached_property
    def reasons(self) -> Any:
        """A judgement and the reasons over it; texts and the first class hold the text itself."""
        line = " ".join(self.text.split())
        rows = "\n".join(f"{label}\t{line} was {word}" for label, word in (("neg", "bad"), ("pos", "good")) * 3)
        table, mapping = api.read_texts(pasted=rows), {"neg": self.text, "pos": "other"}
        judged = api.judge(self.named, table, mapping, n_resamples=20, is_kept=False)
        return judged, api.compare_reasons(self.named, judged, "gradient_norm", n_texts=4)

    @cached_property
    def likeness(self) -> Any:
        texts = (self.text, "the film was good", "a dull plot", f"never {self.text}")
        return api.compare_states(self.named[0], self.named[1], texts, "words")

    @property
    def labels(self) -> dict[str, int]:
        return {self.text: 3, "other": 4}

    @property
    def lines(self) -> list[VerdictLine]:
        probs = softmax(self.trace.running_logits_by_word)
        return [VerdictLine(self.text, self.model.architecture, probs), VerdictLine("b", "bert", probs[:1])]
