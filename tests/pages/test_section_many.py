"""The section Many texts: tables and pictures are those of the desk; one model is told to get company."""

from __future__ import annotations

import functools

import numpy as np
import pytest

from explorer_core import api
from pages._ui import cache_texts, compare_reasons, compare_split
from pages._ui.sections.compare import many
from tests.pages.conftest import chart, chosen_models, numbers, press_label, said

PAGE = "pages/compare.py"
EVIL = "<img src=x onerror=alert(1)> [a](http://h)"

pytestmark = pytest.mark.usefixtures("nothing_left_running")


@pytest.fixture
def open_many(open_section, monkeypatch):
    few = api.read_starter("test").take(np.arange(0, 780, 20))
    monkeypatch.setattr(api, "read_starter", lambda split="test": few)
    return functools.partial(open_section, "many")


def html(app):
    return " ".join(node.proto.body for node in app.get("html"))


def test_tables_and_pictures_are_those_of_the_desk(open_many):
    app = press_label(open_many("rnn", "lstm", "bilstm"), "Judge them")
    models = chosen_models(app)
    judged = api.judge(models, api.read_starter("test"), is_kept=False)
    found, shown = api.compare_accuracy(judged), html(app)
    for scores in judged.scores:
        assert f"{scores.accuracy:.3f}" in shown
    rows = next(one.value for one in app.dataframe if "p of all" in one.value).set_index("pair")
    assert rows.index.tolist() == [
        ("RNN and LSTM", "RNN and BiLSTM", "LSTM and BiLSTM")[pair] for pair in np.argsort(found.p, kind="stable")
    ]
    for pair, name in enumerate(("RNN and LSTM", "RNN and BiLSTM", "LSTM and BiLSTM")):
        assert rows.loc[name, compare_split.FIRST_ONLY] == found.only_first[pair]
        assert rows.loc[name, compare_split.SECOND_ONLY] == found.only_second[pair]
        share = 1 - float(judged.agreement.differs[found.pairs[pair]])
        assert f"{share:.1%}" in shown
    thirds = api.locate_evidence(judged)
    drawn = chart(app, many.EVIDENCE)["data"]
    assert numbers(drawn[0]["y"]) == pytest.approx(thirds.accuracy[0, thirds.n_texts > 0].tolist())
    assert "BiLSTM less LSTM" in said(app)

    app = press_label(app, "Compare the reasons")
    reasons = api.compare_reasons(models, judged, api.shared_methods(models)[0])
    taus = [tau for one in chart(app, compare_reasons.CHART)["data"] for tau in numbers(one["x"])]
    assert sorted(taus) == pytest.approx(sorted(reasons.tau[~np.isnan(reasons.tau)].tolist()), abs=1e-6)
    rows = next(one.value for one in app.dataframe if "tau" in one.value)
    assert rows["tau"].is_monotonic_increasing


@pytest.mark.parametrize("right", [0, 1])
def test_a_pair_lists_the_texts_on_which_just_one_of_it_is_right_and_each_opens_in_the_other(open_many, right):
    names = ("starter-rnn", "starter-gru")
    app = press_label(open_many("rnn", "gru", many_split="0", many_split_right=names[right]), "Judge them")
    table = api.read_starter("test")
    decided = [
        [model.labels[at] for at in api.predict(model, table.texts).logits.argmax(1)] for model in chosen_models(app)
    ]
    said_of = dict(zip(table.texts, zip(*decided, strict=True), strict=True))
    labels = [table.label_values[at] for at in table.label]
    split = [text for text, label in zip(table.texts, labels, strict=True)
             if said_of[text][right] == label != said_of[text][1 - right]]  # fmt: skip
    assert len(split) > 2
    rows = next(one.value for one in app.dataframe if "RNN" in one.value and "text" in one.value)
    assert sorted(rows["text"]) == sorted(text[:240] for text in split)
    assert rows.columns.tolist()[3:5] == [("RNN", "GRU")[right], ("RNN", "GRU")[1 - right]]
    for row in rows.to_dict("records"):
        assert row[("RNN", "GRU")[right]].startswith(row["label"])
        assert not row[("RNN", "GRU")[1 - right]].startswith(row["label"])
    assert not app.error


def test_texts_of_a_file_show_where_the_evidence_lies_by_the_scores(open_many):
    app = open_many("lstm", "gru")
    pasted = "\n".join(f"{('neg', 'pos')[n % 2]}\t{EVIL} film number {n} was fine" for n in range(12))
    app.session_state[cache_texts.CHOICE] = cache_texts.Choice(pasted=pasted)
    app.selectbox(key=many.SOURCE).select("file").run()
    app = press_label(press_label(app, "Judge them"), "Compare the reasons")
    assert not app.error
    assert "By the models’ own scores" in said(app)
    assert "Choose an LSTM and a BiLSTM together" in said(app)
    assert "<img" not in html(app)
    assert "[a](" not in "\n".join(one.value for one in (*app.caption, *app.markdown))


def test_texts_without_labels_show_who_decides_alike(open_many):
    app = open_many("lstm", "gru")
    app.session_state[cache_texts.CHOICE] = cache_texts.Choice(pasted="a good film\na bad film\nnever dull at all")
    app.selectbox(key=many.SOURCE).select("file").run()
    app = press_label(app, "Judge them")
    shown = "\n".join(one.value for one in app.markdown)
    assert "How often they decide alike" in shown
    assert "How often each is right" not in shown


def test_one_model_is_told_to_get_company(open_many):
    assert "Choose 1 more model in the sidebar" in said(open_many("lstm"))


def test_what_is_said_of_pairs_follows_their_p_values():
    table = api.read_texts(pasted="\n".join(f"{('neg', 'pos')[n % 2]}\ttext {n}" for n in range(40)))
    from tests.core.judged_by_hand import make_judgement

    true = table.classes({"neg": "negative", "pos": "positive"}, ("negative", "positive"))
    right = np.where(np.arange(2) == true[:, None], 1.0, -1.0)
    wrong = right.copy()
    wrong[:15] *= -1
    found = api.compare_accuracy(make_judgement(table, np.stack([wrong, right, right]), true))
    assert "**A** is right less often" in many.told(found, ["A", "B", "C"])
    same = api.compare_accuracy(make_judgement(table, np.stack([right, right]), true))
    assert "may be chance" in many.told(same, ["A", "B"])
