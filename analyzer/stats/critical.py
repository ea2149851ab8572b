"""Critical values that hold in the worst simulated cell: the tables that ship with the package."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any

import numpy as np
from scipy import stats

__all__ = ["Inflation", "inflation", "looks", "rank_test_from"]


@dataclass(frozen=True, slots=True)
class Inflation:
    """Factor on the critical value of the t test.

    Parameters
    ----------
    factor
        At least 1: |t| is divided by it before its p value is taken.
    alpha
        Level for which it was tabulated; at most the level asked for, except where ``calibrated`` is False.
    calibrated
        False where the level asked for is below the smallest tabulated one, or the family above the largest: then the
        error rate is not measured.
    """

    factor: float
    alpha: float
    calibrated: bool

    def critical(self, df: float, family: int, alpha: float) -> float:
        """Two-sided critical value of |t| for the first step of Holm over ``family`` metrics at ``alpha``."""
        return self.factor * float(stats.t.isf(alpha / (2 * family), df))


@lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    text = resources.files("analyzer.stats.tables").joinpath("critical.json").read_text(encoding="utf-8")
    table: dict[str, Any] = json.loads(text)
    return table


def looks() -> tuple[int, ...]:
    """Numbers of replicates at which the sequential design looks for a fault."""
    return tuple(int(n) for n in _table()["looks"])


def rank_test_from(alpha: float) -> int:
    """Smallest N at which an exchangeability test can reach alpha: 1 / alpha - 1, rounded up.

    The smallest p of N + 1 exchangeable rows is 1 / (N + 1).

    Examples
    --------
    >>> rank_test_from(0.05), rank_test_from(0.04), rank_test_from(0.01)
    (19, 24, 99)
    """
    return int(np.ceil(1 / alpha - 1 - 1e-9))


def inflation(n: int, alpha: float, *, family: int, moderated: bool, sequential: bool = False) -> Inflation:
    """Inflation factor for N replicates at a family level.

    Parameters
    ----------
    n
        Replicates, at least 2. Between tabulated N the larger of the two neighbours is taken.
    alpha
        Level of the whole family (Holm). The largest tabulated level at or below it is taken.
    family
        Metrics (or cells of epochs and metrics) decided together. The smallest tabulated family at or above it is
        taken.
    moderated
        Whether standard deviations are moderated by the history.
    sequential
        Whether n is reached by the sequential design (looks at `looks`), whose family of looks shares alpha.

    Returns
    -------
    Inflation
        The factor, from ``tables/critical.json`` (made by ``tests/measurements/simulations/make_critical.py``).
    """
    if n < 2:
        raise ValueError(f"N = {n}: at least 2 replicates are needed")
    table = _table()
    levels, sizes, numbers = sorted(table["alphas"]), sorted(table["families"]), table["n"]
    fitting = [a for a in levels if a <= alpha * (1 + 1e-9)]
    level = fitting[-1] if fitting else levels[0]
    size = next((m for m in sizes if m >= family), sizes[-1])
    entry = table["moderated" if moderated else "plain"][str(size)][str(level)]
    upper = min((i for i, k in enumerate(numbers) if k >= n), default=len(numbers) - 1)
    lower = max((i for i, k in enumerate(numbers) if k <= n), default=0)
    factor = max(float(entry["fixed"][lower]), float(entry["fixed"][upper]))
    if sequential:
        factor *= float(entry["sequential"])
    return Inflation(factor, float(level), bool(fitting) and family <= sizes[-1])
