"""The running verdict: decision point, flips, and a figure for any text."""

import numpy as np
import pytest

from explorer_core.palette import family_line
from explorer_core.results import softmax
from explorer_core.views import running_verdict
from explorer_core.views.running_verdict import VerdictLine, decision_point, flips
from tests.core.views.conftest import TEXTS


def both(positive):
    values = np.array(positive, dtype=float)
    return np.stack([1 - values, values], axis=1)


@pytest.mark.parametrize(
    ("positive", "decided", "turned"),
    [
        ([0.9], 0, []),
        ([0.9, 0.8, 0.7], 0, []),
        ([0.1, 0.2, 0.9], 2, [2]),
        ([0.9, 0.1, 0.9, 0.8], 2, [1, 2]),
        ([0.1, 0.9, 0.1, 0.2], 2, [1, 2]),
    ],
)
def test_the_decision_point_is_the_last_change_of_the_lead_towards_the_final_class(positive, decided, turned):
    probs = both(positive)
    assert decision_point(probs) == decided
    assert flips(probs).tolist() == turned


def test_from_the_decision_point_the_final_class_leads_for_good_and_before_it_another_did():
    generator = np.random.default_rng(0)
    for _ in range(200):
        probs = softmax(generator.normal(size=(generator.integers(1, 12), 3)))
        decided, final = decision_point(probs), probs[-1].argmax()
        assert np.all(probs[decided:].argmax(1) == final)
        assert decided == 0 or probs[decided - 1].argmax() != final


@pytest.mark.parametrize("text", TEXTS.values(), ids=TEXTS)
def test_any_text_is_drawn_by_every_family(trace_of, family, text):
    trace = trace_of(family, text)
    lines = [VerdictLine("model", family, softmax(trace.running_logits_by_word))]
    figure = running_verdict.render(lines, trace.words, target=1, target_label="positive")
    drawn = figure.data[0]
    assert np.array_equal(drawn.x, np.arange(len(trace.words)))
    assert np.array_equal(drawn.y, softmax(trace.running_logits_by_word)[:, 1])
    assert drawn.y[-1] == pytest.approx(trace.probs[1], abs=1e-5)
    assert (drawn.line.color, drawn.line.dash) == family_line(family)
    assert not [word for word in (*drawn.text, *figure.layout.xaxis.ticktext) if "<" in word or "\u202e" in word]


def test_the_axis_is_fixed_to_probabilities_and_the_middle_is_marked_for_two_classes_only():
    two = running_verdict.render([VerdictLine("a", "lstm", both([0.5, 0.6]))], "ab", target=1, target_label="x")
    three = running_verdict.render([VerdictLine("a", "lstm", np.full((2, 3), 1 / 3))], "ab", target=1, target_label="x")
    for figure in (two, three):
        assert figure.layout.yaxis.range[0] == pytest.approx(-0.03)
        assert figure.layout.yaxis.range[1] == pytest.approx(1.03)
    assert [shape.y0 for shape in two.layout.shapes] == [0.5]
    assert not three.layout.shapes


def test_five_models_on_one_axis_are_named_at_the_ends_of_their_lines(families):
    lines = [VerdictLine(name, name, both([0.2, 0.5])) for name in families]
    figure = running_verdict.render(lines, ("a", "b"), target=1, target_label="positive")
    assert {note.text for note in figure.layout.annotations} == {f"<b>{name}</b>" for name in families}
    heights = sorted(note.y for note in figure.layout.annotations)
    assert min(np.diff(heights)) > 0.04


def test_a_model_that_read_fewer_words_ends_earlier():
    lines = [VerdictLine("a", "lstm", both([0.1, 0.2, 0.3])), VerdictLine("b", "bert", both([0.9]))]
    figure = running_verdict.render(lines, ("x", "y", "z"), target=1, target_label="positive")
    assert [note.x for note in figure.layout.annotations] == [2, 0]


def test_the_figure_is_told_in_words_too():
    lines = [VerdictLine("LSTM", "lstm", both([0.9, 0.1]))]
    said = running_verdict.alt_text(lines, ("good", "not"), target=1, target_label="positive")
    assert said == ("Probability of positive after each of 2 words. LSTM ends at 0.100, decided at word 2 (not).")
