"""What leaves the core: frozen dataclasses of NumPy arrays, checked when they are born.

Axes are always in this order: `[text, layer, direction, word | pos, gate, unit]` for recurrent networks and
`[layer, head, query_pos, key_pos]` for attention. No torch here. One file for one kind of result.
"""

from explorer_core.results._base import DIRECTIONS, Exportable, check_array, check_finite, softmax
from explorer_core.results.traces import RecurrentTrace, Trace, TransformerTrace
from explorer_core.results.verdicts import Evaluation, ModelCard, Predictions
from explorer_core.text import Reading

__all__ = [
    "DIRECTIONS",
    "Evaluation",
    "Exportable",
    "ModelCard",
    "Predictions",
    "Reading",
    "RecurrentTrace",
    "Trace",
    "TransformerTrace",
    "check_array",
    "check_finite",
    "softmax",
]
