"""What all figures share: escaped words, thinned axes, labels that do not overlap."""

import numpy as np
import pytest

from explorer_core.views import _style


@pytest.mark.parametrize(
    ("word", "shown"),
    [
        ("<a href='x'>", "&lt;a href=&#x27;x&#x27;&gt;"),
        ("a\u202eb", "a\\u202eb"),
        ("x" * 40, "x" * 15 + "…"),
        ("رائع", "رائع"),
    ],
)
def test_a_word_in_a_figure_is_never_markup_and_hides_nothing(word, shown):
    assert _style.escaped(word) == shown


def test_labels_are_moved_apart_in_order_and_stay_inside():
    places = _style.spread([0.1, 0.5, 0.5, 0.51, 0.99], 0.1, 0.0, 1.0)
    assert np.all(np.diff(places) >= 0.1 - 1e-12)
    assert places[0] >= 0.0 and places[-1] <= 1.0
    assert places[0] == 0.1


def test_labels_that_cannot_all_fit_keep_their_distance_and_begin_at_the_low_end():
    places = _style.spread([0.5] * 30, 0.1, 0.0, 1.0)
    assert np.allclose(np.diff(places), 0.1)
    assert places[0] == pytest.approx(0.0)


@pytest.mark.parametrize("n_words", [1, 2, 30, 51, 300, 1500])
def test_words_under_an_axis_are_thinned_and_the_last_is_kept(n_words):
    spec = _style.describe(300)
    _style.word_axis(spec, ["word"] * n_words, width=860)
    ticks = spec["layout"]["xaxis"]["tickvals"]
    assert ticks[-1] == n_words - 1
    gaps = np.diff(ticks) / n_words * 860
    assert len(ticks) == 1 or gaps.min() >= 16


def test_a_label_is_linked_to_its_line_where_it_had_to_move():
    spec = _style.describe(300)
    _style.label_ends(spec, [(3, 0.5, "a", "red"), (3, 0.5, "b", "blue")], limits=(0, 1), height=200)
    assert [note["text"] for note in spec["layout"]["annotations"]] == ["<b>a</b>", "<b>b</b>"]
    assert spec["layout"]["shapes"]


def test_a_figure_exported_by_itself_offers_no_cloud():
    assert _style.CONFIG["showSendToCloud"] is False
    assert _style.CONFIG["displaylogo"] is False
