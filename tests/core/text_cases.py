"""Texts that break word maps, and tokenizers of every kind to read them."""

from __future__ import annotations

import numpy as np
from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

from tests.conftest import tiny_tokenizer

HARD = {
    "plain": "The film was not good, but I loved it!",
    "accents composed": "Café crème, naïve façade, señor Ångström",
    "accents combining": "Cafe\u0301 cre\u0300me, A\u030angstro\u0308m, o\u0302\u0301 n",
    "mark alone": "\u0301 a \u0301",
    "many marks": "Z\u0351\u036b\u0343a\u0329\u0322l\u035c\u0348g\u0335\u0317o\u0321 text",
    "emoji": "I 👍 it 👍👍 so much🎉! 1️⃣ and ❤️",
    "emoji joined": "family 👨‍👩‍👧‍👦 flag 🏳️‍🌈 skin 👍🏽 land 🇫🇷🇩🇪",
    "chinese": "这部电影非常好看，我很喜欢。",
    "japanese": "この映画はとても面白かった。カタカナ も",
    "korean": "영화가 정말 재미있었어요",
    "mixed scripts": "Das 映画 ist good и очень хорошо",
    "arabic": "الفيلم كان رائعًا جدًا، شكراً",
    "hebrew": "הסרט היה נפלא, שָׁלוֹם!",
    "bidi marks": "\u202eevil\u202c \u200fשלום\u200e abc",
    "devanagari": "फिल्म बहुत अच्छी थी",
    "thai": "หนังเรื่องนี้ดีมาก",
    "zero width": "in\u200bvis\u200cible wo\u200drd \u2060 end\ufeff",
    "soft hyphen": "co\u00adoperate co\u00ad operate",
    "repeated blanks": "  two   blanks \t tab \n\n lines\r\n and \u00a0 hard\u3000wide  ",
    "leading blank": " word",
    "control": "bell \x07 null \x00 end\x1b[31m",
    "apostrophes": "don't can’t 'quoted' o'clock rock'n'roll dogs' ’tis",
    "hyphens": "well-made so-called - dash – long—dash --- end-",
    "numbers": "3.5 stars, 1,000 things 10/10 50% $5 v2.0.1 1e-5",
    "punctuation runs": "what?!?! ... no... !!! (so-so) [x] {y} a/b a\\b _u_ #tag @me",
    "symbols": "a + b = c < d > e | f ~ g ^ h ` i € £ ™ © ° ½ ² ﬁ ﬂ Ǆ ẞ İ ı",
    "urls": "see https://example.org/a?b=c&d=e#f or mail a.b@c.de",
    "html": "<b>bold</b> <script>alert('x')</script> &amp; &#60;",
    "special names": "[CLS] I saw [SEP] a [MASK] and [PAD] and [UNK] </s> <s>",
    "astral letters": "𝓯𝓪𝓷𝓬𝔂 𝟙𝟚𝟛 𐍈 𠀀𠀁",
    "replacement": "broken \ufffd letter \ufffe \uffff",
    "private use": "icon \ue000 x",
    "one letter": "a",
    "one emoji": "👍",
    "one mark": ".",
    "long word": "a" * 300,
    "unknown letters": "qqq ☃ ⟨ж⟩",
}
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def byte_level(*, trim: bool, prefix_space: bool) -> PreTrainedTokenizerFast:
    """A tokenizer like RoBERTa's: bytes instead of letters, and the blank belongs to the word after it."""
    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=prefix_space)
    backend.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=SPECIALS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([HARD["plain"], HARD["apostrophes"], "I loved the film"] * 5, trainer)
    backend.post_processor = processors.RobertaProcessing(
        sep=("</s>", 2), cls_token=("<s>", 0), trim_offsets=trim, add_prefix_space=prefix_space
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        unk_token="<unk>",
        pad_token="<pad>",
        mask_token="<mask>",
    )


def metaspace() -> PreTrainedTokenizerFast:
    """A tokenizer like XLM-RoBERTa's: the blank becomes a letter of the piece after it; letters are normalised."""
    pieces = ["▁", "▁film", "▁good", "▁t", "he", *"abcdefghijklmnopqrstuvwxyzé.,!'-0123456789"]
    vocabulary = [(name, 0.0) for name in SPECIALS] + [(piece, -1.0 - len(piece) / 9) for piece in pieces]
    backend = Tokenizer(models.Unigram(vocabulary, unk_id=3))
    backend.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("  ", " ")])
    backend.pre_tokenizer = pre_tokenizers.Metaspace()
    backend.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, cls_token="<s>", sep_token="</s>", unk_token="<unk>", pad_token="<pad>"
    )


def plain_words() -> PreTrainedTokenizerFast:
    """Whole words between blanks: one token may hold several of our words."""
    backend = Tokenizer(models.WordLevel({"[UNK]": 0, "good,": 1, "The": 2, "film": 3}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    return PreTrainedTokenizerFast(tokenizer_object=backend, unk_token="[UNK]")


TOKENIZERS = {
    "wordpiece with marks around": lambda: tiny_tokenizer(special=True),
    "wordpiece": lambda: tiny_tokenizer(special=False),
    "whole words": lambda: tiny_tokenizer(special=False, words=True),
    "whole words and an end": lambda: tiny_tokenizer(special=False, words=True, end_token=True),
    "bytes": lambda: byte_level(trim=True, prefix_space=False),
    "bytes with a blank in front": lambda: byte_level(trim=True, prefix_space=True),
    "bytes untrimmed": lambda: byte_level(trim=False, prefix_space=False),
    "metaspace": metaspace,
    "blanks only": plain_words,
}


def random_texts(n_texts: int, seed: int) -> list[str]:
    """Letters of every kind next to each other, as no person would write them.

    Names of special tokens are left to `HARD`: after one, `tokenizers` gives a byte-level piece that begins with an
    added blank the place (12, 12) of no letter.
    """
    rng = np.random.default_rng(seed)
    letters = [
        *"ab Z9.,-'’!?@ \n\t", "é", "e\u0301", "\u0301", "\u200d", "\u200b", "\u202e", "\ufe0f", "👍", "🏽", "👨", "🇫",
        "好", "𠀀", "ж", "ش", "ש", "क्", "ﷺ", "İ", "ß", "ﬁ", "\x00", "\x1b", "\ufffd", "[MASK]", "##", "Ġ", "▁",
    ]  # fmt: skip
    return ["".join(rng.choice(letters, size=rng.integers(1, 25))) for _ in range(n_texts)]
