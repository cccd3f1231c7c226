"""The tokenizer of a fresh network: word pieces of the pretrained vocabulary or learned ones, or whole words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from explorer_core.architectures import _pretrained
from explorer_core.training.spec import TrainingSpec

END_TOKEN = "[END]"
_INSIDE = "##"  # begins a piece that goes on a word
_RARE_FROM_TEXTS = 200  # with so many texts, words seen once are left out, so that the unknown word is learned too
_TEXTS_AT_ONCE = 1_000


def build(spec: TrainingSpec, texts: Sequence[str], *, special: bool) -> Any:
    """A fast Hugging Face tokenizer whose saved folder `AutoTokenizer` opens with the same positions.

    Args:
        spec: Says whether whole words or word pieces are read.
        texts: Training texts, from which a vocabulary is learned where none is given.
        special: Whether [CLS] and [SEP] stand around a text, as BERT needs them. Without them the last word is the
            last position, so a recurrent verdict is read there.
    """
    if spec.vocabulary == "words":
        return build_words(texts, spec.max_words, end_token=spec.end_token and not special, special=special)
    if (found := _pretrained.find(allow_hub=True)) is None:
        return train_pieces(texts, spec.max_words, special=special)
    if special:
        return _pretrained.load_tokenizer()
    backend = Tokenizer.from_file(str(found.folder / "tokenizer.json"))
    backend.no_truncation()
    backend.no_padding()
    backend.post_processor = None
    return PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]", mask_token="[MASK]")


def build_words(texts: Sequence[str], max_words: int, *, end_token: bool, special: bool = False) -> Any:
    """Whole words, split as BERT's basic tokenizer does (lower case, accents off, punctuation apart).

    [PAD] is 0, [UNK] is 1, [END] (optional, added after the last word) is 2; then the most frequent words, the more
    frequent first. Once there are 200 texts, words seen only once are left unknown: the network has to meet the
    unknown word while it learns.
    """
    backend = _start(models.WordLevel(unk_token="[UNK]"))
    marks = ["[PAD]", "[UNK]", *([END_TOKEN] if end_token else []), *(["[CLS]", "[SEP]"] if special else [])]
    trainer = trainers.WordLevelTrainer(
        vocab_size=max_words + len(marks),
        min_frequency=2 if len(texts) >= _RARE_FROM_TEXTS else 1,
        special_tokens=marks,
        show_progress=False,
    )
    backend.train_from_iterator(_chunks(texts), trainer)
    return _finish(backend, end_token=end_token, special=special)


def train_pieces(texts: Sequence[str], n_pieces: int, *, special: bool) -> Any:
    """A WordPiece vocabulary learned from the texts (Schuster and Nakajima 2012), for when none is at hand."""
    backend = _start(models.WordPiece(unk_token="[UNK]"))
    marks = ["[PAD]", "[UNK]", *(["[CLS]", "[SEP]"] if special else []), "[MASK]"]
    counts = Counter(letter for text in texts for letter in backend.normalizer.normalize_str(text) if letter != " ")
    alphabet = sorted(counts, key=lambda letter: (-counts[letter], letter))[: max(n_pieces // 4, 64)]
    # the trainer numbers letters in the order of a hash table and breaks ties by number: given them all as fixed
    # tokens, first and continuing, it learns the same pieces every time (and every known letter can be spelled)
    letters = [*alphabet, *(f"{_INSIDE}{letter}" for letter in alphabet)]
    trainer = trainers.WordPieceTrainer(
        vocab_size=n_pieces,
        min_frequency=2,
        special_tokens=[*marks, *letters],
        initial_alphabet=alphabet,
        limit_alphabet=len(alphabet),
        continuing_subword_prefix=_INSIDE,
        show_progress=False,
    )
    backend.train_from_iterator(_chunks(texts), trainer)
    learned = _start(models.WordPiece(backend.get_vocab(), unk_token="[UNK]", continuing_subword_prefix=_INSIDE))
    learned.add_special_tokens(marks)  # the letters are no marks: only these stand for themselves in a text
    return _finish(learned, end_token=False, special=special)


def _start(model: Any) -> Tokenizer:
    backend = Tokenizer(model)
    backend.normalizer = normalizers.BertNormalizer(lowercase=True)
    backend.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    return backend


def _finish(backend: Tokenizer, *, end_token: bool, special: bool) -> Any:
    """The trained tokenizer in its Hugging Face coat, with the marks it adds to every text."""
    names: dict[str, str] = {"pad_token": "[PAD]", "unk_token": "[UNK]"}
    if backend.token_to_id("[MASK]") is not None:
        names["mask_token"] = "[MASK]"
    if special:
        names |= {"cls_token": "[CLS]", "sep_token": "[SEP]"}
        backend.post_processor = processors.TemplateProcessing(
            single="[CLS] $A [SEP]",
            pair="[CLS] $A [SEP] $B:1 [SEP]:1",
            special_tokens=[(name, backend.token_to_id(name)) for name in ("[CLS]", "[SEP]")],
        )
    elif end_token:
        names["eos_token"] = END_TOKEN
        backend.post_processor = processors.TemplateProcessing(
            single=f"$A {END_TOKEN}", special_tokens=[(END_TOKEN, backend.token_to_id(END_TOKEN))]
        )
    return PreTrainedTokenizerFast(tokenizer_object=backend, **names)


def _chunks(texts: Sequence[str]) -> Iterable[list[str]]:
    for start in range(0, len(texts), _TEXTS_AT_ONCE):
        yield list(texts[start : start + _TEXTS_AT_ONCE])
