"""Where a run's history says the next epoch falls."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from statsmodels.tools.sm_exceptions import ModelWarning
from statsmodels.tsa.statespace.structural import UnobservedComponents

from analyzer.stats.history import MIN_EPOCHS, robust_step_sd

__all__ = ["Prediction", "predict_next"]

Array = NDArray[np.float64]

TAIL = 20  # epochs of history that the trend is fitted to
MAX_DF = 8  # ordinary epochs have heavier tails than the fit knows: 16 df accused 2.0 % of them at a nominal 1 %


@dataclass(frozen=True, slots=True)
class Prediction:
    """Where the history says the next epoch falls.

    Parameters
    ----------
    mean, sd
        One-step prediction and its standard deviation, metric units.
    df
        Degrees of freedom of its t quantiles.
    method
        "local linear trend" or "robust line" (where the likelihood has no usable maximum).
    level_sd
        Uncertainty of the mean alone, without the noise that the predicted epoch itself will have; at most `sd`.
    """

    mean: float
    sd: float
    df: float
    method: str
    level_sd: float = 0.0


def predict_next(values: ArrayLike, *, unit: float = 0.0, ahead: int = 1) -> Prediction | None:
    """Prediction of the next epoch, or of the one `ahead` steps on, from the tail of a regime.

    Local linear trend, fitted by maximum likelihood: y_t = mu_t + e_t, mu_{t+1} = mu_t + nu_t + xi_t,
    nu_{t+1} = nu_t + zeta_t (Harvey 1989, Forecasting, Structural Time Series Models and the Kalman Filter, section
    2.3.2; Durbin
    and Koopman 2012, section 3.2.1). Its sd is never below the robust sd of the steps over sqrt(2), because a
    likelihood on
    20 epochs often puts a variance at zero. Fallback: Theil-Sen line (Sen 1968, doi 10.1080/01621459.1968.10480934).

    Parameters
    ----------
    values
        Shape (T,), the regime up to the last epoch before the seam; cells not finite are left out.
    unit
        Rounding unit, floor of the sd.
    ahead
        How many epochs after the last value, from 1.

    Returns
    -------
    Prediction or None
        None with fewer than `MIN_EPOCHS` finite epochs.
    """
    tail = np.asarray(values, dtype=np.float64)[-TAIL:]
    tail = tail[np.isfinite(tail)]
    if len(tail) < MIN_EPOCHS:
        return None
    floor = max(float(robust_step_sd(tail[:, None])[0]) / np.sqrt(2), unit, 1e-12)
    df = float(min(len(tail) - 4, MAX_DF))  # three variances and a slope were fitted
    level_floor = 2 * floor / np.sqrt(len(tail))  # a line through n independent epochs knows its end no better
    fitted = _local_linear_trend(tail, floor, ahead)
    if fitted is not None:
        sd = max(fitted[1], floor)
        return Prediction(fitted[0], sd, df, "local linear trend", min(max(fitted[2], level_floor), sd))
    slope, intercept = stats.theilslopes(tail)[:2]
    mean = float(intercept + slope * (len(tail) + ahead - 1))
    residual = tail - (intercept + slope * np.arange(len(tail)))
    spread = float(stats.median_abs_deviation(residual, scale="normal"))
    # 4/n: a line carried one step on; further steps widen it as a random walk does
    sd, level_sd = spread * np.sqrt(ahead + 4 * ahead / len(tail)), spread * np.sqrt(ahead - 1 + 4 * ahead / len(tail))
    return Prediction(mean, max(sd, floor), df, "robust line", max(level_sd, level_floor))


def _local_linear_trend(tail: Array, scale: float, ahead: int) -> tuple[float, float, float] | None:
    """Mean, sd, and sd of the mean alone (without the irregular part of the predicted epoch)."""
    centre = float(tail[-1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ModelWarning)  # no convergence is handled below
        warnings.simplefilter("ignore", RuntimeWarning)
        try:
            fit = UnobservedComponents((tail - centre) / scale, level="lltrend").fit(disp=False, maxiter=200)
            forecast = fit.get_forecast(ahead)
            mean, sd = float(forecast.predicted_mean[-1]), float(forecast.se_mean[-1])
            irregular = float(fit.params[list(fit.model.param_names).index("sigma2.irregular")])
        except (np.linalg.LinAlgError, ValueError):
            return None
    if not (np.isfinite(mean) and np.isfinite(sd) and sd > 0):
        return None
    return centre + scale * mean, scale * sd, scale * float(np.sqrt(max(sd**2 - max(irregular, 0.0), 0.0)))
