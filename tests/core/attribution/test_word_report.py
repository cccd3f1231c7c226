"""Scores of words over many texts: those of single texts, gathered by word; and words that may be shortcuts."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from explorer_core import api, registry
from explorer_core.attribution import _in_batches
from explorer_core.errors import CancelledError, IncompatibleError, InvalidInputError
from tests.conftest import WORDS, build_tiny

BATCHED = [name for name in registry.describe("attribution") if _in_batches.can_batch(name)]


def table_of(texts, tmp_path, labels=None, spec=None):
    path = tmp_path / "texts.csv"
    columns = {"text": list(texts)} | ({} if labels is None else {"label": list(labels)})
    pd.DataFrame(columns).to_csv(path, index=False)
    return api.read_texts([path], spec)


def some_texts(n, seed=0, longest=14):
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, longest))) for _ in range(n)]


@pytest.mark.parametrize("method", BATCHED)
@pytest.mark.parametrize("pooling", ["last", "mean", "max"])
def test_texts_explained_side_by_side_have_the_scores_of_single_ones(method, family, pooling):
    more = {} if family == "bert" else {"pooling": pooling}
    model = build_tiny(family, **more)
    if method not in {about.name for about in api.list_methods(model)}:
        pytest.skip("the method does not fit the family")
    texts = [*some_texts(17), "Unheard-of WORDS here!", "\u0007", "good"]
    for target in (None, 1):
        found = dict(api.attribute_texts(model, texts, method, target))
        assert list(found) == list(range(len(texts)))
        assert isinstance(found[18], InvalidInputError)
        for place in set(range(len(texts))) - {18}:
            alone = api.attribute(model, texts[place], method, target)
            assert found[place].words == alone.words
            np.testing.assert_allclose(found[place].scores, alone.scores, atol=2e-6)
            np.testing.assert_allclose(found[place].token_scores, alone.token_scores, atol=2e-6)
            np.testing.assert_allclose(found[place].logits, alone.logits, atol=2e-6)
            assert (found[place].target, found[place].baseline) == (alone.target, alone.baseline)
            if alone.complete:
                assert abs(found[place].convergence_delta) < 1e-5


def test_a_method_that_takes_one_text_after_the_other_goes_through_as_it_is():
    model = build_tiny("gru")
    texts = some_texts(3)
    found = dict(api.attribute_texts(model, texts, "leave_one_out", 0, removal="drop"))
    for place, text in enumerate(texts):
        alone = api.attribute(model, text, "leave_one_out", 0, removal="drop")
        np.testing.assert_array_equal(found[place].scores, alone.scores)


def test_the_method_over_many_texts_is_the_exact_one_where_the_family_has_it(family):
    method = api.report_method(build_tiny(family))
    assert method == ("lstm_ledger" if family in ("lstm", "bilstm") else "input_x_gradient")


def counted_by_hand(model, table, method, target):
    """Every occurrence of every word, from one call a text."""
    rows = []
    for place, text in enumerate(table.texts):
        found = api.attribute(model, text, method, target)
        frame = pd.DataFrame({"word": [word.lower() for word in found.words], "score": found.scores})
        sums = frame.groupby("word")["score"].sum()
        rest = max(value for index, value in enumerate(found.logits) if index != target)
        frame["place"] = place
        frame["top"] = frame["word"].map(lambda word, sums=sums: abs(sums[word]) >= sums.abs().max())
        was = found.logits[target] > rest
        frame["turn"] = frame["word"].map(
            lambda word, sums=sums, was=was, value=found.value, rest=rest: bool((value - sums[word] > rest) != was)
        )
        rows.append(frame)
    return pd.concat(rows, ignore_index=True)


@pytest.mark.parametrize(("family", "method"), [("lstm", "lstm_ledger"), ("gru", "input_x_gradient")])
def test_what_comes_to_a_word_is_what_a_table_of_all_occurrences_says(family, method, tmp_path):
    model = build_tiny(family)
    texts = [*some_texts(30), "Good good GOOD film", "good"]
    table = table_of(texts, tmp_path, ["positive", "negative"] * 16)
    report = api.report_words(model, table, method=method, target=1)
    frame = report.to_frame().set_index("word")
    by_hand = counted_by_hand(model, table, method, 1)
    assert set(frame.index) == set(by_hand["word"])
    for word, some in by_hand.groupby("word"):
        row = frame.loc[word]
        assert row["count"] == len(some)
        assert row["n_texts"] == some["place"].nunique()
        assert row["mean"] == pytest.approx(some["score"].mean(), abs=1e-6)
        once = some.drop_duplicates("place")
        assert row["top_share"] == pytest.approx(once["top"].mean())
        assert row["turn_share"] == pytest.approx(once["turn"].mean())
        assert row["n_target"] == sum(table.label_values[table.label[place]] == "positive" for place in once["place"])


def test_the_interval_of_a_word_is_that_of_a_bootstrap_over_texts(tmp_path):
    texts = [f"{text} film" + " film" * (number % 4) for number, text in enumerate(some_texts(400))]
    table = table_of(texts, tmp_path)
    report = api.report_words(build_tiny("lstm"), table, target=1)
    row = report.to_frame().set_index("word").loc["film"]
    which = report.word == report.words.index("film")
    sums, counts = report.score[which], report.n[which]
    drawn = np.random.default_rng(0).integers(0, len(sums), (4_000, len(sums)))
    means = sums[drawn].sum(1) / counts[drawn].sum(1)
    low, high = np.quantile(means, [0.025, 0.975])
    assert row["high"] - row["low"] == pytest.approx(high - low, rel=0.08)
    assert row["low"] == pytest.approx(low, abs=0.1 * (high - low))


def test_a_word_once_a_text_has_the_interval_of_students_t(tmp_path):
    table = table_of([f"{text} film" for text in some_texts(12) if "film" not in text], tmp_path)
    report = api.report_words(build_tiny("lstm"), table, target=0)
    values = report.score[report.word == report.words.index("film")]
    row = report.to_frame().set_index("word").loc["film"]
    expected = stats.ttest_1samp(values, 0.0).confidence_interval(0.95)
    np.testing.assert_allclose([row["low"], row["high"]], expected, atol=1e-9)


def test_pieces_of_one_row_count_as_one_draw(tmp_path):
    table = table_of(["Good film. Bad film. Dull film.", "A film."], tmp_path, spec=api.TextsSpec(long="sentence"))
    assert len(table) == 4
    found = api.report_words(build_tiny("lstm"), table, target=1).by_word
    film = found.words.index("film")
    assert (found.count[film], found.n_texts[film], found.n_rows[film]) == (4, 4, 2)
    good = found.words.index("good")
    assert np.isnan(found.low[good]), "in one row only"


def test_the_order_of_the_texts_changes_nothing_and_the_seed_draws_others(tmp_path):
    model, texts = build_tiny("lstm"), some_texts(40)
    table = table_of(texts, tmp_path)
    turned = table.take(np.arange(40)[::-1])
    pd.testing.assert_frame_equal(
        api.report_words(model, table).to_frame(), api.report_words(model, turned).to_frame(), atol=1e-5
    )
    few, again, other = (api.report_words(model, table, n_texts=10, seed=seed) for seed in (0, 0, 1))
    assert (few.n_texts, few.n_given) == (10, 40)
    np.testing.assert_array_equal(few.indices, again.indices)
    np.testing.assert_array_equal(few.score, again.score)
    assert not np.array_equal(few.indices, other.indices)


def test_two_networks_differ_by_the_difference_of_their_means(tmp_path):
    table = table_of(some_texts(30), tmp_path)
    one, other = (api.report_words(build_tiny("lstm", seed=seed), table, target=1) for seed in (1, 2))
    found = api.contrast_words(one, other)
    means = [report.to_frame().set_index("word")["mean"] for report in (one, other)]
    expected = (means[0] - means[1])[list(found.words)]
    np.testing.assert_allclose(found.difference, expected, atol=1e-12)
    assert (np.diff(np.abs(found.difference)) <= 0).all()
    back = api.contrast_words(other, one)
    np.testing.assert_allclose(back.difference, -found.difference)
    same = api.contrast_words(one, one)
    assert not same.difference.any()
    assert not np.nan_to_num(same.high - same.low).any()
    word = found.words[0]
    sums = [
        report.score[report.word == report.words.index(word)] / report.n[report.word == report.words.index(word)]
        for report in (one, other)
    ]
    if (one.n[one.word == one.words.index(word)] == 1).all() and len(sums[0]) > 1:
        expected = stats.ttest_rel(*sums).confidence_interval(0.95)
        np.testing.assert_allclose([found.low[0], found.high[0]], expected, atol=1e-9)
    with pytest.raises(IncompatibleError, match="same texts"):
        api.contrast_words(one, api.report_words(build_tiny("lstm"), table, target=1, n_texts=5))


def test_words_of_mistakes_pull_to_the_wrong_class(tmp_path):
    model, texts = build_tiny("lstm"), some_texts(40)
    predicted = api.predict(model, texts).probs.argmax(1)
    labels = [model.labels[1 - p] if number % 3 else model.labels[p] for number, p in enumerate(predicted)]
    table = table_of(texts, tmp_path, labels)
    report = api.report_words(model, table, target=1)
    found = report.mistakes()
    by_hand: dict[str, list[float]] = {}
    for number, text in enumerate(texts):
        if number % 3:
            one = api.attribute(model, text, report.method, 1)
            sums: dict[str, float] = {}
            for word, score in zip(one.words, one.scores, strict=True):
                sums[word] = sums.get(word, 0.0) + score * (1 if predicted[number] == 1 else -1)
            for word, value in sums.items():
                by_hand.setdefault(word, []).append(value)
    assert set(found["word"]) == set(by_hand)
    for row in found.itertuples():
        assert row.n_wrong_texts == len(by_hand[row.word])
        assert row.sum_of_pull == pytest.approx(sum(by_hand[row.word]), abs=1e-5)
    assert all(a >= b for a, b in itertools.pairwise(found["sum_of_pull"]))


def test_it_tells_how_far_it_is_shows_what_it_has_and_can_be_cancelled(tmp_path, monkeypatch):
    from explorer_core.attribution import _word_report

    monkeypatch.setattr(_word_report, "_LOOK_EVERY_S", 0.0)
    monkeypatch.setattr(_in_batches, "_AT_ONCE", 8)
    table, shares, looks = table_of(some_texts(40), tmp_path), [], []
    report = api.report_words(build_tiny("lstm"), table, progress=shares.append, watch=looks.append)
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert not any(look.is_finished for look in looks)
    assert looks[-1].n_texts == 40
    assert report.is_finished

    def stop(share):
        if share > 0.4:
            raise CancelledError("stopped")

    with pytest.raises(CancelledError):
        api.report_words(build_tiny("lstm"), table, progress=stop)


def test_a_method_without_signs_and_unknown_wishes_are_refused(tmp_path):
    model, table = build_tiny("lstm"), table_of(some_texts(4), tmp_path)
    with pytest.raises(IncompatibleError, match="no signs"):
        api.report_words(model, table, method="gradient_norm")
    with pytest.raises(InvalidInputError, match="no class"):
        api.report_words(model, table, target="spam")
    with pytest.raises(InvalidInputError):
        api.report_words(model, table, n_texts=1)


def test_the_price_grows_with_the_texts(tmp_path):
    model, texts = build_tiny("lstm"), some_texts(100)
    for method in ("lstm_ledger", "leave_one_out"):
        few, many = (api.price_report(model, texts, method, n) for n in (5, 100))
        assert few.seconds > 0
        assert many.n_passes > few.n_passes


def test_a_report_is_taken_away_as_a_safe_table(tmp_path):
    table = table_of(["=cmd film", "film good"], tmp_path)
    report = api.report_words(build_tiny("lstm"), table)
    written = report.save(tmp_path / "words.csv").read_text(encoding="utf-8")
    assert "\n=" not in written
    with np.load(report.save(tmp_path / "words.npz")) as arrays:
        np.testing.assert_array_equal(arrays["score"], report.score)
