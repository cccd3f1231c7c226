"""What the recurrent families share: config, classifier and exact handling of padding.

A family file adds its `torch.nn` kernel and the equations of its gates. The classifier is an embedding, one fused
kernel (`nn.RNN`, `nn.GRU` or `nn.LSTM`), a pooling over positions and one linear layer, so that for `pooling="last"`
the same linear layer reads a verdict off the state after every word.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, cast

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence
from transformers import AutoConfig, AutoModelForSequenceClassification, PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import SequenceClassifierOutput

from explorer_core import settings
from explorer_core.errors import IncompatibleError

POOLINGS = ("last", "mean", "max")


class RecurrentConfig(PreTrainedConfig):
    """Sizes of a recurrent text classifier.

    Attributes:
        vocab_size: Rows of the embedding table.
        embedding_size: Width of one word vector.
        hidden_size: Units of each layer and direction.
        num_layers: Recurrent layers, one on top of the other.
        bidirectional: Whether a second set of units reads from the last word to the first.
        pooling: `last` (final state of each direction), `mean` or `max` over positions.
        dropout: Share of values dropped on the embeddings, between layers and before the head, in training only.
        word_dropout: Share of tokens read as the unknown token, in training only (Iyyer et al. 2015): the network
            learns what an unknown word is.
        freeze_embeddings: Whether training leaves the word vectors as they are.
        max_tokens: Texts are cut after so many tokens.
    """

    model_type = "unrolled-recurrent"

    vocab_size: int = 30_522
    embedding_size: int = 384
    hidden_size: int = 128
    num_layers: int = 1
    bidirectional: bool = False
    pooling: str = "last"
    dropout: float = 0.2
    word_dropout: float = 0.0
    freeze_embeddings: bool = False
    max_tokens: int = 4_096
    pad_token_id: int | None = 0
    unk_token_id: int | None = None


class RecurrentForSequenceClassification(PreTrainedModel):
    """Embedding, fused recurrent kernel, pooling and one linear head.

    Padding never changes a result: only the positions the attention mask keeps are read, in their order. Subclasses
    name their kernel and their gates.
    """

    config_class = RecurrentConfig
    base_model_prefix = "rnn"
    main_input_name = "input_ids"
    kernel: ClassVar[Callable[..., nn.RNNBase]]
    gate_names: ClassVar[tuple[str, ...]] = ()
    has_cell: ClassVar[bool] = False

    def __init__(self, config: RecurrentConfig):
        super().__init__(config)
        directions = 2 if config.bidirectional else 1
        self.embedding = nn.Embedding(config.vocab_size, config.embedding_size, padding_idx=config.pad_token_id)
        self.embedding.weight.requires_grad_(not config.freeze_embeddings)
        self.dropout = nn.Dropout(config.dropout)
        self.rnn = self.kernel(
            config.embedding_size,
            config.hidden_size,
            num_layers=config.num_layers,
            batch_first=True,
            bidirectional=config.bidirectional,
            dropout=config.dropout if config.num_layers > 1 else 0.0,
        )
        self.classifier = nn.Linear(directions * config.hidden_size, cast(int, config.num_labels))
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The table whose rows are exactly what `inputs_embeds` expects."""
        return self.embedding

    def set_input_embeddings(self, value: Any) -> None:
        """Replace the table of word vectors."""
        self.embedding = value

    def forward(
        self,
        input_ids: Tensor | None = None,
        attention_mask: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        **_: Any,
    ) -> SequenceClassifierOutput:
        """Logits of a batch of texts.

        Args:
            input_ids: Shape [text, pos]; either these or `inputs_embeds`.
            attention_mask: Shape [text, pos], 1 where a position is read; any pattern, left padding and holes too.
            inputs_embeds: Shape [text, pos, width].
            labels: Class of each text; adds the mean cross entropy (nats) as `loss`.
        """
        if (input_ids is None) == (inputs_embeds is None):
            raise ValueError("Give exactly one of input_ids and inputs_embeds.")
        if self.training and input_ids is not None:
            input_ids = self._drop_words(input_ids)
        vectors = self.embedding(input_ids) if inputs_embeds is None else inputs_embeds  # [text, pos, width]
        vectors, lengths = squeeze_padding(vectors, attention_mask)
        states = self.run_kernel(self.dropout(vectors), lengths)  # [text, pos, direction * unit]
        logits = self.classifier(self.dropout(self.pool(states, lengths)))  # [text, class]
        loss = None if labels is None else nn.functional.cross_entropy(logits.float(), labels)
        return SequenceClassifierOutput(loss=loss, logits=logits)

    def _drop_words(self, input_ids: Tensor) -> Tensor:
        """Some tokens read as unknown; padding may be hit too, it is never read."""
        if not self.config.word_dropout or self.config.unk_token_id is None:
            return input_ids
        hit = torch.rand(input_ids.shape, device=input_ids.device) < self.config.word_dropout
        return input_ids.masked_fill(hit, self.config.unk_token_id)

    def run_kernel(self, vectors: Tensor, lengths: Tensor | None) -> Tensor:
        """Top layer's states of every position, zero where there is no word; shape [text, pos, direction * unit]."""
        if lengths is None:
            return self.rnn(vectors)[0]
        packed = pack_padded_sequence(vectors, lengths.clamp(min=1).cpu(), batch_first=True, enforce_sorted=False)
        states, _ = pad_packed_sequence(self.rnn(packed)[0], batch_first=True, total_length=vectors.shape[1])
        return states * (lengths > 0).to(states.dtype)[:, None, None]

    def pool(self, states: Tensor, lengths: Tensor | None) -> Tensor:
        """One vector a text, shape [text, direction * unit], from states [text, pos, direction * unit].

        For `last` the backward half is its state at the first word, the last one it reads. A text of no words pools
        to zero, which is the state a recurrent network starts from.
        """
        n_texts, n_pos, width = states.shape
        lengths = lengths if lengths is not None else torch.full((n_texts,), n_pos, device=states.device)
        if self.config.pooling == "last":
            last = states[torch.arange(n_texts, device=states.device), (lengths - 1).clamp(min=0)]
            if not self.config.bidirectional:
                return last
            return torch.cat([last[:, : width // 2], states[:, 0, width // 2 :]], dim=-1)
        is_word = torch.arange(n_pos, device=states.device)[None, :] < lengths[:, None]  # [text, pos]
        if self.config.pooling == "mean":
            return (states * is_word[..., None]).sum(1) / lengths.clamp(min=1)[:, None].to(states.dtype)
        if self.config.pooling == "max":
            highest = states.masked_fill(~is_word[..., None], -torch.inf).amax(1)
            return highest.masked_fill((lengths == 0)[:, None], 0.0)
        raise ValueError(f"Unknown pooling {self.config.pooling!r}; allowed: {', '.join(POOLINGS)}.")

    @staticmethod
    def gate_values(vectors: Tensor, hidden_before: Tensor, weights: tuple[Tensor, ...]) -> Tensor:
        """Gates after their non-linearity, shape [..., gate, unit], from the state before each word.

        Args:
            vectors: What the layer reads, shape [..., width].
            hidden_before: The state the word found, shape [..., unit].
            weights: `weight_ih`, `weight_hh`, `bias_ih`, `bias_hh` as `torch.nn` stores them.
        """
        raise NotImplementedError  # pragma: no cover

    @torch.no_grad()
    def _init_weights(self, module: nn.Module) -> None:
        """Glorot input weights, orthogonal recurrent weights, zero biases (forget gate: one, see lstm)."""
        if isinstance(module, nn.RNNBase):
            for name, weight in module.named_parameters():
                if name.startswith("weight_ih"):
                    for block in weight.split(module.hidden_size):
                        init.xavier_uniform_(block)
                elif name.startswith("weight_hh"):
                    for block in weight.split(module.hidden_size):
                        init.orthogonal_(block)
                else:
                    init.zeros_(weight)
        elif isinstance(module, nn.Embedding):
            init.normal_(module.weight, std=0.1)
            if module.padding_idx is not None:
                init.zeros_(module.weight[module.padding_idx])
        elif isinstance(module, nn.Linear):
            init.xavier_uniform_(module.weight)
            init.zeros_(module.bias)


def check_config(plain: Mapping[str, Any]) -> None:
    """Refuse settings no recurrent classifier has.

    Raises:
        IncompatibleError: If the pooling is unknown, or a switch or share is of the wrong kind.
    """
    if plain.get("pooling", "last") not in POOLINGS:
        raise IncompatibleError(
            f"config.json says pooling {str(plain['pooling'])[:60]!r}; allowed: {', '.join(POOLINGS)}."
        )
    for switch in ("bidirectional", "freeze_embeddings"):
        if not isinstance(plain.get(switch, False), bool):
            raise IncompatibleError(f"config.json says {switch} {str(plain[switch])[:60]!r}; allowed: true, false.")
    for name in ("dropout", "word_dropout"):
        share = plain.get(name, 0.0)
        if isinstance(share, bool) or not isinstance(share, int | float) or not 0 <= share <= 1:
            raise IncompatibleError(f"config.json says {name} {str(share)[:60]!r}; a share from 0 to 1 is expected.")
    unknown = plain.get("unk_token_id")
    if unknown is not None and (not isinstance(unknown, int) or not 0 <= unknown < plain.get("vocab_size", 30_522)):
        raise IncompatibleError(
            f"config.json says unk_token_id {str(unknown)[:20]}; a row of the vocabulary is expected."
        )
    n_tokens = plain.get("max_tokens", settings.MAX_RECURRENT_TOKENS)
    if isinstance(n_tokens, bool) or not isinstance(n_tokens, int) or n_tokens < 2:
        raise IncompatibleError(f"config.json says max_tokens {str(n_tokens)[:60]!r}; at least 2 are needed.")


def count_positions(config: RecurrentConfig) -> int:
    """Tokens the network reads; a state depends on all before it, so the limit is one of time and memory only."""
    return min(config.max_tokens, settings.MAX_RECURRENT_TOKENS)


def squeeze_padding(vectors: Tensor, attention_mask: Tensor | None) -> tuple[Tensor, Tensor | None]:
    """Move the positions that are read to the front, in their order.

    Returns:
        The vectors, shape [text, pos, width], and the number of positions read of each text; `None` when all are.
    """
    if attention_mask is None or bool(attention_mask.all()):
        return vectors, None
    keep = attention_mask.bool()
    lengths = keep.sum(1)
    is_right_padded = bool((keep[:, :-1] >= keep[:, 1:]).all())
    if not is_right_padded:
        order = (~keep).to(torch.int8).argsort(dim=1, stable=True)  # kept positions first
        vectors = vectors.gather(1, order[..., None].expand_as(vectors))
    return vectors[:, : max(int(lengths.max()), 1)], lengths


def register(config: type[RecurrentConfig], model: type[RecurrentForSequenceClassification]) -> None:
    """Make `AutoConfig` and `AutoModelForSequenceClassification` open folders of this family."""
    AutoConfig.register(config.model_type, config, exist_ok=True)
    AutoModelForSequenceClassification.register(config, model, exist_ok=True)
