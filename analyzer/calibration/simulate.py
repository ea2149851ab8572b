"""Simulated resumes with a known truth: what the error rates are measured on."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analyzer.stats.history import prior_df_of, robust_step_sd
from analyzer.stats.moderation import moderate_family

__all__ = [
    "SHAPES",
    "Cell",
    "Draws",
    "Spread",
    "critical_t",
    "demo_correlation",
    "draw",
    "draw_rows",
    "healthy_ratios",
    "null_spread",
    "shifted_by",
    "standard_groups",
]

Array = NDArray[np.float64]

SHAPES = ("normal", "t5-common", "t5-independent", "skew-normal")
_SKEW_SLANT = 5.0  # skew-normal slant: skewness 0.85, about that of recorded val losses


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the simulation grid.

    Parameters
    ----------
    shape
        One of `SHAPES`, or "rows" (recorded rows are resampled).
    n
        Replicates of the null.
    history
        Epochs of history in the regime (0: none).
    prior_ratio
        True sd of a history epoch over true sd of a replicate: 1 where the history is a fair prior. A sequence gives
        one ratio a metric.
    shift
        True shift of the observed row, in replicate sd, on the metrics in ``shifted``.
    shifted
        Indices of the shifted metrics.
    """

    shape: str
    n: int
    history: int = 20
    prior_ratio: float | tuple[float, ...] = 1.0
    shift: float = 0.0
    shifted: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """B simulated analyses in units of the true replicate sd.

    Parameters
    ----------
    null
        Shape (B, n, m).
    observed
        Shape (B, m).
    step_sd
        Shape (B, m), robust sd of the history's detrended steps, or None without history.
    prior_df
        Degrees of freedom of ``step_sd / sqrt(2)`` as a prior.
    groups
        Shape (m,), labels of metrics whose priors err together, as `moderate_family` takes them.
    """

    null: Array
    observed: Array
    step_sd: Array | None
    prior_df: float
    groups: NDArray[np.int_]

    @property
    def prior_sd(self) -> Array | None:
        """Sd of one epoch that the history suggests, shape (B, m)."""
        return None if self.step_sd is None else self.step_sd / np.sqrt(2)


@dataclass(frozen=True, slots=True, eq=False)
class Spread:
    """What a null says, the same for every row that is judged against it.

    Parameters
    ----------
    mean, se, df
        Shape (B, m): mean of the null, standard error of a new row about it, and its degrees of freedom.
    """

    mean: Array
    se: Array
    df: Array


def demo_correlation(m: int = 8) -> Array:
    """Correlations like those recorded: 3 train losses, 3 val losses, mAP50, mAP50-95 (-0.8 with the val losses).

    Parameters
    ----------
    m
        Size of the family: 8 gives the pattern; otherwise its first m rows, or the pattern repeated with 0.3 between
        blocks.
    """
    group = np.array([0, 0, 0, 1, 1, 1, 2, 2])
    between = np.array([[0.7, 0.15, -0.15], [0.15, 0.85, -0.8], [-0.15, -0.8, 0.9]])
    block = between[group][:, group]
    np.fill_diagonal(block, 1.0)
    copies = -(-m // 8)
    full = np.kron(np.full((copies, copies), 0.3), block)
    for k in range(copies):
        full[8 * k : 8 * k + 8, 8 * k : 8 * k + 8] = block
    full = full[:m, :m]
    values, vectors = np.linalg.eigh(full)
    fixed = (vectors * np.maximum(values, 1e-6)) @ vectors.T
    d = np.sqrt(np.diag(fixed))
    return np.asarray(fixed / d[:, None] / d[None, :])


def draw_rows(shape: str, size: tuple[int, ...], root: Array, rng: np.random.Generator) -> Array:
    """Rows of m metrics with unit variance and the correlations of ``root @ root.T``; shape (*size, m).

    Parameters
    ----------
    shape
        One of `SHAPES`. "t5-common": one chi-square a row (multivariate t with 5 df); "t5-independent": one a cell.
    size
        Leading shape.
    root
        Shape (m, m), lower Cholesky factor of the correlation matrix.
    rng
        Source of randomness.
    """
    m = root.shape[0]
    z = rng.standard_normal((*size, m)) @ root.T
    if shape == "normal":
        return np.asarray(z)
    if shape == "skew-normal":
        delta = _SKEW_SLANT / np.sqrt(1 + _SKEW_SLANT**2)
        x = delta * np.abs(rng.standard_normal((*size, m)) @ root.T) + np.sqrt(1 - delta**2) * z
        mean = delta * np.sqrt(2 / np.pi)
        return np.asarray((x - mean) / np.sqrt(1 - mean**2))
    if shape in ("t5-common", "t5-independent"):
        columns = 1 if shape == "t5-common" else m
        return np.asarray(z * np.sqrt(3 / rng.chisquare(5, size=(*size, columns))))  # var of t5 is 5/3
    raise ValueError(f"unknown shape {shape!r}, one of {SHAPES}")


def draw(
    cell: Cell,
    draws: int,
    rng: np.random.Generator,
    *,
    correlation: ArrayLike | None = None,
    rows: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> Draws:
    """Simulate ``draws`` analyses of one cell.

    Parameters
    ----------
    cell
        What to draw.
    draws
        How many.
    rng
        Source of randomness.
    correlation
        Shape (m, m); `demo_correlation` where not given. Ignored with ``rows``.
    rows
        Shape (R, m), recorded replicate rows for shape "rows"; a draw takes n + 1 of them without replacement, so that
        observed and null are exchangeable as in a real analysis, and the history with replacement from the R rows.
    groups
        Shape (m,), as in `Draws`; `standard_groups` where not given.

    Returns
    -------
    Draws
        In units of the true replicate sd (the sd of ``rows`` where given).
    """
    if cell.shape == "rows":
        null, observed, history = _resample(cell, draws, rng, np.asarray(rows, dtype=np.float64))
    else:
        given = demo_correlation() if correlation is None else np.asarray(correlation, dtype=np.float64)
        root: Array = np.asarray(np.linalg.cholesky(given), dtype=np.float64)
        sample = draw_rows(cell.shape, (draws, cell.n + 1 + cell.history), root, rng)
        observed, null, history = sample[:, 0], sample[:, 1 : cell.n + 1], sample[:, cell.n + 1 :]
    m = observed.shape[1]
    kinds = standard_groups(m) if groups is None else np.asarray(groups, dtype=np.int_)
    if not cell.history:
        return shifted_by(Draws(null, observed, None, 0.0, kinds), cell)
    steps = robust_step_sd(history * np.asarray(cell.prior_ratio))
    return shifted_by(Draws(null, observed, steps, prior_df_of(cell.history - 1), kinds), cell)


def shifted_by(draws: Draws, cell: Cell) -> Draws:
    """Shift the observed rows as a cell says; a metric that the family does not have is left out."""
    observed = draws.observed.copy()
    observed[:, [j for j in cell.shifted if j < observed.shape[1]]] += cell.shift
    return replace(draws, observed=observed)


def _resample(cell: Cell, draws: int, rng: np.random.Generator, rows: Array) -> tuple[Array, Array, Array]:
    if len(rows) < cell.n + 1:
        raise ValueError(f"{len(rows)} recorded rows are too few for N = {cell.n}")
    standard = (rows - rows.mean(axis=0)) / rows.std(axis=0, ddof=1)
    order = np.argsort(rng.random((draws, len(rows))), axis=1)[:, : cell.n + 1]
    picked = standard[order]
    history = standard[rng.integers(len(rows), size=(draws, cell.history))]
    return picked[:, 1:], picked[:, 0], history


def standard_groups(m: int) -> NDArray[np.int_]:
    """Groups of `demo_correlation`: 0 for train losses, 1 for what validation measures; shape (m,)."""
    return np.asarray([0 if j % 8 < 3 else 1 for j in range(m)])


def null_spread(draws: Draws, *, use: int | None = None) -> Spread:
    """Mean, standard error and degrees of freedom of every null.

    Parameters
    ----------
    draws
        Simulated analyses.
    use
        Only the first ``use`` replicates (a look of the sequential design); all where not given.
    """
    null = draws.null if use is None else draws.null[:, :use]
    n, m = null.shape[1:]
    moderated = moderate_family(
        null.std(axis=1, ddof=1), n - 1, draws.prior_sd, draws.prior_df, np.zeros(m), groups=draws.groups
    )
    return Spread(null.mean(axis=1), moderated.sd * np.sqrt(1 + 1 / n), moderated.df)


def healthy_ratios(draws: Draws, alpha: float, *, use: int | None = None) -> Array:
    """Largest |t| over its nominal critical value, shape (B,): its (1 - alpha) quantile is the factor that holds alpha.

    All nulls true, Holm rejects something exactly where its first step (Bonferroni) does.
    """
    null = null_spread(draws, use=use)
    ratio = np.abs(draws.observed - null.mean) / null.se / critical_t(alpha / 2 / null.mean.shape[1], null.df)
    return np.asarray(ratio.max(axis=1))


def critical_t(tail: float, df: Array) -> Array:
    """Upper quantile of t for an array of degrees of freedom with few distinct values."""
    values, where = np.unique(df, return_inverse=True)
    return np.asarray(stats.t.isf(tail, values)[where].reshape(df.shape))
