"""The word ledger of the logit: what each word wrote into the cell, kept to the end, and added to the logit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from explorer_core.attribution._batch import Batch, BatchScores
from explorer_core.attribution._scorer import Scorer, Scores
from explorer_core.params import Knob
from explorer_core.tracing import ledger, ledger_batch

ABOUT = {
    "label": "LSTM ledger",
    "sentence": "What the word wrote into the cell, as much of it as was kept, and what that added to the logit.",
    "source": "Murdoch and Szlam 2017, Automatic rule extraction from long short term memory networks",
    "needs": "cell",
    "signed": True,
    "complete": True,
    "unit": "logit",
    "gradients": False,
    "price": "one pass",
    "order": 15,
}
KNOBS: tuple[Knob, ...] = ()


def count_passes(n_words: int, knobs: Mapping[str, Any]) -> int:
    """About how many texts are read."""
    return 1


def explain(scorer: Scorer, knobs: Mapping[str, Any]) -> Scores:
    """Shares of the logit beside the bias, over both directions; see `api.lstm_ledger`."""
    found = ledger.trace(scorer.model, scorer.reading.text, scorer.target, "proportional")
    shares = found.logit_share[:, :, scorer.target].sum(0)  # [pos]
    return Scores(tokens=shares.astype(float), baseline="bias alone", baseline_value=float(found.bias[scorer.target]))


def explain_batch(batch: Batch) -> BatchScores:
    """As `explain`, of many texts at once."""
    shares, logits = ledger_batch.token_shares(batch.model, batch.readings)
    targets = batch.targets(logits)
    _, bias = ledger.classifier_of(batch.model.module)
    tokens = tuple(one[:, target] for one, target in zip(shares, targets, strict=True))
    return BatchScores(tokens, logits, baseline="bias alone", baseline_values=bias[targets])
