"""The picture of the shortcut exam draws its numbers, and says so where there are none."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from explorer_core.palette import family_line
from explorer_core.views import exam_precision
from tests.core.exam.exams import made_exam


def test_a_mark_is_the_precision_of_a_method_and_its_whiskers_the_interval():
    exam = made_exam(("rnn", "lstm"))
    figure = exam_precision.render(exam)
    for trace, family in zip(figure.data, ("rnn", "lstm"), strict=True):
        rows = [row for row in exam.rows if row.family == family]
        np.testing.assert_allclose(trace.x, [row.precision for row in rows])
        np.testing.assert_allclose(np.array(trace.x) + trace.error_x.array, [row.precision_high for row in rows])
        np.testing.assert_allclose(np.array(trace.x) - trace.error_x.arrayminus, [row.precision_low for row in rows])
        assert trace.marker.color == family_line(family)[0]
        named = [figure.layout.yaxis.ticktext[round(place)] for place in trace.y]
        assert named == ["Leave one out", "Gradient norm", "LIME"]
    assert len({trace.marker.symbol for trace in figure.data}) == 2


def test_the_dotted_line_is_a_random_order():
    figure = exam_precision.render(made_exam())
    (line,) = [shape for shape in figure.layout.shapes if shape.line.dash == "dot"]
    assert line.x0 == line.x1 == 1 / 8
    assert "random order 0.12" in [note.text for note in figure.layout.annotations]


def test_families_that_did_not_learn_it_are_left_out_and_without_any_that_is_said():
    figure = exam_precision.render(made_exam(accuracy=0.5))
    assert [note.text for note in figure.layout.annotations] == ["No network has learned the shortcut."]
    assert exam_precision.alt_text(made_exam(accuracy=0.5)) == "No network has learned the shortcut."
    go.Figure(figure.to_plotly_json())


def test_the_picture_is_told_in_words():
    said = exam_precision.alt_text(made_exam(("gru",)))
    assert "Leave one out: GRU 1.0; Gradient norm: GRU 0; LIME: GRU" in said
    assert said.endswith("A random order would find it in 0.12.")
