"""What N replicates can see: noncentral t."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy import stats
from scipy.optimize import brentq

__all__ = ["detectable_multiple", "two_sided_power"]


def two_sided_power(multiple: float, df: float, critical: float) -> float:
    r"""Power of a two-sided t test at a true shift of ``multiple`` standard errors.

    .. math:: P(|T'_{df}(\\delta)| > c)

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
    power = float(stats.nct.sf(critical, df, multiple) + stats.nct.cdf(-critical, df, multiple))
    if np.isfinite(power):
        return min(max(power, 0.0), 1.0)
    return float(stats.norm.sf((critical - multiple) / np.sqrt(1 + critical**2 / (2 * df))))  # Johnson and Welch 1940


@lru_cache(maxsize=4096)
def detectable_multiple(df: float, critical: float, power: float = 0.8) -> float:
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
