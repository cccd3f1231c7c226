"""The front desk keeps its names and meanings, and what it answers is what the model itself says."""

from __future__ import annotations

import dataclasses
import inspect
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from explorer_core import api, registry
from explorer_core.errors import InvalidInputError, NotFoundError
from explorer_core.results import softmax
from explorer_core.training.spec import DataSpec, TrainingSpec

# Names of the contract with the arguments that must be there, in their order.
CONTRACT = {
    "list_models": (),
    "load_model": ("source", "device"),
    "train": ("spec",),
    "start_training": ("spec",),
    "predict": ("model", "texts"),
    "trace_states": ("model", "text"),
    "evaluate": ("model", "dataset"),
}
DOORS = [value for name, value in vars(api).items() if inspect.isfunction(value) and not name.startswith("_")]


@pytest.mark.parametrize(("name", "arguments"), CONTRACT.items(), ids=CONTRACT)
def test_names_and_arguments_of_the_contract_are_kept(name: str, arguments: tuple[str, ...]) -> None:
    parameters = list(inspect.signature(getattr(api, name)).parameters.values())
    assert tuple(parameter.name for parameter in parameters[: len(arguments)]) == arguments
    others = parameters[len(arguments) :]
    assert all(parameter.default is not inspect.Parameter.empty for parameter in others)


@pytest.mark.parametrize("door", DOORS, ids=lambda door: door.__name__)
def test_every_door_says_in_a_sentence_what_it_gives(door: Any) -> None:
    first = (inspect.getdoc(door) or "").split("\n\n")[0]
    assert len(first.split()) >= 3
    assert first.rstrip().endswith(".")
    assert "return" in door.__annotations__


def test_families_and_sources_come_in_their_order() -> None:
    for things in (api.list_families(), api.list_sources()):
        assert [about.order for about in things] == sorted(about.order for about in things)
    assert {"rnn", "gru", "lstm", "bilstm", "bert"} <= {about.name for about in api.list_families()}
    assert {"starter", "local_file", "hub"} <= {about.name for about in api.list_sources()}


def test_an_empty_home_has_no_models(home: Path) -> None:
    assert api.list_models() == ()
    assert not list(home.iterdir())


def test_a_home_that_does_not_exist_yet_has_no_models(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path / "later"))
    assert api.list_models() == ()


def test_a_run_and_its_folder_give_the_same_model(keep: Any, home: Path, family: str) -> None:
    name = keep(family)
    by_name, by_folder = api.load_model(name, "cpu"), api.load_model(str(home / name), "cpu")
    assert by_name.fingerprint == by_folder.fingerprint
    assert by_name.architecture == family
    assert by_name.labels == ("negative", "positive")
    assert not by_name.module.training
    texts = ["a good film", "never again"]
    np.testing.assert_array_equal(api.predict(by_name, texts).logits, api.predict(by_folder, texts).logits)


def test_predictions_equal_the_forward_of_the_module(tiny_model: Any, family: str) -> None:
    import torch

    model = tiny_model(family)
    texts = ["good", "the plot was boring and the acting bad", "a film"]
    found = api.predict(model, texts)
    for text, logits in zip(texts, found.logits, strict=True):
        inputs = model.tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        with torch.no_grad():
            expected = model.module(**inputs).logits[0].numpy()
        np.testing.assert_allclose(logits, expected, atol=1e-5)
    np.testing.assert_allclose(found.probs, softmax(found.logits), atol=1e-6)


def test_prediction_trace_and_running_verdict_agree_on_the_whole_text(tiny_model: Any, family: str) -> None:
    model, text = tiny_model(family), "the film was not good, but I liked it"
    logits = api.predict(model, [text]).logits[0]
    trace = api.trace_states(model, text)
    np.testing.assert_allclose(trace.logits, logits, atol=1e-5)
    np.testing.assert_allclose(api.running_verdict(model, text)[-1], logits, atol=1e-5)
    assert trace.running_logits_by_word is not None
    np.testing.assert_allclose(api.running_verdict(model, text), trace.running_logits_by_word, atol=1e-5)


def test_same_input_gives_the_same_answer_and_changes_nothing(tiny_model: Any, family: str) -> None:
    model = tiny_model(family)
    before = {name: weight.clone() for name, weight in model.module.state_dict().items()}
    first, second = (api.trace_states(model, "good film, bad plot") for _ in range(2))
    for name, array in first.arrays().items():
        np.testing.assert_array_equal(array, second.arrays()[name])
    assert all((weight == before[name]).all() for name, weight in model.module.state_dict().items())
    assert not model.module.training
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in model.module.modules())


def test_progress_climbs_to_one_and_can_stop_the_work(tiny_model: Any) -> None:
    model, texts = tiny_model("lstm"), [f"good film {'x ' * (number % 7)}" for number in range(600)]
    shares: list[float] = []
    api.predict(model, texts, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1.0)
    with pytest.raises(KeyboardInterrupt):
        api.predict(model, texts, progress=lambda share: (_ for _ in ()).throw(KeyboardInterrupt))


def test_a_model_travels_as_a_zip_and_comes_back_the_same(keep: Any, tmp_path: Path) -> None:
    name = keep("gru")
    path = api.export_model(name, tmp_path / "model.zip")
    copy = api.import_model(path, "copy")
    texts = ["a good film", "bad"]
    first, second = (api.predict(api.load_model(source), texts) for source in (name, copy))
    np.testing.assert_array_equal(first.logits, second.logits)


def test_a_deleted_model_can_be_brought_back(keep: Any) -> None:
    name = keep("lstm")
    card = api.list_models()
    api.delete_model(name)
    assert api.list_models() == ()
    with pytest.raises(NotFoundError):
        api.load_model(name)
    api.restore_model(name)
    assert api.list_models() == card


def test_the_spec_of_a_run_is_given_back(keep: Any, home: Path) -> None:
    spec = TrainingSpec("mine", "gru", seed=5)
    (home / keep("gru", name="mine") / "spec.json").write_text(spec.to_json())
    assert api.training_spec("mine") == spec
    with pytest.raises(NotFoundError):
        api.training_spec("nobody")


def test_the_starters_are_one_for_every_family_with_the_lstm_first() -> None:
    specs = api.starter_specs()
    assert {spec.family for spec in specs} == set(registry.describe("architectures"))
    assert specs[0].family == "lstm"
    assert all(spec.data == DataSpec("starter") for spec in specs)


def test_results_cannot_be_changed_by_their_reader(tiny_model: Any) -> None:
    found = api.predict(tiny_model("rnn"), ["good"])
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.labels = ()  # type: ignore[misc]


@pytest.mark.parametrize("device", ["toaster", "", "cuda:99", "CPU"])
def test_an_unknown_device_is_refused_with_the_known_ones(keep: Any, device: str) -> None:
    with pytest.raises(InvalidInputError, match="cpu"):
        api.load_model(keep("rnn"), device)
