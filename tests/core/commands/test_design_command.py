"""`design`: what the front desk finds, as text, as JSON and as files; what cannot be trained is refused in one line."""

from __future__ import annotations

import dataclasses
import json

import pytest

from explorer_core import api
from explorer_core.designs import store
from tests.core.designs.designs import tiny_design


@pytest.fixture
def kept():
    """Two designs whose models wait."""
    store.claim(tiny_design(None, "one"))
    store.claim(tiny_design(None, "two"))


@pytest.fixture
def asked(monkeypatch):
    """Designs that are trained at once: they stay as they are; the specs that were asked for."""
    found = []

    def run_design(spec, *, progress=None):
        found.append(spec)
        store.claim(spec)
        return api.design_result(spec.name)

    monkeypatch.setattr(api, "run_design", run_design)
    return found


def test_flags_become_the_design(command, asked):
    found = command("design", "--name", "by-size", "--networks", "lstm:8, gru:16:2:max , rnn:4:1:mean:tuned,bert",
                    "--epochs", "2", "--n-seeds", "2", "--no-phrases", "--json").json  # fmt: skip
    networks = (
        api.Network("lstm", 8), api.Network("gru", 16, 2, "max"), api.Network("rnn", 4, 1, "mean", "tuned"),
        api.Network("bert"),
    )  # fmt: skip
    assert asked == [api.DesignSpec("by-size", networks, epochs=2, n_seeds=2, phrases=False)]
    assert [row["name"] for row in found["runs"]][:2] == ["by-size-lstm-s1", "by-size-lstm-s2"]
    assert found["spec"] == asked[0].to_plain()


def test_a_design_of_a_file_finds_its_data_beside_it_and_flags_change_it(command, asked, tmp_path):
    spec = tiny_design(tmp_path / "data.csv", "old")
    options = {"path": "data.csv"}
    (tmp_path / "data.csv").write_text("text,label\na,0\nb,1\n")
    plain = dataclasses.replace(spec, data=api.DataSpec("local_file", options))
    (tmp_path / "design.json").write_text(plain.to_json())
    answer = command("design", "--spec", str(tmp_path / "design.json"), "--name", "new", "--batch-size", "4")
    assert answer.code == 0, answer
    assert asked == [dataclasses.replace(spec, name="new", batch_size=4)]
    assert "Kept as new" in answer.out


def test_the_price_is_said_and_nothing_trained(command, asked):
    answer = command("design", "--name", "a", "--networks", "rnn:8,lstm:8", "--price")
    spec = api.DesignSpec("a", (api.Network("rnn", 8), api.Network("lstm", 8)))
    assert answer.out.strip() == api.price_design(spec).sentence
    assert asked == []
    assert command("design", "--list").out.startswith("No design is kept")


def test_kept_designs_are_listed_and_shown(command, kept):
    lines = command("design", "--list").out.splitlines()
    assert [line.split()[0] for line in lines[-2:]] == ["two", "one"]
    found = command("design", "--show", "one", "--json").json
    assert [row["state"] for row in found["runs"]] == ["queued", "queued"]
    assert "one-rnn" in command("design", "--show", "one").out


def test_a_result_is_compared_with_an_earlier_one(command, kept, tmp_path, monkeypatch):
    records = api.design_result("one")
    rows = [
        dataclasses.replace(record, fingerprint=letter, accuracy=accuracy)
        for record, letter, accuracy in zip(records.records, "ab", (0.5, 0.75), strict=True)
    ]
    before = json.loads(json.dumps(dataclasses.replace(records, records=tuple(rows)).to_plain()))
    path = tmp_path / "result.json"
    path.write_text(json.dumps(before))
    moved = dataclasses.replace(rows[1], name="two-lstm", fingerprint="c", accuracy=0.7)
    other = [dataclasses.replace(rows[0], name="two-rnn"), moved]
    now = dataclasses.replace(api.design_result("two"), records=tuple(other))
    monkeypatch.setattr(api, "design_result", lambda name: now)
    found = command("design", "--show", "two", "--against", str(path), "--json").json
    assert [row["against"] for row in found["runs"]] == ["the same weights", "accuracy −0.050"]


def test_what_came_out_is_saved(command, kept, tmp_path):
    for ending in (".csv", ".npz", ".zip"):
        path = tmp_path / f"out{ending}"
        assert f"Saved to {path}" in command("design", "--show", "one", "--out", str(path)).out
        assert path.stat().st_size > 100


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ((), "What to train"),
        (("--name", "a"), "What to train"),
        (("--name", "../a", "--networks", "rnn,lstm"), "cannot name a design"),
        (("--name", "a", "--networks", "rnn"), "2 to 6 networks"),
        (("--name", "a", "--networks", "rnn:x,lstm"), "no whole number"),
        (("--name", "a", "--networks", "rnn:9:1:last:frozen:1,lstm"), "too many parts"),
        (("--name", "a", "--networks", "rnn:0,lstm"), "Units is 0"),
        (("--name", "a", "--networks", "rnn,lstm", "--epochs", "0"), "Epochs is 0"),
        (("--spec", "nowhere.json"), "no file"),
        (("--show", "nobody"), "no design called nobody"),
        (("--resume", "nobody"), "no design called nobody"),
        (("--show", "nobody", "--against", "nowhere.json"), "no file"),
        (("--list", "--out", "a.txt"), "must end in"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_one_line(refused, given, said):
    assert said in refused("design", *given)


def test_a_file_that_is_no_result_is_refused(refused, kept, tmp_path):
    for text in ("{", "[]", '{"spec": 3, "runs": [4]}', '{"spec": {"name": "a"}, "runs": 5}'):
        path = tmp_path / "result.json"
        path.write_text(text)
        assert "no result of a design" in refused("design", "--show", "one", "--against", str(path))
