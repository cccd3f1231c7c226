"""Words, tokens and the map between them: exact slices of the original text, and exactly the tokenizer's positions."""

from __future__ import annotations

import threading

import numpy as np
import pytest
from transformers import PreTrainedTokenizerFast

from explorer_core import settings
from explorer_core.errors import InvalidInputError
from explorer_core.text import check_text, read_text, split_words, visible
from tests.core.text_cases import HARD, TOKENIZERS, random_texts


@pytest.fixture(scope="module")
def tokenizers():
    return {name: build() for name, build in TOKENIZERS.items()}


@pytest.fixture(params=TOKENIZERS)
def tokenizer(request, tokenizers):
    return tokenizers[request.param]


def read_if_readable(tokenizer, text, max_tokens=4_096):
    """The reading, or `None` where the tokenizer drops every character (then it must say so)."""
    try:
        return read_text(tokenizer, text, max_tokens)
    except InvalidInputError as error:
        assert "nothing the model can read" in str(error)
        encoded = tokenizer(
            text, truncation=True, max_length=max_tokens, return_special_tokens_mask=True, return_offsets_mapping=True
        )
        places = zip(encoded["special_tokens_mask"], encoded["offset_mapping"], strict=True)
        assert all(special or start == end for special, (start, end) in places)
        return None


# Promises of every reading


def test_token_ids_are_the_tokenizers_own(tokenizer):
    for case, text in HARD.items():
        if reading := read_if_readable(tokenizer, text):
            assert reading.token_ids.tolist() == tokenizer(text)["input_ids"], case
            assert reading.pieces == tuple(tokenizer.convert_ids_to_tokens(reading.token_ids.tolist())), case
            assert (
                len(reading.tokens) == len(reading.word_of_token) == len(reading.is_unknown) == len(reading.token_ids)
            ), case


def test_words_are_exact_slices_in_order_without_blanks_around(tokenizer):
    for case, text in HARD.items():
        if reading := read_if_readable(tokenizer, text):
            assert reading.words == tuple(text[start:end] for start, end in reading.word_spans), case
            assert (reading.word_spans[:, 0] < reading.word_spans[:, 1]).all(), case
            assert (reading.word_spans[1:, 0] >= reading.word_spans[:-1, 1]).all(), case
            assert all(word == word.strip() != "" for word in reading.words), case


def test_every_word_has_tokens_in_order_and_only_special_tokens_have_none(tokenizer):
    for case, text in HARD.items():
        if reading := read_if_readable(tokenizer, text):
            owners = reading.word_of_token[reading.word_of_token >= 0]
            assert (np.diff(owners) >= 0).all(), case
            assert sorted(set(owners.tolist())) == list(range(len(reading.words))), case
            encoded = tokenizer(text, return_special_tokens_mask=True, return_offsets_mapping=True)
            for pos, (is_special, (start, end)) in enumerate(
                zip(encoded["special_tokens_mask"], encoded["offset_mapping"], strict=True)
            ):
                assert reading.is_special[pos] == (bool(is_special) or start == end), case


def test_every_token_lies_inside_its_word(tokenizer):
    for case, text in HARD.items():
        if reading := read_if_readable(tokenizer, text):
            offsets = tokenizer(text, return_offsets_mapping=True)["offset_mapping"]
            for pos in np.flatnonzero(~reading.is_special):
                start, end = offsets[pos]
                first, last = reading.word_spans[reading.word_of_token[pos]]
                read = text[start:end]
                start += len(read) - len(read.lstrip())
                end -= len(read) - len(read.rstrip())
                if read.strip() and reading.tokens[pos] != reading.pieces[pos]:
                    assert first <= start < end <= last, (case, read, text[first:last])


def test_the_last_token_of_a_word_is_the_last_that_names_it(tokenizer):
    for case, text in HARD.items():
        if reading := read_if_readable(tokenizer, text):
            for word, pos in enumerate(reading.last_token_of_word):
                assert reading.word_of_token[pos] == word, case
                assert word not in reading.word_of_token[pos + 1 :], case


def test_display_strings_are_never_empty(tokenizer):
    for case, text in HARD.items():
        if reading := read_if_readable(tokenizer, text):
            assert all(reading.tokens), case


def test_no_visible_letter_is_outside_a_word():
    for case, text in HARD.items():
        covered = np.zeros(len(text), dtype=bool)
        for start, end in split_words(text):
            assert not covered[start:end].any(), case
            covered[start:end] = True
        assert all(covered[place] or not letter.strip() for place, letter in enumerate(text)), case


@pytest.mark.parametrize("max_tokens", [3, 5, 8])
def test_a_cut_reading_is_the_beginning_and_counts_the_rest(tokenizer, max_tokens):
    for case, text in HARD.items():
        full = read_if_readable(tokenizer, text)
        if full is None:
            continue
        reading = read_if_readable(tokenizer, text, max_tokens)
        if reading is None:
            continue
        assert len(reading.token_ids) <= max_tokens, case
        if len(full.token_ids) <= max_tokens:
            assert reading.truncated_words == (), case
            assert not reading.is_last_word_cut, case
            assert reading.words == full.words, case
            continue
        n_words = len(reading.words)
        assert reading.words + reading.truncated_words == full.words, case
        assert reading.truncated_words or reading.is_last_word_cut, case
        assert any("at most" in note for note in reading.notes), case
        n_last = int((full.word_of_token == n_words - 1).sum())
        assert reading.is_last_word_cut == (int((reading.word_of_token == n_words - 1).sum()) < n_last), case


def test_any_mixture_of_letters_keeps_the_promises(tokenizer):
    for text in filter(str.strip, random_texts(300, seed=0)):
        if (reading := read_if_readable(tokenizer, text)) is None:
            continue
        assert reading.token_ids.tolist() == tokenizer(text)["input_ids"], repr(text)
        assert reading.words == tuple(text[start:end] for start, end in reading.word_spans), repr(text)
        owners = reading.word_of_token[reading.word_of_token >= 0]
        assert (np.diff(owners) >= 0).all(), repr(text)
        assert sorted(set(owners.tolist())) == list(range(len(reading.words))), repr(text)
        cut = read_if_readable(tokenizer, text, 6)
        if cut is not None:
            assert cut.words + cut.truncated_words == reading.words, repr(text)
            assert cut.n_unread_words == reading.n_unread_words, repr(text)


def test_the_pretrained_tokenizer_keeps_them_too(pretrained):
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(pretrained / "tokenizer.json"), unk_token="[UNK]")
    for text in [*HARD.values(), *filter(str.strip, random_texts(200, seed=1))]:
        if reading := read_if_readable(tokenizer, text, 512):
            assert reading.token_ids.tolist() == tokenizer(text)["input_ids"], repr(text)
            assert reading.words == tuple(text[start:end] for start, end in reading.word_spans), repr(text)
            owners = reading.word_of_token[reading.word_of_token >= 0]
            assert sorted(set(owners.tolist())) == list(range(len(reading.words))), repr(text)


# Kinds of tokenizers


def test_pieces_of_a_word_belong_to_it(tokenizers):
    reading = read_text(tokenizers["wordpiece with marks around"], "Unhappy films aren't bad.", 64)
    assert reading.words == ("Unhappy", "films", "aren't", "bad", ".")
    assert reading.word_of_token[[0, -1]].tolist() == [-1, -1]
    for word, text in enumerate(reading.words):
        pieces = [p for p, owner in zip(reading.pieces, reading.word_of_token, strict=True) if owner == word]
        assert "".join(piece.removeprefix("##") for piece in pieces) == text.casefold()
        tokens = [t for t, owner in zip(reading.tokens, reading.word_of_token, strict=True) if owner == word]
        assert "".join(tokens) == text


def test_accents_the_tokenizer_drops_stay_in_the_words(tokenizers):
    for text in ("Café", "Cafe\u0301"):
        reading = read_text(tokenizers["wordpiece"], text, 64)
        assert reading.words == (text,)
        assert "".join(piece.removeprefix("##") for piece in reading.pieces) == "cafe"


def test_bytes_of_one_letter_all_belong_to_its_word(tokenizers):
    reading = read_text(tokenizers["bytes"], "I 👍 it", 64)
    assert reading.words == ("I", "👍", "it")
    assert (reading.word_of_token == 1).sum() >= 3
    assert reading.n_unread_words == 0


@pytest.mark.parametrize("name", ["bytes", "bytes with a blank in front", "bytes untrimmed"])
def test_the_blank_before_a_byte_level_piece_does_not_shift_the_words(tokenizers, name):
    reading = read_text(tokenizers[name], "I loved   the film", 64)
    assert reading.words == ("I", "loved", "the", "film")
    assert [token for token in reading.tokens if not token.startswith("<")].count("film") == 1


def test_a_token_over_several_words_joins_them(tokenizers):
    reading = read_text(tokenizers["blanks only"], "The film, so-so (really).", 64)
    assert reading.words == ("The", "film,", "so-so", "(really).")
    assert reading.word_of_token.tolist() == [0, 1, 2, 3]


def test_the_end_mark_is_a_position_without_a_word(tokenizers):
    reading = read_text(tokenizers["whole words and an end"], "the film", 64)
    assert reading.words == ("the", "film")
    assert reading.word_of_token.tolist() == [0, 1, -1]
    assert reading.tokens[-1] == "[END]"


# Told, never silent


def test_unknown_words_are_counted_and_named(tokenizers):
    reading = read_text(tokenizers["whole words"], "The zyzzyva was good 👍 qat", 64)
    assert reading.unknown_words == ("zyzzyva", "👍", "qat")
    assert reading.is_unknown.tolist() == [False, True, False, False, True, True]
    assert "3 of 6 words are unknown to it: zyzzyva, 👍, qat." in reading.notes


def test_many_unknown_words_are_shortened(tokenizers):
    reading = read_text(tokenizers["whole words"], " ".join(f"qq{number}" for number in range(9)), 64)
    assert reading.notes == ("9 of 9 words are unknown to it: qq0, qq1, qq2, qq3, qq4, ...",)


def test_hostile_unknown_words_are_made_visible_and_short(tokenizers):
    reading = read_text(tokenizers["whole words"], "ev\u202eil\u200b " + "q" * 5_000, 64)
    note = " ".join(reading.notes)
    assert "\u202e" not in note
    assert "\\u202e" in note
    assert len(note) < 400


def test_a_word_cut_in_the_middle_is_said(tokenizers):
    reading = read_text(tokenizers["wordpiece"], "good " + "q" * 50, 10)
    assert reading.truncated_words == ()
    assert reading.is_last_word_cut
    assert "reads at most 10 tokens: 2 of 2 words were read, the last of them only in part" in reading.notes[0]


def test_cut_words_are_counted(tokenizers):
    reading = read_text(tokenizers["wordpiece with marks around"], "the film was good and bad", 6)
    assert reading.words == ("the", "film", "was", "good")
    assert reading.truncated_words == ("and", "bad")
    assert "at most 6 tokens: 4 of 6 words were read, the last 2 were not" in reading.notes[0]


def test_a_text_that_just_fits_is_not_cut(tokenizers):
    reading = read_text(tokenizers["wordpiece"], "the film was good\u200b \x07", 4)
    assert reading.truncated_words == ()
    assert not reading.is_last_word_cut
    assert reading.n_unread_words == 1
    assert reading.notes == ("1 invisible or control character was not read.",)


def test_a_long_text_is_read_up_to_the_limit(tokenizers):
    text = "the film was good " * 5_000
    reading = read_text(tokenizers["wordpiece"], text, settings.MAX_RECURRENT_TOKENS)
    assert len(reading.words) == settings.MAX_RECURRENT_TOKENS
    assert len(reading.truncated_words) == 20_000 - settings.MAX_RECURRENT_TOKENS


# Refusals


@pytest.mark.parametrize("text", ["", "   ", "\n\t\u3000\u00a0"])
def test_empty_texts_are_refused(tokenizers, text):
    with pytest.raises(InvalidInputError, match="The text is empty"):
        read_text(tokenizers["wordpiece"], text, 64)


@pytest.mark.parametrize("text", ["\u200b\u200b", "\x00\x01", "\u0301", "\ufeff"])
def test_texts_without_anything_to_read_are_refused(tokenizers, text):
    with pytest.raises(InvalidInputError, match="nothing the model can read"):
        read_text(tokenizers["wordpiece"], text, 64)


@pytest.mark.parametrize("text", [None, 3, b"bytes", ["a"], float("nan")])
def test_what_is_no_text_is_refused(text):
    with pytest.raises(InvalidInputError, match="A text is expected"):
        check_text(text)


def test_half_surrogates_and_endless_texts_are_refused():
    with pytest.raises(InvalidInputError, match="half a surrogate pair"):
        check_text("a \ud83d b")
    with pytest.raises(InvalidInputError, match=r"100,001 characters; at most 100,000"):
        check_text("a" * 100_001)
    assert check_text("a" * 100_000)


def test_invisible_and_turning_characters_can_be_shown():
    assert visible("a\u202eb\u200bc\x00") == "a\\u202eb\\u200bc\\u0000"
    assert visible("Café 👨‍👩‍👧 שלום") == "Café 👨‍👩‍👧 שלום"


# No trace


def test_reading_leaves_the_tokenizer_as_it_was(tokenizer):
    text = HARD["plain"] * 10
    before = tokenizer(text)["input_ids"]
    read_text(tokenizer, text, 5)
    assert tokenizer(text)["input_ids"] == before


def test_many_threads_read_one_tokenizer_with_different_limits(tokenizers):
    tokenizer = tokenizers["wordpiece with marks around"]
    text = "the film was good " * 20
    wrong = []

    def read(max_tokens: int) -> None:
        for _ in range(30):
            found = len(read_text(tokenizer, text, max_tokens).token_ids)
            if found != max_tokens:
                wrong.append((max_tokens, found))

    threads = [threading.Thread(target=read, args=(4 + number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
