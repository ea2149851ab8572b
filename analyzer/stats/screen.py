"""Abnormal epochs of a whole run from its history alone, false alarms controlled over the run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

__all__ = ["FIRST", "TAIL_INDEX", "TAIL_SCALE", "Alarm", "Screening", "residual_scores", "screen_run"]

Array = NDArray[np.float64]

WINDOW = 10  # epochs that predict the next one
SPREAD = 20  # past residuals that say how far predictions miss
_LEAST = 8
REPEATS = 0.25  # of the steps: beyond it the column is saturated, all zero or validated every few epochs only
FIRST = WINDOW + _LEAST  # epochs of a regime before one can be judged
# P(score of an ordinary epoch > s) <= (s / TAIL_SCALE) ** -TAIL_INDEX, measured (docs/METHOD.md)
TAIL_SCALE, TAIL_INDEX = 1.0, 2.5


@dataclass(frozen=True, slots=True)
class Alarm:
    """One abnormal epoch.

    Parameters
    ----------
    row
        Index in the history.
    metric
        The column that lies furthest out.
    value, predicted
        In metric units.
    score
        Residual over its robust sd, signed: positive where the value lies above.
    adverse
        Whether it lies on the bad side.
    p_run
        Upper limit of the chance that an ordinary run of this length has any epoch as far out.
    """

    row: int
    metric: str
    value: float
    predicted: float
    score: float
    adverse: bool
    p_run: float


@dataclass(frozen=True, slots=True)
class Screening:
    """A screened run.

    Parameters
    ----------
    alarms
        Abnormal epochs in order.
    judged
        Epochs that could be judged.
    alpha
        Chance of any alarm in an ordinary run.
    threshold
        Score beyond which an epoch is abnormal, for this length.
    """

    alarms: tuple[Alarm, ...]
    judged: int
    alpha: float
    threshold: float


def residual_scores(values: ArrayLike, *, starts: Sequence[int] = (), unit: float = 0.0) -> tuple[Array, Array]:
    """One-epoch-ahead residual of every epoch of one metric over the robust sd of the residuals before it.

    Prediction: median intercept with the Theil-Sen slope (Sen 1968, doi 10.1080/01621459.1968.10480934) of the last
    10 epochs,
    carried one on. Sd: 1.4826 median |residual| of the last 20 residuals (at least 8), at least the rounding unit.
    A column that repeats its value at more than a quarter of the last steps (saturated, zero, validated every few
    epochs) is not
    judged there.

    Parameters
    ----------
    values
        Shape (T,).
    starts
        Rows at which a new regime starts with a known step: that step is taken out, its row gets no
        score.
    unit
        Rounding unit.

    Returns
    -------
    tuple of ndarray
        Scores and predictions, shape (T,); NaN where an epoch cannot be judged.
    """
    x = np.array(values, dtype=np.float64)
    score, predicted = np.full(len(x), np.nan), np.full(len(x), np.nan)
    removed = np.zeros(len(x))
    for start in sorted({s for s in starts if 0 < s < len(x)}):
        ahead = _ahead(x[max(start - WINDOW, 0) : start])
        step = x[start] - (x[start - 1] if not np.isfinite(ahead) else ahead)
        if np.isfinite(step):
            x[start:] -= step
            removed[start:] += step
    if len(x) <= WINDOW:
        return score, predicted
    with np.errstate(invalid="ignore"):  # infinite cells give NaN, which is not judged
        predicted[WINDOW:] = _ahead(sliding_window_view(x, WINDOW)[:-1])
    repeats = np.concatenate([[False], np.diff(np.asarray(values, dtype=np.float64)) == 0])
    residual = x - predicted
    residual[[s for s in starts if 0 <= s < len(x)]] = np.nan  # the removed step made it zero: no residual at all
    for t in range(FIRST, len(x)):
        past = residual[max(WINDOW, t - SPREAD) : t]
        past = past[np.isfinite(past)]
        if len(past) < _LEAST or not np.isfinite(residual[t]):
            continue
        if repeats[max(1, t - SPREAD) : t + 1].mean() <= REPEATS:
            score[t] = residual[t] / max(1.4826 * float(np.median(np.abs(past))), unit, 1e-12)
    return score, predicted + removed


def _ahead(window: Array) -> Array:
    """Theil-Sen line through the last axis, one step on."""
    n = window.shape[-1]
    if n < 2:
        return np.asarray(window[..., -1] if n else np.nan)
    i, j = np.triu_indices(n, 1)
    slope = np.median((window[..., j] - window[..., i]) / (j - i), axis=-1, keepdims=True)
    return np.asarray(np.median(window - slope * np.arange(n), axis=-1) + slope[..., 0] * n)


def screen_run(
    values: ArrayLike,
    *,
    names: Sequence[str],
    adverse_sign: ArrayLike,
    alpha: float,
    units: ArrayLike | None = None,
    starts: Sequence[int] = (),
) -> Screening:
    """Find abnormal epochs of a run, with at most ``alpha`` chance of any alarm in an ordinary run.

    The score of an epoch is its largest |residual score| over the metrics. Its tail on ordinary epochs is bounded by a
    Pareto law measured on public runs (docs/METHOD.md), and Bonferroni runs over the epochs: p_run = n (s /
    scale)^-index.

    Parameters
    ----------
    values
        Shape (T, m).
    names, adverse_sign
        m deciding columns and the sign of their bad direction.
    alpha
        Run-wise level.
    units
        Shape (m,), rounding units.
    starts
        As in `residual_scores`.

    Returns
    -------
    Screening
    """
    x, sign = np.asarray(values, dtype=np.float64).reshape(-1, len(names)), np.asarray(adverse_sign)
    unit = np.zeros(len(names)) if units is None else np.asarray(units, dtype=np.float64)
    pairs = [residual_scores(x[:, j], starts=starts, unit=float(unit[j])) for j in range(len(names))]
    scores = np.stack([p[0] for p in pairs], axis=1)
    judged = np.flatnonzero(np.isfinite(scores).any(axis=1))
    threshold = TAIL_SCALE * (max(len(judged), 1) / alpha) ** (1 / TAIL_INDEX)
    alarms = []
    for t in judged:
        j = int(np.nanargmax(np.abs(scores[t])))
        s = float(scores[t, j])
        if abs(s) >= threshold:
            p_run = min(1.0, len(judged) * (abs(s) / TAIL_SCALE) ** -TAIL_INDEX)
            alarms.append(Alarm(int(t), names[j], float(x[t, j]), float(pairs[j][1][t]), s, s * sign[j] > 0, p_run))
    return Screening(tuple(alarms), len(judged), alpha, threshold)
