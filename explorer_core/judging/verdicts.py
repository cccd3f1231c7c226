"""What a network says of many texts: each different text is read once, in batches of like length, and remembered."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait

import numpy as np

from explorer_core import prediction
from explorer_core.judging import _kept
from explorer_core.judging._kept import Verdicts
from explorer_core.loaded import LoadedModel
from explorer_core.prediction import ReadIds
from explorer_core.progress import Progress

AT_ONCE = 4_096  # texts tokenised and sorted together
_AT_ONCE_SLOW = 256  # of a network that reads slowly, so that results come, and are kept, while a person waits
_KEEP_EVERY_S = 10.0
_LOOK_EVERY_S = 0.2


def digest_of(text: str) -> bytes:
    """Digest of a text, 16 bytes."""
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def verdicts(
    model: LoadedModel,
    texts: Sequence[str],
    digests: Sequence[bytes] | None = None,
    *,
    progress: Progress | None = None,
    watch: Callable[[Verdicts, int], None] | None = None,
    is_kept: bool = True,
) -> Verdicts:
    """Logits and counts of every text, in their order.

    A text that comes again, or that this network has read before, is not read again: it gets the same numbers bit for
    bit. What was read is kept on disk as the work goes on, also when it is cancelled or fails.

    Args:
        model: From `api.load_model`.
        texts: Any number of texts.
        digests: `digest_of` each, if known.
        progress: Called with the share done; may raise `CancelledError`.
        watch: Called now and then with the verdicts so far, and how many texts from the first on are done.
        is_kept: Whether verdicts are looked up and kept on disk.
    """
    digests = [digest_of(text) for text in texts] if digests is None else digests
    report = progress or (lambda share: None)
    first: dict[bytes, int] = {}
    for row, digest in enumerate(digests):
        first.setdefault(digest, row)
    rows = np.fromiter(first.values(), np.int64, len(first))  # of each different text, the first place
    logits = np.full((len(rows), len(model.labels)), np.nan, dtype=prediction.empty_logits(model, 0).dtype)
    counts = np.zeros((len(rows), 3), dtype=np.int32)
    is_done = np.zeros(len(rows), dtype=bool)
    number_of = {digest: number for number, digest in enumerate(first)}
    of_text = np.fromiter((number_of[digest] for digest in digests), np.int64, len(digests))
    if is_kept:
        known = _kept.load(model.fingerprint, len(model.labels))
        if known.logits.dtype == logits.dtype:
            for place, digest in enumerate(map(bytes, known.digests)):
                number = number_of.get(digest)
                if number is not None:
                    logits[number], counts[number], is_done[number] = known.logits[place], known.counts[place], True
    work = _Work(model, texts, list(first), rows, logits, counts, is_done, is_kept)
    missing = np.flatnonzero(~is_done)
    n_chars = np.fromiter((len(texts[row]) + 8 for row in rows), np.int64, len(rows))  # a measure of the work
    total = max(int(n_chars[missing].sum()), 1)
    done = 0
    at_once = AT_ONCE if model.kind == "recurrent" else _AT_ONCE_SLOW
    blocks = [missing[start : start + at_once] for start in range(0, len(missing), at_once)]
    pool = ThreadPoolExecutor(1)  # tokenises a block while the network reads the one before
    try:
        ahead = [pool.submit(work.tokenise, block) for block in blocks[:1]]
        for place, numbers in enumerate(blocks):
            ready = ahead.pop()
            while not ready.done():
                wait([ready], timeout=_LOOK_EVERY_S)
                report(done / total)
            ahead = [pool.submit(work.tokenise, block) for block in blocks[place + 1 : place + 2]]
            size = int(n_chars[numbers].sum())
            before, share = done / total, size / total
            work.read(numbers, ready.result(), lambda part, before=before, share=share: report(before + share * part))  # type: ignore[misc]
            done += size
            work.keep(every_s=_KEEP_EVERY_S)
            if watch is not None:
                whole = is_done[of_text]
                n_first = len(whole) if whole.all() else int(whole.argmin())
                watch(_of_texts(work, of_text[:n_first], digests), n_first)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        work.keep(every_s=0.0)
    report(1.0)
    return _of_texts(work, of_text, digests)


class _Work:
    """Different texts that are being read, and what is known of them so far."""

    def __init__(
        self,
        model: LoadedModel,
        texts: Sequence[str],
        digests: Sequence[bytes],
        rows: np.ndarray,
        logits: np.ndarray,
        counts: np.ndarray,
        is_done: np.ndarray,
        is_kept: bool,
    ) -> None:
        self.model, self.texts, self.digests, self.rows = model, texts, digests, rows
        self.logits, self.counts, self.is_done, self.is_kept = logits, counts, is_done, is_kept
        self.pending: list[int] = []
        self.kept_at_s = time.monotonic()

    def tokenise(self, numbers: np.ndarray) -> ReadIds:
        """Token ids of some of them."""
        return prediction.read_ids(self.model, [self.texts[self.rows[number]] for number in numbers], may_skip=True)

    def read(self, numbers: np.ndarray, found: ReadIds, report: Progress) -> None:
        """Let the network read some of them."""
        lengths = np.array([len(ids) for ids in found.ids])
        self.counts[numbers] = np.stack([lengths, found.n_unknown, found.n_truncated], axis=1)
        self._done(numbers[lengths == 0])
        n_done, n_all = 0, max(int(lengths.sum()), 1)
        for batch, logits in prediction.forward(self.model, found.ids):
            self.logits[numbers[batch]] = logits
            self._done(numbers[batch])
            n_done += int(lengths[batch].sum())
            report(n_done / n_all)

    def _done(self, numbers: np.ndarray) -> None:
        self.is_done[numbers] = True
        self.pending += numbers.tolist()

    def keep(self, every_s: float) -> None:
        """Write what is new to disk, if it is time."""
        if not (self.is_kept and self.pending) or time.monotonic() - self.kept_at_s < every_s:
            return
        digests = np.frombuffer(b"".join(self.digests[number] for number in self.pending), np.uint8).reshape(-1, 16)
        _kept.keep(self.model.fingerprint, Verdicts(digests, self.logits[self.pending], self.counts[self.pending]))
        self.pending, self.kept_at_s = [], time.monotonic()


def _of_texts(work: _Work, of_text: np.ndarray, digests: Sequence[bytes]) -> Verdicts:
    """The verdicts in the order of the texts."""
    packed = np.frombuffer(b"".join(digests[: len(of_text)]), np.uint8).reshape(-1, 16)
    return Verdicts(packed, work.logits[of_text], work.counts[of_text])
