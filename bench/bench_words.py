"""Scores of words: what integrated gradients cost beside captum, how far they add up, and a trust card's time."""

from __future__ import annotations

import math
import statistics
import time
from typing import Any

import numpy as np
import torch
from captum.attr import IntegratedGradients

from bench import _homes
from bench._row import Row, compare
from bench.bench_app import _texts
from explorer_core import api
from explorer_core.results.attributions import SMALL_MOVE
from explorer_core.training.spec import DataSpec

SLOW = "6,000 attributions take ten minutes and more"
N_TEXTS, N_TIMED, N_CARDS = 300, 12, 5
BASELINES = ("pad", "mask", "unk", "zero", "mean")
FAMILIES = ("rnn", "gru", "lstm", "bilstm")
COMPLETE = f"integrated gradients at 1 %, largest gap over {N_TEXTS} texts x {len(FAMILIES)} families x all baselines"
FASTER = "integrated gradients to a 1 % gap over captum's 50 steps, {}"
CARD = "quick trust card of integrated gradients, 30 words, {}"
CARD_BARS = {"lstm": 0.5, "bert": 4.0}


def measure() -> list[Row]:
    """On the starters of the store; not measured where they are not ready."""
    ready = _homes.ready_starters()
    if len(ready) < 5:
        note = "the starters are not ready; train them: python -m explorer_core train --starter"
        quantities = [(COMPLETE, 0.01), *((FASTER.format(name), 0.6) for name in CARD_BARS)]
        quantities += [(CARD.format(name), bar) for name, bar in CARD_BARS.items()]
        return [Row(quantity, bar, math.nan, "", note=note) for quantity, bar in quantities]
    data = api.read_data(DataSpec("starter"))
    texts = [data.texts[row] for row in data.rows("test")[:N_TEXTS]]
    models = {name: api.load_model(f"starter-{name}") for name in (*FAMILIES, "bert")}
    return [
        *(_faster(models[name], name, texts[:N_TIMED]) for name in CARD_BARS),
        *(_card(models[name], name, bar) for name, bar in CARD_BARS.items()),
        _complete(models, texts),
    ]


def _complete(models: dict[str, Any], texts: list[str]) -> Row:
    worst, n_flat, n_all, n_points = 0.0, 0, 0, []
    for name in FAMILIES:
        for text in texts:
            for baseline in BASELINES:
                found = api.attribute(models[name], text, baseline=baseline, max_points=1_024)
                n_all += 1
                n_points.append(found.n_passes)
                if abs(found.move or 0.0) < SMALL_MOVE:
                    n_flat += 1
                else:
                    worst = max(worst, found.relative_gap or 0.0)
    note = f"{n_all:,} attributions, {n_flat:,} with a move below {SMALL_MOVE} logits left out; median "
    return Row(COMPLETE, 0.01, worst, "", note=note + f"{statistics.median(n_points):.0f} passes")


def _faster(model: Any, name: str, texts: list[str]) -> Row:
    def ours() -> None:
        for text in texts:
            api.attribute(model, text, baseline="pad")

    def captums() -> None:
        for text in texts:
            _captum(model, text)

    ours_s, theirs_s = compare(ours, captums, 5)
    middle, of = statistics.median(ours_s), statistics.median(theirs_s)
    note = f"{middle / len(texts) * 1e3:.3g} ms over {of / len(texts) * 1e3:.3g} ms a text; fastest runs "
    return Row(FASTER.format(name), 0.6, middle / of, note=note + f"{ours_s[0] / theirs_s[0]:.3g}x")


def _captum(model: Any, text: str) -> torch.Tensor:
    """Captum's integrated gradients as it comes, over the network's own forward pass."""
    found = model.tokenizer(text, return_tensors="pt")
    vectors = model.module.get_input_embeddings()(found["input_ids"]).detach()
    baseline = model.module.get_input_embeddings().weight[model.tokenizer.pad_token_id].expand_as(vectors)

    def forward(some: torch.Tensor) -> torch.Tensor:
        mask = torch.ones(some.shape[:2], dtype=torch.long)
        return model.module(inputs_embeds=some, attention_mask=mask).logits

    return IntegratedGradients(forward).attribute(vectors, baseline, target=int(forward(vectors).argmax()))


def _card(model: Any, name: str, bar: float) -> Row:
    found_s = []
    for text in _texts(30, N_CARDS + 1):
        attribution = api.attribute(model, text)
        began_s = time.perf_counter()
        api.assess(model, text, attribution)
        found_s.append(time.perf_counter() - began_s)
    middle = float(np.median(found_s[1:]))
    return Row(CARD.format(name), bar, middle, "s", note=f"fastest {min(found_s):.2f} s of {N_CARDS}")
