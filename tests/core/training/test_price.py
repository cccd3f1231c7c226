"""Prices: rows, steps and weights exactly, the rest in the right order of magnitude."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from explorer_core.architectures import _building
from explorer_core.datasets import _labelled_texts
from explorer_core.errors import InvalidInputError
from explorer_core.training import price, run, starters, store
from explorer_core.training.spec import TrainingSpec

Make = Callable[..., TrainingSpec]


def test_rows_and_steps_are_those_of_the_run(tiny_spec: Make) -> None:
    spec = tiny_spec("mine", batch_size=7, epochs=3)
    estimate = price.estimate(spec)
    run.train(spec)
    data = _labelled_texts.read(spec.data)
    assert estimate.n_rows == len(data.rows("train"))
    assert estimate.n_steps == store.read_status("mine").n_steps
    assert f"{estimate.n_rows:,} training rows" in estimate.sentence


@pytest.mark.parametrize(
    "changes",
    [{"family": "rnn"}, {"family": "gru", "num_layers": 2}, {"family": "lstm"}, {"family": "bilstm", "num_layers": 3}],
    ids=str,
)
def test_weights_are_counted_as_the_network_has_them(tiny_spec: Make, changes: dict[str, object]) -> None:
    check_count(tiny_spec("mine", **changes), slack=5)  # words and marks of the vocabulary


@pytest.mark.parametrize("changes", [{"family": "lstm"}, {"family": "bert"}], ids=str)
def test_weights_are_counted_with_pretrained_vectors_too(
    tiny_spec: Make, changes: dict[str, object], pretrained: Path
) -> None:
    check_count(tiny_spec("mine", vocabulary="wordpiece", embeddings="frozen", **changes), slack=0)


def check_count(spec: TrainingSpec, slack: int) -> None:
    data = _labelled_texts.read(spec.data)
    module, _ = _building.build(spec, data.label_names, [data.texts[row] for row in data.rows("train")])
    weights = list(module.parameters())
    texts = price._measure("local_file", json.dumps(dict(spec.data.options)), False, (0.0, 0))
    sizes = price._count_weights(spec, texts)
    rows_off = slack * spec.embedding_size
    assert abs(sizes.all - sum(weight.numel() for weight in weights)) <= rows_off
    assert abs(sizes.trainable - sum(weight.numel() for weight in weights if weight.requires_grad)) <= rows_off


def test_more_of_anything_costs_more() -> None:
    base = price.estimate(TrainingSpec("a"))
    for changes in ({"epochs": 9}, {"hidden_size": 512}, {"num_layers": 4}, {"embeddings": "tuned"}):
        dearer = price.estimate(TrainingSpec("a", **changes))
        assert dearer.seconds > base.seconds
        assert dearer.disk_mib > base.disk_mib
    assert price.estimate(TrainingSpec("a", hidden_size=512)).memory_mib > base.memory_mib


def test_a_file_that_changed_is_read_again(tiny_spec: Make, tiny_csv: Path) -> None:
    before = price.estimate(tiny_spec()).n_rows
    tiny_csv.write_text(tiny_csv.read_text() + "".join(f"more text {number} good,positive\n" for number in range(50)))
    assert price.estimate(tiny_spec()).n_rows > before


def test_marked_phrases_are_rows_too() -> None:
    spec = starters.SPECS[0]
    data = _labelled_texts.read(spec.data)
    with_phrases = price.estimate(TrainingSpec("a", phrases=True)).n_rows
    assert with_phrases > price.estimate(TrainingSpec("a")).n_rows == len(data.rows("train"))


def test_data_that_cannot_be_read_have_no_price(tiny_spec: Make, tiny_csv: Path) -> None:
    tiny_csv.write_text("text,label\n")
    with pytest.raises(InvalidInputError):
        price.estimate(tiny_spec())
