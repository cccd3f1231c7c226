"""How the verdict depends on everything a network computed: one text, and the gradient of one number by every state.

A recurrent network is walked back in closed form over its own traced gates (`_backward`). A BERT is left to autograd,
on its recording twin and from word vectors of its own, so that nothing of the shared network is touched.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core.errors import InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import Knob
from explorer_core.results import GradientTrace
from explorer_core.text import Reading, read_text
from explorer_core.tracing import _kernel, states
from explorer_core.tracing._arrays import read_ids, to_numpy
from explorer_core.tracing._backward import BatchGradients, backward_batch
from explorer_core.tracing._broken import refuse_broken
from explorer_core.tracing._target import class_of
from explorer_core.tracing.transformer import recording_twin

OF = Knob("of", "Gradient of", "Which number is differentiated.", "logit", choices=("logit", "loss"))


def trace(
    model: LoadedModel, text: str, target: int | str | None, *, of: str = "logit", label: int | str | None = None
) -> GradientTrace:
    """Gradients of one text; see `api.trace_gradients`."""
    OF.check(of)
    states.check_kind(model)
    if of == "logit" and label is not None:
        raise InvalidInputError("A label is only used with of='loss'. Give a target, or ask for of='loss'.")
    if of == "loss" and label is None:
        raise InvalidInputError(
            "The loss needs the right label. Give label=, by name or number, or ask for of='logit'."
        )
    if of == "loss" and target is not None:
        raise InvalidInputError("The loss has a label, not a target. Leave target out, or ask for of='logit'.")
    class_of(model.labels, 0 if target is None else target, np.zeros(1))  # refused before anything is read
    wish = label if of == "loss" else target
    reading = read_text(model.tokenizer, text, model.max_tokens)
    walk = _recurrent if model.kind == "recurrent" else _transformer
    return walk(model, reading, wish, of)


def read_back(
    model: LoadedModel, reading: Reading, wish: int | str | None, of: str
) -> tuple[Tensor, _kernel.BatchStates, BatchGradients, Tensor, int]:
    """One text through a recurrent network and back: word vectors [text = 1, pos, width], its trace, the gradients,
    the logits [class] and the class in question.

    Raises:
        InvalidInputError: If there is no such class, or a number on the way is not finite.
    """
    module: Any = model.module
    with torch.inference_mode():
        vectors = module.get_input_embeddings()(read_ids(model, reading))
        traced = _kernel.trace_batch(module, vectors)
        logits = module.classifier(module.pool(traced.top, None))[0]
        refuse_broken(model, to_numpy(logits))
        chosen = class_of(model.labels, wish, to_numpy(logits))
        grad = _grad_of_logits(logits, chosen, of).to(logits)
        return vectors, traced, backward_batch(module, traced, vectors, None, grad[None]), logits, chosen


def _recurrent(model: LoadedModel, reading: Reading, wish: int | str | None, of: str) -> GradientTrace:
    _, _, grads, logits, chosen = read_back(model, reading, wish, of)
    cell = None if grads.cell is None else to_numpy(grads.cell[0])
    arrays = (to_numpy(grads.hidden[0]), cell, to_numpy(grads.gates[0]), to_numpy(grads.vectors[0]))
    return _result(model, reading, logits, chosen, of, arrays, model.module.gate_names)


def _transformer(model: LoadedModel, reading: Reading, wish: int | str | None, of: str) -> GradientTrace:
    twin = recording_twin(model.module)
    with torch.inference_mode(False), torch.enable_grad():
        ids = read_ids(model, reading)
        vectors = twin.get_input_embeddings()(ids).detach().requires_grad_()
        given = twin(inputs_embeds=vectors, attention_mask=torch.ones_like(ids), output_hidden_states=True)
        logits = given.logits[0]
        values = to_numpy(logits.detach())
        refuse_broken(model, values)
        chosen = class_of(model.labels, wish, values)
        grad = _grad_of_logits(logits.detach(), chosen, of).to(logits)
        nodes = (vectors, *given.hidden_states)
        by_vectors, *by_hidden = torch.autograd.grad(logits, nodes, grad)
    arrays = (to_numpy(torch.cat(by_hidden)), None, None, to_numpy(by_vectors[0]))
    return _result(model, reading, logits.detach(), chosen, of, arrays, ())


def _grad_of_logits(logits: Tensor, chosen: int, of: str) -> Tensor:
    """Derivative of the number in question by the logits, shape [class].

    That of the loss is the probability of every other class, and what these sum to, with its sign turned, of the right
    one: 1 minus a probability near 1 would have no digits left.
    """
    if of == "logit":
        grad = torch.zeros_like(logits)
        grad[chosen] = 1
        return grad
    grad = logits.cpu().double().softmax(-1)
    grad[chosen] = 0
    grad[chosen] = -grad.sum()
    return grad


def _result(
    model: LoadedModel,
    reading: Reading,
    logits: Tensor,
    chosen: int,
    of: str,
    arrays: tuple[np.ndarray, np.ndarray | None, np.ndarray | None, np.ndarray],
    gate_names: tuple[str, ...],
) -> GradientTrace:
    refuse_broken(model, *arrays)
    hidden, cell, gates, vectors = arrays
    loss = float(-logits.cpu().double().log_softmax(-1)[chosen])
    return GradientTrace(
        model=model.name,
        architecture=model.architecture,
        labels=model.labels,
        fingerprint=model.fingerprint,
        reading=reading,
        logits=to_numpy(logits),
        of=of,
        target=chosen,
        value=loss if of == "loss" else float(logits[chosen]),
        grad_hidden=hidden,
        grad_cell=cell,
        grad_gates=gates,
        grad_embedding=vectors,
        gate_names=gate_names,
    )
