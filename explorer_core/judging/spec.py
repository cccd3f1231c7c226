"""How a person's files become texts: plain values that travel. Importing this is cheap."""

from __future__ import annotations

from dataclasses import dataclass

from explorer_core.errors import InvalidInputError
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


@dataclass(frozen=True)
class SliceSpec:
    """Which of the judged texts are meant; what is left out allows every text.

    Attributes:
        column: Name of one of the table's other columns, for `value`, `low` and `high`.
        value: What the column holds, as it is shown.
        low, high: Smallest and largest number the column may hold.
        min_words, max_words: Words of the text.
        words: Words that must all be in the text: whole words, case ignored.
        label: Class of the text by its label.
        predicted: Class the model decides for.
        right: Whether the model is right, among the texts with a label.

    Raises:
        InvalidInputError: If a value or bounds come without a column, or bounds exclude each other.
    """

    column: str | None = None
    value: str | None = None
    low: float | None = None
    high: float | None = None
    min_words: int | None = None
    max_words: int | None = None
    words: tuple[str, ...] = ()
    label: str | None = None
    predicted: str | None = None
    right: bool | None = None

    def __post_init__(self) -> None:
        if self.column is None and not (self.value is None and self.low is None and self.high is None):
            raise InvalidInputError("A value of a column is asked for without a column. Name the column.")
        for low, high, what in ((self.low, self.high, "number"), (self.min_words, self.max_words, "count of words")):
            if low is not None and high is not None and low > high:
                raise InvalidInputError(f"The smallest {what} is above the largest. Give them the other way round.")
