"""The running verdict: decision point, flips, and a figure for any text."""

import itertools

import numpy as np
import pytest

from explorer_core.errors import InvalidInputError
from explorer_core.palette import GREY, class_colors, family_line
from explorer_core.results import softmax
from explorer_core.views import running_verdict
from explorer_core.views.running_verdict import MAX_NAMED_CLASSES, VerdictLine, decision_point, flips, named_classes
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


def many(n_words, n_classes, seed=0, name="LSTM", architecture="lstm"):
    logits = np.random.default_rng(seed).normal(size=(n_words, n_classes)) * 3
    return VerdictLine(name, architecture, softmax(logits), logits)


@pytest.mark.parametrize("n_classes", [2, 5, 20])
@pytest.mark.parametrize("n_words", [1, 3, 1500])
def test_logits_have_an_axis_of_their_own_that_holds_all_of_them_and_zero(n_words, n_classes):
    line = many(n_words, n_classes)
    for classes in ("target", "all"):
        figure = running_verdict.render(
            [line], ["w"] * n_words, target=1, target_label="b", quantity="logit", classes=classes,
            labels=tuple(map(str, range(n_classes))),
        )  # fmt: skip
        assert "logit" in figure.layout.yaxis.title.text
        low, high = figure.layout.yaxis.range
        drawn = line.logits if classes == "all" else line.logits[:, 1]
        assert low <= min(drawn.min(), 0) and high >= max(drawn.max(), 0)
    assert np.array_equal(running_verdict.render([line], ["w"] * n_words, target=1, target_label="b",
                                                 quantity="logit").data[0].y, line.logits[:, 1])  # fmt: skip


@pytest.mark.parametrize("n_classes", [2, 3, 7, 20])
def test_every_class_of_one_model_is_a_line_and_those_that_lead_are_in_colour(n_classes):
    labels = tuple(f"class {index}" for index in range(n_classes))
    line = many(12, n_classes)
    figure = running_verdict.render([line], ["w"] * 12, target=0, target_label="x", classes="all", labels=labels)
    drawn = {trace.name: trace for trace in figure.data if trace.name}
    assert set(drawn) == set(labels)
    named = named_classes([line], 0)
    assert len(named) == min(n_classes, MAX_NAMED_CLASSES) and 0 in named
    for index, label in enumerate(labels):
        assert np.array_equal(drawn[label].y, line.probs[:, index])
        assert drawn[label].line.color == (class_colors(labels)[index] if index in named else GREY)
    assert int(line.probs[-1].argmax()) in named
    looks = [(drawn[labels[index]].line.color, drawn[labels[index]].line.dash) for index in named]
    assert len(set(looks)) == len(looks)


def marked(figure, symbol):
    """Places, values and colours of the rings or of the dots of a figure, in order."""
    (marks,) = [trace for trace in figure.data if not trace.name]
    every = zip(marks.marker.symbol, marks.x, marks.y, marks.marker.color, strict=True)
    return sorted(one[1:] for one in every if one[0] == symbol)


def test_rings_lie_on_the_class_that_takes_the_lead_and_the_dot_on_the_final_one():
    line, labels = many(9, 3, seed=4), ("a", "b", "c")
    figure = running_verdict.render([line], ["w"] * 9, target=0, target_label="x", classes="all", labels=labels)
    leader, colors = line.probs.argmax(1), class_colors(labels)
    expected = [(at, line.probs[at, leader[at]], colors[leader[at]]) for at in flips(line.probs)]
    assert marked(figure, "circle-open") == expected
    decided, final = decision_point(line.probs), leader[-1]
    assert marked(figure, "circle") == [(decided, line.probs[decided, final], colors[final])]


def test_rings_and_dots_of_several_models_lie_on_their_lines_in_their_colours():
    lines = [many(9, 2, seed, name, name) for seed, name in enumerate(("rnn", "gru", "lstm"))]
    figure = running_verdict.render(lines, ["w"] * 9, target=1, target_label="x")
    at_flips = [(at, line.probs[at, 1], family_line(line.name)[0]) for line in lines for at in flips(line.probs)]
    assert marked(figure, "circle-open") == sorted(at_flips)
    places = [(line, decision_point(line.probs)) for line in lines]
    assert marked(figure, "circle") == sorted((at, one.probs[at, 1], family_line(one.name)[0]) for one, at in places)


@pytest.mark.parametrize("n_models", [2, 5])
@pytest.mark.parametrize("n_classes", [2, 20])
def test_every_class_of_several_models_is_one_panel_a_model_on_equal_axes(n_models, n_classes, families):
    lines = [many(30, n_classes, seed, name, name) for seed, name in enumerate(families[:n_models])]
    labels = tuple(f"class {index}" for index in range(n_classes))
    figure = running_verdict.render(
        lines, ["w"] * 30, target=1, target_label="x", quantity="logit", classes="all", labels=labels
    )
    axes = [figure.layout[f"yaxis{row if row > 1 else ''}"] for row in range(1, n_models + 1)]
    assert len({tuple(axis.range) for axis in axes}) == 1
    domains = sorted(axis.domain for axis in axes)
    assert all(below[1] < above[0] for below, above in itertools.pairwise(domains))
    assert {trace.yaxis for trace in figure.data} == {"y", *(f"y{row}" for row in range(2, n_models + 1))}
    titles = [note.text for note in figure.layout.annotations if note.xref.endswith("domain")]
    assert titles == [f"<b>{line.name}</b>" for line in lines]


def test_labels_are_written_as_they_stand_and_never_as_markup():
    labels = ("<b>x</b>", "a\u202eb", "c")
    line = many(4, 3)
    figure = running_verdict.render([line], "wxyz", target=0, target_label=labels[0], classes="all", labels=labels)
    said = [*(note.text for note in figure.layout.annotations), *(trace.name or "" for trace in figure.data)]
    assert not [text for text in said if "\u202e" in text or "<b>x" in text]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"quantity": "odds"}, "drawn as prob or logit, not as 'odds'"),
        ({"quantity": "logit"}, "logits of a are not known"),
        ({"classes": "some"}, "'target' or 'all', not 'some'"),
        ({"classes": "all"}, "the name of every class is needed"),
        ({"classes": "all", "labels": ("x", "y", "z")}, "the name of every class is needed"),
    ],
)
def test_what_cannot_be_drawn_is_refused_in_words(options, sentence):
    with pytest.raises(InvalidInputError, match=sentence):
        running_verdict.render([VerdictLine("a", "lstm", both([0.5]))], ["w"], target=0, target_label="x", **options)


def test_every_class_is_told_in_words_too():
    line = VerdictLine("LSTM", "lstm", both([0.25]), np.array([[1.0, -0.0986]]))
    said = running_verdict.alt_text(
        [line], ("good",), target=1, target_label="b", quantity="logit", classes="all", labels=("a", "b")
    )
    assert (
        said == "Logit of every class after each of 1 words. LSTM ends at a +1.00, b −0.0986, decided at word 1 (good)."
    )
