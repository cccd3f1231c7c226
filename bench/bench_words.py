"""Scores of words: what integrated gradients cost beside captum, how far they add up, and a trust card's time."""

from __future__ import annotations

import math
import statistics
import time
from concurrent.futures import ThreadPoolExecutor
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

SLOW = "7,000 attributions take ten minutes"
N_TEXTS, N_EXACT, N_TIMED, N_CARDS = 300, 60, 12, 5
N_REPEATS, N_THREADS, N_EACH = 200, 8, 100
SAMPLING = ("shapley_sampling", "kernel_shap", "lime", "gradient_shap", "smooth_grad")
BASELINES = ("pad", "mask", "unk", "zero", "mean")
FAMILIES = ("rnn", "gru", "lstm", "bilstm")
COMPLETE = f"integrated gradients at 1 %, largest gap over {N_TEXTS} texts x {len(FAMILIES)} families x all baselines"
EXACT = f"the same at 0.01 %, {N_EXACT} texts"
EQUAL = "integrated gradients over one batched forward and backward of as many points, 30 words, BERT"
ERRORS = f"stated standard errors of sampling methods against {N_REPEATS} repeats, LSTM"
SAMPLED = "Shapley values by sampling against exact ones, 8 words, LSTM, in standard errors"
THREADS = f"answers of {N_THREADS} threads x {N_EACH} attributions, two networks, that differ from one thread's"
FASTER = "integrated gradients to a 1 % gap over captum's 50 steps, {}"
CARD = "quick trust card of integrated gradients, 30 words, {}"
_SHORT = "it is not a good film but the acting was great"
CARD_BARS = {"lstm": 0.5, "bert": 4.0}


def measure() -> list[Row]:
    """On the starters of the store; not measured where they are not ready."""
    ready = _homes.ready_starters()
    if len(ready) < 5:
        note = "the starters are not ready; train them: python -m explorer_core train --starter"
        quantities = [(COMPLETE, 0.01), *((FASTER.format(name), 0.6) for name in CARD_BARS)]
        quantities += [(CARD.format(name), bar) for name, bar in CARD_BARS.items()]
        quantities += [(EXACT, 1e-4), (EQUAL, 1.15), (ERRORS, 0.2), (SAMPLED, 4.0), (THREADS, 0.0)]
        return [Row(quantity, bar, math.nan, "", note=note) for quantity, bar in quantities]
    data = api.read_data(DataSpec("starter"))
    texts = [data.texts[row] for row in data.rows("test")[:N_TEXTS]]
    models = {name: api.load_model(f"starter-{name}") for name in (*FAMILIES, "bert")}
    return [
        *(_faster(models[name], name, texts[:N_TIMED]) for name in CARD_BARS),
        *(_card(models[name], name, bar) for name, bar in CARD_BARS.items()),
        _equal(models["bert"]),
        _errors(models["lstm"]),
        _sampled(models["lstm"]),
        _threads(models["lstm"], models["gru"], texts),
        _complete(models, texts, COMPLETE, 0.01),
        _complete(models, texts[:: N_TEXTS // N_EXACT], EXACT, 1e-4),
    ]


def _complete(models: dict[str, Any], texts: list[str], quantity: str, tolerance: float) -> Row:
    worst, worst_told, n_flat, n_told, n_all, n_points = 0.0, 0.0, 0, 0, 0, []
    for name in FAMILIES:
        for text in texts:
            for baseline in BASELINES:
                found = api.attribute(models[name], text, baseline=baseline, tolerance=tolerance, max_points=1_024)
                n_all += 1
                n_points.append(found.n_passes)
                if abs(found.move or 0.0) < SMALL_MOVE:
                    n_flat += 1
                    continue
                move = _logit(models[name], found, None) - _logit(models[name], found, baseline)
                gap = abs(found.total - move) / abs(move)
                if any("jumps on the way" in note or "The scores miss" in note for note in found.notes):
                    n_told, worst_told = n_told + 1, max(worst_told, gap)
                else:
                    worst = max(worst, gap)
    note = (
        f"of {n_all:,}; left out: {n_flat:,} with a move below {SMALL_MOVE} logits, and {n_told:,} that say that they "
    )
    note += f"miss it (by up to {worst_told:.3g}: the logit jumps on the way); "
    return Row(quantity, tolerance, worst, "", note=note + f"median {statistics.median(n_points):.0f} passes")


@torch.no_grad()
def _logit(model: Any, found: Any, baseline: str | None) -> float:
    """The logit of the target over the text, or over its baseline, by a forward pass of our own."""
    table = model.module.get_input_embeddings()
    ids = torch.from_numpy(found.reading.token_ids)[None]
    vectors = table(ids)
    if baseline is not None:
        others = {"zero": torch.zeros_like(table.weight[0]), "mean": table.weight.double().mean(0).to(vectors)}
        if baseline in others:
            other = others[baseline]
        else:
            other = table.weight[getattr(model.tokenizer, f"{baseline}_token_id")]
        is_word = torch.from_numpy(found.reading.word_of_token >= 0)[None, :, None]
        vectors = torch.where(is_word, other, vectors)
    mask = torch.ones_like(ids)
    return float(model.module(inputs_embeds=vectors, attention_mask=mask).logits[0, found.target])


def _equal(model: Any) -> Row:
    text = _texts(30, 1)[0]
    found = api.attribute(model, text)
    n_points = next(int(note.split()[0]) for note in found.notes if note.endswith(" points."))
    ids = torch.from_numpy(found.reading.token_ids)[None]
    vectors = model.module.get_input_embeddings()(ids).detach().expand(n_points, -1, -1)
    mask = torch.ones(vectors.shape[:2], dtype=torch.long)

    def plain() -> None:
        given = vectors.clone().requires_grad_()
        logits = model.module(inputs_embeds=given, attention_mask=mask).logits
        torch.autograd.grad(logits[:, found.target].sum(), given)

    ours_s, theirs_s = compare(lambda: api.attribute(model, text), plain, 5)
    middle, of = statistics.median(ours_s), statistics.median(theirs_s)
    note = (
        f"{n_points} points, {middle * 1e3:.3g} ms over {of * 1e3:.3g} ms; fastest runs {ours_s[0] / theirs_s[0]:.3g}x"
    )
    return Row(EQUAL, 1.15, middle / of, note=note)


def _errors(model: Any) -> Row:
    """Root mean squares over the words: of what was stated, over the spread of the repeats."""
    ratios = {}
    for method in SAMPLING:
        runs = [api.attribute(model, _SHORT, method, 1, seed=seed) for seed in range(N_REPEATS)]
        spread = np.var([run.scores for run in runs], axis=0, ddof=1).sum()
        stated = np.mean([run.standard_error**2 for run in runs], axis=0).sum()
        ratios[method] = float(np.sqrt(stated / spread))
    note = "; ".join(f"{method} {ratio:.3g}x" for method, ratio in ratios.items())
    return Row(ERRORS, 0.2, max(abs(ratio - 1) for ratio in ratios.values()), "", note=note)


def _sampled(model: Any) -> Row:
    """Exact Shapley values from all 256 sets of words."""
    text = "it is not a good film at all"
    found = api.attribute(model, text, "shapley_sampling", 1, removal="unk", n_samples=500)
    n_words = len(found.words)
    sets = (np.arange(2**n_words)[:, None] >> np.arange(n_words)) & 1  # [set, word]
    ids, owner = torch.from_numpy(found.reading.token_ids), torch.from_numpy(found.reading.word_of_token)
    there = torch.from_numpy(sets).bool()[:, owner.clamp(min=0)] | (owner < 0)
    read = torch.where(there, ids, model.tokenizer.unk_token_id)
    with torch.no_grad():
        worth = model.module(input_ids=read, attention_mask=torch.ones_like(read)).logits[:, 1].double().numpy()
    exact = np.zeros(n_words)
    for word in range(n_words):
        without = np.flatnonzero(sets[:, word] == 0)
        size = sets[without].sum(1)
        weight = np.array([math.factorial(k) * math.factorial(n_words - k - 1) for k in size]) / math.factorial(n_words)
        exact[word] = (weight * (worth[without + 2**word] - worth[without])).sum()
    away = np.abs(found.scores - exact) / found.standard_error
    largest = np.abs(found.scores - exact).max()
    note = f"largest of {n_words} words, five rounds of 100 orders; largest difference {largest:.2g} logits"
    return Row(SAMPLED, 4.0, float(away.max()), "", note=note)


def _threads(one: Any, other: Any, texts: list[str]) -> Row:
    methods = ("integrated_gradients", "leave_one_out", "gradient_norm", "smooth_grad")
    jobs = [(model, method, texts[at % 25]) for at in range(N_EACH) for model in (one, other) for method in methods]
    jobs = jobs[:N_EACH]

    def run(turn: int) -> list[np.ndarray]:
        turned = [jobs[(at + turn) % N_EACH] for at in range(N_EACH)]
        return [api.attribute(model, text, method).scores for model, method, text in turned]

    alone = run(0)
    with ThreadPoolExecutor(N_THREADS) as pool:
        together = list(pool.map(run, range(N_THREADS)))
    n_different = sum(
        not np.array_equal(scores, alone[(at + turn) % N_EACH])
        for turn, found in enumerate(together)
        for at, scores in enumerate(found)
    )
    return Row(THREADS, 0.0, float(n_different), "", note=f"of {N_THREADS * N_EACH}; {', '.join(methods)}")


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
