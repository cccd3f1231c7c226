"""How alike the states of two networks are, layer by layer, over many texts.

CKA of two layers near 1 means that the states of one are those of the other, turned, moved and scaled. It is no proof
of like work: a few states far out can decide it, and it can be moved without changing what a network does (Davari et
al. 2022, Reliability of CKA as a similarity measure in deep learning; Murphy et al. 2024, Correcting biased centered
kernel alignment measures in biological and artificial neural networks). So the same is measured of the networks with
fresh weights: only what goes beyond that was learned.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from explorer_core import prediction
from explorer_core.comparing._cka import FEWEST, debiased_cka, plain_cka
from explorer_core.comparing._shared_words import shared_places
from explorer_core.errors import IncompatibleError, InvalidInputError
from explorer_core.loaded import LoadedModel
from explorer_core.params import SEED, Knob
from explorer_core.progress import Progress
from explorer_core.results import Reading, StateLikeness
from explorer_core.text import read_text
from explorer_core.tracing import _kernel, states, transformer
from explorer_core.tracing._arrays import to_numpy
from explorer_core.tracing._broken import refuse_broken

WHAT = ("final", "mean", "words")
N_STATES = Knob("n_states", "States at most", "Texts, or words of texts, drawn at random.", 2_000, FEWEST, 5_000, 100)
MAX_STATES_MIB = 256  # of one network; of a large one there are fewer states, which is said
_TEXTS_A_STATE = 4  # words drawn come from at least a quarter as many texts, where there are so many
_WORK = {"recurrent": 1.0, "transformer": 20.0}  # of reading the texts, about
_TRIED = {"recurrent": 64, "transformer": 8}
UNREADABLE, OTHER_WORDS = "nothing both models can read", "no word that both models read alike"

Places = list[tuple[int, np.ndarray]]  # text, and words of it


def compare(
    one: LoadedModel,
    other: LoadedModel,
    texts: Sequence[str],
    what: str,
    *,
    n_states: int = N_STATES.default,
    seed: int = 0,
    twin_of: Callable[[LoadedModel], LoadedModel] | None = None,
    progress: Progress | None = None,
) -> StateLikeness:
    """CKA of every pair of layers; see `api.compare_states`.

    Args:
        one: A network.
        other: Another, or the same.
        texts: All texts.
        what: As there.
        n_states: As there.
        seed: As there.
        progress: As there.
        twin_of: Gives a network of the same sizes with fresh weights; without it there is no base line.
    """
    for model in (one, other):
        states.check_kind(model)
    if what not in WHAT:
        raise InvalidInputError(f"There are no states {str(what)[:40]!r}; allowed: {', '.join(WHAT)}.")
    SEED.check(seed)
    n_states = min(N_STATES.check(n_states), *(_room_for(model, what) for model in (one, other)))
    left_out: Counter[str] = Counter()
    readings, places = _draw(one, other, texts, what, n_states, seed, left_out)
    n_found = sum(len(words) for _, words in places[0]) if what == "words" else len(places[0])
    if n_found < FEWEST:
        why = "; ".join(f"{n:,} with {reason}" for reason, n in left_out.items())
        said = f" Left out: {why}." if why else ""
        raise InvalidInputError(f"{n_found} states are too few; {FEWEST} or more are compared.{said} Give more texts.")
    is_same = one.fingerprint == other.fingerprint and one.name == other.name
    passes = [_WORK[model.kind] for model in ((one,) if is_same else (one, other))] * (1 + (twin_of is not None))
    done = [0.0]

    def read(model: LoadedModel, side: int) -> list[np.ndarray]:
        share, before = _WORK[model.kind] / sum(passes), done[0]
        found = _read(model, readings[side], places[side], what, lambda part: _tell(progress, before + share * part))
        done[0] += share
        return found

    def both(pair: Sequence[LoadedModel]) -> tuple[list[np.ndarray], list[np.ndarray]]:
        first = read(pair[0], 0)
        return first, first if is_same else read(pair[1], 1)

    trained = both((one, other))
    cka, plain = _matrix(*trained, debiased_cka), _matrix(*trained, plain_cka)
    del trained
    untrained = None
    if twin_of is not None:
        untrained = _matrix(*both((twin_of(one), one if is_same else twin_of(other))), debiased_cka)
    _tell(progress, 1.0)
    return StateLikeness(
        models=(one.name, other.name),
        architectures=(one.architecture, other.architecture),
        fingerprints=(one.fingerprint, other.fingerprint),
        what=what,
        layers=(layer_names(one, what), layer_names(other, what)),
        cka=cka,
        plain=plain,
        untrained=untrained,
        n_states=n_found,
        n_texts=len(places[0]),
        left_out=dict(left_out),
        seed=seed,
    )


def price(models: Sequence[LoadedModel], texts: Sequence[str], n_texts: int) -> float:
    """Seconds to read so many texts by each of the networks once, about, from reading some of them now."""
    total = 0.0
    for model in models:
        readings = [found for text in texts[: _TRIED[model.kind]] if (found := _reading(model, text)) is not None]
        began_s = time.perf_counter()
        if readings:
            _read(model, readings, [(row, np.zeros(1, np.int64)) for row in range(len(readings))], "final", None)
            total += (time.perf_counter() - began_s) / len(readings) * min(n_texts, len(texts))
    return total


def layer_names(model: LoadedModel, what: str) -> tuple[str, ...]:
    """What a person calls each layer whose states are compared, the lowest first."""
    module: Any = model.module
    if model.kind == "transformer":
        return ("embeddings", *(f"layer {layer + 1}" for layer in range(module.config.num_hidden_layers)))
    first = () if what == "final" else ("word vectors",)
    names = []
    for layer in range(module.rnn.num_layers):
        name = f"layer {layer + 1}"
        names += [f"{name} forward", f"{name} backward", f"{name} both"] if module.rnn.bidirectional else [name]
    return (*first, *names)


# Which states -------------------------------------------------------------------------------------------------------


def _draw(
    one: LoadedModel, other: LoadedModel, texts: Sequence[str], what: str, n_states: int, seed: int,
    left_out: Counter[str],
) -> tuple[tuple[list[Reading], list[Reading]], tuple[Places, Places]]:  # fmt: skip
    """Readings of the texts that are used by each network, and the words of each that are compared."""
    rng = np.random.default_rng(seed)
    readings: tuple[list[Reading], list[Reading]] = ([], [])
    words: list[np.ndarray] = []  # [network, word] of each text
    for place in rng.permutation(len(texts)).tolist():
        n_words = sum(one.shape[1] for one in words)
        if len(words) == n_states or (
            what == "words" and len(words) >= n_states / _TEXTS_A_STATE and n_words >= n_states
        ):
            break
        first, second = _reading(one, texts[place]), _reading(other, texts[place])
        if first is None or second is None:
            left_out[UNREADABLE] += 1
            continue
        if what == "words":
            try:
                shared = shared_places([first, second])
            except IncompatibleError:
                left_out[OTHER_WORDS] += 1
                continue
        else:
            shared = np.zeros((2, 1), dtype=np.int64)
        words.append(shared)
        for kept, reading in zip(readings, (first, second), strict=True):
            kept.append(reading)
    n_all = sum(shared.shape[1] for shared in words)
    is_kept = np.ones(n_all, dtype=bool)
    if n_all > n_states:
        is_kept[rng.permutation(n_all)[n_states:]] = False
    starts = np.cumsum([0, *(shared.shape[1] for shared in words)])
    places: tuple[Places, Places] = ([], [])
    for row, shared in enumerate(words):
        chosen = shared[:, is_kept[starts[row] : starts[row + 1]]]
        if chosen.shape[1]:
            places[0].append((row, chosen[0]))
            places[1].append((row, chosen[1]))
    return readings, places


def _reading(model: LoadedModel, text: str) -> Reading | None:
    try:
        return read_text(model.tokenizer, text, model.max_tokens)
    except InvalidInputError:
        return None


def _room_for(model: LoadedModel, what: str) -> int:
    """States of all layers together that fit into memory."""
    module: Any = model.module
    n_units = model.module.get_input_embeddings().weight.shape[1]
    if model.kind == "transformer":
        n_units = module.config.hidden_size * (module.config.num_hidden_layers + 1)
    else:
        n_units += module.rnn.hidden_size * module.rnn.num_layers * (4 if module.rnn.bidirectional else 1)
    return max(MAX_STATES_MIB * 2**20 // (4 * n_units), FEWEST)


# Reading them -------------------------------------------------------------------------------------------------------


def _read(
    model: LoadedModel, readings: Sequence[Reading], places: Places, what: str, progress: Progress | None
) -> list[np.ndarray]:
    """States of every layer, each float32 [state, unit], in the order of the places."""
    starts = np.cumsum([0, *(len(words) for _, words in places)])
    found: list[np.ndarray] = []
    n_done, n_all = 0, max(sum(len(readings[row].token_ids) for row, _ in places), 1)
    for batch in prediction.batch_by_length([len(readings[row].token_ids) for row, _ in places]):
        _tell(progress, n_done / n_all)
        some = [readings[places[place][0]] for place in batch]
        layers = _layers(model, some, what)
        for number, (values, is_backward) in enumerate(layers):
            for row, place in enumerate(batch):
                picked = _pick(values[row], some[row], places[place][1], what, is_backward)
                if number == len(found):
                    found.append(np.zeros((int(starts[-1]), picked.shape[1]), dtype=np.float32))
                found[number][starts[place] : starts[place + 1]] = picked
        n_done += sum(len(one.token_ids) for one in some)
    for values in found:
        refuse_broken(model, values)
    return found


@torch.inference_mode()
def _layers(model: LoadedModel, readings: Sequence[Reading], what: str) -> list[tuple[np.ndarray, tuple[int, ...]]]:
    """Hidden states of every layer of a batch, [text, pos, unit], and the units of each part read forward and
    backward: `()` for a layer that reads neither way.
    """
    module: Any = model.module
    given = prediction.pad([reading.token_ids.tolist() for reading in readings], model)
    if model.kind == "transformer":
        hidden = transformer.recording_twin(module)(**given, output_hidden_states=True).hidden_states
        return [(to_numpy(one), ()) for one in hidden]
    vectors, lengths = module.get_input_embeddings()(given["input_ids"]), given["attention_mask"].sum(1)
    traced: Tensor = _kernel.trace_batch(module, vectors, lengths).hidden  # [text, layer, direction, pos, unit]
    found: list[tuple[np.ndarray, tuple[int, ...]]] = [] if what == "final" else [(to_numpy(vectors), ())]
    for layer in range(traced.shape[1]):
        halves = [to_numpy(traced[:, layer, direction]) for direction in range(traced.shape[2])]
        found += [(half, (direction,)) for direction, half in enumerate(halves)]
        if len(halves) > 1:
            found.append((np.concatenate(halves, -1), (0, 1)))
    return found


def _pick(
    values: np.ndarray, reading: Reading, words: np.ndarray, what: str, directions: tuple[int, ...]
) -> np.ndarray:
    """States that are compared of one text, [state, unit]; `values` has shape [pos, unit], padded.

    A state is read where the last token of its word has been read: of a backward half that is the first one.
    """
    n_pos = len(reading.token_ids)
    if what == "mean":
        return values[:n_pos].mean(0, keepdims=True)
    if what == "final":
        ends = [np.array([n_pos - 1 if direction == 0 else 0]) for direction in directions] or [np.array([0])]
    else:
        last, first = reading.last_token_of_word[words], reading.first_token_of_word[words]
        ends = [(last, first)[direction] for direction in directions] or [last]
    parts = np.split(values, len(ends), axis=-1)
    return np.concatenate([part[end] for part, end in zip(parts, ends, strict=True)], axis=-1)


def _matrix(
    ones: Sequence[np.ndarray], others: Sequence[np.ndarray], measure: Callable[[np.ndarray, np.ndarray], float]
) -> np.ndarray:
    """A measure of every pair of layers; shape [layer of one, layer of the other]."""
    return np.array([[measure(one, other) for other in others] for one in ones])


def _tell(progress: Progress | None, share: float) -> None:
    if progress is not None:
        progress(share)
