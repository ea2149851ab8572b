"""Where the noise comes from: variance components of a balanced nested or crossed design, with intervals."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analyzer.domain.evidence import Interval
from analyzer.domain.levels import INTERVAL_LEVEL

__all__ = ["Component", "crossed_components", "nested_components", "noise_components"]


@dataclass(frozen=True, slots=True)
class Component:
    """One source of noise of one metric.

    Parameters
    ----------
    source
        Its name.
    variance
        Estimate, squared metric units, truncated at zero.
    interval
        Two-sided confidence interval of the variance; its high end is infinite where the design cannot bound it.
    share
        Of the sum of all components, 0 to 1 (NaN where all are zero).
    df
        Degrees of freedom of its mean square.
    p
        Of the F test that it is zero; None for the residual component.
    """

    source: str
    variance: float
    interval: Interval
    share: float
    df: int
    p: float | None


def nested_components(
    values: ArrayLike, *, between: str = "seed", within: str = "same seed again", level: float = INTERVAL_LEVEL
) -> tuple[Component, Component]:
    """Seeds x repeats of the same seed: how much a seed matters, and what remains with the seed held fixed.

    One-way random effects by ANOVA: within = MSW, between = (MSB - MSW) / r. Intervals: exact chi-square for within;
    modified large-sample (Burdick and Graybill) for between. Balanced ANOVA estimates equal REML where none is
    truncated.

    Parameters
    ----------
    values
        Shape (seeds, repeats), one metric, finite, at least 2 x 2.
    between, within
        Names of the sources.
    level
        Of the intervals.

    Returns
    -------
    tuple of Component
        Between, within.

    References
    ----------
    Searle, Casella and McCulloch (1992), Variance Components, sections 3.5-3.6; Burdick and Graybill (1992), Confidence
    Intervals on Variance Components, equation 3.3.1 (Graybill and Wang 1980, doi 10.1080/01621459.1980.10477565).
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise ValueError(f"at least 2 seeds x 2 repeats of finite values are needed, got shape {x.shape}")
    groups, repeats = x.shape
    means = x.mean(axis=1)
    upper, lower = (
        repeats * float(means.var(ddof=1)),
        float(((x - means[:, None]) ** 2).sum()) / (groups * (repeats - 1)),
    )
    d1, d2 = groups - 1, groups * (repeats - 1)
    first = (between, (upper - lower) / repeats, _difference_interval(upper, lower, d1, d2, repeats, level), d1, upper)
    second = (within, lower, _chi_square_interval(lower, d2, level), d2, None)
    total = max(first[1], 0.0) + second[1]
    made = [
        Component(name, max(v, 0.0), i, max(v, 0.0) / total if total > 0 else float("nan"), df, _f_p(ms, lower, df, d2))
        for name, v, i, df, ms in (first, second)
    ]
    return made[0], made[1]


def crossed_components(
    values: ArrayLike, *, rows: str = "data order", columns: str = "augmentation", level: float = INTERVAL_LEVEL
) -> tuple[Component, Component, Component]:
    """Two sources seeded apart, each value of one with each of the other, once a cell.

    Two-way crossed random effects without replication: rows = (MSR - MSE) / b, columns = (MSC - MSE) / a; the last
    component is their interaction together with what repeats would show.

    Parameters
    ----------
    values
        Shape (a, b), one metric, finite, at least 2 x 2.
    rows, columns
        Names of the sources.
    level
        Of the intervals.

    Returns
    -------
    tuple of Component
        Rows, columns, rest.

    References
    ----------
    Searle, Casella and McCulloch (1992), section 4.3; intervals as in `nested_components`.
    """
    x = np.asarray(values, dtype=np.float64)
    if x.ndim != 2 or min(x.shape) < 2 or not np.isfinite(x).all():
        raise ValueError(f"at least 2 x 2 finite values are needed, got shape {x.shape}")
    a, b = x.shape
    by_row, by_column = x.mean(axis=1), x.mean(axis=0)
    rest = x - by_row[:, None] - by_column[None, :] + x.mean()
    error_df = (a - 1) * (b - 1)
    ms_row, ms_column = b * float(by_row.var(ddof=1)), a * float(by_column.var(ddof=1))
    ms_error = float((rest**2).sum()) / error_df
    row_interval = _difference_interval(ms_row, ms_error, a - 1, error_df, b, level)
    column_interval = _difference_interval(ms_column, ms_error, b - 1, error_df, a, level)
    parts = (
        (rows, (ms_row - ms_error) / b, row_interval, a - 1, ms_row),
        (columns, (ms_column - ms_error) / a, column_interval, b - 1, ms_column),
        (f"{rows} x {columns} and the rest", ms_error, _chi_square_interval(ms_error, error_df, level), error_df, None),
    )  # fmt: skip
    total = sum(max(p[1], 0.0) for p in parts)
    made = [
        Component(
            n, max(v, 0.0), i, max(v, 0.0) / total if total > 0 else float("nan"), d, _f_p(ms, ms_error, d, error_df)
        )
        for n, v, i, d, ms in parts
    ]
    return made[0], made[1], made[2]


def noise_components(
    crossed: ArrayLike, repeats: ArrayLike, *, level: float = INTERVAL_LEVEL
) -> tuple[Component, Component, Component, Component]:
    """Where the noise of one metric comes from: order, augmentation, their interplay, the same seed again.

    The rest of the crossed design holds the interaction *and* what repeats of a seed show; the repeats, an experiment
    of their own, are taken out of it: interaction = MSE - MSW.

    Parameters
    ----------
    crossed
        Shape (a, b): one value a pair of an order seed (rows) and a seed of everything else (columns).
    repeats
        Shape (seeds, repeats): the same seed again.
    level
        Of the intervals.

    Returns
    -------
    tuple of Component
        Batch order, augmentation, order x augmentation, same seed again; shares of their sum.

    References
    ----------
    As in `crossed_components` and `nested_components`.
    """
    order, augmentation, rest = crossed_components(crossed, rows="batch order", level=level)
    _, again = nested_components(repeats, level=level)
    mse, msw = rest.variance, again.variance
    interplay = Component(
        "order x augmentation",
        max(mse - msw, 0.0),
        _difference_interval(mse, msw, rest.df, again.df, 1, level),
        0.0,
        rest.df,
        _f_p(mse, msw, rest.df, again.df),
    )
    parts = (order, augmentation, interplay, again)
    total = sum(c.variance for c in parts)
    shared = [replace(c, share=c.variance / total if total > 0 else float("nan")) for c in parts]
    return shared[0], shared[1], shared[2], shared[3]


def _f_p(ms: float | None, error: float, df: int, error_df: int) -> float | None:
    if ms is None:
        return None
    return float(stats.f.sf(ms / error, df, error_df)) if error > 0 else (0.0 if ms > 0 else 1.0)


def _chi_square_interval(ms: float, df: int, level: float) -> Interval:
    tail = (1 - level) / 2
    return Interval(
        df * ms / float(stats.chi2.isf(tail, df)), df * ms / float(stats.chi2.ppf(tail, df)), level, "confidence"
    )


def _difference_interval(ms1: float, ms2: float, d1: int, d2: int, size: int, level: float) -> Interval:
    """Modified large-sample interval of (ms1 - ms2) / size; Burdick and Graybill (1992), equation 3.3.1."""
    tail = (1 - level) / 2
    g1, h1 = 1 - d1 / float(stats.chi2.isf(tail, d1)), d1 / float(stats.chi2.ppf(tail, d1)) - 1
    g2, h2 = 1 - d2 / float(stats.chi2.isf(tail, d2)), d2 / float(stats.chi2.ppf(tail, d2)) - 1
    f_high, f_low = float(stats.f.isf(tail, d1, d2)), float(stats.f.ppf(tail, d1, d2))
    g12 = ((f_high - 1) ** 2 - g1**2 * f_high**2 - h2**2) / f_high
    h12 = ((1 - f_low) ** 2 - h1**2 * f_low**2 - g2**2) / f_low
    below = max((g1 * ms1) ** 2 + (h2 * ms2) ** 2 + g12 * ms1 * ms2, 0.0)
    above = max((h1 * ms1) ** 2 + (g2 * ms2) ** 2 + h12 * ms1 * ms2, 0.0)
    difference = ms1 - ms2
    return Interval(
        max((difference - np.sqrt(below)) / size, 0.0),
        max((difference + np.sqrt(above)) / size, 0.0),
        level,
        "confidence",
    )
