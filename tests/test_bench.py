"""The table of `make bench`: found by discovery, with a verdict that means what it says."""

from __future__ import annotations

import math

import pytest

from bench import __main__ as bench
from bench._row import Row, ratio


def test_every_benchmark_file_is_found_by_its_name():
    assert "tracing" in bench.names()
    assert bench.names() == sorted(bench.names())


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (Row("time", 2.0, 2.0), "kept"),
        (Row("time", 2.0, 2.01), "missed"),
        (Row("accuracy", 0.8, 0.8, at_least=True), "kept"),
        (Row("accuracy", 0.8, 0.79, at_least=True), "missed"),
        (Row("only printed", None, 3.0), ""),
        (Row("no GPU here", 2.0, math.nan, note="no GPU"), "not measured"),
    ],
)
def test_a_bar_is_kept_up_to_and_including_itself(row, verdict):
    assert row.verdict == verdict


def test_the_table_is_markdown_with_one_line_for_each_row():
    lines = bench.table([Row("time", 2.2, 1.5, note="3 ms over 2 ms"), Row("GPU", 2.0, math.nan, note="none")]).split(
        "\n"
    )
    assert lines[0] == "| quantity | bar | measured | verdict |"
    assert lines[2] == "| time | 2.2x | 1.5x (3 ms over 2 ms) | kept |"
    assert lines[3] == "| GPU | 2x |  (none) | not measured |"


def test_a_ratio_is_ours_over_the_reference():
    row = ratio("sums", 1.0, lambda: sum(range(200_000)), lambda: sum(range(2_000)), n_rounds=9)
    assert row.measured > 3
    assert row.verdict == "missed"


def test_an_unknown_name_is_refused_with_those_there_are(capsys):
    assert bench.main(["nonsense"]) == 2
    assert "tracing" in capsys.readouterr().err
