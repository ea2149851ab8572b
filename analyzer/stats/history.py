"""What a run's own epochs before the seam say about its noise."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt

import numpy as np
from numpy.typing import ArrayLike, NDArray

from analyzer.stats.moderation import Prior

__all__ = [
    "MIN_EPOCHS",
    "HistoryNoise",
    "auto_margin",
    "history_noise",
    "prior_df_of",
    "robust_step_sd",
]

Array = NDArray[np.float64]

MIN_EPOCHS = 8  # fewer epochs in the regime say too little about its noise
_MAD_TO_SD = 1.4826022185056018  # 1 / Phi^-1(3/4)
_PRIOR_DF_PER_STEP = 0.4
_PRIOR_DF_MAX = 8.0


@dataclass(frozen=True, slots=True)
class HistoryNoise:
    """Noise of one metric, from one regime of its own history.

    Parameters
    ----------
    step_sd
        Robust sd of the detrended one-epoch steps, metric units, at least the rounding unit.
    epoch_sd
        ``step_sd / sqrt(2)``: the sd of one epoch around its trend if epochs are independent given the trend.
    n_epochs, n_steps
        Epochs used and steps between them.
    prior_df
        Degrees of freedom that ``epoch_sd`` is worth as a prior.
    trend
        Median step, metric units an epoch.
    floored
        Whether the rounding unit had to stand in for the spread (a constant or coarsely rounded column).
    """

    step_sd: float
    epoch_sd: float
    n_epochs: int
    n_steps: int
    prior_df: float
    trend: float
    floored: bool

    @property
    def prior(self) -> Prior | None:
        """As a prior on the replicate sd; None where the column was floored (then it says nothing)."""
        return None if self.floored else Prior(self.epoch_sd, self.prior_df)


def prior_df_of(n_steps: int) -> float:
    """Degrees of freedom that a robust sd of ``n_steps`` steps is worth: 0.4 a step, at most 8.

    The MAD has 37 % of the efficiency of the sd (Rousseeuw and Croux 1993, doi 10.1080/01621459.1993.10476408), i.e.
    0.37 df a step; simulation of the whole procedure (docs/METHOD.md) decides that 0.4 and 8 hold their error rates.

    Examples
    --------
    >>> prior_df_of(10), prior_df_of(40)
    (4.0, 8.0)
    """
    return min(_PRIOR_DF_MAX, _PRIOR_DF_PER_STEP * n_steps)


def robust_step_sd(values: ArrayLike) -> Array:
    r"""Robust sd of detrended one-epoch steps along the last axis but one.

    .. math:: 1.4826\\, \\frac{n}{n - 0.8}\\, \\mathrm{med}_t |\\Delta_t - \\mathrm{med}_u \\Delta_u|, \\quad
    \\Delta_t = x_{t+1} - x_t

    Parameters
    ----------
    values
        Shape (..., T, m), T >= 3 epochs of m metrics.

    Returns
    -------
    ndarray
        Shape (..., m).

    References
    ----------
    MAD: Rousseeuw and Croux (1993), doi 10.1080/01621459.1993.10476408; factor n / (n - 0.8) for small n: Croux and
    Rousseeuw (1992), doi 10.1007/978-3-662-26811-7_58.
    """
    steps = np.diff(np.asarray(values, dtype=np.float64), axis=-2)
    n = steps.shape[-2]
    centre = np.median(steps, axis=-2, keepdims=True)
    return np.asarray(_MAD_TO_SD * n / (n - 0.8) * np.median(np.abs(steps - centre), axis=-2))


def history_noise(values: ArrayLike, *, last: int = 20, unit: float = 0.0) -> HistoryNoise | None:
    """Noise of one metric from its epochs before the seam, all of one regime.

    Parameters
    ----------
    values
        Shape (T,), the metric at the epochs of the regime in order, the last one being that before the seam.
        Cells that are not finite are skipped, with both steps that touch them.
    last
        How many epochs at most are used, counted from the seam backwards.
    unit
        Rounding unit of the column, metric units.

    Returns
    -------
    HistoryNoise or None
        None with fewer than `MIN_EPOCHS` finite epochs.
    """
    tail = np.asarray(values, dtype=np.float64)[-last:]
    finite = np.isfinite(tail)
    steps = np.diff(tail)[finite[1:] & finite[:-1]]
    n_epochs = int(finite.sum())
    if n_epochs < MIN_EPOCHS or len(steps) < MIN_EPOCHS - 2:
        return None
    n = len(steps)
    trend = float(np.median(steps))
    spread = float(_MAD_TO_SD * n / (n - 0.8) * np.median(np.abs(steps - trend)))
    floored = spread <= unit
    step_sd = max(spread, unit)
    return HistoryNoise(step_sd, step_sd / sqrt(2), n_epochs, n, prior_df_of(n), trend, floored)


def auto_margin(noise: HistoryNoise | None) -> float | None:
    """Default margin: three robust sd of the detrended one-epoch steps; None where the history is too short.

    A shift below it is no larger than what the run itself does from one epoch to the next.
    """
    return None if noise is None or noise.step_sd <= 0 else 3 * noise.step_sd
