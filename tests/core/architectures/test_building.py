"""A fresh network is what its spec says, the same every time, and reads what its saved folder reads."""

from __future__ import annotations

import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from explorer_core.architectures import _building, _pretrained, _vocabulary
from explorer_core.errors import InvalidInputError
from explorer_core.training.spec import TrainingSpec

LABELS = ("negative", "positive")
TEXTS = [
    "The film was good, and the acting was lovely.",
    "The film was bad, and the acting was dull!",
    "I would not say it wasn't good: naïve, but good.",
    "The room was small. The food was not good at all.",
] * 3
HARD = [
    "Good film.",
    "unheard-of wörds, naïve 😀 中文 שלום",
    "a" * 300,
    "tabs\tand\nlines   and blanks",
    "wasn't 3.5 ...",
]
SIZES = {"embedding_size": 8, "hidden_size": 8, "num_layers": 2, "max_words": 200}


def spec_of(family: str = "lstm", **changes) -> TrainingSpec:
    return TrainingSpec(name="x", family=family, **{**SIZES, **changes})


@pytest.fixture
def without(monkeypatch):
    """There are no pretrained weights."""
    monkeypatch.setattr(_pretrained, "find", lambda **_: None)


def same_weights(first, second) -> bool:
    one, other = first.state_dict(), second.state_dict()
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


@pytest.mark.parametrize("vocabulary", ["wordpiece", "words"])
def test_a_seed_decides_the_weights_and_the_global_generator_is_left_alone(family, vocabulary, without):
    state = torch.random.get_rng_state()
    spec = spec_of(family, start="random", seed=3, vocabulary=vocabulary, embeddings="scratch")
    first, again = (_building.build(spec, LABELS, TEXTS) for _ in range(2))
    other = _building.build(spec_of(family, start="random", seed=4), LABELS, TEXTS)
    assert same_weights(first[0], again[0])
    assert first[1].get_vocab() == again[1].get_vocab()
    assert not same_weights(first[0], other[0])
    assert torch.equal(torch.random.get_rng_state(), state)


def test_labels_and_sizes_reach_the_network(recurrent_family, without):
    module, tokenizer = _building.build(spec_of(recurrent_family, pooling="max", dropout=0.4), ("a", "b", "c"), TEXTS)
    config = module.config
    assert (config.num_labels, config.id2label) == (3, {0: "a", 1: "b", 2: "c"})
    assert config.label2id == {"a": 0, "b": 1, "c": 2}
    assert (config.hidden_size, config.num_layers, config.embedding_size) == (8, 2, 8)
    assert (config.pooling, config.dropout, config.bidirectional) == ("max", 0.4, recurrent_family == "bilstm")
    assert config.vocab_size == len(tokenizer)
    assert tokenizer.model_max_length == config.max_tokens
    assert not config.freeze_embeddings
    assert module.embedding.weight.requires_grad


@pytest.mark.parametrize("labels", [(), ("a",), ("a", "a"), tuple(map(str, range(21)))])
def test_too_few_too_many_or_equal_labels_are_refused(labels, without):
    with pytest.raises(InvalidInputError, match="2 to 20"):
        _building.build(spec_of(), labels, TEXTS)


@pytest.mark.parametrize(
    "changes",
    [
        {"vocabulary": "wordpiece"},
        {"vocabulary": "words", "embeddings": "scratch"},
        {"vocabulary": "words", "embeddings": "scratch", "end_token": True},
    ],
)
def test_a_saved_tokenizer_reads_the_same_positions(family, changes, without, tmp_path):
    module, tokenizer = _building.build(spec_of(family, start="random", **changes), LABELS, TEXTS)
    module.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    opened = AutoTokenizer.from_pretrained(tmp_path)
    for text in HARD:
        assert opened(text)["input_ids"] == tokenizer(text)["input_ids"]
        assert opened(text)["attention_mask"] == tokenizer(text)["attention_mask"]
    assert AutoModelForSequenceClassification.from_pretrained(tmp_path).config.vocab_size == len(opened)


def test_words_are_lower_case_with_punctuation_apart_and_padding_first():
    tokenizer = _vocabulary.build_words(TEXTS, 100, end_token=True)
    vocab = tokenizer.get_vocab()
    assert (vocab["[PAD]"], vocab["[UNK]"], vocab["[END]"]) == (0, 1, 2)
    assert tokenizer.convert_ids_to_tokens(tokenizer("The FILM, wasn't xyzzy")["input_ids"]) == [
        *("the", "film", ",", "wasn", "'", "t", "[UNK]", "[END]")
    ]


def test_the_most_frequent_words_are_kept():
    tokenizer = _vocabulary.build_words(["b b b", "a a", "c"], 2, end_token=False)
    assert tokenizer.get_vocab() == {"[PAD]": 0, "[UNK]": 1, "b": 2, "a": 3}


def test_with_many_texts_words_seen_once_stay_unknown():
    texts = [f"common word{number}" for number in range(300)]
    assert "word7" not in _vocabulary.build_words(texts, 1000, end_token=False).get_vocab()
    assert "word7" in _vocabulary.build_words(texts[:50], 1000, end_token=False).get_vocab()


def test_learned_pieces_spell_every_word_of_a_known_alphabet():
    tokenizer = _vocabulary.train_pieces(TEXTS, 200, special=False)
    assert tokenizer.unk_token_id not in tokenizer("goodfilm dullroom")["input_ids"]
    assert tokenizer.mask_token_id is not None


def test_an_alphabet_larger_than_the_vocabulary_is_cut_the_same_way_every_time():
    texts = ["".join(chr(0x4E00 + number) for number in range(start, start + 50)) for start in range(0, 2000, 50)]
    first, again = (_vocabulary.train_pieces(texts, 100, special=False).get_vocab() for _ in range(2))
    assert first == again


def test_a_recurrent_reading_ends_on_the_last_word(recurrent_family, pretrained):
    _, tokenizer = _building.build(spec_of(recurrent_family, embeddings="scratch"), LABELS, TEXTS)
    ids = tokenizer("good film")["input_ids"]
    assert tokenizer.convert_ids_to_tokens(ids) == ["good", "film"]
    assert len(tokenizer("good " * 300)["input_ids"]) == 300


@pytest.mark.parametrize("embeddings", ["frozen", "tuned"])
def test_pretrained_word_vectors_are_the_rows_of_the_pretrained_model_times_one_number(
    recurrent_family, embeddings, pretrained
):
    module, tokenizer = _building.build(spec_of(recurrent_family, embeddings=embeddings), LABELS, TEXTS)
    vectors = _pretrained.load_embeddings()
    assert torch.equal(module.embedding.weight, vectors * (_building.VECTOR_STD / vectors.std()))
    assert module.embedding.weight.requires_grad == (embeddings == "tuned")
    module(**tokenizer("a good film", return_tensors="pt"), labels=torch.tensor([1])).loss.backward()
    assert (module.embedding.weight.grad is not None) == (embeddings == "tuned")
    assert tokenizer.convert_tokens_to_ids("film") == _pretrained.load_tokenizer().convert_tokens_to_ids("film")


def test_without_pretrained_weights_word_vectors_are_learned(without):
    module, _ = _building.build(spec_of("lstm", embeddings="frozen"), LABELS, TEXTS)
    assert module.embedding.weight.requires_grad
    assert module.config.embedding_size == SIZES["embedding_size"]


def test_a_pretrained_bert_keeps_its_encoder_and_gets_a_fresh_head(pretrained):
    module, tokenizer = _building.build(spec_of("bert", dropout=0.2, seed=1), ("a", "b", "c"), TEXTS)
    assert torch.equal(module.get_input_embeddings().weight, _pretrained.load_embeddings())
    assert (module.classifier.out_features, module.config.classifier_dropout) == (3, 0.2)
    assert module.config._attn_implementation == "eager"
    assert tokenizer.model_max_length == 512
    again, _ = _building.build(spec_of("bert", dropout=0.2, seed=1), ("a", "b", "c"), TEXTS)
    assert same_weights(module, again)


def test_a_random_bert_is_small(without):
    module, tokenizer = _building.build(spec_of("bert", start="random"), LABELS, TEXTS)
    assert (module.config.num_hidden_layers, module.config.hidden_size, module.config.num_attention_heads) == (
        4,
        128,
        4,
    )
    tokens = tokenizer.convert_ids_to_tokens(tokenizer("good")["input_ids"])
    assert (tokens[0], tokens[-1]) == ("[CLS]", "[SEP]")


def test_a_pretrained_bert_reads_no_whole_words():
    with pytest.raises(InvalidInputError, match="word pieces"):
        _building.build(spec_of("bert", vocabulary="words"), LABELS, TEXTS)


@pytest.mark.parametrize(("embeddings", "is_tuned"), [("frozen", False), ("tuned", True)])
def test_a_pretrained_bert_keeps_its_word_vectors_when_asked(embeddings, is_tuned, pretrained):
    module, _ = _building.build(spec_of("bert", embeddings=embeddings), LABELS, TEXTS)
    assert module.get_input_embeddings().weight.requires_grad == is_tuned
    assert module.classifier.weight.requires_grad
