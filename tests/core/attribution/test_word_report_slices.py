"""A report of words over a slice of its texts."""

from __future__ import annotations

import numpy as np
import pandas as pd

from explorer_core import api
from tests.conftest import build_tiny
from tests.core.attribution.test_word_report import some_texts, table_of


def test_a_slice_of_the_report_is_the_report_of_the_slice(tmp_path):
    model, texts = build_tiny("lstm"), some_texts(24)
    table = table_of(texts, tmp_path, ["positive", "negative"] * 12)
    report = api.report_words(model, table, target=1)
    part = report.summary(report.true == 1).to_frame()
    alone = api.report_words(model, table.take(np.flatnonzero(report.true == 1)), target=1)
    pd.testing.assert_frame_equal(part, alone.to_frame(), atol=1e-5)
    kept = report.only(report.true == 1)
    pd.testing.assert_frame_equal(kept.to_frame(), alone.to_frame(), atol=1e-5)
    pd.testing.assert_frame_equal(kept.mistakes(), alone.mistakes(), atol=1e-5)
    np.testing.assert_array_equal(kept.predicted, alone.predicted)


def test_a_slice_means_the_texts_that_were_read_also_where_they_were_drawn(tmp_path):
    texts = some_texts(40, longest=9)
    path = tmp_path / "texts.csv"
    frame = {"text": texts, "label": ["positive", "negative"] * 20, "place": [f"p{row % 3}" for row in range(40)]}
    pd.DataFrame(frame).to_csv(path, index=False)
    table = api.read_texts([path])
    report = api.report_words(build_tiny("lstm"), table, n_texts=25)
    assert not np.array_equal(report.indices, np.arange(25))
    for where, is_meant in (
        (api.SliceSpec(column="place", value="p1"), lambda row: row % 3 == 1),
        (api.SliceSpec(label="negative", min_words=4), lambda row: row % 2 == 1 and len(texts[row].split()) >= 4),
        (api.SliceSpec(), lambda row: True),
    ):
        expected = [is_meant(row) for row in report.indices]
        np.testing.assert_array_equal(api.slice_report(report, table, where), expected)
    wrong = api.slice_report(report, table, api.SliceSpec(right=False))
    np.testing.assert_array_equal(wrong, report.predicted != report.true)
    assert api.slice_choices(table, "place") == api.slice_choices(api.judge([build_tiny("gru")], table), "place")
