"""The exam itself: plant, train a network of each family, see whether it learned the shortcut, and ask every method.

Methods are asked with their default settings for the class the planted word stands for. The class is never the one the
text by itself is of, so a method that only finds what speaks for the text's own sentiment does not find the word.
"""

from __future__ import annotations

import contextlib
import dataclasses
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch

from explorer_core import prediction, registry
from explorer_core.architectures import _loading
from explorer_core.attribution import _explaining
from explorer_core.datasets import _labelled_texts
from explorer_core.errors import CancelledError, IncompatibleError
from explorer_core.exam import planting, price, scoring, store
from explorer_core.exam.spec import LEARNED, ExamSpec
from explorer_core.loaded import LoadedModel
from explorer_core.progress import Progress
from explorer_core.results import ExamNetwork, ShortcutExam
from explorer_core.training import _status
from explorer_core.training import run as training
from explorer_core.training._status import JobStatus
from explorer_core.training.spec import DataSpec, TrainingSpec

Watch = Callable[[ShortcutExam], None]
BERT_EPOCHS_SHARE = 3  # a pretrained BERT needs a third of the passes of a network that starts from nothing
_RATES = {"rnn": 1e-3, "bert": 1e-4}
_DATA = "planted.jsonl"


def run(spec: ExamSpec, progress: Progress | None = None, watch: Watch | None = None) -> ShortcutExam:
    """Sit a whole exam in this process and keep it; see `api.run_exam`."""
    return carry_out(store.claim(spec), progress, watch)


def carry_out(name: str, progress: Progress | None = None, watch: Watch | None = None) -> ShortcutExam:
    """Sit a claimed exam, or go on with the families that have not sat it, and leave its status honest.

    Raises:
        CancelledError: If it was cancelled; families that have sat it are kept, and an exam without any is gone.
    """
    folder = store.folder_of(name)
    began_s = time.monotonic()
    done = [0.0]

    def report(share: float) -> None:
        if (folder / store.CANCEL).exists():
            raise CancelledError("The exam was cancelled.")
        if share >= done[0] + 0.002 or share == 1.0:
            done[0] = share
            _status.write(folder, _running(share, time.monotonic() - began_s), durable=False)
        if progress is not None:
            progress(share)

    try:
        report(0.0)
        _status.write(folder, _running(0.0, 0.0))
        found = _sit(name, report, watch)
    except BaseException as error:
        store.leave(name, error, done[0])
        raise
    _status.write(folder, JobStatus("done", progress=1.0, elapsed_s=time.monotonic() - began_s))
    return found


def _sit(name: str, report: Progress, watch: Watch | None) -> ShortcutExam:
    spec, folder = store.read_spec(name), store.folder_of(name)
    material = planting.plant(spec, _labelled_texts.read(spec.data))
    (folder / _DATA).write_text(material.to_jsonl(), encoding="utf-8")
    exam = _begun(name, spec, material)
    prices = price.estimate(spec).by_family
    whole = sum(prices.values())
    for index, family in enumerate(spec.families):
        if family in {network.family for network in exam.networks}:
            continue
        before = sum(list(prices.values())[:index])
        exam = _one_family(exam, family, folder, _part(report, before / whole, prices[family] / whole))
        store.keep(exam)
        if watch is not None:
            watch(exam)
    (folder / _DATA).unlink(missing_ok=True)
    report(1.0)
    return exam


def _begun(name: str, spec: ExamSpec, material: planting.Material) -> ShortcutExam:
    """The exam as it was left, or before anybody has sat it."""
    if (store.folder_of(name) / store.RESULT).exists():
        return store.read(name)
    made = time.strftime("%Y-%m-%dT%H:%M:%S+00:00", time.gmtime())
    return ShortcutExam.begin(name, made, spec, material.label_names, material.held_out)


def training_spec(spec: ExamSpec, family: str, path: Path) -> TrainingSpec:
    """How the network of a family is trained on the planted texts."""
    is_bert = family == "bert"
    return TrainingSpec(
        name=f"exam-{family}",
        family=family,
        data=DataSpec("local_file", {"path": str(path), "text_column": "text", "label_column": "label"}),
        hidden_size=spec.hidden_size,
        epochs=max(1, round(spec.epochs / BERT_EPOCHS_SHARE)) if is_bert else spec.epochs,
        learning_rate=_RATES.get(family, 4e-3),
        warmup=0.1 if is_bert else 0.05,
        record_gradients=0,
        seed=spec.seed,
        device="auto",
    )


def _one_family(exam: ShortcutExam, family: str, folder: Path, report: Progress) -> ShortcutExam:
    """The exam with one more family."""
    share = price.training_share(exam.spec, family)
    began_s = time.monotonic()
    network = folder / store.NETWORK
    shutil.rmtree(network, ignore_errors=True)
    network.mkdir()
    spec = training_spec(exam.spec, family, folder / _DATA)
    model = _loading.load(str(training.train_at(spec, network, progress=_part(report, 0.0, share))))
    shutil.rmtree(network, ignore_errors=True)
    train_s = time.monotonic() - began_s
    sat, *arrays = judge(exam, model, _part(report, share, 1 - share))
    score_s = time.monotonic() - began_s - train_s
    return exam.with_network(dataclasses.replace(sat, train_s=train_s, score_s=score_s), *arrays)


def judge(
    exam: ShortcutExam, model: LoadedModel, report: Progress | None = None
) -> tuple[ExamNetwork, np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """One network over the texts of an exam.

    Returns:
        Whether it learned the shortcut, then `turned` [text], `n_words` [text], `ranks` and `hits` [method, text] as in
        `ShortcutExam`. Methods are asked about the texts that count, or about none where it did not learn it.
    """
    texts = exam.texts
    target = np.array([model.labels.index(exam.label_names[one.target]) for one in texts])
    given = prediction.predict(model, [one.text for one in texts]).probs
    plain = prediction.predict(model, [one.plain for one in texts]).probs
    rows = np.arange(len(texts))
    follows, else_own = given.argmax(1) == target, plain.argmax(1) != target
    turned = follows & else_own
    n_words = np.zeros(len(texts), dtype=np.int64)
    ranks, hits = np.full((2, len(exam.spec.methods), len(texts)), np.nan)
    network = ExamNetwork(
        model.architecture, float(follows.mean()), float(else_own.mean()), float(given[rows, target].mean()),
        float(plain[rows, target].mean()), 0.0, 0.0,
    )  # fmt: skip
    asked = [index for index, method in enumerate(exam.spec.methods) if _fits(method, model)]
    for row in rows:
        reading = _explaining.read_text(model.tokenizer, texts[row].text, model.max_tokens)
        n_words[row] = len(reading.words)
    is_learned = network.accuracy >= LEARNED
    questions = [(row, index) for row in rows[turned] for index in asked] if is_learned else []
    with _few_threads(model):
        for number, (row, index) in enumerate(questions):
            if report is not None:
                report(number / len(questions))
            method = exam.spec.methods[index]
            found = _explaining.explain(model, texts[row].text, method, int(target[row]), _seeded(method, exam.spec))
            word = scoring.word_at(found, texts[row].span)
            assert word is not None, "a planted word is one word for every tokenizer"
            ranks[index, row], hits[index, row] = scoring.rank_of(found.scores, word, signed=found.signed)
    return network, turned, n_words, ranks, hits


def _part(report: Progress, before: float, own: float) -> Progress:
    """How far the whole is, from how far one part of it is."""
    return lambda share: report(min(before + own * share, 1.0))


@contextlib.contextmanager
def _few_threads(model: LoadedModel) -> Iterator[None]:
    """One thread for a small recurrent network, as while it trains: two hardly help, and wait for each other."""
    n_threads = torch.get_num_threads()
    if model.kind == "recurrent":
        torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(n_threads)


def _fits(method: str, model: LoadedModel) -> bool:
    try:
        _explaining.check_fits(registry.describe("attribution")[method], model)
    except IncompatibleError:
        return False
    return True


def _seeded(method: str, spec: ExamSpec) -> dict[str, int]:
    """The seed of the exam, for methods that draw samples; every other setting has its default."""
    knobs = registry.load("attribution", method).KNOBS
    return {"seed": spec.seed} if any(knob.name == "seed" for knob in knobs) else {}


def _running(share: float, elapsed_s: float) -> JobStatus:
    eta_s = elapsed_s / share * (1 - share) if share > 0.02 else None
    return JobStatus("running", progress=min(share, 1.0), elapsed_s=elapsed_s, eta_s=eta_s)
