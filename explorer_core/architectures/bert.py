"""BERT and its relatives (Devlin et al. 2019), as Hugging Face defines them.

Besides `bert`, folders of DistilBERT (Sanh et al. 2019), RoBERTa (Liu et al. 2019) and ELECTRA (Clark et al. 2020)
load: all four read `input_ids` or `inputs_embeds` and see every word at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from transformers import BertConfig, BertForSequenceClassification

from explorer_core.architectures import _pretrained, _vocabulary
from explorer_core.architectures._quietly import quietly
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.training.spec import TrainingSpec

ABOUT = {
    "label": "BERT",
    "sentence": "Every word looks at every other word, layer by layer; nothing is read in order.",
    "paper": "Devlin et al. 2019, BERT: Pre-training of deep bidirectional transformers",
    "kind": "transformer",
    "model_types": ("bert", "distilbert", "roberta", "electra"),
    "bidirectional": True,
    "gates": (),
    "has_cell": False,
    "color": "#D55E00",
    "dash": "dash",
    "order": 50,
}

RANDOM_START: dict[str, Any] = {  # small enough to learn something from a few thousand texts on a laptop
    "hidden_size": 128,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "intermediate_size": 512,
    "max_position_embeddings": 512,
    "attn_implementation": "eager",
}
_MIN_POSITIONS = 8


def check_config(plain: Mapping[str, Any]) -> None:
    """Refuse settings with which the network would not be the encoder the rest of the app takes it for.

    Raises:
        IncompatibleError: For a decoder, for positions that are not absolute (transformers 5 would ignore that in
            silence), and for pruned heads.
    """
    if plain.get("is_decoder") or plain.get("add_cross_attention"):
        raise IncompatibleError("This BERT is a decoder, which reads from left to right only; load an encoder.")
    if plain.get("position_embedding_type", "absolute") != "absolute":
        raise IncompatibleError("This BERT uses relative positions, which are not supported; only absolute ones are.")
    if plain.get("pruned_heads"):
        raise IncompatibleError("This BERT has pruned attention heads, which are not supported; load it unpruned.")
    n_positions = plain.get("max_position_embeddings", 512)
    if not isinstance(n_positions, int) or n_positions < _MIN_POSITIONS:
        raise IncompatibleError(
            f"config.json says max_position_embeddings {str(n_positions)[:60]!r}; at least {_MIN_POSITIONS} are needed."
        )
    if plain.get("model_type") == "roberta":
        padding = plain.get("pad_token_id", 1)
        if not isinstance(padding, int) or not 0 <= padding <= n_positions - _MIN_POSITIONS:
            raise IncompatibleError(
                f"This RoBERTa counts its positions from pad_token_id, which is {str(padding)[:20]}; that leaves none."
            )


def count_positions(config: Any) -> int:
    """Tokens the network can read, the special ones included; RoBERTa begins to count after its padding row."""
    n_positions = int(config.max_position_embeddings)
    return n_positions - config.pad_token_id - 1 if config.model_type == "roberta" else n_positions


def build(spec: TrainingSpec, labels: tuple[str, ...], texts: Sequence[str]) -> tuple[Any, Any]:
    """A BERT for training: the pretrained one with a fresh linear head, or a small random one.

    Where pretrained weights are asked for and there are none, the small random one is built; `_pretrained.notes`
    says what that costs. Random numbers come from the generator the caller has seeded.

    Raises:
        InvalidInputError: If whole words are asked for together with pretrained weights, which read word pieces.
    """
    head: dict[str, Any] = {
        "id2label": dict(enumerate(labels)),
        "label2id": {label: index for index, label in enumerate(labels)},
        "classifier_dropout": spec.dropout,
    }
    if spec.start == "pretrained" and spec.vocabulary == "words":
        raise InvalidInputError(
            "The pretrained BERT reads word pieces. Set the vocabulary to 'wordpiece', or start from 'random'."
        )
    found = _pretrained.find(allow_hub=True) if spec.start == "pretrained" else None
    if found is not None:
        with quietly():
            module = BertForSequenceClassification.from_pretrained(
                found.folder,
                local_files_only=True,
                use_safetensors=True,
                attn_implementation="eager",
                dtype="float32",
                **head,
            )
        module.get_input_embeddings().weight.requires_grad_(spec.embeddings != "frozen")
        tokenizer = _pretrained.load_tokenizer()
    else:
        tokenizer = _vocabulary.build(spec, texts, special=True)
        config = BertConfig(
            vocab_size=len(tokenizer),
            pad_token_id=tokenizer.pad_token_id,
            **RANDOM_START,
            **head,
        )
        module = BertForSequenceClassification(config)
    tokenizer.model_max_length = count_positions(module.config)
    return module, tokenizer
