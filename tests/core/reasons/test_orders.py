"""Each reason ranks as its definition says: held against plain loops over hand-made judgements."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from explorer_core import api, registry
from explorer_core.errors import CancelledError, ExplorerError
from explorer_core.results import safe_csv
from tests.core.judged_by_hand import make_judgement, make_table


def probabilities(logits):
    exps = [math.exp(value) for value in logits]
    return [value / sum(exps) for value in exps]


def test_most_confident_mistakes_are_wrong_and_fall_in_confidence(random_judgement):
    judged = random_judgement
    expected = []
    for row, true in enumerate(judged.true):
        probs = probabilities(judged.logits[1, row])
        if true >= 0 and probs.index(max(probs)) != true:
            expected.append((-max(probs), row))
    found = api.order_texts(judged, "confident_mistakes", model="m1")
    assert found.rows.tolist() == [row for _, row in sorted(expected)]
    np.testing.assert_allclose(found.values, [-value for value, _ in sorted(expected)], atol=1e-12)


def test_closest_calls_hold_every_text_by_rising_margin(random_judgement):
    judged = random_judgement
    margins = [sorted(logits)[-1] - sorted(logits)[-2] for logits in judged.logits[0].tolist()]
    found = api.order_texts(judged, "closest_calls")
    assert found.rows.tolist() == sorted(range(200), key=lambda row: margins[row])
    np.testing.assert_allclose(found.values, sorted(margins))


def test_disagreement_is_the_widest_gap_among_texts_judged_differently(random_judgement):
    judged = random_judgement
    expected = {}
    for row in range(len(judged)):
        one, two = (probabilities(judged.logits[model, row]) for model in (0, 1))
        if one.index(max(one)) != two.index(max(two)):
            expected[row] = max(abs(left - right) for left, right in zip(one, two, strict=True))
    found = api.order_texts(judged, "disagreement")
    assert dict(zip(found.rows.tolist(), found.values, strict=True)) == pytest.approx(expected)
    assert (np.diff(found.values) <= 0).all()


def test_unknown_words_rank_by_share_then_number_and_leave_out_texts_without():
    made = make_table(["a b c d", "a b", "a", "a b c d"], [None] * 4)
    judged = make_judgement(made, np.zeros((1, 4, 2)), n_unknown=[[2, 1, 0, 3]])
    found = api.order_texts(judged, "unknown_words")
    assert found.rows.tolist() == [3, 0, 1]
    assert found.values.tolist() == [0.75, 0.5, 0.5]


def test_label_errors_follow_confident_learning(random_judgement):
    judged = random_judgement
    labelled = [row for row in range(len(judged)) if judged.true[row] >= 0]
    probs = {row: probabilities(judged.logits[0, row]) for row in labelled}
    thresholds = []
    for label in range(3):
        own = [probs[row][label] for row in labelled if judged.true[row] == label]
        thresholds.append(sum(own) / len(own))
    expected = {}
    for row in labelled:
        reached = [label for label in range(3) if probs[row][label] >= thresholds[label]]
        if reached:
            likely = max(reached, key=lambda label: probs[row][label])
            if likely != judged.true[row]:
                expected[row] = probs[row][likely] - probs[row][judged.true[row]]
    assert len(expected) > 20
    found = api.order_texts(judged, "label_errors")
    assert dict(zip(found.rows.tolist(), found.values, strict=True)) == pytest.approx(expected)
    assert (np.diff(found.values) <= 0).all()
    assert "not known" in found.notes[0]


def test_a_planted_label_error_comes_first():
    rng = np.random.default_rng(0)
    true = np.arange(40) % 2
    logits = np.zeros((1, 40, 2))
    logits[0, np.arange(40), true] = 2 + rng.random(40)
    given = true.copy()
    given[[5, 18]] = 1 - given[[5, 18]]
    judged = make_judgement(
        make_table([f"text {row}" for row in range(40)], [str(one) for one in given]), logits, given
    )
    assert sorted(api.order_texts(judged, "label_errors").rows.tolist()) == [5, 18]


@pytest.mark.parametrize("reason", list(registry.describe("reasons")))
def test_every_reason_keeps_to_the_slice_and_can_be_taken_away(reason, tiny_model, tmp_path):
    model, other = tiny_model("lstm"), tiny_model("gru")
    texts = [f"the film was {('good', 'bad', 'zzzqqq 😀')[row % 3]} {('again ' * (row % 4))}" for row in range(24)]
    lines = "".join(f'"{text}",{("pos", "neg")[row % 2]},=1+{row}\n' for row, text in enumerate(texts))
    path = tmp_path / "a.csv"
    path.write_text("text,label,sum\n" + lines)
    judged = api.judge([model, other], api.read_texts([path]), is_kept=False)
    among = api.select_texts(judged, api.SliceSpec(max_words=6))
    found = api.order_texts(judged, reason, among=among, network=model, n_texts=6)
    assert set(found.rows.tolist()) <= set(among.rows.tolist())
    assert len(set(found.rows.tolist())) == len(found)
    frame = found.to_frame()
    assert len(frame) == len(found)
    assert frame["text"].tolist() == [judged.table.texts[row] for row in found.rows]
    np.testing.assert_array_equal(frame[f"logit {judged.labels[1]} {model.name}"], judged.logits[0, found.rows, 1])
    rows = [json.loads(line) for line in found.to_jsonl()]
    assert [row["rank"] for row in rows] == list(range(1, len(found) + 1))
    assert b",=1" not in safe_csv(frame)
    saved = np.load(found.save(tmp_path / "a.npz"))
    np.testing.assert_array_equal(saved["rows"], found.rows)
    assert len(found.save(tmp_path / "a.jsonl").read_text().splitlines()) == len(found)


def test_what_a_reason_needs_is_said(tiny_model):
    judged = make_judgement(make_table(["a b", "c"], [None, None]), np.zeros((1, 2, 2)))
    assert "confident_mistakes" not in {about.name for about in api.list_reasons(judged)}
    assert {about.name for about in api.list_reasons()} > {about.name for about in api.list_reasons(judged)}
    with pytest.raises(ExplorerError, match="labels"):
        api.order_texts(judged, "confident_mistakes")
    with pytest.raises(ExplorerError, match="two models"):
        api.order_texts(judged, "disagreement")
    with pytest.raises(ExplorerError, match="not given"):
        api.order_texts(judged, "late_flips")
    with pytest.raises(ExplorerError, match="not given"):
        api.order_texts(judged, "late_flips", network=tiny_model("rnn"))
    with pytest.raises(ExplorerError, match="Known"):
        api.order_texts(judged, "nothing")
    with pytest.raises(ExplorerError, match="m0"):
        api.order_texts(judged, "closest_calls", model="m7")


# Reasons that have texts read again -----------------------------------------------------------------------------------


@pytest.fixture
def judged_films(tmp_path):
    def judge(model):
        words = ["good", "bad", "film", "plot", "the", "a", "never", "again", "lovely", "story"]
        rng = np.random.default_rng(5)
        texts = [" ".join(rng.choice(words, size=rng.integers(2, 12))) for _ in range(40)]
        (tmp_path / "films.txt").write_text("\n".join(texts))
        return api.judge([model], api.read_texts([tmp_path / "films.txt"]), is_kept=False)

    return judge


@pytest.mark.parametrize("family", ["lstm", "bilstm", "bert"])
def test_late_flips_say_after_how_many_words_the_final_verdict_holds(family, tiny_model, judged_films):
    model = tiny_model(family)
    judged = judged_films(model)
    found = api.order_texts(judged, "late_flips", network=model, n_texts=100)
    expected = {}
    for row, text in enumerate(judged.table.texts):
        words = text.split()
        decided = [api.predict(model, [" ".join(words[: n + 1])]).logits[0].argmax() for n in range(len(words))]
        n_read = len(words)
        while n_read > 1 and decided[n_read - 2] == decided[-1]:
            n_read -= 1
        if n_read > 1:
            expected[row] = n_read / len(words)
    assert dict(zip(found.rows.tolist(), found.values, strict=True)) == pytest.approx(expected)
    assert (np.diff(found.values) <= 0).all()


def test_only_the_closest_calls_are_read_again(tiny_model, judged_films):
    model = tiny_model("gru")
    judged = judged_films(model)
    closest = set(api.order_texts(judged, "closest_calls").rows[:7].tolist())
    found = api.order_texts(judged, "late_flips", network=model, n_texts=7)
    assert set(found.rows.tolist()) <= closest
    assert "7 of 40" in found.notes[0]


def test_short_deletions_are_those_of_find_flips(tiny_model, judged_films):
    model = tiny_model("lstm")
    judged = judged_films(model)
    found = api.order_texts(judged, "short_deletions", network=model, n_texts=4)
    closest = api.order_texts(judged, "closest_calls").rows[:4]
    expected = {}
    for row in closest.tolist():
        flips = api.find_flips(model, judged.table.texts[row], budget=2_000)
        if flips.n_words:
            expected[row] = flips.n_words
    assert dict(zip(found.rows.tolist(), found.values, strict=True)) == expected
    assert (np.diff(found.values) >= 0).all()


@pytest.mark.parametrize("reason", ["late_flips", "short_deletions"])
def test_work_that_reads_again_is_priced_told_and_cancelled(reason, tiny_model, judged_films):
    model = tiny_model("lstm")
    judged = judged_films(model)
    assert api.price_order(judged, reason, network=model) > 0
    assert api.price_order(judged, "closest_calls", network=model) == 0
    shares = []
    api.order_texts(judged, reason, network=model, n_texts=4, progress=shares.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1

    def stop(share):
        raise CancelledError("stop")

    with pytest.raises(CancelledError):
        api.order_texts(judged, reason, network=model, progress=stop)


def test_scores_over_texts_of_the_training_are_told_with_those_on_the_others(home, monkeypatch):
    from explorer_core.api import _reading_order

    made = make_table(["One film!", "another film", "a third", "a fourth", "a fifth"], ["a", "b", "a", "b", None])
    logits = [[5.0, 0.0], [5.0, 0.0], [5.0, 0.0], [5.0, 0.0], [5.0, 0.0]]
    judged = make_judgement(made, [logits, logits], [0, 1, 0, 1, -1])
    known = {"m0": frozenset({"onefilm", "afifth"}), "m1": None}
    monkeypatch.setattr(_reading_order, "_training_letters", lambda name, fingerprint: known[name])
    (said,) = api.tell_training(judged)
    low, high = (f"{end:.1%}" for end in stats.binomtest(1, 3).proportion_ci(method="wilson"))
    assert said.startswith("m0 was trained on 2 of these 5 texts; on the other 3 with a label it is right on 33.3% ")
    assert f"({low} to {high})" in said
    known["m0"] = frozenset({"onefilm", "anotherfilm", "athird", "afourth"})
    assert "nothing of new texts" in api.tell_training(judged)[0]
    known["m0"] = frozenset({"nothinghere"})
    assert api.tell_training(judged) == ()


def test_label_errors_say_when_the_network_has_learned_these_texts(home, tiny_model, monkeypatch):
    from explorer_core.api import _reading_order

    made = make_table(["One film!", "another film"], ["a", "b"])
    judged = make_judgement(made, [[[5.0, 0.0], [5.0, 0.0]]], [0, 1])
    for known, said in ((frozenset({"onefilm"}), "trained on 1 of these 2"), (frozenset(), "out of sample")):
        monkeypatch.setattr(_reading_order, "_training_letters", lambda name, fingerprint, known=known: known)
        assert said in api.order_texts(judged, "label_errors").notes[0]
