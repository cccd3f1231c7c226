"""The front desk: everything pages, the command line and notebooks call.

Importing this module is cheap; torch comes in with the first call that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from explorer_core import registry
from explorer_core.bundle import Made
from explorer_core.registry import About
from explorer_core.results import (
    AttentionSummary,
    BiLstmHalves,
    Connectivity,
    Evaluation,
    GateSaturation,
    GradientTrace,
    IndexPrice,
    JacobianTrace,
    LayerSimilarity,
    LayerVerdicts,
    LstmLedger,
    MemoryTrace,
    ModelCard,
    PatternMatches,
    Predictions,
    RecurrentTrace,
    RunningVerdict,
    SimilarUnits,
    TransformerTrace,
    UnitCard,
    UnitOrder,
    UnitStep,
)
from explorer_core.training.spec import DataSpec, TrainingSpec

if TYPE_CHECKING:
    import numpy as np

    from explorer_core.corpus._index import StateIndex
    from explorer_core.corpus._texts import Corpus
    from explorer_core.datasets._labelled_texts import DataPreview, LabelledTexts
    from explorer_core.loaded import LoadedModel
    from explorer_core.training.jobs import Job
    from explorer_core.training.price import Price
    from explorer_core.training.store import TrainingCurves

Progress = Callable[[float], None]
"""Called with the share done, in [0, 1]; may raise `CancelledError` to stop the work."""


def list_families() -> tuple[About, ...]:
    """The model families, without importing torch."""
    return tuple(registry.describe("architectures").values())


def list_sources() -> tuple[About, ...]:
    """The data sources."""
    return tuple(registry.describe("datasets").values())


# Models -------------------------------------------------------------------------------------------------------------


def list_models() -> tuple[ModelCard, ...]:
    """Every run in the store, in any state, newest first but starters in their own order at the top. No torch."""
    from explorer_core.training import store

    return store.list_cards()


def load_model(source: str, device: str = "auto") -> LoadedModel:
    """A network ready to be read.

    Args:
        source: A run's name, a local folder, or a Hub id such as `textattack/bert-base-uncased-SST-2`.
        device: `auto` (cuda, else mps, else cpu), `cpu`, `cuda` or `mps`.

    Raises:
        NotFoundError: If there is no such run, folder or Hub repository.
        UnsafeModelError: If loading would have to run code or unpickle.
        IncompatibleError: If it is not a sequence classifier of a known family.
        OfflineError: If the Hub cannot be reached.
    """
    from explorer_core.architectures import _loading

    return _loading.load(source, device)


def free_name(base: str) -> str:
    """A name no model has yet: the wish itself in allowed letters, or with -2, -3, ... after it."""
    from explorer_core.training import store

    return store.free_name(base)


def export_model(name: str, path: str | Path) -> Path:
    """Write one finished run as a zip of its `save_pretrained` folder."""
    from explorer_core.training import archive

    return archive.export_run(name, Path(path))


def import_model(path: str | Path, name: str) -> str:
    """Unpack a zip made by `export_model`, or of any safe model folder, as a run; returns its name."""
    from explorer_core.training import archive

    return archive.import_run(Path(path), name)


def delete_model(name: str) -> None:
    """Move a run to the bin; `restore_model` brings it back until the bin is emptied by the next deletion."""
    from explorer_core.training import store

    store.delete(name)


def restore_model(name: str) -> None:
    """Bring a run back from the bin."""
    from explorer_core.training import store

    store.restore(name)


# Data ---------------------------------------------------------------------------------------------------------------


def read_data(spec: DataSpec) -> LabelledTexts:
    """Labelled texts of a source, with their split into train, validation and test rows."""
    from explorer_core.datasets._labelled_texts import read

    return read(spec)


def preview_data(spec: DataSpec) -> DataPreview:
    """Columns, guessed columns, length and label histograms and three sample rows, before training."""
    from explorer_core.datasets._labelled_texts import preview

    return preview(spec)


def save_upload(content: bytes, ending: str) -> Path:
    """Keep an uploaded file under a name made from its bytes; returns where, as the source `local_file` takes it.

    Raises:
        InvalidInputError: If it is too large, or its ending is none.
    """
    from explorer_core.training import store

    return store.save_upload(content, ending)


# Training -----------------------------------------------------------------------------------------------------------


def train(spec: TrainingSpec, *, resume: bool = False, progress: Progress | None = None) -> str:
    """Train in this process (also one rank of `torchrun` or `accelerate launch`); returns the run's name."""
    from explorer_core.training import run

    return run.train(spec, resume=resume, progress=progress)


def training_spec(name: str) -> TrainingSpec:
    """What a run was asked to train.

    Raises:
        NotFoundError: If there is no such run, or it came without its spec.
    """
    from explorer_core.training import store

    return store.read_spec(name)


def start_training(spec: TrainingSpec) -> Job:
    """Train in a process of its own; the job can be watched, cancelled and resumed from any process."""
    from explorer_core.training import jobs

    return jobs.start(spec)


def resume_training(name: str) -> Job:
    """Go on with a cancelled, failed or lost run from its last checkpoint."""
    from explorer_core.training import jobs

    return jobs.resume(name)


def find_job(name: str) -> Job:
    """The job of a run, finished or not."""
    from explorer_core.training import jobs

    return jobs.find(name)


def starter_specs() -> tuple[TrainingSpec, ...]:
    """The five starter models, in the order they are trained."""
    from explorer_core.training import starters

    return starters.SPECS


def start_starters() -> tuple[Job, ...]:
    """Train the starters that are not ready, one after the other in one background process; returns their jobs."""
    from explorer_core.training import starters

    return starters.start()


def train_starters(*, progress: Progress | None = None) -> tuple[str, ...]:
    """Train the starters that are not ready in this process, one after the other; returns the names of those trained.

    Raises:
        JobError: If some failed; the message says which and why.
    """
    from explorer_core.training import starters

    return starters.train_all(progress)


def price_training(spec: TrainingSpec) -> Price:
    """Estimated seconds, disk and memory of a run, before the press."""
    from explorer_core.training import price

    return price.estimate(spec)


def training_curves(name: str) -> TrainingCurves:
    """Loss, accuracy, learning rate and gradient norms of a run, by step and epoch."""
    from explorer_core.training import store

    return store.read_curves(name)


# Reading a text -----------------------------------------------------------------------------------------------------


def predict(model: LoadedModel, texts: Sequence[str], *, progress: Progress | None = None) -> Predictions:
    """Verdicts over texts, batched by length.

    Raises:
        InvalidInputError: If a text is empty or too long; the message names its number.
    """
    from explorer_core import prediction

    return prediction.predict(model, texts, progress=progress)


def trace_states(
    model: LoadedModel, text: str, *, running: bool = True, progress: Progress | None = None
) -> RecurrentTrace | TransformerTrace:
    """Hidden state, cell state, gates and the running verdict of a recurrent network; hidden states, attention and
    the running verdict of a BERT.

    Args:
        model: From `load_model`.
        text: The text, as typed.
        running: Whether to read the verdict after every word. Nearly free for a network that reads one way; a BiLSTM
            and a BERT read every prefix anew, which grows with the square of the length.
        progress: See `Progress`.

    Raises:
        InvalidInputError: If the text has no words, or too many characters.
    """
    from explorer_core.tracing import states

    return states.trace(model, text, running=running, progress=progress)


def running_verdict(model: LoadedModel, text: str, *, progress: Progress | None = None) -> np.ndarray:
    """Logits after every word without states or gates, shape [word, class]; the last row is the whole text's."""
    from explorer_core.tracing import running

    return running.trace_running(model, text, progress=progress)


def trace_running(model: LoadedModel, text: str, *, progress: Progress | None = None) -> RunningVerdict:
    """`running_verdict` as a result with its words, which can be saved."""
    from explorer_core.tracing import running

    return running.trace_verdict(model, text, progress=progress)


def lstm_ledger(
    model: LoadedModel,
    text: str,
    target: int | str | None = None,
    *,
    tanh_share: str = "proportional",
    progress: Progress | None = None,
) -> LstmLedger:
    """What each word wrote into the cell of an LSTM or BiLSTM, how much was kept, and what it added to every logit.

    Exact: over positions, written times kept sums to the cell at the end, the shares of the hidden state to the pooled
    hidden state, and the shares of the logits with the bias to the logits. It is the network's own bookkeeping: the
    gates of a word depend on the words before it, so a share is not what would happen without the word. Of a layered
    network the cells of every layer are in it, but only the top layer reaches the logits, and what it reads at a word
    has already mixed in the words around it.

    Args:
        model: From `load_model`; an LSTM or BiLSTM of any number of layers and any pooling.
        text: The text, as typed.
        target: Class that is explained, by index or label; left out, the predicted one.
        tanh_share: How tanh(c) is divided among the terms of c: `proportional` to them, which knows no order, or by
            `order`, the step tanh makes at each word (Murdoch and Szlam 2017). With mean pooling, `order` takes a
            time that grows with the square of the length.
        progress: See `Progress`; called only where the work is long.

    Raises:
        IncompatibleError: If the network has no cell; the message names the families that have one.
        InvalidInputError: If there is no such class or share, or the text cannot be read.
    """
    from explorer_core.tracing import ledger

    return ledger.trace(model, text, target, tanh_share, progress)


def trace_halves(model: LoadedModel, text: str, target: int | str | None = None) -> BiLstmHalves:
    """What the forward and the backward half of a bidirectional recurrent network have added to the logits so far.

    The forward half after the last position, the backward half after the first one, and the bias sum to the logits.

    Args:
        model: From `load_model`; a BiLSTM, or an LSTM, GRU or RNN that reads in both directions.
        text: The text, as typed.
        target: Class that is explained, by index or label; left out, the predicted one.

    Raises:
        IncompatibleError: If the network does not read in both directions.
        InvalidInputError: If there is no such class, or the text cannot be read.
    """
    from explorer_core.tracing import halves

    return halves.trace(model, text, target)


def compare_layers(trace: RecurrentTrace | TransformerTrace, *, centred: bool = False) -> LayerSimilarity:
    """How alike a BERT's vectors of words are: to each other in every layer, and each to itself one layer up. No torch
    model is needed, only a trace.

    Args:
        trace: From `trace_states`.
        centred: Whether the mean vector of the text's words is subtracted first, in every layer by itself: without it
            nearly all cosines are high (Ethayarajh 2019).

    Returns:
        `between_words`, shape [layer + 1, word, word], and `to_next_layer`, shape [layer, word]: cosines in [-1, 1].

    Raises:
        IncompatibleError: If the trace is not of a BERT.
    """
    from explorer_core.tracing import layers

    return layers.compare(trace, centred=centred)


def trace_layer_verdicts(model: LoadedModel, text: str) -> LayerVerdicts:
    """What a BERT's own head would say of the hidden states of every layer.

    The head was trained on the last layer's output only: what it makes of earlier layers is not what the network
    believed there (nostalgebraist 2020; Belrose et al. 2023).

    Returns:
        `logits`, shape [layer + 1, class]; entry 0 is the embedding, the last row the network's verdict.

    Raises:
        IncompatibleError: If the network is no BERT, DistilBERT, RoBERTa or ELECTRA.
        InvalidInputError: If the text has no words, or too many characters.
    """
    from explorer_core.tracing import layers

    return layers.trace_verdicts(model, text)


def summarise_attention(trace: RecurrentTrace | TransformerTrace) -> AttentionSummary:
    """Attention of a BERT between words, every head in a few numbers, and attention rollout. No model is needed, only
    a trace.

    Attention is not attribution: what a head looks at is not what the verdict rests on.

    Returns:
        `word_pattern`, shape [layer, head, query entry, key entry], rows sum to 1 (an entry is a word or a special
        token); `entropy` in bits, `distance` in words and `shares`, by [layer, head]; `rollout` (Abnar and Zuidema
        2020), shape [layer, query entry, key entry].

    Raises:
        IncompatibleError: If the trace is not of a BERT.
    """
    from explorer_core.tracing import attention

    return attention.summarise(trace)


def trace_memory(
    model: LoadedModel, text: str, *, swap: str = "unknown", progress: Progress | None = None
) -> MemoryTrace:
    """What a recurrent network promises to remember of each word, and what it is measured to remember.

    Promised: the product of a unit's keep gates (forget gate of an LSTM, update gate of a GRU) from the word to the
    end; a vanilla RNN promises nothing. Measured: the word is swapped, the text is read again, and the change of the
    state at the end is set against the change right at the word. The work grows with the square of the length.

    Args:
        model: From `load_model`; any recurrent family.
        text: The text, as typed.
        swap: `unknown` reads each token of the word as the unknown token, so that positions stay aligned; `drop`
            leaves the word out. Special tokens that close the text stay. A text whose only word is dropped is read as
            nothing: the zero state.
        progress: See `Progress`.

    Raises:
        IncompatibleError: If the model is not recurrent.
        InvalidInputError: If the text has no words or too many characters, the swap is neither, or the tokenizer has
            no unknown token to swap for.
    """
    from explorer_core.tracing import memory

    return memory.trace_memory(model, text, swap=swap, progress=progress)


def order_units(
    trace: RecurrentTrace,
    how: str = "similarity",
    *,
    layer: int = 0,
    direction: int = 0,
    target: int | str | None = None,
) -> UnitOrder:
    """The units of one layer and direction in an order that shows what they have in common; no value changes.

    Args:
        trace: From `trace_states`.
        how: `stored`, `similarity` (clustering, alike units side by side), `verdict` (correlation of the hidden state
            with the running margin of the target class, largest first) or `memory` (half-life from the gate that
            keeps, longest first).
        layer: From 0.
        direction: 0 forward, 1 backward.
        target: Class by index or label, for `verdict`; left out, the predicted one.

    Raises:
        InvalidInputError: If there is no such order, layer, direction or class.
        IncompatibleError: If the order needs a running verdict or a gate that this trace does not have.
    """
    from explorer_core import unit_order
    from explorer_core.tracing._target import class_of

    index = class_of(trace.labels, target, trace.logits)
    return unit_order.order_units(trace, how, layer=layer, direction=direction, target=index)


def gate_saturation(trace: RecurrentTrace) -> GateSaturation:
    """For every unit, the share of words at which each gate is below 0.1 and above 0.9 (Karpathy et al. 2015).

    Returns:
        `left` and `right`, shares in [0, 1] of shape [layer, direction, gate, unit]. A vanilla RNN has no gates: the
        shares of its hidden state below −0.9 and above 0.9 are given under the name `hidden`.
    """
    from explorer_core import saturation

    return saturation.gate_saturation(trace)


def trace_unit_step(
    model: LoadedModel,
    text: str,
    *,
    layer: int = 0,
    direction: int = 0,
    unit: int = 0,
    word: int = 0,
    trace: RecurrentTrace | None = None,
) -> UnitStep:
    """The equations of one unit at one word, with every number in them.

    Args:
        model: A recurrent network from `load_model`.
        text: The text, as typed.
        layer: From 0.
        direction: 0 forward, 1 backward.
        unit: From 0.
        word: From 0; of a word of several tokens, its last step.
        trace: From `trace_states` of this model and text, if there is one; else the text is read.

    Returns:
        An LSTM's c = f × c₋₁ + i × g and h = o × tanh(c), a GRU's n and h, or an RNN's h. `c₋₁` and `h₋₁` belong to
        the token read before, which may lie in the same word. Both sides of each equation agree to 1e-6, or to as
        many digits as float32 has where a cell is large.

    Raises:
        InvalidInputError: If there is no such layer, direction, unit or word, or the trace is of something else.
        IncompatibleError: If the model is not recurrent.
    """
    from explorer_core.tracing import unit_step

    traced: Any = trace_states(model, text, running=False) if trace is None else trace
    return unit_step.trace_unit_step(model, text, traced, layer=layer, direction=direction, unit=unit, word=word)


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


def evaluate(
    model: LoadedModel,
    dataset: DataSpec | LabelledTexts,
    *,
    split: str = "test",
    progress: Progress | None = None,
) -> Evaluation:
    """Accuracy, macro F1, calibration, confusion, and pairs judged right on both sides, on one split of a data set."""
    from explorer_core import evaluation

    return evaluation.evaluate(model, dataset, split, progress=progress)


# Reading a corpus ---------------------------------------------------------------------------------------------------


def index_states(
    model: LoadedModel,
    data: Corpus,
    *,
    split: str = "all",
    layer: int = -1,
    direction: int = 0,
    quantity: str = "hidden",
    progress: Progress | None = None,
) -> StateIndex:
    """What one layer held after every word of a corpus, kept on disk and found again without reading it anew.

    Values are rounded to half precision (three significant digits). An index is made as a whole or not at all; those
    used longest ago make room for new ones (`settings.MAX_INDICES_MIB`).

    Args:
        model: From `load_model`.
        data: From `read_data`, where to read it, or texts without labels.
        split: `train`, `validation`, `test` or `all`.
        layer: From 0; of a BERT 0 is the embedding; negative ones count from the last.
        direction: 0 forward, 1 backward.
        quantity: `hidden`, `cell` or the name of a gate.
        progress: See `Progress`.

    Raises:
        InvalidInputError: If there is no such layer, direction or quantity, no text can be read, or the disk is full.
        NotFoundError: If there are no texts.
        CancelledError: If `progress` raised it; nothing is left behind.
    """
    from explorer_core.corpus import building

    return building.index_states(
        model, data, split=split, layer=layer, direction=direction, quantity=quantity, progress=progress
    )


def open_index(
    model: LoadedModel,
    data: Corpus,
    *,
    split: str = "all",
    layer: int = -1,
    direction: int = 0,
    quantity: str = "hidden",
) -> StateIndex:
    """An index that `index_states` made before, with the same arguments.

    Raises:
        NotFoundError: If there is none.
    """
    from explorer_core.corpus import building

    return building.open_index(model, data, split=split, layer=layer, direction=direction, quantity=quantity)


def price_index(model: LoadedModel, data: Corpus, *, split: str = "all") -> IndexPrice:
    """Words, estimated seconds and disk of `index_states`, from reading a sample of the texts now."""
    from explorer_core.corpus import building

    return building.price(model, data, split=split)


def unit_card(index: StateIndex, unit: int, *, n_words: int = 10, n_places: int = 8) -> UnitCard:
    """What one unit does over a corpus: words and places at both ends of its scale, correlations with label, position
    and word sentiment, half-life, saturation of its gates, dead or not.

    Args:
        index: From `index_states`.
        unit: From 0.
        n_words: Words listed at each end.
        n_places: Places listed at each end, one a text.

    Raises:
        InvalidInputError: If there is no such unit.
    """
    from explorer_core.corpus import units

    return units.unit_card(index, unit, n_words=n_words, n_places=n_places)


def similar_units(index: StateIndex, unit: int, n: int = 8) -> SimilarUnits:
    """Units whose values over a corpus go with one unit's, and against them, by Pearson correlation; at most n each.

    Raises:
        InvalidInputError: If there is no such unit.
    """
    from explorer_core.corpus import units

    return units.similar_units(index, unit, n)


def find_pattern(
    index: StateIndex,
    trace: RecurrentTrace | TransformerTrace,
    span: tuple[int, int],
    threshold: float,
    *,
    off_before: bool = False,
    off_after: bool = False,
    n: int = 100,
) -> PatternMatches:
    """Where in a corpus the same units are on as over a span of a text (Strobelt et al. 2018, LSTMVis).

    The units at or above the threshold at every word of the span are the pattern. Every place of the corpus of as many
    words, never across the end of a text, is scored by the Jaccard index of the pattern with the units that fit there.

    Args:
        index: From `index_states`, with the same model.
        trace: From `trace_states`.
        span: First and last word, from 0, both within.
        threshold: On the values of the index.
        off_before: Whether a unit must also be off (below the threshold) at the word before; where a text begins
            there is none, and it holds.
        off_after: The same of the word after.
        n: Texts listed at most, each with its best place.

    Raises:
        InvalidInputError: If there is no such span, or no unit fits; the message says what to change.
        IncompatibleError: If the text was read by another model.
    """
    from explorer_core.corpus import patterns

    return patterns.find_pattern(index, trace, span, threshold, off_before=off_before, off_after=off_after, n=n)


# Taking it away -----------------------------------------------------------------------------------------------------


def reproduce_bundle(
    path: str | Path,
    model: LoadedModel,
    text: str,
    made: Sequence[Made],
    *,
    figures: Mapping[str, Any] | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Path:
    """One zip with which anyone who has the model can compute the same numbers again.

    It holds `text.txt`, `tokens.json`, `arrays.npz` (under `<call>.<array>`, nothing pickled), `<call>.csv`,
    `settings.json` (model and fingerprint of its weights, calls with their arguments, versions, machine),
    `figures.html` if there are figures, and `reproduce.py`, which checks the fingerprint, makes every call again and
    asserts that each array agrees to 1e-5. All but the time in `settings.json` is the same for the same input.

    Args:
        path: Where to write; ends in `.zip`.
        model: From `load_model`.
        text: The text, as typed.
        made: The results, each with the call that made it, such as
            `Made("trace_states", {"running": False}, trace)`.
        figures: Plotly figures by the name of their view.
        settings: What else to keep in `settings.json`, as plain JSON values.

    Raises:
        InvalidInputError: If the path is no place for a zip, or an argument is no plain value.
        IncompatibleError: If a result is of another model or text, or its call cannot be made again from both.
    """
    from explorer_core import bundle

    return bundle.write(Path(path), model, text, made, globals(), figures=figures, chosen=settings)
