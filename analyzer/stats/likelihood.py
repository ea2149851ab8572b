"""Which arm a row came from: predictive likelihood under every arm, posterior shares, and "none of these".

Few replicates an arm are the rule. So the spread of an arm is moderated by the healthy one's, all arms share one shrunk
correlation matrix, the means of twins lean on the seeds they share with the healthy arm, and what is not known of a
mean widens the predictive density.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from scipy.special import gammaln, logsumexp

from analyzer.stats.shrinkage import shrunk_correlation

__all__ = ["HEALTHY", "NONE", "ArmFit", "Attributed", "attribute_row", "fit_arms", "log_density"]

Array = NDArray[np.float64]

HEALTHY, NONE = "healthy", "none of these"
DOSE = 0.3  # sd of the true strength of a fault over that of its twin, about 1
_ALIKE = 0.7  # of that, what is common to all metrics; a fault that moves far also scatters by itself in each
_DIFFUSE = 3.0  # scale, in healthy sds, of the Cauchy density that stands for faults nobody tried
_CONFUSED = 0.1  # two arms whose rows would be exchanged more often than that look alike
_DECIDED = float(np.log(20))  # a row that is 20 times likelier under one of them tells them apart all the same


@dataclass(frozen=True, slots=True, eq=False)
class ArmFit:
    """Where the next row of an arm falls: a multivariate t.

    Parameters
    ----------
    mean
        Shape (m,), metric units.
    scale
        Shape (m, m), positive definite: of the next row, what is not known of the mean included.
    df
        Degrees of freedom.
    unknown
        Shape (m, m): covariance of the error of ``mean``; it is part of ``scale``.
    """

    mean: Array
    scale: Array
    df: float
    unknown: Array


@dataclass(frozen=True, slots=True, eq=False)
class Attributed:
    """A row attributed to arms.

    Parameters
    ----------
    shares
        Arm, or `NONE`, to its posterior probability; they sum to 1.
    tails
        Arm to the probability that a row of it lies as far out as the observed one.
    explained
        Arm to the part of the squared distance from the healthy mean that it takes away; at most 1, below 0 where the
        arm lies further from the row than the healthy one.
    distance
        Squared distance of the row from the healthy mean, in units of the healthy arm's predictive scale.
    confused
        Pairs of arms that look alike and between which the observed row does not decide.
    """

    shares: Mapping[str, float]
    tails: Mapping[str, float]
    explained: Mapping[str, float]
    distance: float
    confused: tuple[tuple[str, str], ...]


def fit_arms(
    healthy: ArrayLike, twins: Mapping[str, ArrayLike], *, sd: ArrayLike, df: ArrayLike, dose: float = DOSE
) -> dict[str, ArmFit]:
    """Fit the predictive distribution of every arm.

    Parameters
    ----------
    healthy
        Shape (N, m), N >= 2, finite.
    twins
        Arm to its rows, shape (n, m) with 1 <= n <= N; row i has the seed of healthy row i. A row with a cell that is
        not finite is a seed that was lost, and left out with its partner; one row at least is finite.
    sd, df
        Standard deviations of one healthy row, shape (m,), > 0, and their degrees of freedom, shape (m,) or one for
        all. A multivariate t has but one, v: the harmonic mean, with which the estimated variances are as uncertain
        as they are on average (the relative variance of one is 2/d).
    dose
        The true fault may be stronger or weaker than its twin by this share (one sd).

    Returns
    -------
    dict
        `HEALTHY` first, then the twins in their order.
    """
    base, s0 = np.asarray(healthy, dtype=np.float64), np.asarray(sd, dtype=np.float64)
    d0 = np.broadcast_to(np.asarray(df, dtype=np.float64), s0.shape)
    given = {name: np.asarray(r, dtype=np.float64) for name, r in twins.items()}
    finite = {name: np.isfinite(r).all(axis=1) for name, r in given.items()}
    rows = {name: r[finite[name]] for name, r in given.items()}
    spread = {name: _moderated(r, s0, d0) for name, r in rows.items()}
    residuals = [_standardised(base, s0), *(_standardised(r, spread[name]) for name, r in rows.items())]
    correlation = shrunk_correlation(np.concatenate(residuals))
    n = len(base)
    centre = base.mean(axis=0)
    fits = {HEALTHY: _fit(centre, s0, correlation, np.full(len(s0), 1 / n), _one_df(d0))}
    for name, r in rows.items():
        mean, unknown = _paired_mean(r, base, np.flatnonzero(finite[name]), s0)
        effect = mean - centre
        strength = _ALIKE * np.outer(effect, effect) + (1 - _ALIKE) * np.diag(effect**2)
        fit = _fit(mean, spread[name], correlation, unknown, _one_df(d0 + len(r) - 1))
        fits[name] = replace(fit, scale=fit.scale + dose**2 * strength)
    return fits


def attribute_row(observed: ArrayLike, fits: Mapping[str, ArmFit], *, prior: Mapping[str, float]) -> Attributed:
    """Posterior shares of the arms, `NONE` among them.

    `NONE` is a Cauchy density about the healthy mean, three healthy sds wide: shifts of any size, in any direction.

    Parameters
    ----------
    observed
        Shape (m,), finite.
    fits
        From `fit_arms`.
    prior
        Weight of arms and of `NONE`, positive; they need not sum to 1. An arm without one has no share.
    """
    x = np.asarray(observed, dtype=np.float64)
    healthy = fits[HEALTHY]
    diffuse = ArmFit(healthy.mean, _DIFFUSE**2 * healthy.scale, 1.0, healthy.unknown)
    arms = {**fits, NONE: diffuse}
    logs = {name: log_density(x, arms[name]) + np.log(weight) for name, weight in prior.items()}
    total = logsumexp(list(logs.values()))
    far = _distance(x, healthy)
    noise = len(x)  # the squared distance that the row's own noise makes
    tails, explained = {}, {}
    for name, fit in fits.items():
        d2 = _distance(x, fit)
        tails[name] = float(stats.f.sf(d2 / len(x), len(x), fit.df))
        left = _distance_in(x - fit.mean, healthy.scale)
        explained[name] = 1 - max(left - noise, 0.0) / max(far - noise, 1e-12) if far > noise else 0.0
    return Attributed(
        shares={name: float(np.exp(value - total)) for name, value in logs.items()},
        tails=tails,
        explained=explained,
        distance=far,
        confused=_confused(x, fits),
    )


def log_density(x: ArrayLike, fit: ArmFit) -> float:
    """Log density of a multivariate t (Kotz and Nadarajah 2004, *Multivariate t Distributions*, equation 1.1)."""
    m, v = len(fit.mean), fit.df
    _, logdet = np.linalg.slogdet(fit.scale)
    d2 = _distance(np.asarray(x, dtype=np.float64), fit)
    constant = gammaln((v + m) / 2) - gammaln(v / 2) - 0.5 * m * np.log(v * np.pi)
    return float(constant - 0.5 * logdet - 0.5 * (v + m) * np.log1p(d2 / v))


def _distance(x: Array, fit: ArmFit) -> float:
    return _distance_in(x - fit.mean, fit.scale)


def _distance_in(d: Array, scale: Array) -> float:
    return float(d @ np.linalg.solve(scale, d))


def _moderated(rows: Array, s0: Array, df: Array) -> Array:
    """Standard deviations of an arm, the healthy ones standing in for as many rows as they are worth."""
    n = len(rows)
    if n < 2:
        return s0
    return np.asarray(np.sqrt((df * s0**2 + (n - 1) * rows.var(axis=0, ddof=1)) / (df + n - 1)))


def _standardised(rows: Array, sd: Array) -> Array:
    n = len(rows)
    return (rows - rows.mean(axis=0)) / sd * np.sqrt(n / (n - 1)) if n > 1 else rows[:0]


def _paired_mean(rows: Array, base: Array, shared: NDArray[np.intp], s0: Array) -> tuple[Array, Array]:
    """Mean of a twin with the healthy arm as control variate, and its variance over that of a row, both of shape (m,).

    The further seeds of the healthy arm say how the shared ones lie; how far a twin follows is its regression on the
    healthy rows, shrunk towards 0 by one row's worth.
    """
    n, total = len(rows), len(base)
    own = base[shared]
    if n < 2:
        return rows.mean(axis=0), np.full(base.shape[1], 1.0)
    d, e = own - own.mean(axis=0), rows - rows.mean(axis=0)
    weight = np.clip((d * e).sum(axis=0) / ((d**2).sum(axis=0) + s0**2), 0.0, 1.0)
    mean = rows.mean(axis=0) + weight * (base.mean(axis=0) - own.mean(axis=0))
    return mean, 1 / n - weight**2 * (1 / n - 1 / total)


def _one_df(df: Array) -> float:
    return float(1 / np.mean(1 / df))


def _fit(mean: Array, sd: Array, correlation: Array, unknown: Array, df: float) -> ArmFit:
    """An arm whose mean is known up to the share ``unknown`` of a row's variance, shape (m,)."""
    row, error = sd * np.sqrt(1 + unknown), sd * np.sqrt(unknown)
    return ArmFit(mean, np.outer(row, row) * correlation, df, np.outer(error, error) * correlation)


def _confused(x: Array, fits: Mapping[str, ArmFit]) -> tuple[tuple[str, str], ...]:
    """Pairs whose rows would be exchanged more often than `_CONFUSED`, and that the observed row does not decide.

    The squared distance of two estimated means is, by their errors alone, too large by the trace subtracted here.
    """
    names: Sequence[str] = list(fits)
    logs = {name: log_density(x, fit) for name, fit in fits.items()}
    found = []
    for i, a in enumerate(names):
        for b in names[i + 1 :]:
            one, two = fits[a], fits[b]
            scale = (one.scale + two.scale) / 2
            noise = float(np.trace(np.linalg.solve(scale, one.unknown + two.unknown)))
            d2 = max(_distance_in(one.mean - two.mean, scale) - noise, 0.0)
            if stats.norm.sf(np.sqrt(d2) / 2) > _CONFUSED and abs(logs[a] - logs[b]) < _DECIDED:
                found.append((a, b))
    return tuple(found)
