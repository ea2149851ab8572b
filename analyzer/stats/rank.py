"""The exact leave-one-out max-|z| rank test."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.stats.moderation import moderate_family

__all__ = ["RankTest", "leave_one_out_z", "rank_test"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class RankTest:
    """Result of the rank test.

    Parameters
    ----------
    p
        Of the whole family: (1 + number of null scores at least as large) / (N + 1).
    p_metric
        Shape (m,), of each metric alone.
    p_adjusted
        Shape (m,), single-step max-|z| (Westfall and Young 1993, equation 2.8): each metric against the null *maxima*.
    score
        max_j |z_j| of the observed row.
    null_scores
        Shape (N,), the same of each replicate; infinite for a diverged one.
    """

    p: float
    p_metric: Array
    p_adjusted: Array
    score: float
    null_scores: Array


def leave_one_out_z(
    rows: ArrayLike,
    *,
    units: ArrayLike,
    prior_sd: ArrayLike | None = None,
    prior_df: ArrayLike | None = None,
    groups: ArrayLike | None = None,
) -> Array:
    r"""Each row standardised by the mean and (moderated) sd of all other rows.

    .. math:: z_{ij} = (x_{ij} - \\bar x_{-i,j}) / (s_{-i,j} \\sqrt{1 + 1/(R - 1)})

    Parameters
    ----------
    rows
        Shape (R, m), R >= 3.
    units
        Shape (m,), rounding units, floors of s.
    prior_sd, prior_df, groups
        As in `moderate_family`. The same rule for every row, so exchangeability is kept.

    Returns
    -------
    ndarray
        Shape (R, m).
    """
    x = np.asarray(rows, dtype=np.float64)
    count = len(x)
    others = np.array([np.delete(x, i, axis=0) for i in range(count)])
    sd = moderate_family(others.std(axis=1, ddof=1), count - 2, prior_sd, prior_df, units, groups=groups).sd
    gap = x - others.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        z = gap / (sd * np.sqrt(1 + 1 / (count - 1)))
    return np.where(gap == 0, 0.0, z)


def rank_test(
    null: ArrayLike,
    observed: ArrayLike,
    *,
    units: ArrayLike,
    prior_sd: ArrayLike | None = None,
    prior_df: ArrayLike | None = None,
    groups: ArrayLike | None = None,
    diverged: int = 0,
    observed_diverged: bool = False,
) -> RankTest:
    r"""Rank the observed row among N exchangeable replicates by its largest |z|; exact for every N and distribution.

    .. math:: p = (1 + \\#\\{i : \\max_j |z_{ij}| \\ge \\max_j |z_{0j}|\\}) / (N + 1)

    Parameters
    ----------
    null
        Shape (N, m), finite, N >= 2.
    observed
        Shape (m,), finite (ignored where ``observed_diverged``).
    units, prior_sd, prior_df, groups
        As in `leave_one_out_z`.
    diverged
        Further replicates that diverged: their score is infinite.
    observed_diverged
        Whether the observed row diverged: its score is infinite.

    Returns
    -------
    RankTest
        With N + diverged as the number of replicates.

    References
    ----------
    Phipson and Smyth (2010), the +1, doi 10.2202/1544-6115.1585; Westfall and Young (1993), Resampling-Based Multiple
    Testing.
    """
    x = np.asarray(null, dtype=np.float64)
    total = len(x) + diverged
    own = np.asarray(observed, dtype=np.float64)
    if observed_diverged:
        z = leave_one_out_z(x, units=units, prior_sd=prior_sd, prior_df=prior_df, groups=groups)
        mine = np.full(x.shape[1], np.inf)
    else:
        both = leave_one_out_z(np.vstack([own, x]), units=units, prior_sd=prior_sd, prior_df=prior_df, groups=groups)
        mine, z = np.abs(both[0]), both[1:]
    null_z = np.vstack([np.abs(z), np.full((diverged, x.shape[1]), np.inf)])
    scores = null_z.max(axis=1)
    score = float(mine.max())
    return RankTest(
        p=float(1 + np.sum(scores >= score)) / (total + 1),
        p_metric=(1 + np.sum(null_z >= mine, axis=0)) / (total + 1),
        p_adjusted=(1 + np.sum(scores[:, None] >= mine, axis=0)) / (total + 1),
        score=score,
        null_scores=scores,
    )
