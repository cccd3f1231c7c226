"""The report of a judgement: its numbers are the judgement's, and it loads nothing and runs nobody's words."""

from __future__ import annotations

import io
import json
import re
import runpy
import sys
import zipfile
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from explorer_core import api, settings
from explorer_core.errors import IncompatibleError, InvalidInputError

EVIL = "<img src=x onerror=alert(1)></script><script>alert(2)</script>\u202e&amp; {x} =1+1"
LABELS = ("<b>no</b>", "</td><script>alert(3)</script>")
VOID = {"meta", "link", "img", "br", "input", "hr", "base", "embed", "source"}


class Page(HTMLParser):
    """Elements with their attributes, scripts, and the cells of every table, as a browser would see them."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.scripts, self.tables, self.open = [], [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        self.elements.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)
        if tag == "script":
            self.scripts.append((dict(attributes), []))
        if tag == "table":
            self.tables.append([])
        if tag == "tr":
            self.tables[-1].append([])
        if tag in ("td", "th"):
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes something else"

    def handle_data(self, data):
        if "script" in self.open:
            self.scripts[-1][1].append(data)
        elif "td" in self.open or "th" in self.open:
            self.tables[-1][-1][-1] += data

    def table(self, first):
        """The body of the first table whose head begins with a name."""
        return next(table[1:] for table in self.tables if table[0][0] == first)


@pytest.fixture
def films(tmp_path):
    path = tmp_path / "films.csv"
    texts = [f"the film number {row} was {('bad', 'good')[row % 2]}{' and long' * (row % 9)}" for row in range(60)]
    pd.DataFrame({"text": texts, "label": ["neg", "pos"] * 30}).to_csv(path, index=False)
    return path


@pytest.fixture
def judged(films, tiny_model):
    return api.judge([tiny_model("lstm"), tiny_model("gru")], api.read_texts([films]))


@pytest.fixture
def page(judged, tmp_path):
    return Page(api.write_report(judged, tmp_path / "a.html").read_text(encoding="utf-8"))


def test_the_numbers_of_the_page_are_those_of_the_judgement(page, judged):
    for row, scores in zip(page.table("model"), judged.scores, strict=True):
        low, high = scores.intervals["accuracy"]
        assert row[0] == scores.model
        assert row[1] == f"{scores.accuracy:.3f} ({low:.3f} to {high:.3f})"
        assert row[2].startswith(f"{scores.macro_f1:.3f} (")
        assert row[3].startswith(f"{scores.ece:.3f} (")
    by_class = [table[1:] for table in page.tables if table[0][:2] == ["class", "precision"]]
    confusions = [table[1:] for table in page.tables if table[0][0].startswith("label \\")]
    for scores, classes, counts in zip(judged.scores, by_class, confusions, strict=True):
        assert [row[0] for row in classes] == list(judged.labels)
        assert [row[2][:5] for row in classes] == [f"{value:.3f}" for value in scores.recall]
        assert [[int(cell) for cell in row[1:]] for row in counts] == scores.confusion.tolist()
    differs = page.table("")[0][2]
    assert differs.startswith(f"{judged.agreement.differs[0, 1]:.1%}")


def test_mistakes_and_close_calls_are_in_their_order_with_their_texts(page, judged):
    lists = [table for table in page.tables if table[0][0] == "text"]
    mistakes = [table[1:] for table in lists if table[0] == ["text", "label", "decided"]]
    for model, rows in enumerate(mistakes):
        wrong = sorted(
            (row for row in range(len(judged)) if judged.predicted[model, row] != judged.true[row]),
            key=lambda row: -judged.confidence[model, row],
        )[:10]
        assert [row[0].split("row ")[0] for row in rows] == [judged.table.texts[row] for row in wrong]
        assert [row[1] for row in rows] == [judged.labels[judged.true[row]] for row in wrong]
    calls = [table[1:] for table in lists if table[0][-1] == "margin"]
    for model, rows in enumerate(calls):
        logits = np.sort(judged.logits[model], axis=1)
        smallest = np.sort(logits[:, -1] - logits[:, -2])[:10]
        assert [row[-1] for row in rows] == [f"{value:.3f}" for value in smallest]


def test_the_page_loads_nothing_and_its_only_scripts_are_plotly_and_ours(page):
    running = [(attributes, "".join(text)) for attributes, text in page.scripts if "type" not in attributes]
    assert [attributes for attributes, _ in running] == [{}, {}]
    assert running[0][1] == get_plotlyjs()
    assert "http" not in running[1][1]
    for tag, attributes in page.elements:
        assert tag not in ("img", "iframe", "object", "embed", "base", "form", "input")
        assert not set(attributes) & {"src", "srcset", "action", "background", "poster", "data"}
        assert attributes.get("href", "#").startswith("#")
        assert not [name for name in attributes if name.startswith("on")]
    (policy,) = [attributes["content"] for tag, attributes in page.elements if "http-equiv" in attributes]
    assert policy.startswith("default-src 'none'")
    assert page.open == []


def test_every_chart_is_there_with_its_data_and_its_words(page):
    held = [json.loads("".join(text)) for attributes, text in page.scripts if attributes.get("type")]
    ids = {attributes["data-figure"] for attributes, _ in page.scripts if "data-figure" in attributes}
    divs = {attributes["id"]: attributes for tag, attributes in page.elements if tag == "div" and "id" in attributes}
    assert ids == set(divs)
    assert all(one["data"] for one in held)
    assert all(attributes["aria-label"].endswith(".") for attributes in divs.values())
    views = {key.rpartition("-")[0] for key in ids}
    assert views == {"text_histogram", "confusion", "reliability", "decisions", "text_effect"}


def test_hostile_texts_labels_and_names_stay_text(tiny_model, tmp_path):
    path = tmp_path / "evil.jsonl"
    texts = [f"{EVIL} {row} was {('bad', 'good')[row % 2]}" for row in range(24)]
    rows = [{EVIL: text, "label": LABELS[row % 2]} for row, text in enumerate(texts)]
    path.write_text("\n".join(map(json.dumps, rows)))
    table = api.read_texts([path], api.TextsSpec(EVIL, "label"), names=[f"{EVIL}.jsonl"])
    models = [tiny_model("lstm", labels=LABELS), tiny_model("gru", labels=LABELS)]
    judged = api.judge(models, table)
    text = api.write_report(judged, tmp_path / "a.html", settings={EVIL: EVIL}).read_text(encoding="utf-8")
    found = Page(text)
    assert len([one for one in found.scripts if "type" not in one[0]]) == 2
    assert not [tag for tag, _ in found.elements if tag in ("img", "b>no", "iframe")]
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", text.replace(get_plotlyjs(), ""))
    assert any("<img src=x onerror=alert(1)>" in cell for table in found.tables for row in table for cell in row)
    for attributes, script in found.scripts:
        if "type" in attributes:
            assert "<img" not in "".join(script)


def test_without_labels_there_is_no_word_of_mistakes(tiny_model, tmp_path):
    table = api.read_texts(pasted="\n".join(f"film {row} was good" for row in range(12)))
    text = api.write_report(api.judge([tiny_model("rnn")], table), tmp_path / "a.html").read_text(encoding="utf-8")
    assert "Closest calls" in text
    assert not re.search("mistakes|calibration error|macro F1", text.replace(get_plotlyjs(), ""))


def test_the_size_does_not_grow_with_the_texts(tiny_model, tmp_path):
    sizes = []
    for n_texts in (50, 1_000):
        long = "very " * 400
        table = api.read_texts(pasted="\n".join(f"{('pos', 'neg')[n % 2]}\tfilm {n} {long}" for n in range(n_texts)))
        judged = api.judge([tiny_model("rnn", hidden_size=4, num_layers=1)], table, n_resamples=20)
        sizes.append(api.write_report(judged, tmp_path / "a.html").stat().st_size - len(get_plotlyjs()))
    assert max(sizes) < 150_000
    assert sizes[1] < 1.2 * sizes[0]


@pytest.mark.parametrize("path", ["a.txt", "none/a.html", "a.zip"])
def test_a_place_no_page_can_be_written_to_is_refused(judged, tmp_path, path):
    with pytest.raises(InvalidInputError):
        api.write_report(judged, tmp_path / path)


# The bundle ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def kept_models(keep):
    return [api.load_model(keep("lstm")), api.load_model(keep("rnn"))]


@pytest.fixture
def bundled(kept_models, films, tmp_path):
    spec = api.TextsSpec(long="sentence")
    judged = api.judge(kept_models, api.read_texts([films], spec, names=["<my> films.csv"]), n_resamples=30)
    path = api.reproduce_judgement(judged, tmp_path / "a.zip", paths=[films], names=["<my> films.csv"], spec=spec)
    folder = tmp_path / "unpacked"
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture
def reproduce(monkeypatch, capsys):
    def run(folder, *arguments):
        monkeypatch.setattr(sys, "argv", ["reproduce.py", *arguments])
        try:
            runpy.run_path(str(folder / "reproduce.py"), run_name="__main__")
        except SystemExit as leaving:
            return leaving.code
        return capsys.readouterr().out

    return run


def test_the_script_judges_anew_and_every_number_agrees(bundled, reproduce):
    assert "60 texts judged anew" in reproduce(bundled)
    assert {path.name for path in bundled.iterdir()} == {
        "texts-1.csv", "judged.npz", "judged.csv", "report.html", "settings.json", "reproduce.py",
    }  # fmt: skip
    assert reproduce(bundled, "tiny-lstm") == "The bundle needs 2 models, in this order: tiny-lstm, tiny-rnn."
    assert "fingerprint differs" in reproduce(bundled, "tiny-rnn", "tiny-lstm")


def test_the_script_notices_a_changed_number_and_a_changed_file(bundled, reproduce):
    with np.load(bundled / "judged.npz") as held:
        arrays = {key: held[key] for key in held.files}
    arrays["judged.logits"][1, 7, 0] += 1e-3
    np.savez(bundled / "judged.npz", **arrays)
    assert "judged.logits differs" in reproduce(bundled)
    (bundled / "texts-1.csv").write_text("text,label\nother,pos\n")
    assert "texts-1.csv is not the one" in reproduce(bundled)


def test_pasted_texts_are_judged_anew_too(kept_models, tmp_path, reproduce):
    pasted = "pos\tgood film\nneg\tbad \ud800 film that no network reads\n"
    judged = api.judge(kept_models[:1], api.read_texts(pasted=pasted))
    path = api.reproduce_judgement(judged, tmp_path / "a.zip", pasted=pasted)
    with zipfile.ZipFile(io.BytesIO(path.read_bytes())) as archive:
        archive.extractall(tmp_path / "b")
    assert "1 texts judged anew" in reproduce(tmp_path / "b")


def test_a_bundle_of_other_files_is_refused(kept_models, films, tmp_path, monkeypatch):
    judged = api.judge(kept_models[:1], api.read_texts([films]))
    other = tmp_path / "other.csv"
    other.write_text("text,label\nfine,pos\nawful,neg\n")
    with pytest.raises(IncompatibleError, match="do not give the texts"):
        api.reproduce_judgement(judged, tmp_path / "a.zip", paths=[other])
    monkeypatch.setattr(settings, "MAX_FILE_MIB", 0)
    with pytest.raises(InvalidInputError, match="MiB"):
        api.reproduce_judgement(judged, tmp_path / "a.zip", paths=[films])
