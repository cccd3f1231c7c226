"""Networks judged over a file: each text once, the same numbers again bit for bit, and on where it was stopped."""

from __future__ import annotations

import json
import os

import numpy as np
import pandas as pd
import pytest

from explorer_core import api, prediction, settings
from explorer_core.errors import CancelledError, ExplorerError
from explorer_core.judging import _kept, verdicts
from explorer_core.results import safe_csv

FILMS = ["the film was good", "the film was bad", "never again", "a lovely story 😀", "the film was good"]
CONTENT = "text,label,n\n" + "".join(f"{text},{('pos', 'neg')[row % 2]},{row}\n" for row, text in enumerate(FILMS * 3))


@pytest.fixture
def table(read):
    return read("films.csv", CONTENT)


@pytest.fixture
def counted(monkeypatch):
    """Counts the texts that networks read."""
    seen = []
    before = prediction.read_ids

    def count(model, texts, **more):
        seen.extend(texts)
        return before(model, texts, **more)

    monkeypatch.setattr(prediction, "read_ids", count)
    return seen


def test_verdicts_are_those_of_predict_and_rows_stay_in_order(family, tiny_model, table):
    model = tiny_model(family, dtype="float64")
    judged = api.judge([model], table)
    expected = api.predict(model, list(table.texts))
    np.testing.assert_allclose(judged.logits[0], expected.logits, atol=1e-10)
    np.testing.assert_array_equal(judged.n_unknown[0], expected.n_unknown)
    np.testing.assert_array_equal(judged.n_truncated[0], expected.n_truncated)
    np.testing.assert_allclose(judged.probs.sum(-1), 1, atol=1e-12)
    assert judged.table.texts == table.texts
    assert judged.true.tolist() == [1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]
    assert judged.scores[0].accuracy == pytest.approx((expected.logits.argmax(1) == judged.true).mean())


def test_each_different_text_is_read_once_and_repeats_get_the_same_bits(tiny_model, table, counted):
    judged = api.judge([tiny_model("lstm")], table)
    assert sorted(counted) == sorted(set(FILMS))
    for one, other in ((0, 4), (0, 5), (1, 6)):
        assert judged.logits[0, one].tobytes() == judged.logits[0, other].tobytes()


def test_what_was_read_before_is_found_again_bit_for_bit(tiny_model, table, counted):
    model = tiny_model("gru")
    first = api.judge([model], table)
    counted.clear()
    again = api.judge([model], table)
    assert counted == []
    assert first.logits.tobytes() == again.logits.tobytes()
    assert first.n_tokens.tolist() == again.n_tokens.tolist()
    api.judge([tiny_model("gru", seed=1)], table)
    assert len(counted) == 4, "other weights, other verdicts"
    counted.clear()
    api.judge([model], table, is_kept=False)
    assert len(counted) == 4
    api.forget_verdicts(model.fingerprint)
    counted.clear()
    api.judge([model], table)
    assert len(counted) == 4


def test_work_that_was_cancelled_goes_on_where_it_was(tiny_model, read, counted, monkeypatch):
    monkeypatch.setattr(verdicts, "AT_ONCE", 10)
    texts = [f"the film number {number} was good" for number in range(40)]
    table, model = read("a.txt", "\n".join(texts)), tiny_model("lstm")
    shares = []

    def stop(share):
        shares.append(share)
        if share > 0.3:
            raise CancelledError("enough")

    with pytest.raises(CancelledError):
        api.judge([model], table, progress=stop)
    n_read = len(counted)
    assert 20 <= n_read <= 30
    assert shares == sorted(shares)
    counted.clear()
    judged = api.judge([model], table)
    assert len(counted) == 20, "the two blocks that were read are not read again"
    assert judged.logits.tobytes() == api.judge([model], table).logits.tobytes()
    np.testing.assert_allclose(judged.logits[0], api.predict(model, texts).logits, atol=1e-5)


def test_results_come_while_the_work_goes_on(tiny_model, read, monkeypatch):
    monkeypatch.setattr(verdicts, "AT_ONCE", 10)
    table = read("a.txt", "\n".join(f"film {number} was good" for number in range(25)))
    seen = []
    final = api.judge([tiny_model("lstm"), tiny_model("rnn")], table, watch=seen.append)
    assert [(len(one.models), len(one), one.is_finished) for one in seen] == [
        (1, 10, False), (1, 20, False), (1, 25, False), (2, 25, True),
    ]  # fmt: skip
    for one in seen:
        np.testing.assert_array_equal(one.logits[0], final.logits[0, : len(one)])
    assert seen[-1] is final


@pytest.mark.parametrize("damage", [b"", b"PK\x03\x04 not a zip", b"\x93NUMPY"])
def test_a_damaged_file_of_verdicts_is_passed_over(tiny_model, table, home, damage):
    model = tiny_model("lstm")
    first = api.judge([model], table)
    for path in (home / ".verdicts").rglob("*.npz"):
        path.write_bytes(damage)
    np.testing.assert_allclose(api.judge([model], table).logits, first.logits, atol=1e-6)


def test_many_small_files_are_joined_and_nothing_is_lost(home):
    rng = np.random.default_rng(0)
    found = _kept.Verdicts(
        rng.integers(0, 255, (100, 16), dtype=np.uint8), rng.normal(size=(100, 2)).astype(np.float32),
        rng.integers(1, 9, (100, 3), dtype=np.int32),
    )  # fmt: skip
    for row in range(100):
        _kept.keep("abc", _kept.Verdicts(*(getattr(found, name)[[row]] for name in ("digests", "logits", "counts"))))
    assert len(list((home / ".verdicts" / "abc").iterdir())) <= _kept._MAX_PARTS + 1
    back = _kept.load("abc", 2)
    order = [[bytes(one) for one in back.digests].index(bytes(digest)) for digest in found.digests]
    np.testing.assert_array_equal(back.logits[order], found.logits)
    assert len(_kept.load("abc", 3).digests) == 0, "another number of classes is another network"


def test_the_room_on_disk_is_bounded_and_the_oldest_goes_first(home, monkeypatch):
    monkeypatch.setattr(settings, "MAX_VERDICTS_MIB", 0.02)
    rng = np.random.default_rng(0)
    for number, name in enumerate(("a", "b", "c", "d")):
        digests = rng.integers(0, 255, (200, 16), dtype=np.uint8)
        _kept.keep(name, _kept.Verdicts(digests, np.zeros((200, 2), np.float32), np.ones((200, 3), np.int32)))
        os.utime(home / ".verdicts" / name, (number, number))
    left = sorted(path.name for path in (home / ".verdicts").iterdir())
    assert "d" in left
    assert "a" not in left


def test_a_disk_that_cannot_be_written_keeps_nothing_and_judges_all_the_same(tiny_model, table, home):
    (home / ".verdicts").write_text("a file where a folder should be")
    assert len(api.judge([tiny_model("lstm")], table)) == 15


def test_a_text_no_network_can_read_is_left_out_and_counted(tiny_model, read):
    table = read("a.txt", "good film\n\ufe0f\u0301\nbad film")
    judged = api.judge([tiny_model("lstm")], table)
    assert judged.n_unread == len(table) - len(judged)
    assert judged.indices.tolist() == [0, 2]
    assert judged.table.row_numbers.tolist() == [1, 3]


def test_without_labels_there_are_distributions_confidence_and_disagreement(tiny_model, read):
    table = read("a.txt", "\n".join(FILMS[:4] * 5))
    judged = api.judge([tiny_model("lstm"), tiny_model("gru")], table)
    assert judged.scores == ()
    assert not judged.has_labels
    assert judged.counts().sum(1).tolist() == [20, 20]
    assert not judged.effects[0].is_accuracy
    assert judged.agreement.differs[0, 1] == pytest.approx(np.mean(judged.predicted[0] != judged.predicted[1]))
    assert "true" not in judged.to_frame()


def test_models_with_classes_in_another_order_are_judged_on_one_order(tiny_model, table):
    model, turned = tiny_model("lstm"), tiny_model("gru", labels=("positive", "negative"))
    judged = api.judge([model, turned], table)
    assert judged.labels == ("negative", "positive")
    np.testing.assert_allclose(judged.logits[1], api.predict(turned, list(table.texts)).logits[:, ::-1], atol=1e-6)


@pytest.mark.parametrize("choose", [lambda make: [], lambda make: [make("lstm"), make("lstm")],
                                    lambda make: [make("lstm"), make("gru", labels=("ham", "spam"))]])  # fmt: skip
def test_models_that_cannot_be_judged_together_are_refused(tiny_model, table, choose):
    with pytest.raises(ExplorerError):
        api.judge(choose(tiny_model), table)


def test_rows_are_taken_away_as_tables_lines_and_arrays(tiny_model, read, tmp_path):
    table = read("a.csv", 'text,label\n"=HYPERLINK(1)",pos\n@cmd,neg\n-1+2,pos\n"+x, y",neg\n')
    judged = api.judge([tiny_model("lstm"), tiny_model("rnn")], table)
    frame = judged.to_frame()
    assert len(frame) == 4
    names = [f"{what} tiny-{model}" for model in ("lstm", "rnn") for what in ("predicted", "right", "confidence",
             "prob negative", "logit positive", "n_tokens", "n_unknown", "n_truncated")]  # fmt: skip
    assert set(names) <= set(frame.columns)
    lines = [json.loads(line) for line in judged.save(tmp_path / "a.jsonl").read_text().split("\n") if line]
    assert [line["text"] for line in lines] == list(table.texts)
    for row, line in enumerate(lines):
        assert line["logit positive tiny-rnn"] == pytest.approx(float(judged.logits[1, row, 1]), abs=1e-12)
    written = judged.save(tmp_path / "a.csv").read_bytes()
    assert written == safe_csv(frame)
    assert b",=HYPERLINK" not in written
    assert all(cell in written for cell in (b"'=HYPERLINK", b"'@cmd", b"'-1+2", b"'+x"))
    with np.load(judged.save(tmp_path / "a.npz")) as arrays:
        np.testing.assert_array_equal(arrays["logits"], judged.logits)


def test_columns_of_the_file_never_hide_what_the_network_says(tiny_model, read, tmp_path):
    names = ("true", "n_words", "column n_words", "confidence tiny-lstm", "row", "rank", "why", "file", "label")
    rows = "".join(f"{text},{('pos', 'neg')[row % 2]}," + ",".join(f"{name} {row}" for name in names) + "\n"
                   for row, text in enumerate(FILMS))  # fmt: skip
    table = read("a.csv", f"review,answer,{','.join(names)}\n{rows}", text_column="review", label_column="answer")
    judged = api.judge([tiny_model("lstm")], table, is_kept=False)
    for taken, n_more in ((judged, 0), (api.order_texts(judged, "closest_calls"), 2)):
        frame = taken.to_frame()
        assert frame.columns.is_unique
        rows = np.arange(len(judged)) if not n_more else taken.rows
        np.testing.assert_array_equal(frame["confidence tiny-lstm"], judged.confidence[0, rows])
        np.testing.assert_array_equal(frame["n_words"], table.n_words[rows])
        own = {str(cells[list(rows).index(0)]) for name, cells in frame.items() if name not in ("text",)}
        assert {f"{name} 0" for name in names} <= own  # nothing of the file is lost either
        written = pd.read_csv(taken.save(tmp_path / "a.csv"))
        np.testing.assert_allclose(written["confidence tiny-lstm"], judged.confidence[0, rows])
        (first, *_) = taken.to_jsonl()
        assert json.loads(first)["confidence tiny-lstm"] == pytest.approx(judged.confidence[0, rows[0]])


def test_judging_leaves_no_trace_on_the_network(family, tiny_model, table):
    model = tiny_model(family)
    before = {name: weight.clone() for name, weight in model.module.state_dict().items()}
    api.judge([model], table)
    assert not model.module.training
    assert all((weight == before[name]).all() for name, weight in model.module.state_dict().items())
    assert not any(weight.grad is not None for weight in model.module.parameters())


def test_the_price_counts_different_texts_that_were_not_read_before_and_their_tokens(tiny_model, read):
    rows = [f"the film number {row} was good and {'very ' * (row % 7)}long" for row in range(300)]
    table, model = read("a.txt", "\n".join(rows + rows[:50])), tiny_model("lstm", max_tokens=10)
    (first,) = api.price_judging([model], table)
    n_tokens = sum(map(len, prediction.read_ids(model, rows).ids))
    assert (first.n_texts, first.n_known) == (300, 0)
    assert first.n_tokens == pytest.approx(n_tokens, rel=0.05)
    assert first.seconds > 0
    api.judge([model], table.take(np.arange(100)))
    (second,) = api.price_judging([model], table)
    assert second.n_known == 100
    assert second.n_tokens == pytest.approx(n_tokens * 2 / 3, rel=0.1)
    api.judge([model], table)
    assert api.price_judging([model], table)[0].seconds == 0


def test_results_of_a_slow_network_come_after_fewer_texts(tiny_model, read):
    table = read("a.txt", "\n".join(f"film {number} was good" for number in range(600)))
    seen = []
    api.judge([tiny_model("bert")], table, watch=seen.append, n_resamples=20)
    assert [len(one) for one in seen] == [256, 512, 600]
