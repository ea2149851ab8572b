"""What N replicates can see: noncentral t."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.optimize import brentq

from analyzer.domain.levels import POWER
from analyzer.stats.critical import inflation

__all__ = ["Plan", "PlanPoint", "detectable_multiple", "plan", "two_sided_power"]


def two_sided_power(multiple: float, df: float, critical: float) -> float:
    r"""Power of a two-sided t test at a true shift of ``multiple`` standard errors.

    .. math:: P(|T'_{df}(\delta)| > c) = E_u[\bar\Phi(c \sqrt{u/df} - \delta) + \Phi(-c \sqrt{u/df} - \delta)], u \sim
    \chi^2_{df}

    Integrated by Gauss-Legendre over the quantiles of u: `scipy.stats.nct` (1.17) jumps at small df and large c.

    Parameters
    ----------
    multiple
        Noncentrality: shift over its standard error s sqrt(1 + 1/N).
    df
        Degrees of freedom, > 0.
    critical
        Critical value c of |t|, > 0.

    References
    ----------
    Cohen (1988), Statistical Power Analysis, chapter 2; noncentral t as in Lenth (1989), AS 243, doi 10.2307/2347693.
    """
    scale, weight = _chi_nodes(float(df))
    edge = critical * scale
    return float(weight @ (stats.norm.sf(edge - multiple) + stats.norm.cdf(-edge - multiple)))


@lru_cache(maxsize=256)
def _chi_nodes(df: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Values of sqrt(u / df), u chi-square, and their weights."""
    node, weight = np.polynomial.legendre.leggauss(400)
    return np.sqrt(stats.chi2.ppf((node + 1) / 2, df) / df), weight / 2


@lru_cache(maxsize=4096)
def detectable_multiple(df: float, critical: float, power: float = POWER) -> float:
    """Shift in standard errors that a two-sided t test sees with the stated power.

    Parameters
    ----------
    df, critical
        As in `two_sided_power`.
    power
        Between 0 and 1.

    Returns
    -------
    float
        Solution of ``two_sided_power(x, df, critical) = power``.

    Examples
    --------
    >>> round(detectable_multiple(1e6, 1.959964), 3)
    2.802
    """
    upper = critical + 10.0
    while two_sided_power(upper, df, critical) < power:
        upper *= 2
    return float(brentq(lambda x: two_sided_power(x, df, critical) - power, 0.0, upper, xtol=1e-6))


@dataclass(frozen=True, slots=True)
class PlanPoint:
    """What one number of replicates sees.

    Parameters
    ----------
    n
        Replicates.
    power
        Of finding the jump asked for, in any of ``epochs`` observed epochs decided together (their noise independent).
    detectable
        Smallest jump seen with the power asked for, in units of the replicate sd.
    """

    n: int
    power: float
    detectable: float


@dataclass(frozen=True, slots=True)
class Plan:
    """Power over N for one jump.

    Parameters
    ----------
    points
        One entry for each N asked for.
    enough
        Smallest of those N with the power asked for; None where none has.
    limit
        Jump (replicate sd) that no N goes below: z(1 - alpha / 2M) + z(power), with the factor for many replicates.
    out_of_reach
        Whether the jump asked for lies below that limit.
    """

    points: tuple[PlanPoint, ...]
    enough: int | None
    limit: float
    out_of_reach: bool


def plan(
    jump: float,
    *,
    family: int,
    alpha_null: float,
    prior_df: float = 0.0,
    epochs: int = 1,
    power: float = POWER,
    numbers: Sequence[int] = (3, 5, 8, 12, 19, 39),
) -> Plan:
    """How many replicates see a given jump of one metric, by the t procedure with its inflated critical values.

    Parameters
    ----------
    jump
        True unexplained shift at each observed epoch, in units of the replicate sd.
    family
        Deciding metrics M; the family has M x epochs cells.
    alpha_null
        The null's share of alpha.
    prior_df
        Degrees of freedom lent by the history; 0 without.
    epochs
        Observed epochs K.
    power
        Between 0 and 1.
    numbers
        N to look at.

    Returns
    -------
    Plan

    References
    ----------
    Noncentral t as in `two_sided_power`. Several epochs: 1 - (1 - power)^K, which holds for independent epochs and is
    an
    upper limit for positively correlated ones.
    """
    points = []
    for n in numbers:
        factor = inflation(n, alpha_null, family=family * epochs, moderated=prior_df > 0)
        df, se = n - 1 + prior_df, float(np.sqrt(1 + 1 / n))
        critical = factor.critical(df, family * epochs, alpha_null)
        single = two_sided_power(jump / se, df, critical)
        needed = 1 - (1 - power) ** (1 / epochs)
        points.append(PlanPoint(n, 1 - (1 - single) ** epochs, detectable_multiple(df, critical, needed) * se))
    last = inflation(max(numbers), alpha_null, family=family * epochs, moderated=prior_df > 0).factor
    needed = 1 - (1 - power) ** (1 / epochs)
    limit = last * float(stats.norm.isf(alpha_null / (2 * family * epochs))) + float(stats.norm.ppf(needed))
    enough = next((p.n for p in points if p.power >= power), None)
    return Plan(tuple(points), enough, limit, jump < limit)
