"""Split the jump over a deliberate continuation into the new training, each changed argument, and what is left."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analyzer.domain.evidence import Interval
from analyzer.domain.levels import INTERVAL_LEVEL

__all__ = ["INTERACTION", "RESTART", "RESUME", "UNEXPLAINED", "Share", "attribute"]

Array = NDArray[np.float64]

RESUME, RESTART, INTERACTION, UNEXPLAINED = "plain resume", "new training", "arguments together", "unexplained"


@dataclass(frozen=True, slots=True)
class Share:
    """What one part does to one metric; the parts of a metric add up to its jump.

    Parameters
    ----------
    part
        `RESUME`, `RESTART`, the name of a changed argument, `INTERACTION` or `UNEXPLAINED`.
    effect
        In metric units.
    interval
        Two-sided t confidence interval; None where one replicate leaves no spread.
    """

    part: str
    effect: float
    interval: Interval | None


def attribute(
    before: ArrayLike,
    observed: ArrayLike,
    restart: ArrayLike,
    configured: ArrayLike,
    *,
    alone: Mapping[str, ArrayLike],
    without: Mapping[str, ArrayLike],
    resumed: ArrayLike | None = None,
    level: float = INTERVAL_LEVEL,
) -> tuple[tuple[Share, ...], ...]:
    """Attribute a jump, metric by metric, with arms that share their seeds.

    observed - before = (mean restart - before) + sum of effects + interaction + (observed - mean configured). The
    effect of argument i is the mean over seeds of ((alone_i - restart) + (configured - without_i)) / 2: put in first
    and left out last, the Shapley value for two arguments (Shapley 1953, doi 10.1515/9781400881970-018), its two outer
    terms for more. What the effects leave of configured - restart is the interaction. With ``resumed`` the first
    term is split once more: (mean resumed - before) + (mean restart - mean resumed).

    Parameters
    ----------
    before, observed
        Shape (m,), metric units.
    restart, configured
        Shape (N, m), a new training with the old and with the new arguments; row i of every arm has the same seed.
    alone, without
        Argument to (N, m): only it changed, and all but it. May lack an argument (then the other term stands for it);
        a single argument is given as ``alone={name: configured}``.
    resumed
        Shape (N, m), plain resumes of the checkpoint on the same seeds; None where it cannot be resumed.
    level
        Of the intervals, (0, 1). Each holds by itself, not all together.

    Returns
    -------
    tuple of tuple of Share
        One tuple a metric.
    """
    start, end = np.asarray(before, dtype=np.float64), np.asarray(observed, dtype=np.float64)
    base, full = np.asarray(restart, dtype=np.float64), np.asarray(configured, dtype=np.float64)
    if base.shape != full.shape:
        raise ValueError(f"arms are paired by seed and need equal shapes, got {base.shape} and {full.shape}")
    effects: dict[str, Array] = {}
    for name in dict.fromkeys((*alone, *without)):
        terms = [np.asarray(alone[name], dtype=np.float64) - base] if name in alone else []
        terms += [full - np.asarray(without[name], dtype=np.float64)] if name in without else []
        effects[name] = np.asarray(np.mean(terms, axis=0))
    if resumed is None:
        parts = {RESTART: base - start, **effects}
    else:
        plain = np.asarray(resumed, dtype=np.float64)
        parts = {RESUME: plain - start, RESTART: base - plain, **effects}
    if len(effects) > 2:  # of two, the halves take it up
        parts[INTERACTION] = (full - base) - np.sum(list(effects.values()), axis=0)
    shares = {name: _mean(name, values, level) for name, values in parts.items()}
    left = _left(end, full, level)
    return tuple((*(s[j] for s in shares.values()), left[j]) for j in range(len(start)))


def _mean(name: str, values: Array, level: float) -> list[Share]:
    n = len(values)
    half = stats.t.isf((1 - level) / 2, n - 1) * values.std(axis=0, ddof=1) / np.sqrt(n) if n > 1 else None
    return _shares(name, values.mean(axis=0), half, level)


def _left(observed: Array, full: Array, level: float) -> list[Share]:
    """One further training of the arm varies around its mean by s sqrt(1 + 1/N)."""
    n = len(full)
    half = stats.t.isf((1 - level) / 2, n - 1) * full.std(axis=0, ddof=1) * np.sqrt(1 + 1 / n) if n > 1 else None
    return _shares(UNEXPLAINED, observed - full.mean(axis=0), half, level)


def _shares(name: str, means: Array, half: Array | None, level: float) -> list[Share]:
    return [
        Share(
            name,
            float(mean),
            None if half is None else Interval(float(mean - half[j]), float(mean + half[j]), level, "confidence"),
        )
        for j, mean in enumerate(means)
    ]
