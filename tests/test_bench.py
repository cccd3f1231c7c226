"""The table of `make bench`: found by discovery, with a verdict that means what it says."""

from __future__ import annotations

import importlib
import math
import sys
import types

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


def test_write_refuses_to_leave_half_a_table(capsys):
    assert bench.main(["tracing"], write=True) == 2
    assert "leave the names out" in capsys.readouterr().err


@pytest.mark.parametrize("name", bench.names())
def test_every_benchmark_has_a_measure_and_says_why_it_is_slow(name):
    module = importlib.import_module(f"bench.bench_{name}")
    assert callable(module.measure)
    assert module.__doc__
    assert isinstance(getattr(module, "SLOW", ""), str)


def test_every_quantity_of_the_product_has_its_benchmark():
    assert {"app", "exam", "starters", "tracing", "training"} <= set(bench.names())


def benchmark(monkeypatch, **entries):
    """A benchmark file in memory, the only one there is."""
    module = types.ModuleType("bench.bench_made_up")
    vars(module).update(entries)
    monkeypatch.setitem(sys.modules, "bench.bench_made_up", module)
    monkeypatch.setattr(bench, "names", lambda: ["made_up"])


def test_a_slow_benchmark_runs_only_when_it_is_asked_for(monkeypatch, capsys):
    benchmark(monkeypatch, SLOW="takes an hour", measure=lambda: [Row("waiting", 60, 12.0, "s")])
    assert bench.main() == 0
    assert "| made_up |  |  (takes an hour; `python -m bench made_up`) | not measured |" in capsys.readouterr().out
    for asked in ({"wanted": ["made_up"]}, {"slow": True}):
        assert bench.main(**asked) == 0
        assert "| waiting | 60 s | 12 s | kept |" in capsys.readouterr().out


def test_a_benchmark_that_breaks_is_said_and_does_not_pass(monkeypatch, capsys):
    def measure():
        raise OSError("no disk")

    benchmark(monkeypatch, measure=measure)
    assert bench.main() == 1
    said = capsys.readouterr()
    assert "| made_up |  |  (broke: OSError) | not measured |" in said.out
    assert "no disk" in said.err


@pytest.mark.parametrize(
    ("row", "line"),
    [
        (Row("long", 4096, 4096, unit="tokens", at_least=True), "| long | 4,096 tokens | 4,096 tokens | kept |"),
        (Row("share", 0.8, 0.7936, unit="", at_least=True), "| share | 0.8 | 0.794 | missed |"),
        (Row("a | b", None, 1.0, "ms", note="one\ntwo | three"), "| a \\| b |  | 1 ms (one two \\| three) |  |"),
        (Row("tiny", 1e-5, 3.2e-7, unit=""), "| tiny | 1e-05 | 3.2e-07 | kept |"),
    ],
)
def test_a_row_stays_one_line_of_four_cells(row, line):
    assert bench.table([row]).split("\n")[2] == line


def test_write_replaces_what_stands_between_the_markers_and_nothing_else(monkeypatch, tmp_path):
    readme = tmp_path / "README.md"
    readme.write_text("# Ours\n<!-- bench -->\nold\n<!-- /bench -->\nLicence\n")
    monkeypatch.setattr(bench, "README", readme)
    benchmark(monkeypatch, measure=lambda: [Row("waiting", 60, 12.0, "s", note=r"\1")])
    for _ in range(2):
        assert bench.main(write=True) == 0
        text = readme.read_text()
        assert text.startswith("# Ours\n<!-- bench -->\n| quantity | bar |")
        assert text.endswith(".\n<!-- /bench -->\nLicence\n")
        assert text.count("waiting") == text.count("Measured on ") == 1
        assert r"(\1)" in text
        assert "old" not in text
    with pytest.raises(ValueError, match="markers"):
        bench.written("no markers", "block")


def test_the_readme_has_its_place_for_the_numbers():
    text = bench.README.read_text(encoding="utf-8")
    assert "| one |" in bench.written(text, "| one |")


def test_rates_leave_out_the_pauses_between_epochs_or_count_them():
    from bench.bench_training import Timed

    ends_s = [9.0, 10.0, 11.0, 12.0, 20.0, 21.0, 22.0, 23.0]  # steps of a second, and 7 s between two epochs
    timed = Timed(ends_s, [1] * 8, (), [5.0] * 4 + [1.0] * 4, n_epochs=2)
    assert timed.steps_per_s == pytest.approx(1.0)
    assert timed.steps_per_s_with_pauses == pytest.approx(4 / 11)
    assert timed.last_loss == 1.0


def test_an_exam_without_models_or_data_says_so(monkeypatch, tmp_path, capsys):
    from bench import bench_exam

    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path))
    rows = bench_exam.measure()
    assert {row.verdict for row in rows} == {"not measured"}
    assert sum(row.bar is not None for row in rows) == 8
    assert all("is not trained" in row.note for row in rows)


def test_the_exam_counts_both_sides_of_every_pair_once():
    from bench import bench_exam
    from explorer_core import api
    from explorer_core.training.spec import DataSpec

    counts = bench_exam._pairs_by_phenomenon()
    data = api.read_data(DataSpec("starter"))
    assert counts["all"] == sum(count for name, count in counts.items() if name != "all")
    assert 0 < counts["all"] <= len(data.rows("test")) // 2


def test_a_missing_browser_is_a_reason_and_not_a_number(monkeypatch):
    from bench import bench_app

    monkeypatch.setattr(bench_app, "_missing", lambda: "no Chromium")
    rows = bench_app.measure()
    assert len(rows) == 4
    assert {(row.verdict, row.note) for row in rows} == {("not measured", "no Chromium")}


def test_a_store_that_is_thrown_away_is_gone_and_the_old_one_is_back(monkeypatch, tmp_path):
    from bench import _homes
    from explorer_core import settings

    monkeypatch.setenv("UNROLLED_HOME", str(tmp_path))
    with _homes.thrown_away() as home:
        assert settings.home() == home.resolve()
    assert not home.parent.exists()
    assert settings.home() == tmp_path.resolve()
