"""The section Difference: two models, two epochs and two seeds, their numbers, and what chance does."""

from __future__ import annotations

import dataclasses
import functools
import io
import runpy
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest

from explorer_core import api
from explorer_core.numerals import number
from explorer_core.training import store
from explorer_core.training.spec import TrainingSpec
from pages._ui import cache, compared_pair, scored, work
from pages._ui.sections.compare import difference
from tests.pages.conftest import chart, numbers, said, settled
from tests.pages.test_section_checkpoints import save_epochs
from tests.pages.tiny import save_tiny

PAGE, TEXT = "pages/compare.py", "not unbelievably bad but great"
HOSTILE = "</td><script>x</script> [a](http://h) %{y} $1$ \u202eevil"

pytestmark = pytest.mark.usefixtures("nothing_left_running")


@pytest.fixture
def open_difference(open_section):
    return functools.partial(open_section, "difference", text=TEXT, target="positive")


def save_seed(home: Path, name: str, seed: int, family: str = "lstm") -> None:
    """A ready run with its spec; its weights follow the length of its name."""
    save_tiny(home, name, family)
    (home / name / "spec.json").write_text(TrainingSpec(name, family, seed=seed).to_json())


def bars_below(app, key: str) -> list[float]:
    drawn = next(one for one in chart(app, key)["data"] if one["type"] == "bar" and one.get("yaxis") == "y2")
    return numbers(drawn["y"])


def model(name: str):
    info = cache.model_info(name)
    return cache.load(info.name, info.fingerprint)


@pytest.mark.parametrize(("shown", "normalisation"), [("As they are", "raw"), ("Ranks", "rank")])
def test_the_pictures_are_those_of_the_desk(open_difference, shown, normalisation):
    app = open_difference("lstm", "bert", difference_scores=shown, difference_verdicts="Log-odds")
    pair = [model("starter-lstm"), model("starter-bert")]
    found = api.compare_words(*(api.attribute(one, TEXT, target="positive") for one in pair), normalisation)
    assert bars_below(app, difference.WORDS) == pytest.approx(found.difference.tolist(), abs=1e-6)
    verdicts = api.compare_verdicts(*(api.trace_running(one, TEXT) for one in pair), 1)
    assert bars_below(app, difference.VERDICTS) == pytest.approx(verdicts.difference("log_odds").tolist(), abs=1e-5)
    words = said(app)
    assert f"tau of LSTM and BERT over {len(found.words)} words is **{number(found.tau, signed=True)}**" in words
    assert f"{number(found.tau_low, signed=True)} to {number(found.tau_high, signed=True)}" in words


def test_a_model_beside_itself_is_exactly_zero(open_difference):
    app = open_difference("gru", "rnn", difference_a="starter-gru", difference_b="starter-gru")
    assert not any(bars_below(app, difference.WORDS))
    assert not any(bars_below(app, difference.VERDICTS))
    assert "say the same after every word: the difference is exactly zero." in said(app)
    assert "give every word the same score: the difference is exactly zero." in said(app)


def test_only_methods_that_fit_both_are_offered_and_the_settings_are_shared(open_difference):
    app = open_difference("lstm", "bert")
    offered = app.selectbox(key=scored.METHOD).options
    assert "Integrated gradients" in offered
    assert not {"LSTM ledger", "Attention rollout"} & set(offered)
    app.selectbox(key=scored.METHOD).select("leave_one_out").run()
    settled(app)
    assert not app.exception
    assert not app.error
    assert len(bars_below(app, difference.WORDS)) == 5


def test_one_model_says_what_to_do_and_still_has_epochs_and_seeds(open_difference):
    app = open_difference("rnn")
    assert "Choose one more model in the sidebar." in said(app)
    app.segmented_control(key=compared_pair.OF).set_value(compared_pair.EPOCHS).run()
    assert "starter-rnn has no saved epochs" in said(app)
    app.segmented_control(key=compared_pair.OF).set_value(compared_pair.SEEDS).run()
    assert "One seed of starter-rnn is ready." in said(app)
    assert "There is no training spec of a model called starter-rnn here." in said(app)
    assert not app.exception


def test_two_epochs_of_a_run_are_subtracted(open_app, home, warmed):
    save_epochs(home, "starter-gru", "gru")
    app = settled(
        open_app(
            PAGE, models="starter-gru", text=TEXT, view="difference", target="positive", difference_of="Two epochs"
        )
    )
    assert not app.exception
    last, first = (api.load_checkpoint("starter-gru", step) for step in (30, 10))
    expected = api.compare_verdicts(api.trace_running(last, TEXT), api.trace_running(first, TEXT), 1)
    assert bars_below(app, difference.VERDICTS) == pytest.approx(expected.difference().tolist(), abs=1e-6)
    scores = [api.attribute(one, TEXT, target=1) for one in (last, first)]
    found = api.compare_words(*scores, "share")
    assert bars_below(app, difference.WORDS) == pytest.approx(found.difference.tolist(), abs=1e-6)
    assert "Epoch 3 ends at" in said(app)
    app.selectbox(key=compared_pair.SECOND).select("epoch 3").run()
    assert not any(bars_below(settled(app), difference.WORDS))


def test_several_seeds_are_drawn_as_a_band_and_counted(open_difference, home):
    for name, seed in (("starter-lstm", 0), ("lstm-seed-1", 1), ("an-lstm-seed-2", 2)):
        save_seed(home, name, seed)
    app = open_difference("lstm", "gru")
    found = [api.trace_running(model(name), TEXT) for name in ("starter-lstm", "lstm-seed-1", "an-lstm-seed-2")]
    probs = np.array([one.running_probs[:, 1] for one in found])
    outline = next(one for one in chart(app, difference.VERDICTS)["data"] if one.get("fill") == "toself")
    expected = np.concatenate([probs.max(0), probs.min(0)[::-1]])
    assert numbers(outline["y"]) == pytest.approx(expected.tolist(), abs=1e-6)
    other = api.trace_running(model("starter-gru"), TEXT).running_probs[:, 1]
    n_out = int(((other < probs.min(0)) | (other > probs.max(0))).sum())
    assert f"GRU lies outside of what the 3 seeds of LSTM span at {n_out} of 5 words." in said(app)
    whiskers = [one for one in chart(app, difference.WORDS)["data"] if "error_y" in one]
    assert len(whiskers) == 1
    assert not [one for one in app.button if one.label.endswith("starter-lstm")]  # has seeds already


def test_scores_of_seeds_that_were_cancelled_are_made_again(open_difference, home, monkeypatch):
    save_seed(home, "lstm-seed-1", 1)
    save_seed(home, "starter-lstm", 0)
    monkeypatch.setattr(scored, "AT_ONCE_S", -1.0)
    app = settled(open_difference("lstm", "gru"))
    (key,) = [one for one in work._desk().jobs if one.startswith("seeds")]
    job = work._desk().jobs[key]
    job.state, job.result = "cancelled", None
    app.run()
    settled(app.button(key="seeds_again_0").click().run())
    assert work.task(key).state == "done"


def test_two_seeds_are_subtracted_by_name(open_difference, home):
    save_seed(home, "starter-lstm", 0)
    save_seed(home, "lstm-seed-1", 1)
    app = open_difference("lstm", difference_of="Two seeds")
    pair = [api.trace_running(model(name), TEXT) for name in ("starter-lstm", "lstm-seed-1")]
    expected = api.compare_verdicts(*pair, 1).difference()
    assert bars_below(app, difference.VERDICTS) == pytest.approx(expected.tolist(), abs=1e-6)
    assert "Seed 0 ends at" in said(app)


def test_one_press_trains_three_seeds_of_the_same_spec(open_difference, home, monkeypatch):
    started: list[TrainingSpec] = []

    def start(spec: TrainingSpec) -> None:
        store.claim(spec)  # queued, without a process
        started.append(spec)

    monkeypatch.setattr(api, "start_training", start)
    save_seed(home, "starter-lstm", 4)
    app = open_difference("lstm", difference_of="Two seeds")
    button = next(one for one in app.button if one.label.startswith("Train three seeds of"))
    button.click().run()
    assert not app.exception
    wanted = TrainingSpec("starter-lstm", "lstm", seed=4)
    assert [(one.name, one.seed) for one in started] == [(f"starter-lstm-seed-{n}", n) for n in (1, 2, 3)]
    assert all(dataclasses.replace(one, name=wanted.name, seed=4) == wanted for one in started)
    assert "Seeds that train" in said(app)
    assert not [one for one in app.button if one.label.startswith("Train three seeds")]


@pytest.mark.parametrize("text", ["terrible", "so good \U0001f60d", "كان الفيلم رائعا، جيد", HOSTILE])
def test_any_text_is_compared(open_difference, text):
    app = open_difference("rnn", "bert", text=text)
    assert not app.error
    assert "[a](" not in "\n".join(one.value for one in (*app.caption, *app.markdown))
    assert not [one for one in app.get("html") if "<script" in one.proto.body]


def test_a_text_longer_than_one_model_reads_says_what_is_left_out(open_difference, monkeypatch):
    app = open_difference("rnn", "gru", "bert", text="the film was good but " * 60, difference_b="starter-bert")
    assert "that only RNN read as such" in said(app)
    assert not app.error
    assert [one for one in app.get("download_button") if "Reproduce bundle" in one.proto.label]


def test_the_bundle_computes_both_sides_and_their_difference_again(open_app, home, warmed, tmp_path, monkeypatch):
    offered = []
    monkeypatch.setattr(difference.take_away, "offer_alone", lambda *given: offered.append(given))
    save_epochs(home, "starter-rnn", "rnn")
    settled(open_app(PAGE, models="starter-rnn", text=TEXT, view="difference", difference_of="Two epochs"))
    more = offered[-1][-1]
    with zipfile.ZipFile(io.BytesIO(more["Reproduce bundle (zip)"][0]())) as archive:
        archive.extractall(tmp_path)
    arrays = np.load(tmp_path / "arrays.npz").files
    parts = {name.rpartition(".")[0] for name in arrays}
    assert parts == {"1.attribute", "1.trace_running", "2.attribute", "2.trace_running", "compare_words",
                     "compare_verdicts"}  # fmt: skip
    monkeypatch.setattr(sys, "argv", ["reproduce.py"])
    runpy.run_path(str(tmp_path / "reproduce.py"))  # leaves with a sentence where an array differs
    assert more["Verdicts (CSV)"][0]().count(b"\r\n") == 6
