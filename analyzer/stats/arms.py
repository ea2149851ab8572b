"""Two arms compared: what the user's changed arguments do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analyzer.domain.evidence import Interval, Significance, Size
from analyzer.domain.levels import INTERVAL_LEVEL
from analyzer.stats.equivalence import size_within, upper_bound

__all__ = ["ArmDifference", "compare_arms"]


@dataclass(frozen=True, slots=True)
class ArmDifference:
    """Mean of *as configured* minus mean of *healthy*, one metric; None where it cannot be had.

    Parameters
    ----------
    name
        Column.
    difference, interval
        In metric units, with its two-sided t confidence interval.
    se, df
        Standard error and degrees of freedom (paired: n - 1; else Welch-Satterthwaite).
    p
        Two-sided.
    size
        INSIDE where |difference| + t(0.8, df) se is at most the margin (equivalence, beta 0.2).
    significant
        Whether p, after Bonferroni over the metrics given, is at most 1 - level.
    """

    name: str
    difference: float | None
    interval: Interval | None
    se: float | None
    df: float | None
    p: float | None
    size: Size
    significant: Significance


def compare_arms(
    healthy: ArrayLike,
    configured: ArrayLike,
    *,
    names: Sequence[str],
    paired: bool,
    units: ArrayLike | None = None,
    margins: ArrayLike | None = None,
    level: float = INTERVAL_LEVEL,
) -> tuple[ArmDifference, ...]:
    """Mean differences between two arms with confidence intervals.

    Paired (the same seeds in the same order): one-sample t of the differences. Otherwise Welch.

    Parameters
    ----------
    healthy
        Shape (N, m).
    configured
        Shape (M, m); M = N where paired. Rows with a cell that is not finite are left out (with their partner).
    names
        m columns.
    paired
        Whether row i of both has the same seed.
    units
        Shape (m,), rounding units: floors of the standard deviations.
    margins
        Shape (m,), metric units, NaN where there is none.
    level
        Of the intervals.

    Returns
    -------
    tuple of ArmDifference

    References
    ----------
    Welch (1947), doi 10.1093/biomet/34.1-2.28; equivalence: Berger and Hsu (1996), doi 10.1214/ss/1032280304.
    """
    a, b = np.asarray(healthy, dtype=np.float64), np.asarray(configured, dtype=np.float64)
    if paired and a.shape != b.shape:
        raise ValueError(f"paired arms need equal shapes, got {a.shape} and {b.shape}")
    unit = np.zeros(len(names)) if units is None else np.asarray(units, dtype=np.float64)
    margin = np.full(len(names), np.nan) if margins is None else np.asarray(margins, dtype=np.float64)
    return tuple(
        _difference(name, a[:, j], b[:, j], paired, float(unit[j]), float(margin[j]), level, len(names))
        for j, name in enumerate(names)
    )


def _difference(
    name: str, a: np.ndarray, b: np.ndarray, paired: bool, unit: float, margin: float, level: float, family: int
) -> ArmDifference:
    if paired:
        keep = np.isfinite(a) & np.isfinite(b)
        a, b = a[keep], b[keep]
    else:
        a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    if min(len(a), len(b)) < 2:
        return ArmDifference(name, None, None, None, None, None, Size.UNKNOWN, Significance.UNKNOWN)
    difference = float(b.mean() - a.mean())
    if paired:
        se, df = max(float((b - a).std(ddof=1)), unit) / np.sqrt(len(a)), float(len(a) - 1)
    else:
        va, vb = max(a.var(ddof=1), unit**2) / len(a), max(b.var(ddof=1), unit**2) / len(b)
        se = float(np.sqrt(va + vb))
        df = float((va + vb) ** 2 / (va**2 / (len(a) - 1) + vb**2 / (len(b) - 1))) if va + vb > 0 else float(len(a) - 1)
    half = float(stats.t.isf((1 - level) / 2, df)) * se
    p = 1.0 if difference == 0 else float(2 * stats.t.sf(abs(difference) / se, df)) if se > 0 else 0.0
    size = size_within(upper_bound(difference, float(se), df), margin if np.isfinite(margin) else None)
    significant = Significance.YES if p * family <= 1 - level else Significance.NO
    interval = Interval(difference - half, difference + half, level, "confidence")
    return ArmDifference(name, difference, interval, float(se), df, p, size, significant)
