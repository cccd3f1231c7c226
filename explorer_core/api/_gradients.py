"""How far back a verdict reaches: gradients by state, Jacobians through time, connectivity."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from explorer_core.api._reading import predict, trace_states
from explorer_core.progress import Progress
from explorer_core.results import Connectivity, GradientStep, GradientTrace, JacobianTrace, RecurrentTrace

if TYPE_CHECKING:
    from explorer_core.loaded import LoadedModel


def trace_gradients(
    model: LoadedModel,
    text: str,
    target: int | str | None = None,
    *,
    of: str = "logit",
    label: int | str | None = None,
) -> GradientTrace:
    """How a logit, or the loss, would move if a state, a gate or a word vector were nudged.

    Exact total derivatives: with respect to h_t through all later steps, the layers above and the pooling; with
    respect to c_t through h_t of the same step and through c_(t+1). Recurrent networks are walked back in closed form
    over their traced gates (Werbos 1990, Backpropagation through time), in the network's own precision. A small
    gradient does not mean that a word is forgotten (Zucchet and Orvieto 2024).

    Args:
        model: From `load_model`; any family.
        text: The text, as typed.
        target: Class whose logit is differentiated, by index or label; left out, the predicted one.
        of: `logit`, or `loss`: the cross entropy in nats, with `label` as the right class.
        label: Right class for `of="loss"`, by index or label.

    Returns:
        `grad_hidden` and `grad_cell`, shape [layer, direction, pos, unit]; `grad_gates`, shape [layer, direction, pos,
        gate, unit], with respect to the gates after their non-linearity; `grad_embedding`, shape [pos, width]. Of a
        BERT `grad_hidden` has the shape [layer + 1, pos, unit], and there is neither cell nor gate.

    Raises:
        InvalidInputError: If there is no such class, a label and `of` do not go together, the text cannot be read, or
            the network's numbers are not finite; the message names the layer.
    """
    from explorer_core.tracing import gradients

    return gradients.trace(model, text, target, of=of, label=label)


def trace_gradient_step(
    model: LoadedModel,
    text: str,
    *,
    layer: int = 0,
    direction: int = 0,
    unit: int = 0,
    word: int = 0,
    target: int | str | None = None,
    of: str = "logit",
    label: int | str | None = None,
    trace: RecurrentTrace | None = None,
    gradients: GradientTrace | None = None,
) -> GradientStep:
    """The chain rule at one unit and one word: its gradient as the sum of what comes from the next step and from above.

    Args:
        model: A recurrent network from `load_model`.
        text: The text, as typed.
        layer: From 0.
        direction: 0 forward, 1 backward.
        unit: From 0.
        word: From 0; of a word of several tokens, its last step.
        target: As in `trace_gradients`; this and the next two are not looked at where `gradients` is given.
        of: As in `trace_gradients`.
        label: As in `trace_gradients`.
        trace: From `trace_states` of this model and text, if there is one; else the text is read.
        gradients: From `trace_gradients` of this model and text, if there is one; else the text is walked back.

    Returns:
        An LSTM's ∂y/∂c = ∂y/∂c₊₁ × f₊₁ + ∂y/∂h × o × (1 − tanh² c), its ∂y/∂h and ∂y/∂f; a GRU's ∂y/∂h and ∂y/∂z; an
        RNN's ∂y/∂h. Both sides of each equation agree to the rounding of the network's own precision, 1e-5 of the
        largest term in float32.

    Raises:
        InvalidInputError: If there is no such layer, direction, unit, word or class, or a trace is of something else.
        IncompatibleError: If the model is not recurrent.
    """
    from explorer_core.tracing import gradient_step

    traced: Any = trace_states(model, text, running=False) if trace is None else trace
    found = trace_gradients(model, text, target, of=of, label=label) if gradients is None else gradients
    return gradient_step.trace_gradient_step(
        model, text, traced, found, layer=layer, direction=direction, unit=unit, word=word
    )


def trace_jacobians(
    model: LoadedModel,
    text: str,
    *,
    layer: int = -1,
    direction: int = 0,
    norm: str = "spectral",
    target: int | str | None = None,
    spectrum: bool = True,
    progress: Progress | None = None,
) -> JacobianTrace:
    """How the last state of one layer and direction depends on every earlier state, and what the gates promise.

    The norms of d h_T / d h_t and d h_T / d c_t are those of the layer's own recurrence; paths through other layers
    are left out. Beside them: the norm of the total gradient of the target logit by c_t (without a cell: by h_t), the
    product of the forget (GRU: update) gates, and the spectral radius and singular values of every single step
    (Bengio et al. 1994; Pascanu et al. 2013).

    Args:
        model: From `load_model`; any recurrent family.
        text: The text, as typed.
        layer: Counted from 0 at the bottom, or from -1 at the top.
        direction: 0 forward, 1 backward.
        norm: `spectral` (largest singular value) or `frobenius`.
        target: Class whose logit is differentiated, by index or label; left out, the predicted one.
        spectrum: Whether the eigenvalues and singular values of every step are computed: by far the longest part,
            some 50 ms a position for an LSTM of 128 units; the norms of 100 positions take about as long together.
        progress: See `Progress`; called only for the spectrum.

    Raises:
        IncompatibleError: If the model is not recurrent.
        InvalidInputError: If there is no such layer, direction, norm or class, the text cannot be read, or the
            network's numbers are not finite; the message names the layer.
    """
    from explorer_core.tracing import jacobians

    return jacobians.trace(
        model, text, layer=layer, direction=direction, norm=norm, target=target, spectrum=spectrum, progress=progress
    )


def trace_connectivity(
    model: LoadedModel, text: str, target: int | str | None = None, progress: Progress | None = None
) -> Connectivity:
    """Which words the running verdict rests on after every word: the gradient of each prefix's logit by its words.

    Args:
        model: From `load_model`; any family. A network that reads one way is walked back once; a BiLSTM and a BERT read
            every prefix anew, which grows with the square of the length or faster.
        text: The text, as typed.
        target: Class whose logit is differentiated, by index or label; left out, the one predicted of the whole text.
        progress: See `Progress`.

    Returns:
        `strength`, shape [word t, word s]: L2 norm of the derivative of the logit after word t by the vectors of all
        tokens of word s together; zero above the diagonal.

    Raises:
        InvalidInputError: If there is no such class, the text cannot be read, or the network's numbers are not
            finite; the message names the layer.
    """
    from explorer_core.tracing import connectivity

    return connectivity.trace(model, text, target, progress)


def price_spectrum(model: LoadedModel, text: str) -> float:
    """Seconds `trace_jacobians` with its spectrum would take here over a text, from one matrix that is timed now.

    Raises:
        IncompatibleError: If the model is not recurrent.
        InvalidInputError: If the text cannot be read.
    """
    from explorer_core.tracing import jacobians

    return jacobians.price_spectrum(model, text)


def untrained_twin(model: LoadedModel, seed: int = 0) -> LoadedModel:
    """The same network before training: its sizes filled with fresh weights, as training fills them at its start.

    With the seed of its training spec (0 for every starter) this is the very network the run began from. Word vectors
    that came pretrained and frozen are those of the network itself; those that were tuned are as they came, where the
    run is known; others are fresh. The global random generator is left as it was. The twin is shared like any other
    network, and must not be changed; those used last are kept, within 256 MiB.

    Args:
        model: From `load_model`; any recurrent family.
        seed: Of the weights.

    Returns:
        A network with a fingerprint of its own, on the same device, with the same tokenizer and labels.

    Raises:
        IncompatibleError: If the model is not recurrent.
        InvalidInputError: If the seed is none.
    """
    from explorer_core.training import untrained

    return untrained.twin(model, seed)


def trace_untrained_jacobians(
    model: LoadedModel,
    text: str,
    *,
    seed: int = 0,
    layer: int = -1,
    direction: int = 0,
    norm: str = "spectral",
    target: int | str | None = None,
) -> JacobianTrace:
    """`trace_jacobians` of the network as it was before training, without spectrum; see `untrained_twin`.

    Args:
        model: From `load_model`; any recurrent family.
        text: The text, as typed.
        seed: Of the fresh weights.
        layer: Counted from 0 at the bottom, or from -1 at the top.
        direction: 0 forward, 1 backward.
        norm: `spectral` or `frobenius`.
        target: Class whose logit is differentiated, by index or label; left out, the one the trained network predicts.

    Returns:
        Name and fingerprint are those of the trained network; `untrained_seed` and the logits say that it is not.

    Raises:
        IncompatibleError, InvalidInputError: As `trace_jacobians` and `untrained_twin`.
    """
    import dataclasses

    from explorer_core.tracing import jacobians

    twin = untrained_twin(model, seed)
    if target is None:
        target = int(predict(model, [text]).logits[0].argmax())
    found = jacobians.trace(twin, text, layer=layer, direction=direction, norm=norm, target=target, spectrum=False)
    return dataclasses.replace(found, model=model.name, fingerprint=model.fingerprint, untrained_seed=seed)
