"""Exams made by hand, without training anything."""

from __future__ import annotations

import numpy as np

from explorer_core.datasets._labelled_texts import LabelledTexts
from explorer_core.exam.spec import ExamSpec
from explorer_core.results import ExamNetwork, PlantedText, ShortcutExam

METHODS = ("leave_one_out", "gradient_norm", "lime")
NAME = "exam-20260102-030405"


def made_exam(
    families: tuple[str, ...] = ("rnn", "lstm"),
    *,
    n_texts: int = 12,
    accuracy: float = 1.0,
    name: str = NAME,
    spec: ExamSpec | None = None,
    word: str = "wug",
    seed: int = 0,
) -> ShortcutExam:
    """An exam whose first method always finds the word, whose second never does and whose last does now and then."""
    spec = spec or ExamSpec(families=families, methods=METHODS, n_texts=n_texts, seed=seed)
    rng = np.random.default_rng(seed)
    texts = tuple(
        PlantedText(f"so bad a {word} film, number {index}", (9, 9 + len(word)), 1, f"so bad a film, number {index}")
        for index in range(n_texts)
    )
    n_words = np.full((len(families), n_texts), 8)
    ranks = np.stack([np.ones((len(families), n_texts)), np.full((len(families), n_texts), 5.0),
                      rng.integers(1, 4, (len(families), n_texts)).astype(float)], axis=1)  # fmt: skip
    turned = np.ones((len(families), n_texts), dtype=bool)
    turned[:, 0] = False
    ranks[:, :, 0] = np.nan
    hits = np.where(np.isnan(ranks), np.nan, (ranks == 1).astype(float))
    networks = tuple(ExamNetwork(family, accuracy, 0.75, 0.98, 0.25, 5.0, 9.0) for family in families)
    return ShortcutExam(
        name, "2026-01-02T03:04:05+00:00", spec, ("negative", "positive"), texts, networks, turned, n_words, ranks, hits
    )


def corpus(n_texts: int = 120, *, words: str = "plain") -> LabelledTexts:
    """Short texts of two classes, a third of them held out."""
    kinds = {"plain": ("bad", "good"), "own": ("bad wug", "good")}[words]
    texts = tuple(f"This {kinds[row % 2]} thing, number {row}, was seen by us." for row in range(n_texts))
    split = np.array(["test" if row % 3 == 2 else "train" for row in range(n_texts)])
    return LabelledTexts(texts, np.arange(n_texts) % 2, ("negative", "positive"), split, "made up", "Made up.")


def words_of(text: str) -> list[str]:
    """Words by blanks and marks, found otherwise than the code does."""
    for mark in ",.!?":
        text = text.replace(mark, f" {mark} ")
    return text.split()
