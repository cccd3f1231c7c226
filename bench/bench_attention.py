"""What attention costs: bytes to the browser, the summary of all heads, and a head switched in Chromium."""

from __future__ import annotations

import json
import math
import statistics
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import numpy as np

from bench import _homes, bench_app
from bench._row import Row
from bench.bench_tracing import build_model, text_of
from explorer_core import api
from explorer_core.architectures import _checking
from explorer_core.results import AttentionSummary, TransformerTrace
from explorer_core.training import store

N_TOKENS = 100
N_ROUNDS = 7
N_SWITCHES = 12
START_LIMIT_S = 240  # a cold server reads every beginning of the text before it draws
SHOWN = f"head clicked to head enlarged from the grid's bytes, {N_TOKENS} tokens, Chromium"
EXACT = f"head clicked to its exact weights there, {N_TOKENS} tokens, Chromium"
_SWITCH = """async (place) => {
  const deep = (wanted, root = document) => {
    for (const each of root.querySelectorAll("*")) {
      if (each.matches(wanted)) return each
      const found = each.shadowRoot && deep(wanted, each.shadowRoot)
      if (found) return found
    }
    return null
  }
  const title = () => deep(".one .title")?.textContent
  const over = deep(".grid canvas.over")
  const before = title(), box = over.getBoundingClientRect()
  const [left, top] = [52, 36]  // labels of the grid
  const x = box.left + left + ((box.width - left - 4) * (place[1] + 0.5)) / 12
  const y = box.top + top + ((box.height - top - 4) * (place[0] + 0.5)) / 6
  const began = performance.now()
  over.dispatchEvent(new MouseEvent("click", { clientX: x, clientY: y, bubbles: true }))
  const until = async (holds) => {
    while (!holds() && performance.now() - began < 30000) await new Promise(requestAnimationFrame)
    await new Promise(requestAnimationFrame)
    return performance.now() - began
  }
  const shown = await until(() => title() !== before)
  return [shown, await until(() => deep(".one").dataset.rough === "false")]
}"""


def measure() -> list[Row]:
    """Bytes for 100 tokens of 72 heads, milliseconds of a summary, and of a click on a head."""
    model = build_model("bert")
    short = _trace(model, N_TOKENS)
    return [_bytes(short), *(_summary_ms(trace) for trace in (short, _trace(model, 512))), *_switch(model)]


def _trace(model: Any, n_tokens: int) -> TransformerTrace:
    trace = api.trace_states(model, text_of(model.tokenizer, n_tokens), running=False)
    assert isinstance(trace, TransformerTrace)
    return trace


def _bytes(trace: TransformerTrace) -> Row:
    from pages._ui import heads

    summary, words = api.summarise_attention(trace), trace.words
    n_layers, n_heads, n_pos, _ = trace.attn_pattern.shape
    notes = ["entropy 3.21 bits, 0.123 on the word itself"] * (n_layers * n_heads)
    grid = heads.pack_grid(heads.thumbnails(trace.attn_pattern), words, notes=notes, n_entries=n_pos, group="states")
    one = heads.pack_matrix(
        heads.Matrix("Layer 1, head 1", trace.attn_pattern[0, 0], "share", "looks", "is looked at", "{}"),
        heads.Entries(trace.tokens, trace.word_of_token), words, group="states", selected_word=0, head=(0, 0),
    )  # fmt: skip
    by_words = len(heads.thumbnails(summary.word_pattern).tobytes())
    note = (
        f"grid {len(grid) / 1e6:.3f} MB, one head exactly {len(one) / 1e6:.3f} MB; by words the grid is "
        f"{by_words / 1e6:.3f} MB"
    )
    quantity = f"attention of {n_pos} tokens, {n_layers * n_heads} heads, to the browser"
    return Row(quantity, 1.5, (len(grid) + len(one)) / 1e6, "MB", note=note)


def _summary_ms(trace: TransformerTrace) -> Row:
    def call() -> AttentionSummary:
        return api.summarise_attention(trace)

    times_s = _times_s(call)
    n_layers, n_heads, n_pos, _ = trace.attn_pattern.shape
    return Row(
        f"every head summarised by words, with rollout, {n_pos} tokens, {n_layers * n_heads} heads",
        None,
        statistics.median(times_s) * 1e3,
        "ms",
        note=f"fastest {min(times_s) * 1e3:.3g} ms of {N_ROUNDS}; {len(trace.words)} words",
    )


def _times_s(call: Callable[[], Any]) -> list[float]:
    call()
    times_s = []
    for _ in range(N_ROUNDS):
        began_s = time.perf_counter()
        call()
        times_s.append(time.perf_counter() - began_s)
    return times_s


def _switch(model: Any) -> list[Row]:
    """Milliseconds from a click on a head in the grid to that head enlarged, and to its exact weights."""
    reason = bench_app._missing()
    if reason:
        return [Row(SHOWN, 50, math.nan, "ms", note=reason), Row(EXACT, 200, math.nan, "ms", note=reason)]
    with _homes.thrown_away() as home, bench_app._chromium() as browser, bench_app._server(home) as server:
        _save(model, home / "bert")
        address = {"models": "bert", "view": "Attention", "head": "1.1", "text": text_of(model.tokenizer, N_TOKENS)}
        with bench_app._tab(browser, server) as tab:
            tab.page.goto(f"{server.url}/states?{urlencode(address)}")
            tab.page.locator(".one canvas.over").wait_for(timeout=START_LIMIT_S * 1e3)
            bench_app._until_quiet(tab)
            rng = np.random.default_rng(0)
            places = rng.permutation(np.stack(np.indices((6, 12)), -1).reshape(-1, 2)[1:])[: N_SWITCHES + 2]
            found = [tab.page.evaluate(_SWITCH, place.tolist()) for place in places][2:]
    rows = []
    for quantity, bar, times in zip((SHOWN, EXACT), (50, 200), zip(*found, strict=True), strict=True):
        note = f"fastest {min(times):.0f} ms, slowest {max(times):.0f} ms of {len(times)} clicks"
        rows.append(Row(quantity, bar, statistics.median(times), "ms", note=note))
    return rows


def _save(model: Any, folder: Any) -> None:
    model.module.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    card = store.make_card(
        folder.name, architecture="bert", labels=model.labels, trained_on="nothing: a fresh head", metrics={},
        n_params=sum(weight.numel() for weight in model.module.parameters()),
        fingerprint=_checking.fingerprint(folder),
    )  # fmt: skip
    (folder / "unrolled.json").write_text(json.dumps(card), encoding="utf-8")
