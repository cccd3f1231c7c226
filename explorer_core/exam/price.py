"""What an exam will cost, before the press. The constants were measured on two CPU cores."""

from __future__ import annotations

from explorer_core import registry
from explorer_core.exam.spec import ExamSpec
from explorer_core.results import ExamPrice

START_S = 9.0  # a process with torch, transformers and captum
NETWORK_S = {"recurrent": 3.0, "transformer": 5.0}  # building, checkpoints, loading
TRAIN_S = {"recurrent": 4e-4, "transformer": 1e-2}  # a training text in an epoch, of one gated direction of 64 units
METHOD_S = 6e-3  # asking once, whatever the method
TOKEN_S = {"recurrent": (2e-5, 6e-5), "transformer": (1.5e-4, 5.5e-4)}  # a token of a pass, without and with gradients
BACKWARDS = 1.6  # times as long, of a network that also reads from the end
COUNTED = 0.7  # of the texts are asked about: those whose verdict hangs on the planted word
MEAN_WORDS = 15


def estimate(spec: ExamSpec) -> ExamPrice:
    """Seconds on two CPU cores, by family and together."""
    by_family = {family: training_s(spec, family) + scoring_s(spec, family) for family in spec.families}
    seconds = START_S + sum(by_family.values())
    shown = f"{max(5 * round(seconds / 5), 5)} s" if seconds < 150 else f"{seconds / 60:.0f} min"
    labels = {name: about.label for name, about in registry.describe("architectures").items()}
    longest = max(by_family, key=by_family.__getitem__)
    n_families = len(spec.families)
    part = f", {100 * by_family[longest] / seconds:.0f} % of it for {labels[longest]}" if n_families > 1 else ""
    sentence = (
        f"{n_families} {'networks' if n_families > 1 else 'network'}, each trained on {spec.n_train:,} texts and asked "
        f"about up to {spec.n_texts}: about {shown} on two CPU cores{part}. An estimate."
    )
    return ExamPrice(round(seconds, 1), {name: round(one, 1) for name, one in by_family.items()}, sentence)


def training_share(spec: ExamSpec, family: str) -> float:
    """Share of a family's time that is training."""
    training = training_s(spec, family)
    return training / (training + scoring_s(spec, family))


def training_s(spec: ExamSpec, family: str) -> float:
    """Seconds of training the network of a family."""
    kind, factor = _kind(family)
    size = spec.hidden_size / 64 if kind == "recurrent" else 1 / 3  # a BERT makes a third of the passes
    return NETWORK_S[kind] + TRAIN_S[kind] * factor * max(size, 0.5) * spec.n_train * spec.epochs


def scoring_s(spec: ExamSpec, family: str) -> float:
    """Seconds of asking every method that fits a family."""
    about, (kind, factor) = registry.describe("architectures")[family], _kind(family)
    per_text = 0.0
    for name in spec.methods:
        method = registry.describe("attribution")[name]
        if method.extra.get("needs") in (None, kind, "cell" if about.extra["has_cell"] else None):
            module = registry.load("attribution", name)
            knobs = {knob.name: knob.default for knob in module.KNOBS}
            n_tokens = module.count_passes(MEAN_WORDS, knobs) * MEAN_WORDS
            per_text += METHOD_S + factor * TOKEN_S[kind][bool(method.extra["gradients"])] * n_tokens
    return per_text * COUNTED * spec.n_texts


def _kind(family: str) -> tuple[str, float]:
    """Kind of a family, and how many times as long it takes as one direction."""
    about = registry.describe("architectures")[family]
    kind = about.extra["kind"]
    return kind, BACKWARDS if kind == "recurrent" and about.extra["bidirectional"] else 1.0
