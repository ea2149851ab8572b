"""The standard deviation of a metric: sample, history and rounding unit brought together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import digamma

__all__ = ["CONFLICT_LEVEL", "Moderated", "Prior", "moderate", "moderate_family"]

Array = NDArray[np.float64]

CONFLICT_LEVEL = 0.01  # two-sided F level below which a metric's prior is dropped


@dataclass(frozen=True, slots=True)
class Prior:
    """What the run's own history says about the spread of one epoch.

    Parameters
    ----------
    sd
        Standard deviation of one epoch, metric units, > 0.
    df
        How many degrees of freedom that statement is worth, > 0.
    """

    sd: float
    df: float


@dataclass(frozen=True, slots=True, eq=False)
class Moderated:
    """Moderated standard deviations of a family.

    Parameters
    ----------
    sd, df
        Shape (..., m): the standard deviations and their degrees of freedom.
    used
        Shape (..., m): whether the prior of that metric entered.
    scale
        Shape (..., m): factor by which the prior was raised before use, at least 1.
    """

    sd: Array
    df: Array
    used: NDArray[np.bool_]
    scale: Array


def moderate(sd: float, df: float, prior: Prior | None, *, unit: float = 0.0) -> tuple[float, float]:
    r"""Combine a sample standard deviation with its prior, floored at the rounding unit.

    .. math:: s^2 = (d_0 s_0^2 + d s_1^2) / (d_0 + d), \\quad df = d_0 + d

    Parameters
    ----------
    sd, df
        Sample standard deviation (metric units) and its degrees of freedom, df >= 0.
    prior
        From the history; None gives the plain sample standard deviation back.
    unit
        Rounding unit of the column: no standard deviation below it is believed.

    Returns
    -------
    tuple of float
        Moderated standard deviation and degrees of freedom.

    References
    ----------
    Smyth (2004), Linear models and empirical Bayes methods ..., Stat. Appl. Genet. Mol. Biol. 3(1), article 3, the
    posterior variance of section 4; doi 10.2202/1544-6115.1027.

    Examples
    --------
    >>> moderate(2.0, 2, Prior(1.0, 8))
    (1.2649110640673518, 10)
    >>> moderate(2.0, 2, None)
    (2.0, 2)
    """
    if prior is None or not (np.isfinite(prior.sd) and prior.sd > 0 and prior.df > 0):
        return max(sd, unit), df
    variance = (prior.df * prior.sd**2 + df * sd**2) / (prior.df + df)
    return max(float(np.sqrt(variance)), unit), prior.df + df


def moderate_family(
    sd: ArrayLike,
    df: float,
    prior_sd: ArrayLike | None,
    prior_df: ArrayLike | None,
    units: ArrayLike,
    *,
    groups: ArrayLike | None = None,
) -> Moderated:
    """Moderate a whole family, doubting priors that the replicates contradict.

    Two doubts, both from the ratio :math:`F_j = s_j^2 / s_{0j}^2`, which is F-distributed with (d, d0) degrees of
    freedom
    where the prior holds (Smyth 2004, section 3):

    1. *All priors of a group too small* (a resumed epoch is noisier than those before): the mean of log F over the
       group,
       less its expectation psi(d/2) - log(d/2) - psi(d0/2) + log(d0/2) (Smyth 2004, section 6.2), raises every prior of
       the group by the factor exp(mean / 2) where that is above 1. Priors are never lowered.
    2. *One prior wrong*, either way: a two-sided F test at `CONFLICT_LEVEL`; that metric falls back to the plain
       sample sd.

    Parameters
    ----------
    sd
        Shape (..., m), sample standard deviations of N replicates.
    df
        N - 1.
    prior_sd, prior_df
        Shape broadcastable to (..., m); NaN or non-positive where a metric has none; None where no metric has one.
    units
        Shape (m,), rounding units: floors.
    groups
        Shape (m,), labels of metrics whose priors err together (train metrics; val metrics); one group where not given.

    Returns
    -------
    Moderated
        Standard deviations, degrees of freedom, which priors were used, and the common factor.
    """
    s = np.asarray(sd, dtype=np.float64)
    floor = np.broadcast_to(np.asarray(units, dtype=np.float64), s.shape)
    if prior_sd is None or prior_df is None:
        plain = np.full(s.shape, float(df))
        return Moderated(np.maximum(s, floor), plain, np.zeros(s.shape, dtype=bool), np.ones(s.shape))
    s0 = np.maximum(np.broadcast_to(np.asarray(prior_sd, dtype=np.float64), s.shape), floor)
    d0 = np.broadcast_to(np.asarray(prior_df, dtype=np.float64), s.shape)
    has = np.isfinite(s0) & (s0 > 0) & np.isfinite(d0) & (d0 > 0)
    s0, d0 = np.where(has, s0, 1.0), np.where(has, d0, 1.0)
    ratio = np.maximum(s, np.maximum(floor, 1e-300)) ** 2 / s0**2
    scale = _common_scale(ratio, df, d0, has, np.zeros(s.shape[-1]) if groups is None else np.asarray(groups))
    ratio = ratio / scale**2
    s0 = s0 * scale
    low, high = _conflict_bounds(df, d0)
    used = has & (ratio >= low) & (ratio <= high)
    pooled = np.sqrt((d0 * s0**2 + df * s**2) / (d0 + df))
    return Moderated(np.maximum(np.where(used, pooled, s), floor), np.where(used, d0 + df, float(df)), used, scale)


def _conflict_bounds(df: float, d0: Array) -> tuple[Array, Array]:
    """Quantiles of F(df, d0) at half `CONFLICT_LEVEL` from either end, of d0's shape (d0 has few distinct values)."""
    values, where = np.unique(d0, return_inverse=True)
    low, high = stats.f.ppf(CONFLICT_LEVEL / 2, df, values), stats.f.isf(CONFLICT_LEVEL / 2, df, values)
    return np.asarray(low[where].reshape(d0.shape)), np.asarray(high[where].reshape(d0.shape))


def _common_scale(ratio: Array, df: float, d0: Array, has: NDArray[np.bool_], groups: NDArray[np.generic]) -> Array:
    """Factor >= 1 on the prior standard deviations of each group, from its mean log F; shape (..., m)."""
    expected = digamma(df / 2) - np.log(df / 2) - digamma(d0 / 2) + np.log(d0 / 2)
    excess = np.where(has, np.log(np.maximum(ratio, 1e-12)) - expected, 0.0)
    scale = np.ones(ratio.shape)
    for label in np.unique(groups):
        member = groups == label
        count = np.maximum(has[..., member].sum(axis=-1, keepdims=True), 1)
        mean = excess[..., member].sum(axis=-1, keepdims=True) / count
        scale[..., member] = np.exp(np.maximum(mean, 0.0) / 2)
    return scale
