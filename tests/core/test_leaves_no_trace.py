"""Every call of the front desk that reads, on every family it fits, leaves a shared network and the process alone."""

from __future__ import annotations

import hashlib
import inspect
import itertools
import random
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
import sklearn.metrics  # noqa: F401 - its first import in a process draws from `random`
import torch

from explorer_core import api
from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.errors import CancelledError
from explorer_core.loaded import LoadedModel
from tests.conftest import FAMILIES, RECURRENT_FAMILIES, build_tiny

TEXT = "The plot isn't unbelievably good , but I loved the acting wonderful"
CORPUS = ("The plot was good .", "A dull and boring film , really", "not bad at all", "😀 wonderful acting")
CELLED = ("lstm", "bilstm")
Call = Callable[..., Any]


def over_trace(call: Call) -> Call:
    return lambda model, text: call(api.trace_states(model, text))


def over_index(call: Call) -> Call:
    return lambda model, text: call(api.index_states(model, CORPUS))


EVERY_KIND = ("integrated_gradients", "leave_one_out", "gradient_shap", "shapley_sampling")


def weights_of(model: LoadedModel) -> np.ndarray:
    return torch.cat([weight.flatten() for weight in model.module.state_dict().values()]).numpy()


def marked(text: str) -> LabelledTexts:
    """Two texts with the first letters of each marked."""
    spans, split = (((0, 3),), ((0, 8),)), np.array(["test", "test"])
    return LabelledTexts((text, CORPUS[1]), np.array([0, 1]), ("negative", "positive"), split, "a", "A.", spans=spans)


def pasted(text: str) -> Any:
    """Two texts with their labels, as a person brings them."""
    return api.read_texts(pasted=f"{text}\n{CORPUS[1]}\n{CORPUS[0]}")


def judged_by(model: LoadedModel, text: str, **more: Any) -> Any:
    return api.judge([model], pasted(text), is_kept=False, n_resamples=100, **more)


def paired(text: str) -> Any:
    """One pair of texts with different labels."""
    return api.find_pairs(api.read_texts(pasted=f"positive\t{text}\nnegative\tnot {text}"), most_edits=2)


CALLS: dict[str, tuple[Call, tuple[str, ...]]] = {
    "predict": (lambda model, text, **more: api.predict(model, [text, "dull"], **more), tuple(FAMILIES)),
    "trace_states": (api.trace_states, tuple(FAMILIES)),
    "running_verdict": (api.running_verdict, tuple(FAMILIES)),
    "trace_running": (api.trace_running, tuple(FAMILIES)),
    "lstm_ledger": (api.lstm_ledger, CELLED),
    "trace_halves": (api.trace_halves, ("bilstm",)),
    "compare_halves": (
        lambda model, text, **more: api.compare_halves(model, text, references=CORPUS, n_orders=4, **more),
        ("bilstm",),
    ),
    "score_halves": (
        lambda model, text, **more: api.score_halves(model, [text, *CORPUS], [0, 1, 0, 1, 1], **more),
        ("bilstm",),
    ),
    "price_measuring": (lambda model, text: np.array(api.price_measuring([model])), tuple(FAMILIES)),
    "compare_layers": (over_trace(api.compare_layers), ("bert",)),
    "trace_layer_verdicts": (api.trace_layer_verdicts, ("bert",)),
    "summarise_attention": (over_trace(api.summarise_attention), ("bert",)),
    "trace_memory": (api.trace_memory, tuple(RECURRENT_FAMILIES)),
    "order_units": (over_trace(api.order_units), tuple(RECURRENT_FAMILIES)),
    "gate_saturation": (over_trace(api.gate_saturation), tuple(RECURRENT_FAMILIES)),
    "trace_unit_step": (api.trace_unit_step, tuple(RECURRENT_FAMILIES)),
    "trace_gradients": (api.trace_gradients, tuple(FAMILIES)),
    "trace_gradient_step": (api.trace_gradient_step, tuple(RECURRENT_FAMILIES)),
    "trace_jacobians": (api.trace_jacobians, tuple(RECURRENT_FAMILIES)),
    "trace_untrained_jacobians": (api.trace_untrained_jacobians, tuple(RECURRENT_FAMILIES)),
    "untrained_twin": (lambda model, text: weights_of(api.untrained_twin(model)), tuple(RECURRENT_FAMILIES)),
    "price_spectrum": (lambda model, text: api.price_spectrum(model, text) > 0, tuple(RECURRENT_FAMILIES)),
    "trace_connectivity": (api.trace_connectivity, tuple(FAMILIES)),
    "attribute": (
        lambda model, text, **more: [api.attribute(model, text, name, **more).scores for name in EVERY_KIND],
        tuple(FAMILIES),
    ),
    "find_flips": (api.find_flips, tuple(FAMILIES)),
    "price_attribution": (lambda model, text: api.price_attribution(model, text).n_passes, tuple(FAMILIES)),
    "assess": (
        lambda model, text, **more: api.assess(model, text, api.attribute(model, text, "gradient_norm"), **more),
        ("lstm", "bert"),
    ),
    "measure_human_agreement": (
        lambda model, text, **more: api.measure_human_agreement(model, marked(text), methods=EVERY_KIND[:2], **more),
        ("lstm", "bert"),
    ),
    "map_agreement": (
        lambda model, text, **more: api.map_agreement(model, CORPUS, methods=EVERY_KIND[:3], **more),
        ("gru", "bert"),
    ),
    "price_over_texts": (
        lambda model, text: [one.n_passes for one in api.price_over_texts(model, CORPUS, EVERY_KIND).values()],
        tuple(FAMILIES),
    ),
    "price_assessment": (lambda model, text: api.price_assessment(model, text).quick.n_passes, ("lstm", "bert")),
    "judge": (lambda model, text, **more: judged_by(model, text, **more).logits, tuple(FAMILIES)),
    "price_judging": (lambda model, text: api.price_judging([model], pasted(text))[0].n_tokens, tuple(FAMILIES)),
    "order_texts": (
        lambda model, text, **more: (
            api.order_texts(judged_by(model, text), "short_deletions", network=model, n_texts=2, **more).values
        ),
        ("lstm", "bert"),
    ),
    "compare_texts": (
        lambda model, text, **more: api.compare_texts(model, text, CORPUS[0], max_points=8, **more),
        tuple(FAMILIES),
    ),
    "find_shared_flips": (
        lambda model, text, **more: api.find_shared_flips([model], text, budget=100, **more),
        ("lstm", "bert"),
    ),
    "price_shared_flips": (
        lambda model, text: api.price_shared_flips([model], text, budget=100).n_readings,
        ("lstm", "bert"),
    ),
    "states_of_texts": (lambda model, text, **more: api.states_of_texts(model, CORPUS, **more), tuple(FAMILIES)),
    "attribute_texts": (
        lambda model, text, **more: [one.scores for _, one in api.attribute_texts(model, CORPUS, **more)],
        tuple(FAMILIES),
    ),
    "report_words": (lambda model, text, **more: api.report_words(model, pasted(text), **more), ("lstm", "bert")),
    "index_states": (lambda model, text, **more: api.index_states(model, CORPUS, **more), tuple(FAMILIES)),
    "measure_modifiers": (
        lambda model, text, **more: api.measure_modifiers([model], paired(text), **more),
        ("gru", "bilstm", "bert"),
    ),
    "compare_reasons": (
        lambda model, text, **more: api.compare_reasons([model], judged_by(model, text), "gradient_norm", **more),
        ("lstm", "bert"),
    ),
    "compare_states": (
        lambda model, text, **more: api.compare_states(model, model, CORPUS, "words", **more).cka,
        ("rnn", "bilstm", "bert"),
    ),
    "price_index": (lambda model, text: api.price_index(model, CORPUS).n_words, tuple(FAMILIES)),  # not its seconds
    "unit_card": (over_index(lambda index: api.unit_card(index, 3)), tuple(FAMILIES)),
    "similar_units": (over_index(lambda index: api.similar_units(index, 3)), tuple(FAMILIES)),
    "find_pattern": (
        lambda model, text: api.find_pattern(
            api.index_states(model, CORPUS), api.trace_states(model, text), (1, 2), -0.2
        ),
        tuple(FAMILIES),
    ),
}
CASES = [(name, family) for name, (_, families) in CALLS.items() for family in families]
NOT_READING = {
    *("list_families", "list_sources", "list_models", "load_model", "free_name", "export_model", "import_model"),
    *("delete_model", "restore_model", "read_data", "preview_data", "save_upload", "train", "training_spec"),
    *("start_training", "resume_training", "find_job", "starter_specs", "start_starters", "train_starters"),
    *("price_training", "training_curves"),
    *("list_methods", "cheap_methods", "compared_methods"),
    *("read_rationales", "rationale_columns"),  # read files
    *("gradient_history", "list_recorded", "list_checkpoints"),  # are files of a run
    *("load_checkpoint", "trace_checkpoints", "evaluate_checkpoints"),  # networks of their own, from a run's folder
    "evaluate",  # predicts; its data has a test of its own
    "open_index",  # reads what `index_states` wrote
    *("run_lab", "price_lab", "lab_example"),  # are given no network; their own test is in lab/test_run.py
    *("reproduce_bundle", "reproduce_comparison", "reproduce_judgement", "write_report"),  # pack results
    *("run_exam", "start_exam", "resume_exam", "price_exam", "list_exam_jobs"),  # train networks of their own
    *("list_exams", "load_exam", "find_exam", "delete_exam", "delete_upload", "forget_verdicts"),  # are about files
    *("read_texts", "stream_texts", "guess_labels", "find_pairs"),  # read files
    *("sum_blocks", "score_sums", "select_texts", "slice_choices", "list_reasons", "judge_pairs"),  # of what was judged
    *("slice_report", "tell_training"),  # of what was read
    *("project_texts", "contrast_words", "find_suspect_words"),  # of what was read
    *("compare_accuracy", "locate_evidence"),  # of what was judged
    *("read_starter", "shared_methods", "price_modifiers", "price_states"),  # read a file, count
    "judge_blocks",  # predicts blocks; its files have tests of their own
    *("align_words", "compare_running", "compare_scores", "compare_states_of_text", "compare_reach"),  # of what is read
    *("compare_words", "compare_verdicts", "spread_words", "spread_verdicts", "suggest_edits"),  # of what was read
    *("find_seeds", "seed_specs"),  # are about runs
    *("run_design", "start_design", "resume_design", "continue_design", "price_design"),  # train networks of their own
    *("list_designs", "find_design", "design_result", "delete_design", "free_design_name"),  # are about files
    "reproduce_design",  # packs what is kept
    "measure_price",  # times a network; its own test is in comparing/test_model_price.py
    *("run_record", "forward_twins"),  # read what runs wrote down
    *("price_order", "price_map", "price_report", "report_method", "state_choices"),  # count
}
WITHOUT_READING = {
    "untrained_twin",
    "price_spectrum",
    "price_attribution",
    "price_assessment",
    "price_judging",
    "price_measuring",
    "price_over_texts",
    "price_shared_flips",
}  # build, count or remember a pace


def state_of(model: LoadedModel) -> tuple[Any, ...]:
    """Everything of a network and of the process that a reading may not change."""
    digest = hashlib.sha256()
    for name, value in model.module.state_dict().items():
        digest.update(name.encode() + value.numpy().tobytes())
    parts = [
        (name, part.training, *(len(getattr(part, kind)) for kind in vars(part) if kind.endswith("_hooks")))
        for name, part in model.module.named_modules()
    ]
    weights = [(name, weight.grad is None, weight.requires_grad) for name, weight in model.module.named_parameters()]
    backend = model.tokenizer.backend_tokenizer
    return (
        digest.hexdigest(), parts, weights, model.module.config.to_dict(), model.module.config._attn_implementation,
        backend.padding, (torch.is_grad_enabled(), torch.is_inference_mode_enabled(), torch.get_default_dtype()),
        (torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()), np.geterr(),
        hashlib.sha256(torch.get_rng_state().numpy().tobytes()).hexdigest(), random.getstate(),
        hashlib.sha256(np.random.get_state(legacy=False)["state"]["key"].tobytes()).hexdigest(),
    )  # fmt: skip


def numbers_of(result: Any) -> Any:
    """What of a result has to be the same every time."""
    if hasattr(result, "states") and hasattr(result, "vocabulary"):  # an index, which has no arrays()
        return {"states": np.array(result.states), "mean": result.mean, "gate_low": result.gate_low}
    if hasattr(result, "arrays"):
        return result.arrays()
    return {"": result if isinstance(result, np.ndarray) else np.array(repr(result))}


def assert_same(one: Any, other: Any) -> None:
    mine, theirs = numbers_of(one), numbers_of(other)
    assert mine.keys() == theirs.keys()
    for name, values in mine.items():
        np.testing.assert_array_equal(values, theirs[name], err_msg=name)


def test_every_reading_call_of_the_desk_is_held_to_this() -> None:
    desk = {
        name
        for name, value in vars(api).items()
        if inspect.isfunction(value) and value.__module__.startswith(api.__name__)
    }
    assert set(CALLS) == desk - NOT_READING


@pytest.mark.parametrize(("name", "family"), CASES)
def test_a_reading_changes_nothing_and_answers_the_same_again(name: str, family: str) -> None:
    model, call = build_tiny(family), CALLS[name][0]
    before = state_of(model)
    first = call(model, TEXT)
    assert state_of(model) == before
    assert_same(call(model, TEXT), first)
    assert state_of(model) == before


TAKES_PROGRESS = [
    (name, family)
    for name, family in CASES
    if name in ("predict", "index_states") or "progress" in inspect.signature(CALLS[name][0]).parameters
]


@pytest.mark.parametrize(("name", "family"), TAKES_PROGRESS)
def test_a_reading_cancelled_at_any_moment_changes_nothing(name: str, family: str) -> None:
    model, call = build_tiny(family), CALLS[name][0]
    before = state_of(model)
    for moment in range(3):
        count = itertools.count()

        def cancel(share: float, moment: int = moment, count: Any = count) -> None:
            if next(count) == moment:
                raise CancelledError("Stopped.")

        try:
            call(model, TEXT, progress=cancel)
        except CancelledError:
            pass
        else:
            assert next(count) <= moment, "a cancelled call must not go on"
        assert state_of(model) == before


@pytest.mark.parametrize("part", ["embedding", "linear"])  # where a reading begins, and well inside it
@pytest.mark.parametrize("family", FAMILIES)
def test_a_crash_inside_the_network_changes_nothing(family: str, part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    model = build_tiny(family)
    before = state_of(model)

    def broken(*_: Any, **__: Any) -> None:
        raise RuntimeError("out of memory")

    monkeypatch.setattr(torch.nn.functional, part, broken)
    crashed = set()
    for name, (call, families) in CALLS.items():
        if family in families:
            try:
                call(model, TEXT)
            except RuntimeError as error:
                assert str(error) == "out of memory"
                crashed.add(name)
            assert state_of(model) == before, name
    assert crashed >= {"predict", "trace_states", "trace_gradients"}
    if part == "embedding":
        reading = {name for name, (_, families) in CALLS.items() if family in families} - WITHOUT_READING
        assert crashed - WITHOUT_READING == reading


@pytest.mark.parametrize("family", ["bilstm", "bert"])
def test_eight_threads_get_from_every_call_what_one_gets(family: str) -> None:
    fresh = build_tiny(family)  # so that whatever is made once is made by several threads at once
    model = build_tiny(family)
    names = [name for name, (_, families) in CALLS.items() if family in families]
    expected = {name: CALLS[name][0](model, TEXT) for name in names}
    before = state_of(fresh)
    barrier = threading.Barrier(8)

    def work(turn: int) -> dict[str, Any]:
        barrier.wait(timeout=60)
        return {name: CALLS[name][0](fresh, TEXT) for name in names[turn:] + names[:turn]}

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(work, range(8)))
    for results in found:
        for name, result in results.items():
            assert_same(result, expected[name])
    assert state_of(fresh) == before
