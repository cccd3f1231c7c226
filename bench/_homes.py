"""Stores to measure in: the trained starters where there are any, and folders that are thrown away."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from explorer_core import settings
from explorer_core.training import store


def ready_starters() -> tuple[str, ...]:
    """Starters in the store (`UNROLLED_HOME`) that can be read, in their own order."""
    return tuple(card.name for card in store.list_cards() if card.is_starter and card.status == "done")


@contextmanager
def thrown_away() -> Iterator[Path]:
    """An empty store that everything in this process uses, gone at the end with all that lies beside it."""
    before = os.environ.get("UNROLLED_HOME")
    with tempfile.TemporaryDirectory(prefix="unrolled-bench-") as folder:
        home = Path(folder, "home")
        home.mkdir()
        os.environ["UNROLLED_HOME"] = str(home)
        try:
            yield home
        finally:
            os.environ.pop("UNROLLED_HOME")
            if before is not None:
                os.environ["UNROLLED_HOME"] = before


@contextmanager
def with_starters() -> Iterator[tuple[Path, str]]:
    """A store of copies of the ready starters, and what is in it; an untrained LSTM of the same size without one."""
    origin, names = settings.home(), ready_starters()
    with thrown_away() as home:
        for name in names:
            shutil.copytree(origin / name, home / name, ignore=shutil.ignore_patterns("checkpoints"))
        if "starter-lstm" in names:
            yield home, f"{len(names)} trained starters ready"
        else:
            save_untrained(home, "starter-lstm")
            yield home, "an untrained LSTM of the starter's size; train the starters first to measure with them"


def save_untrained(home: Path, name: str, **sizes: int) -> None:
    """Keep an untrained LSTM as a ready model; sizes are those of a `TrainingSpec`, the starter's where left out."""
    from bench.bench_tracing import build_model
    from explorer_core.architectures import _checking

    model, folder = build_model("lstm", **sizes), home / name
    shutil.rmtree(folder, ignore_errors=True)
    model.module.save_pretrained(folder)
    model.tokenizer.save_pretrained(folder)
    card = store.make_card(
        name,
        architecture="lstm",
        labels=model.labels,
        n_params=sum(weight.numel() for weight in model.module.parameters()),
        trained_on="nothing: random weights",
        metrics={},
        fingerprint=_checking.fingerprint(folder),
        is_starter=name.startswith("starter-"),
    )
    (folder / "unrolled.json").write_text(json.dumps(card), encoding="utf-8")
