"""What each head of a BERT looks at, in words: from a trace, in NumPy alone.

A tokenizer cuts words into pieces, and a person reads words. Attention given to a word is what its pieces are given
together, so keys are summed; a word looks as its pieces do on average, so queries are averaged (Clark et al. 2019,
What does BERT look at?). Then every row still sums to 1.
"""

from __future__ import annotations

import numpy as np
import regex

from explorer_core.errors import IncompatibleError
from explorer_core.results import AttentionSummary, Trace, TransformerTrace
from explorer_core.results.attention import SHARES

_PUNCTUATION = regex.compile(r"\p{P}+")


def summarise(trace: Trace) -> AttentionSummary:
    """Attention between words, a few numbers for every head, and rollout; see `api.summarise_attention`.

    Raises:
        IncompatibleError: If the trace holds no attention.
    """
    if not isinstance(trace, TransformerTrace):
        raise IncompatibleError("Only a BERT has attention; this is the trace of another network.")
    owner = trace.word_of_token
    entry_of_pos, word_of_entry = find_entries(owner)
    pattern = word_attention(trace.attn_pattern, entry_of_pos)
    is_punctuation = np.array([_PUNCTUATION.fullmatch(word) is not None for word in trace.words])
    shares = measure_shares(pattern, word_of_entry, is_punctuation)
    return AttentionSummary(
        model=trace.model,
        architecture=trace.architecture,
        fingerprint=trace.fingerprint,
        reading=trace.reading,
        word_of_entry=word_of_entry,
        word_pattern=pattern,
        entropy=row_entropy(pattern)[..., word_of_entry >= 0].mean(-1),
        distance=mean_distance(pattern, word_of_entry),
        shares=np.stack([shares[name] for name in SHARES], axis=-1),
        rollout=word_attention(roll_out(trace.attn_pattern), entry_of_pos).astype(trace.attn_pattern.dtype),
    )


def find_entries(word_of_token: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Words and special tokens in the order of their first token.

    Args:
        word_of_token: Index of each token's word, -1 for special tokens; int array [pos].

    Returns:
        Entry of each token, int array [pos], and word of each entry, -1 for special tokens, int array [entry].
    """
    entry_of_pos = np.empty(len(word_of_token), dtype=np.int64)
    entry_of_word: dict[int, int] = {}
    word_of_entry: list[int] = []
    for pos, word in enumerate(word_of_token.tolist()):
        if word >= 0 and word in entry_of_word:
            entry_of_pos[pos] = entry_of_word[word]
            continue
        entry_of_word[word] = entry_of_pos[pos] = len(word_of_entry)
        word_of_entry.append(word)
    return entry_of_pos, np.array(word_of_entry, dtype=np.int64)


def word_attention(pattern: np.ndarray, entry_of_pos: np.ndarray) -> np.ndarray:
    """Attention between entries: mean over the tokens of the query, sum over the tokens of the key.

    Args:
        pattern: Shape [..., query_pos, key_pos]; rows sum to 1.
        entry_of_pos: Entry of each token; int array [pos].

    Returns:
        Shape [..., query entry, key entry], rows sum to 1; the pattern itself where every entry is one token.
    """
    n_pos = len(entry_of_pos)
    order = np.argsort(entry_of_pos, kind="stable")
    starts = np.flatnonzero(np.diff(entry_of_pos[order], prepend=-1))
    if len(starts) == n_pos:
        return pattern
    if (order != np.arange(n_pos)).any():
        pattern = pattern[..., order, :][..., order]
    sizes = np.diff(starts, append=n_pos)
    rows = _sum_runs(pattern, starts, sizes, axis=-2) / sizes[:, None].astype(pattern.dtype)
    return _sum_runs(rows, starts, sizes, axis=-1)


def _sum_runs(values: np.ndarray, starts: np.ndarray, sizes: np.ndarray, axis: int) -> np.ndarray:
    """Sums of runs along an axis. Most runs are of one, which makes this four times as fast as `np.add.reduceat`."""
    sums = np.take(values, starts, axis)
    for offset in range(1, int(sizes.max())):
        longer = np.flatnonzero(sizes > offset)
        place = (..., longer) if axis == -1 else (..., longer, slice(None))
        sums[place] += np.take(values, starts[longer] + offset, axis)
    return sums


def row_entropy(pattern: np.ndarray) -> np.ndarray:
    """Shannon entropy of every row in bits (logarithm to base 2, 0 log 0 = 0); shape [..., query]."""
    logs = np.log2(pattern, where=pattern > 0, out=np.zeros_like(pattern))
    return -np.einsum("...k,...k->...", pattern, logs)


def mean_distance(pattern: np.ndarray, word_of_entry: np.ndarray) -> np.ndarray:
    """Distance |query - key| in words, weighted by attention over all pairs of words; shape [...]; 0 without any."""
    is_word = word_of_entry >= 0
    between = (is_word[:, None] & is_word).astype(pattern.dtype)  # [query entry, key entry]
    apart = np.abs(word_of_entry[:, None] - word_of_entry) * between
    flat = pattern.reshape(*pattern.shape[:-2], -1)
    total, far = flat @ between.ravel(), flat @ apart.astype(pattern.dtype).ravel()
    return np.divide(far, total, out=np.zeros_like(total), where=total > 0)


def measure_shares(pattern: np.ndarray, word_of_entry: np.ndarray, is_punctuation: np.ndarray) -> dict[str, np.ndarray]:
    """Share of the attention of words that falls on each of `SHARES`, each of shape [...], in [0, 1].

    Args:
        pattern: Shape [..., query entry, key entry]; rows sum to 1.
        word_of_entry: Word of each entry, -1 for special tokens; int array [entry].
        is_punctuation: Whether a word is nothing but punctuation; bool array [word].
    """
    is_word = word_of_entry >= 0
    at = np.flatnonzero(is_word)
    place = np.arange(len(word_of_entry))
    on_key = pattern[..., at, :].mean(-2)  # [..., key entry]
    marks = np.zeros(len(word_of_entry), dtype=bool)
    marks[at] = is_punctuation[word_of_entry[at]]
    nothing = np.zeros(pattern.shape[:-2], dtype=pattern.dtype)
    return {
        "opening": on_key[..., ~is_word & (place < at[0])].sum(-1),
        "closing": on_key[..., ~is_word & (place > at[-1])].sum(-1),
        "punctuation": on_key[..., marks].sum(-1),
        "itself": pattern[..., at, at].mean(-1),
        "previous": pattern[..., at[1:], at[:-1]].mean(-1) if len(at) > 1 else nothing,
        "next": pattern[..., at[:-1], at[1:]].mean(-1) if len(at) > 1 else nothing,
    }


def roll_out(pattern: np.ndarray) -> np.ndarray:
    """Attention rollout (Abnar and Zuidema 2020, Quantifying attention flow in transformers).

    Args:
        pattern: Shape [layer, head, query, key]; rows sum to 1.

    Returns:
        Shape [layer, query, key], float64: R_l = (mean over heads of A_l / 2 + I / 2) R_{l-1}, from R_0 = I. Rows sum
        to 1. The half identity stands for the residual stream.
    """
    mixed = 0.5 * pattern.mean(1, dtype=np.float64) + 0.5 * np.eye(pattern.shape[-1])  # [layer, query, key]
    for layer in range(1, len(mixed)):
        mixed[layer] = mixed[layer] @ mixed[layer - 1]
    return mixed
