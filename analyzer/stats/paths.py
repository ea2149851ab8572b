"""The first K epochs after the seam: the trend, not only the level."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from analyzer.domain.evidence import Interval, MetricEvidence
from analyzer.domain.levels import INTERVAL_LEVEL
from analyzer.stats.null import shift_tests
from analyzer.stats.shift import NullComparison

__all__ = ["MetricPath", "PathComparison", "epoch_names", "path_tests"]


@dataclass(frozen=True, slots=True)
class MetricPath:
    """One metric over K resumed epochs. Units are metric units, slopes are an epoch.

    Parameters
    ----------
    name
        Column.
    shifts
        K unexplained shifts.
    slope_difference, slope_interval
        Observed minus mean null least-squares slope, with a two-sided t confidence interval (one observed slope
        against N).
    word
        "recovering" (the slope leads back: its interval is on the side that shrinks the shift), "diverging" (it leads
        further away), "staying" (the interval covers zero). None where it cannot be had.
    """

    name: str
    shifts: tuple[float, ...]
    slope_difference: float | None
    slope_interval: Interval | None
    word: str | None


@dataclass(frozen=True, slots=True, eq=False)
class PathComparison:
    """K epochs against the null's paths.

    Parameters
    ----------
    family
        The comparison over the K x m cells as one family, columns named ``name @ k`` (k = 1..K): alpha is spent once.
    paths
        One entry a metric.
    """

    family: NullComparison
    paths: tuple[MetricPath, ...]

    def by_epoch(self) -> Iterator[tuple[int, MetricPath, MetricEvidence]]:
        """Epoch from 0, metric, and the cell of both, in the order of the family."""
        epochs = range(len(self.family.metrics) // len(self.paths))
        cells = zip(product(epochs, self.paths), self.family.metrics, strict=True)
        return ((epoch, path, cell) for (epoch, path), cell in cells)


def epoch_names(names: Sequence[str], epochs: int) -> tuple[str, ...]:
    """Names of the K x m cells, epoch by epoch.

    Examples
    --------
    >>> epoch_names(["train/a", "val/a"], 2)
    ('train/a @ 1', 'val/a @ 1', 'train/a @ 2', 'val/a @ 2')
    """
    return tuple(f"{name} @ {k + 1}" for k in range(epochs) for name in names)


def path_tests(
    null: ArrayLike,
    observed: ArrayLike,
    *,
    names: Sequence[str],
    deciding: ArrayLike,
    alpha_null: float,
    interval_level: float = INTERVAL_LEVEL,
    **comparison: Any,
) -> PathComparison:
    """Compare K observed epochs with the null's paths, in one family over epochs and metrics.

    Parameters
    ----------
    null
        Shape (N, K, m).
    observed
        Shape (K, m).
    names, deciding, alpha_null, interval_level
        As in `shift_tests`, m columns.
    **comparison
        Further arguments of `shift_tests`; before, units, priors and margins of the m columns are used at each epoch.

    Returns
    -------
    PathComparison
        With K = 1 its family equals `shift_tests` but for the names.
    """
    x, row = np.asarray(null, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    epochs, m = row.shape
    repeated: dict[str, Any] = {
        key: np.tile(np.asarray(comparison.pop(key), dtype=np.float64), epochs)
        for key in ("before", "units", "margins")
        if comparison.get(key) is not None
    }
    if comparison.get("priors") is not None:
        repeated["priors"] = list(comparison.pop("priors")) * epochs
    family = shift_tests(
        x.reshape(len(x), epochs * m),
        row.reshape(-1),
        names=epoch_names(names, epochs),
        deciding=np.tile(np.asarray(deciding, dtype=bool), epochs),
        alpha_null=alpha_null,
        interval_level=interval_level,
        **repeated,
        **comparison,
    )
    shifts = np.array([e.unexplained_shift for e in family.metrics], dtype=np.float64).reshape(epochs, m)
    return PathComparison(
        family, tuple(_path(names[j], x[:, :, j], row[:, j], shifts[:, j], interval_level) for j in range(m))
    )


def _path(name: str, null: np.ndarray, observed: np.ndarray, shifts: np.ndarray, level: float) -> MetricPath:
    finite = null[np.isfinite(null).all(axis=1)]
    values = tuple(float(v) for v in shifts)
    if len(observed) < 2 or len(finite) < 3 or not np.isfinite(observed).all():
        return MetricPath(name, values, None, None, None)
    k = np.arange(len(observed)) - (len(observed) - 1) / 2
    weight = k / np.sum(k**2)
    slopes, own = finite @ weight, float(observed @ weight)
    n = len(slopes)
    difference = own - float(slopes.mean())
    half = float(stats.t.isf((1 - level) / 2, n - 1)) * float(slopes.std(ddof=1)) * np.sqrt(1 + 1 / n)
    word = "staying"
    if abs(difference) > half:
        word = "recovering" if difference * shifts[0] < 0 else "diverging"
    return MetricPath(
        name, values, difference, Interval(difference - half, difference + half, level, "confidence"), word
    )
