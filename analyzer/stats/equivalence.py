"""Whether a shift is shown to be small: its upper bound against the margin."""

from __future__ import annotations

from scipy import stats

from analyzer.domain.evidence import Size
from analyzer.domain.levels import EQUIVALENCE_BETA

__all__ = ["size_within", "upper_bound"]


def upper_bound(shift: float, se: float, df: float) -> float:
    """|shift| + t(0.8, df) se, metric units: above it the true shift lies with risk `EQUIVALENCE_BETA` at most.

    References
    ----------
    Berger and Hsu (1996), doi 10.1214/ss/1032280304.
    """
    return float(abs(shift) + stats.t.isf(EQUIVALENCE_BETA, df) * se)


def size_within(bound: float | None, margin: float | None) -> Size:
    """Whether the upper bound of a shift's size is at most the margin; None where there is none."""
    if margin is None or bound is None:
        return Size.UNKNOWN if margin is None else Size.NOT_INSIDE
    return Size.INSIDE if bound <= margin else Size.NOT_INSIDE
