"""How a person's files become texts: plain values that travel. Importing this is cheap."""

from __future__ import annotations

from dataclasses import dataclass

from explorer_core.params import Knob

TXT = Knob(
    "txt", "Texts of a TXT file", "What is one text: a line, a block between blank lines, or the whole file.", "line",
    choices=("line", "block", "document"),
)  # fmt: skip
LONG = Knob(
    "long", "Long texts", "Given whole, cut after the first words, or in pieces: sentences or windows of words.",
    "whole", choices=("whole", "cut", "sentence", "window"),
)  # fmt: skip
WORDS = Knob("n_words", "Words", "Words kept of a cut text, or of one window.", 200, 1, 10_000, 10)
OVERLAP = Knob("n_overlap", "Overlap", "Words two neighbouring windows share.", 20, 0, 9_999, 5)


@dataclass(frozen=True)
class TextsSpec:
    """Which columns hold texts and labels, and what is done with long texts.

    Attributes:
        text_column: Name of the column of texts; guessed if `None`.
        label_column: Name of the column of labels; guessed if `None`; "" if there is none, or none is wanted.
        encoding: Of text files, one of those `local_file` knows; found if `None`.
        txt: Texts of a TXT file: `line`, `block` (between blank lines) or `document`.
        long: `whole` (each network reads as far as its limit), `cut` (the first `n_words` words), `sentence` or
            `window` (of `n_words` words, of which neighbours share `n_overlap`).
        n_words: Words of a cut text or of a window.
        n_overlap: Words two neighbouring windows share; fewer than `n_words`.

    Raises:
        InvalidInputError: If a value is not allowed.
    """

    text_column: str | None = None
    label_column: str | None = None
    encoding: str | None = None
    txt: str = TXT.default
    long: str = LONG.default
    n_words: int = WORDS.default
    n_overlap: int = OVERLAP.default

    def __post_init__(self) -> None:
        for knob in (TXT, LONG, WORDS):
            knob.check(getattr(self, knob.name))
        if self.long == "window":
            Knob("n_overlap", "Overlap", OVERLAP.help, 0, 0, self.n_words - 1).check(self.n_overlap)
