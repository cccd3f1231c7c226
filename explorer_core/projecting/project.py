"""Two dimensions of many states: principal components, or t-SNE of a sample."""

from __future__ import annotations

import numpy as np

from explorer_core.errors import InvalidInputError
from explorer_core.params import SEED, Knob
from explorer_core.progress import Progress
from explorer_core.results import TextMap, TextStates

METHODS = ("pca", "tsne")
MAX_TSNE = 5_000  # texts; its time grows faster than their number
PERPLEXITY = Knob(
    "perplexity", "Perplexity", "About how many neighbours each text is kept near to.", 30.0, 2.0, 200.0, 1.0
)
_N_COMPONENTS = 50  # the states are brought down to before t-SNE
_ROUNDS = 4  # of 250 steps each; between them the work can be cancelled
_SECONDS_EACH = 0.006  # of t-SNE, for a text, on a slow machine


def project(
    states: TextStates, method: str, n_texts: int, perplexity: float, seed: int, progress: Progress | None = None
) -> TextMap:
    """A map of states; see `api.project_texts`."""
    if method not in METHODS:
        raise InvalidInputError(f"There is no projection {str(method)[:40]!r}; allowed: {', '.join(METHODS)}.")
    if len(states.indices) < 3:
        raise InvalidInputError("A map needs three texts or more.")
    SEED.check(seed)
    if method == "pca":
        xy, explained = _pca(states.states, 2)
        return _map(states, np.arange(len(xy)), xy, method, explained=explained, perplexity=None, seed=seed)
    PERPLEXITY.check(perplexity)
    if not 3 <= n_texts <= MAX_TSNE:
        raise InvalidInputError(f"t-SNE takes 3 to {MAX_TSNE:,} texts, not {n_texts:,}.")
    order = np.random.default_rng(seed).permutation(len(states.indices))[:n_texts]
    rows = np.sort(order)
    perplexity = min(perplexity, (len(rows) - 1) / 3)
    xy = _tsne(states.states[rows], perplexity, seed, progress or (lambda share: None))
    return _map(states, rows, xy, method, explained=None, perplexity=perplexity, seed=seed)


def price(n_texts: int) -> float:
    """Seconds t-SNE of so many texts takes, about."""
    return _SECONDS_EACH * min(n_texts, MAX_TSNE)


def _pca(states: np.ndarray, n_components: int) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates along the directions of largest variance, and the share of the variance each has (Pearson 1901); the
    sign of a direction is that of its largest weight, whatever the order of the texts. Zeros in directions beyond those
    there are.
    """
    from sklearn.decomposition import PCA

    wide = states.astype(np.float64)
    found, explained = np.zeros((len(wide), n_components)), np.zeros(n_components)
    n_there = min(n_components, *wide.shape)
    if np.ptp(wide, axis=0).any():  # not of equal texts
        model = PCA(n_there, svd_solver="covariance_eigh" if len(wide) > wide.shape[1] else "full")
        found[:, :n_there], explained[:n_there] = model.fit_transform(wide), model.explained_variance_ratio_
    return found, explained


def _tsne(states: np.ndarray, perplexity: float, seed: int, report: Progress) -> np.ndarray:
    """Coordinates that keep neighbours together (van der Maaten and Hinton 2008): the first round with the attraction
    twelvefold, the rest as it is.
    """
    from sklearn.manifold import TSNE

    n_components = max(min(_N_COMPONENTS, *states.shape), 2)
    near, _ = _pca(states, n_components)
    start = near[:, :2] / max(float(near[:, 0].std()), 1e-12) * 1e-4
    for number in range(_ROUNDS):
        report(number / _ROUNDS)
        start = TSNE(
            init=start, perplexity=perplexity, early_exaggeration=12.0 if number == 0 else 1.0, max_iter=250,
            random_state=seed, learning_rate=max(len(states) / 48, 50.0), n_jobs=1,
        ).fit_transform(near)  # fmt: skip
    report(1.0)
    return np.asarray(start)


def _map(
    states: TextStates, rows: np.ndarray, xy: np.ndarray, method: str, *, explained: np.ndarray | None,
    perplexity: float | None, seed: int,
) -> TextMap:  # fmt: skip
    return TextMap(
        model=states.model,
        architecture=states.architecture,
        fingerprint=states.fingerprint,
        what=states.what,
        layer=states.layer,
        direction=states.direction,
        method=method,
        indices=states.indices[rows],
        xy=xy.astype(np.float32),
        explained=explained,
        perplexity=perplexity,
        seed=seed,
        n_units=states.states.shape[1],
        n_given=states.n_given,
    )
