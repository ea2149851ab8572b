"""The seam against the run's own history: a local linear trend carried one epoch on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analyzer.domain.evidence import Interval, SeamCheck
from analyzer.stats.history import MIN_EPOCHS
from analyzer.stats.multiplicity import holm
from analyzer.stats.trend import Prediction, predict_next

__all__ = [
    "HistoryCheck",
    "Prediction",
    "SeamResult",
    "observed_against_history",
    "predict_next",
    "predictions",
    "seam_against_history",
]

Array = NDArray[np.float64]

# relative change over the epoch in which mosaic closes: median and (95 % - 5 %) / 3.29 (docs/METHOD.md)
CLOSING = {"train": (-0.02, 0.16), "val": (0.004, 0.04), "metrics": (-0.005, 0.06)}


@dataclass(frozen=True, slots=True)
class HistoryCheck:
    """One metric against its history.

    Parameters
    ----------
    name
        Column.
    value
        What is checked: the null mean, or the observed value.
    prediction, interval
        The one-step prediction with its one-sided limit: only the adverse end is finite.
    excess
        How far the value lies on the adverse side of the prediction, in prediction sd; negative on the benign side.
    p, p_adjusted
        One-sided, before and after Holm over the metrics checked.
    status
        WITHIN, ADVERSE or UNKNOWN.
    note
        Why it is UNKNOWN, or what was modelled.
    """

    name: str
    value: float
    prediction: Prediction | None
    interval: Interval | None
    excess: float | None
    p: float | None
    p_adjusted: float | None
    status: SeamCheck
    note: str = ""


@dataclass(frozen=True, slots=True)
class SeamResult:
    """All metrics against history: ADVERSE where some metric is, at the family's alpha.

    Parameters
    ----------
    status
        Of the family.
    alpha
        One-sided level over all metrics.
    checks
        One a metric.
    """

    status: SeamCheck
    alpha: float
    checks: tuple[HistoryCheck, ...]


def seam_against_history(
    history: ArrayLike,
    null_mean: ArrayLike,
    null_se: ArrayLike,
    *,
    names: Sequence[str],
    adverse_sign: ArrayLike,
    alpha_history: float,
    units: ArrayLike | None = None,
    new_regime: bool = False,
    setback: int = 0,
) -> SeamResult:
    """Judge the null mean against the history's one-step prediction, in the adverse direction only.

    A shared fault (checkpoint, code, arguments, data) moves the null along with the observation; it shows here. A
    restart of averaged weights shows here too: in the benign direction, which is not accused, or, where the average
    looks back over epochs of progress, as a return to an earlier level, which `setback` allows for.
    t = sign (null mean - prediction) / sqrt(sd^2 + null_se^2), one-sided, Holm over the metrics.

    Parameters
    ----------
    history
        Shape (T, m), the regime that ends before the seam.
    null_mean, null_se
        Shape (m,), mean of the healthy arm and its standard error s / sqrt(N), metric units.
    names
        m deciding columns.
    adverse_sign
        Shape (m,), +1 where a rise is bad, -1 where a fall is.
    alpha_history
        The history's share of alpha.
    units
        Shape (m,), rounding units.
    new_regime
        Whether a new regime starts between history and seam: the usual change is added to the prediction and its
        spread to the sd, instead of a flag.
    setback
        Over how many epochs the averaged weights look back: the worst level of that many last epochs
        takes the place of a better prediction.

    Returns
    -------
    SeamResult
        UNKNOWN where no metric has enough history.
    """
    return _judge(history, null_mean, null_se, names, adverse_sign, alpha_history, units, new_regime, setback=setback)


def observed_against_history(
    history: ArrayLike,
    observed: ArrayLike,
    *,
    names: Sequence[str],
    adverse_sign: ArrayLike,
    alpha: float,
    units: ArrayLike | None = None,
    new_regime: bool = False,
    ahead: int = 1,
    setback: int = 0,
) -> SeamResult:
    """Judge the observed row itself against history alone, the weaker evidence.

    It cannot tell the expected seam from a fault: only the adverse direction accuses, since healthy seams move the
    other way.

    Parameters
    ----------
    history
        Shape (T, m), as in `seam_against_history`.
    observed
        Shape (m,), the first resumed row, or the one of resumed epoch `ahead`.
    names, adverse_sign, units, new_regime, setback
        As in `seam_against_history`.
    alpha
        Level over all metrics (nothing else is spent: there is no null).
    ahead
        Which resumed epoch the row is of, from 1.

    Returns
    -------
    SeamResult
    """
    zero = np.zeros(len(names))
    return _judge(history, observed, zero, names, adverse_sign, alpha, units, new_regime, ahead, setback)


def predictions(
    history: ArrayLike,
    *,
    names: Sequence[str],
    adverse_sign: ArrayLike,
    units: ArrayLike | None = None,
    new_regime: bool = False,
    ahead: int = 1,
    setback: int = 0,
) -> tuple[Prediction | None, ...]:
    """Where the history says that an epoch falls, metric by metric; None where it is too short.

    Arguments as in `observed_against_history`: the change of a new regime and the set-back are part of the prediction.
    """
    past = np.asarray(history, dtype=np.float64).reshape(-1, len(names))
    sign = np.asarray(adverse_sign)
    unit = np.zeros(len(names)) if units is None else np.asarray(units, dtype=np.float64)
    found = [predict_next(past[:, j], unit=float(unit[j]), ahead=ahead) for j in range(len(names))]
    if setback:
        last = past[-setback:]
        found = [p and _set_back(p, last[:, j], int(sign[j])) for j, p in enumerate(found)]
    if new_regime:
        found = [p if p is None else _closing(p, name) for p, name in zip(found, names, strict=True)]
    return tuple(found)


def _judge(
    history: ArrayLike,
    values: ArrayLike,
    se: ArrayLike,
    names: Sequence[str],
    adverse_sign: ArrayLike,
    alpha: float,
    units: ArrayLike | None,
    new_regime: bool,
    ahead: int = 1,
    setback: int = 0,
) -> SeamResult:
    value, error = np.asarray(values, dtype=np.float64), np.asarray(se, dtype=np.float64)
    sign = np.asarray(adverse_sign)
    found = predictions(
        history,
        names=names,
        adverse_sign=sign,
        units=units,
        new_regime=new_regime,
        ahead=ahead,
        setback=setback,
    )
    totals = [None if p is None else float(np.hypot(p.sd, error[j])) for j, p in enumerate(found)]
    excess = [
        None if p is None or s is None or not np.isfinite(value[j]) else float(sign[j] * (value[j] - p.mean) / s)
        for j, (p, s) in enumerate(zip(found, totals, strict=True))
    ]
    known = [j for j, e in enumerate(excess) if e is not None]
    ps = {j: float(stats.t.sf(excess[j], p.df)) for j in known if (p := found[j]) is not None}
    adjusted = dict(zip(ps, map(float, holm(list(ps.values()))), strict=True))
    checks = tuple(
        _check(
            names[j],
            float(value[j]),
            found[j],
            totals[j],
            excess[j],
            ps.get(j),
            adjusted.get(j),
            int(sign[j]),
            alpha,
            max(len(known), 1),
            new_regime,
        )
        for j in range(len(names))
    )
    adverse = any(c.status is SeamCheck.ADVERSE for c in checks)
    complete = bool(known) and len(known) == len(names)  # a metric without history may hide what the others do not show
    status = SeamCheck.ADVERSE if adverse else SeamCheck.WITHIN if complete else SeamCheck.UNKNOWN
    return SeamResult(status, alpha, checks)


def _set_back(p: Prediction, last: Array, sign: int) -> Prediction:
    """Move a prediction to the worst of the last epochs, where that is worse."""
    last = last[np.isfinite(last)]
    worst = float(sign * np.max(sign * last, initial=sign * p.mean))
    return p if worst == p.mean else replace(p, mean=worst, method=f"{p.method}, set back by the EMA")


def _closing(p: Prediction, name: str) -> Prediction:
    change, spread = CLOSING.get(name.split("/", maxsplit=1)[0], CLOSING["train"])
    size = abs(p.mean)
    return replace(
        p,
        mean=p.mean + change * size,
        sd=float(np.hypot(p.sd, spread * size)),
        level_sd=float(np.hypot(p.level_sd, spread * size)),
    )


def _check(
    name: str,
    value: float,
    prediction: Prediction | None,
    total: float | None,
    excess: float | None,
    p: float | None,
    adjusted: float | None,
    sign: int,
    alpha: float,
    family: int,
    new_regime: bool,
) -> HistoryCheck:
    if prediction is None or total is None or excess is None or adjusted is None:
        why = f"fewer than {MIN_EPOCHS} epochs of this regime" if prediction is None else "no value"
        return HistoryCheck(name, value, prediction, None, None, None, None, SeamCheck.UNKNOWN, why)
    reach = float(stats.t.isf(alpha / family, prediction.df)) * total
    low, high = (-np.inf, prediction.mean + reach) if sign > 0 else (prediction.mean - reach, np.inf)
    status = SeamCheck.ADVERSE if adjusted <= alpha else SeamCheck.WITHIN
    note = "mosaic closes at this epoch: the usual change is part of the prediction" if new_regime else ""
    return HistoryCheck(
        name, value, prediction, Interval(low, high, 1 - alpha, "prediction"), excess, p, adjusted, status, note
    )
