"""`trace --what layers` and `attention`: a BERT layer by layer, and what its heads look at."""

from __future__ import annotations

import argparse
from typing import Any

from explorer_core import api
from explorer_core.api import Made
from explorer_core.commands import _output
from explorer_core.commands._traces import Kind, by_label, layer_index, number, plain, verdict
from explorer_core.loaded import LoadedModel
from explorer_core.results import AttentionSummary, LayerSimilarity, LayerVerdicts


def make_layers(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """The head over every layer, and how far each layer turns each word."""
    verdicts = api.trace_layer_verdicts(model, args.text)
    similarity = api.compare_layers(api.trace_states(model, args.text, running=False))
    return [Made("compare_layers", {}, similarity), Made("trace_layer_verdicts", {}, verdicts)]


def make_attention(model: LoadedModel, args: argparse.Namespace) -> list[Made]:
    """Every head in a few numbers, and rollout."""
    trace = api.trace_states(model, args.text, running=False)
    return [Made("summarise_attention", {}, api.summarise_attention(trace))]


def describe_layers(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """Cosine of each word's vector with itself one layer up, and the verdict the head gives for every layer."""
    similarity: LayerSimilarity = results[0]
    verdicts: LayerVerdicts = results[1]
    return {
        "probs": by_label(verdicts.labels, verdicts.probs[-1]),
        "notes": list(verdicts.reading.notes),
        "words": [
            {"word": word, "to_next_layer": plain(similarity.to_next_layer[:, index])}
            for index, word in enumerate(similarity.words)
        ],
        "layers": [
            {"layer": layer, "probs": by_label(verdicts.labels, probs), "mean_cosine_between_words": plain(mean)}
            for layer, (probs, mean) in enumerate(zip(verdicts.probs, similarity.mean_between_words, strict=True))
        ],
    }


def describe_attention(results: list[Any], args: argparse.Namespace) -> dict[str, Any]:
    """Rollout of the token the head reads over words and special tokens, and the numbers of every head."""
    summary: AttentionSummary = results[0]
    n_layers, n_heads = summary.entropy.shape
    layers = range(n_layers) if args.layer is None else [layer_index(args, n_layers)]
    rows = zip(summary.entries, summary.is_special, summary.reading_of_text, strict=True)
    return {
        "notes": list(summary.reading.notes),
        "words": [
            {"word": word, "is_special": plain(special), "rollout": plain(share)} for word, special, share in rows
        ],
        "heads": [
            {"layer": layer + 1, "head": head + 1}
            | {name: plain(values[layer, head]) for name, values in summary.quantities().items()}
            for layer in layers
            for head in range(n_heads)
        ],
    }


def render_layers(found: dict[str, Any]) -> list[str]:
    """One line a word, then one a layer, then the verdict."""
    n_steps = len(found["words"][0]["to_next_layer"])
    steps = [f"{layer} to {layer + 1}" for layer in range(n_steps)]
    rows = [[row["word"], *(number(value, signed=True) for value in row["to_next_layer"])] for row in found["words"]]
    layers = [
        [
            "embedding" if row["layer"] == 0 else str(row["layer"]),
            *(_output.share(prob) for prob in row["probs"].values()),
            number(row["mean_cosine_between_words"], signed=True),
        ]
        for row in found["layers"]
    ]
    return [
        "Cosine of each word's vector with itself one layer up (layer 0 is the embedding):",
        _output.table(["word", *steps], rows),
        "The model's own head over every layer; it was trained on the last one only:",
        _output.table(["layer", *found["labels"], "cosine between words"], layers),
        verdict(found),
    ]


def render_attention(found: dict[str, Any]) -> list[str]:
    """One line a word, then one a head."""
    rows = [[row["word"], _output.share(row["rollout"])] for row in found["words"]]
    names = [name for name in found["heads"][0] if name not in ("layer", "head")]
    heads = [[str(row["layer"]), str(row["head"]), *(number(row[name]) for name in names)] for row in found["heads"]]
    return [
        "Attention rollout to the token the head reads; attention is not attribution:",
        _output.table(["word", "rollout"], rows),
        "Heads, over the rows of words (entropy in bits, distance in words, the others shares of attention):",
        _output.table(["layer", "head", *names], heads),
    ]


KINDS = {
    "layers": Kind(
        "how far each layer of a BERT turns each word, and what its head says of every layer", (), make_layers,
        describe_layers, render_layers,
    ),
    "attention": Kind(
        "what the heads of a BERT look at, and attention rollout", ("layer",), make_attention, describe_attention,
        render_attention,
    ),
}  # fmt: skip
