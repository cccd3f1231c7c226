"""How strongly the loss of a fixed set of texts pulls at a network: at its states by distance, and at its weights.

A recurrent network is walked back in closed form (`_backward`), so neither its mode nor its dropout nor a gradient that
lies there is touched while it is being trained. A BERT is left to autograd on its recording twin, in eval mode.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from explorer_core.results.gradients import norm_of
from explorer_core.tracing import _kernel
from explorer_core.tracing._arrays import to_numpy
from explorer_core.tracing._backward import backward_batch
from explorer_core.tracing._factors import wide
from explorer_core.tracing._weights import embedding_gradient, weight_gradients
from explorer_core.tracing.transformer import recording_twin


@dataclass(frozen=True)
class ProbeTexts:
    """Texts of known class, padded on the right; int64 tensors on the device of the network.

    Attributes:
        ids: Shape [text, pos].
        lengths: Positions that are read of each text, at least `n_distances`, shape [text].
        labels: Right class of each text, shape [text].
        n_distances: How far back is looked.
    """

    ids: Tensor
    lengths: Tensor
    labels: Tensor
    n_distances: int


@dataclass(frozen=True)
class ProbeGradients:
    """What `measure` found; numbers that are none stay what they are.

    Attributes:
        loss_nats: Mean cross entropy of the texts, dropout off.
        hidden: L2 norm of the derivative of each text's own loss by its hidden state, mean over the texts; shape
            [layer, direction, distance]. A direction counts back from the last token it reads: forward from the end of
            the text, backward from its beginning. Of a BERT the layers begin with the embedding, and the one
            direction counts from the end.
        groups: L2 norm of the derivative of the mean loss by the weights of each group that learns.
    """

    loss_nats: float
    hidden: np.ndarray
    groups: dict[str, float]


def measure(module: Any, kind: str, texts: ProbeTexts, group_of: Callable[[str], str]) -> ProbeGradients:
    """Gradients of the loss of these texts under the present weights.

    Args:
        module: A classifier; nothing of it, of its gradients, of its mode and of any generator is changed.
        kind: `recurrent` or `transformer`.
        texts: Read in one batch.
        group_of: The group of a weight, from its name.
    """
    is_padding = torch.arange(texts.ids.shape[1], device=texts.ids.device) >= texts.lengths[:, None]  # [text, pos]
    walk = _recurrent if kind == "recurrent" else _transformer
    loss, hidden, weights = walk(module, texts, is_padding)
    groups: dict[str, list[Tensor]] = {}
    for name, weight in module.named_parameters():
        if weight.requires_grad and name in weights:
            groups.setdefault(group_of(name), []).append(weights[name])
    return ProbeGradients(
        loss_nats=float(loss),
        hidden=_by_distance(to_numpy(hidden), to_numpy(texts.lengths).astype(int), texts.n_distances),
        groups={name: float(nn.utils.get_total_norm(grads)) for name, grads in groups.items()},
    )


@torch.inference_mode()
def _recurrent(module: Any, texts: ProbeTexts, is_padding: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    """Mean loss, gradients by state, shape [text, layer, direction, pos, unit], and by weight."""
    vectors = module.get_input_embeddings()(texts.ids)
    traced = _kernel.trace_batch(module, vectors, texts.lengths)
    logits = wide(module.classifier(module.pool(traced.top, texts.lengths)))
    probs = logits.cpu().double().softmax(-1)
    grad = probs.sub_(nn.functional.one_hot(texts.labels.cpu(), logits.shape[1])).to(logits)
    grads = backward_batch(module, traced, vectors, texts.lengths, grad)
    weights = weight_gradients(module, traced, vectors, texts.lengths, grads, grad)
    if module.embedding.weight.requires_grad:
        weights["embedding.weight"] = embedding_gradient(module, texts.ids, grads)
    mean = {name: each / len(grad) for name, each in weights.items()}
    return nn.functional.cross_entropy(logits, texts.labels), grads.hidden, mean


def _transformer(module: Any, texts: ProbeTexts, is_padding: Tensor) -> tuple[Tensor, Tensor, dict[str, Tensor]]:
    twin = recording_twin(module).eval()
    names, weights = zip(*((name, each) for name, each in twin.named_parameters() if each.requires_grad), strict=True)
    with torch.inference_mode(False), torch.enable_grad():
        given = twin(input_ids=texts.ids, attention_mask=(~is_padding).long(), output_hidden_states=True)
        loss = nn.functional.cross_entropy(wide(given.logits), texts.labels)
        found = torch.autograd.grad(loss, (*given.hidden_states, *weights), allow_unused=True)
    by_hidden, by_weight = found[: len(given.hidden_states)], found[len(given.hidden_states) :]
    hidden = torch.stack(by_hidden, dim=1)[:, :, None] * len(texts.ids)  # each text's own loss
    named = {name: grad for name, grad in zip(names, by_weight, strict=True) if grad is not None}
    return loss.detach(), hidden, named


def _by_distance(grads: np.ndarray, lengths: np.ndarray, n_distances: int) -> np.ndarray:
    """Mean norm at every distance from the last token read, shape [layer, direction, distance]."""
    norms = norm_of(grads)  # [text, layer, direction, pos]
    back = np.arange(n_distances)
    forward = np.stack([one[:, 0, length - 1 - back] for one, length in zip(norms, lengths, strict=True)])
    halves = [forward] if norms.shape[2] == 1 else [forward, norms[:, :, 1, :n_distances]]
    return np.stack(halves, axis=2).mean(0)
