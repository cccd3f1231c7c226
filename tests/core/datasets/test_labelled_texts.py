"""The data a model learns from: aligned, split, counted; and every source describes itself."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from explorer_core import registry
from explorer_core.api import list_sources
from explorer_core.datasets._labelled_texts import LabelledTexts, count_lengths, count_words, preview_of
from explorer_core.errors import InvalidInputError
from explorer_core.training.spec import DataSpec


def tiny(**changes) -> LabelledTexts:
    fields = {
        "texts": ("good", "very bad", "fine", "so so here"),
        "labels": np.array([1, 0, 1, 0]),
        "label_names": ("negative", "positive", "never"),
        "split": np.array(["train", "train", "validation", "test"]),
        "origin": "tiny",
        "sentence": "Four texts.",
    }
    return LabelledTexts(**(fields | changes))


def test_rows_of_a_split_keep_their_order_and_cover_everything():
    data = tiny()
    assert data.rows("train").tolist() == [0, 1]
    assert data.rows("test").tolist() == [3]
    assert sorted(np.concatenate([data.rows(s) for s in ("train", "validation", "test")])) == data.rows("all").tolist()
    with pytest.raises(InvalidInputError, match="no split 'dev'; allowed: train, validation, test, all"):
        data.rows("dev")


def test_histograms_count_every_text_once():
    data = tiny()
    assert data.label_histogram() == {"negative": 2, "positive": 2, "never": 0}
    lengths = data.length_histogram()
    assert lengths.counts.sum() == len(data) == 4
    assert lengths.longest_words == 3
    assert not lengths.is_open


def test_lengths_fall_into_equal_bins_and_one_long_text_into_the_last_open_one():
    lengths = count_lengths([" ".join(["word"] * (row % 40 + 1)) for row in range(400)] + ["word " * 50_000])
    assert len(set(np.diff(lengths.edges))) == 1
    assert lengths.edges[0] == 0
    assert lengths.edges[-1] <= 50
    assert lengths.counts.sum() == 401
    assert lengths.longest_words == 50_000
    assert lengths.is_open
    assert lengths.median_words == pytest.approx(21, abs=1)


def test_no_texts_have_an_empty_histogram():
    assert count_lengths([]).counts.sum() == 0


@pytest.mark.parametrize(
    ("text", "n_words"), [("", 0), ("one two", 2), ("  x\n\ty ", 2), ("这部电影", 5), ("été là", 2)]
)
def test_words_are_runs_between_blanks_and_ideographs(text, n_words):
    assert count_words(text) == n_words


def test_columns_that_do_not_align_are_a_bug():
    with pytest.raises(AssertionError):
        tiny(labels=np.array([0]))
    with pytest.raises(AssertionError):
        tiny(groups={"pair": ("a",)})
    with pytest.raises(AssertionError):
        tiny(spans=())


def test_a_preview_shows_three_rows_of_different_classes_and_cuts_long_texts():
    preview = preview_of(tiny(texts=("good", "x" * 10_000, "fine", "so so")))
    assert len(preview.samples) == 3
    assert {label for _, label in preview.samples} == {"negative", "positive"}
    assert max(len(text) for text, _ in preview.samples) == 500


@pytest.mark.parametrize("source", list(registry.describe("datasets")))
def test_every_source_describes_itself_and_can_be_read_and_previewed(source):
    about = registry.describe("datasets")[source]
    assert about.label
    assert about.sentence.endswith(".")
    for option in about.extra["options"]:
        assert {"name", "label", "kind", "help"} <= set(option)
        assert option["kind"] in ("file", "text", "column", "choice", "number", "names")
        assert option["help"].endswith(".")
    module = registry.load("datasets", source)
    assert callable(module.read)
    assert callable(module.preview)


def test_the_sources_are_in_their_order():
    assert [about.name for about in list_sources()] == ["starter", "local_file", "hub"]


def test_unknown_options_are_refused_with_the_known_ones():
    from explorer_core.api import preview_data, read_data

    for door in (read_data, preview_data):
        with pytest.raises(InvalidInputError, match="no option 'path'; allowed: none"):
            door(DataSpec("starter", {"path": "x"}))


def test_importing_the_room_is_cheap():
    heavy = "torch pandas datasets pyarrow openpyxl transformers charset_normalizer huggingface_hub"
    code = (
        "import sys; from explorer_core import api; from explorer_core.training.spec import DataSpec;"
        "from explorer_core.datasets import _labelled_texts, starter, local_file, hub; api.preview_data(DataSpec());"
        f"print([name for name in {heavy.split()!r} if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
