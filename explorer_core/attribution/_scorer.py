"""One network over one text as a function that methods can ask: of word vectors, and of which words are there.

Nothing is hooked and no mode is changed: word vectors go in, the logit of one class comes out. Threads that share the
network never see each other. On a GPU the gradient of a recurrent network comes from its closed form, walked back over
its gates, because the fused kernel there has no gradient in eval mode. On a CPU it has, and is faster.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.errors import IncompatibleError
from explorer_core.loaded import LoadedModel
from explorer_core.params import Knob
from explorer_core.progress import Progress
from explorer_core.text import Reading
from explorer_core.tracing import _kernel
from explorer_core.tracing._arrays import read_ids, to_numpy
from explorer_core.tracing._backward import backward_batch
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing._target import class_of

BASELINES = ("pad", "mask", "unk", "zero", "mean")
REMOVALS = ("mask", "unk", "drop")
TOKENS_AT_ONCE = {"recurrent": 8_192, "transformer": 2_048}
"""Tokens of one batch; bounds the memory of a pass."""

BASELINE = Knob(
    "baseline", "Baseline", "What every word is replaced by; special tokens stay.", "pad", choices=BASELINES
)
REMOVAL = Knob(
    "removal", "Removal", "How a word is taken away; auto follows what the network has seen in training.", "auto",
    choices=("auto", *REMOVALS),
)  # fmt: skip


@dataclass(frozen=True)
class Scores:
    """What a method found: as in `WordAttribution`, but scores of tokens or of words, whichever it is about.

    Attributes:
        tokens: Shape [pos]; `None` if the method is about whole words.
        words: Shape [word]; left out, the sums over the tokens of each word.
        standard_error: Shape [word].
        baseline: Name of what the text is compared with.
        baseline_value: Logit of that.
        notes: Sentences.
    """

    tokens: np.ndarray | None = None
    words: np.ndarray | None = None
    standard_error: np.ndarray | None = None
    baseline: str = ""
    baseline_value: float | None = None
    notes: tuple[str, ...] = ()


@dataclass
class Scorer:
    """The logit of one class of one network over variants of one text.

    Attributes:
        model: The network.
        reading: The text.
        target: Index of the class.
        vectors: Word vectors of the text, shape [1, pos, width].
        logits: Verdict over the text, shape [class].
        n_passes: Texts read so far.
        progress: Called with the share done; `n_expected` says of how many passes.
        share: What was told last; it never falls, also where more passes turn out to be needed than were expected.
    """

    model: LoadedModel
    reading: Reading
    target: int
    vectors: Tensor
    logits: np.ndarray
    n_passes: int = 0
    n_expected: int = 0
    progress: Progress | None = field(default=None, repr=False)
    share: float = 0.0

    @property
    def value(self) -> float:
        """The logit of the target over the text."""
        return float(self.logits[self.target])

    @property
    def n_at_once(self) -> int:
        """Texts of this length read in one batch."""
        return max(1, TOKENS_AT_ONCE[self.model.kind] // self.vectors.shape[1])

    def expect(self, n_passes: int) -> None:
        """Say how many more texts will be read, for the progress."""
        self.n_expected = self.n_passes + n_passes

    def of_vectors(self, vectors: Tensor) -> Tensor:
        """Logit of the target, shape [n], of word vectors [n, pos, width]; differentiable."""
        return self.all_of_vectors(vectors)[:, self.target]

    def all_of_vectors(self, vectors: Tensor, mask: Tensor | None = None) -> Tensor:
        """Logits, shape [n, class], of word vectors [n, pos, width]; differentiable. The `mask`, an int tensor
        [n, pos], says which positions are read.
        """
        found = []
        for part in range(0, len(vectors), self.n_at_once):
            rows = slice(part, part + self.n_at_once)
            given = None if mask is None else mask[rows]
            found.append(read_vectors(self.model, vectors[rows], given))
            self._tell(len(found[-1]))
        return torch.cat(found)

    def gradient(self, vectors: Tensor) -> Tensor:
        """Derivative of the logit by word vectors, both [n, pos, width]."""
        with torch.inference_mode(False), torch.enable_grad():
            given = vectors.detach().clone().requires_grad_()
            return torch.autograd.grad(self.of_vectors(given).sum(), given)[0]

    def of_presence(self, there: Tensor, removal: str) -> Tensor:
        """Logit of the target, shape [n], with only some words there; see `all_of_presence`."""
        return self.all_of_presence(there, removal)[:, self.target]

    def all_of_presence(self, there: Tensor, removal: str) -> Tensor:
        """Logits, shape [n, class], with only some words there: `there` is [n, word], not zero for a word that is
        read; special tokens always are. Texts of like length are read together.
        """
        owner = torch.from_numpy(self.reading.word_of_token).to(there.device)
        keep = torch.ones(len(there), len(owner), dtype=torch.bool, device=there.device)
        keep[:, owner >= 0] = there.bool()[:, owner[owner >= 0]]
        with torch.no_grad():
            if removal != "drop":
                filled = torch.where(keep[..., None], self.vectors, self.vector_of(removal))
                return self.all_of_vectors(filled)
            found = self.vectors.new_zeros(len(keep), len(self.model.labels))
            for rows, n_read in _by_length(keep.sum(1)):
                order = (~keep[rows]).to(torch.int8).argsort(dim=1, stable=True)[:, : max(n_read, 1)]
                if self.model.kind == "recurrent":
                    mask = keep[rows].gather(1, order)
                    gathered = self.vectors[0][order]
                    found[rows] = self.all_of_vectors(gathered, mask.long()).to(found)
                else:  # the words that are left keep their places
                    everywhere = self.vectors.expand(len(rows), -1, -1)
                    found[rows] = self.all_of_vectors(everywhere, keep[rows].long()).to(found)
            return found

    def baseline(self, name: str) -> Tensor:
        """Word vectors of a baseline, shape [1, pos, width]: every word replaced, special tokens as they are."""
        is_word = torch.from_numpy(self.reading.word_of_token >= 0).to(self.vectors.device)
        return torch.where(is_word[None, :, None], self.vector_of(name), self.vectors)

    def vector_of(self, name: str) -> Tensor:
        """The word vector of a baseline or a removal, shape [width].

        Raises:
            IncompatibleError: If the network has no such token.
        """
        table = self.model.module.get_input_embeddings().weight.detach()
        if name == "zero":
            return torch.zeros_like(table[0])
        if name == "mean":
            return table.double().mean(0).to(table)
        token = getattr(self.model.tokenizer, f"{name}_token_id", None)
        if token is None or not 0 <= token < len(table):
            raise IncompatibleError(
                f"{self.model.name[:60]!r} has no {name} token. Choose another one: zero and mean always work as "
                "baselines, drop as removal."
            )
        return table[token]

    def removal(self, wish: str) -> str:
        """How a word is taken away: as wished, or as the network has seen words missing in its training."""
        if wish != "auto":
            if wish != "drop":
                self.vector_of(wish)  # refused here if it is not there
            return wish
        if self.model.kind == "transformer":
            return "mask" if self.model.tokenizer.mask_token_id is not None else "drop"
        return "unk" if getattr(self.model.module.config, "word_dropout", 0) else "drop"

    def _tell(self, n_read: int) -> None:
        self.n_passes += n_read
        if self.progress is not None and self.n_expected:
            self.share = max(self.share, min(self.n_passes / self.n_expected, 1.0))
            self.progress(self.share)


class _ClosedForm(torch.autograd.Function):
    """Logits of a recurrent network, whose derivative is walked back in closed form over its gates."""

    @staticmethod
    def forward(ctx: Any, vectors: Tensor, module: Any, lengths: Tensor | None) -> Tensor:
        ctx.module, ctx.lengths, ctx.vectors = module, lengths, vectors.detach()
        with torch.inference_mode():
            if ctx.needs_input_grad[0]:
                ctx.states = _kernel.trace_batch(module, ctx.vectors, lengths)
                top = ctx.states.top
            else:
                top = module.run_kernel(ctx.vectors, lengths)
            logits = module.classifier(module.pool(top, lengths))
        return logits.clone()  # a tensor that autograd may take on

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Any:
        found = backward_batch(ctx.module, ctx.states, ctx.vectors, ctx.lengths, grads[0])
        return found.vectors.clone().to(ctx.vectors.dtype), None, None


def read_vectors(model: LoadedModel, vectors: Tensor, mask: Tensor | None) -> Tensor:
    """Logits, shape [n, class], of word vectors [n, pos, width]; differentiable. `mask`, an int tensor [n, pos], says
    which positions are read; left out, all are.
    """
    if model.kind == "recurrent":
        module, lengths = model.module, None if mask is None else mask.sum(1)
        if vectors.device.type != "cpu":
            return _ClosedForm.apply(vectors, module, lengths)
        return module.classifier(module.pool(module.run_kernel(vectors, lengths), lengths))
    given = torch.ones(vectors.shape[:2], dtype=torch.long, device=vectors.device) if mask is None else mask
    return model.module(inputs_embeds=vectors, attention_mask=given).logits


def make(model: LoadedModel, reading: Reading, target: int | str | None, progress: Progress | None) -> Scorer:
    """A scorer of one text.

    Raises:
        InvalidInputError: If there is no such class, or the network gives numbers that are not finite.
    """
    class_of(model.labels, 0 if target is None else target, np.zeros(1))  # refused before anything is read
    with torch.inference_mode():
        ids = read_ids(model, reading)
        found = model.module(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0]
        logits = to_numpy(found)
        refuse_broken(model, logits)
        vectors = model.module.get_input_embeddings()(ids)
    return Scorer(model, reading, class_of(model.labels, target, logits), vectors.clone(), logits, 1, 0, progress)


def _by_length(n_read: Tensor) -> Iterator[tuple[Tensor, int]]:
    """Rows with the same number of positions read, and that number."""
    for length in torch.unique(n_read).tolist():
        yield torch.nonzero(n_read == length)[:, 0], int(length)
