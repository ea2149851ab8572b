"""The borrowed null: the checkpoint of the seam is gone, and another one of the run lends what a resume does.

The mean is where the run's own history says that the epoch falls; the spread is that of the lender's replicates. Only a
shift for the worse counts, and as much of it is allowed as resumes of the lender come out worse than the epoch that the
run itself had there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analyzer.domain.evidence import Interval, MetricEvidence
from analyzer.domain.levels import INTERVAL_LEVEL, POWER
from analyzer.stats.critical import rank_test_from
from analyzer.stats.entries import around, number, significance, undecided, unknown
from analyzer.stats.equivalence import size_within, upper_bound
from analyzer.stats.inputs import Inputs, check
from analyzer.stats.moderation import Prior, moderate_family
from analyzer.stats.multiplicity import holm
from analyzer.stats.power import detectable_multiple
from analyzer.stats.shift import NullComparison
from analyzer.stats.trend import Prediction

__all__ = ["BORROWED_FACTOR", "borrowed_tests", "expected_row"]

Array = NDArray[np.float64]
Flags = NDArray[np.bool_]

BORROWED_FACTOR = 1.25  # on the critical value: the worst simulated cell then holds alpha (docs/METHOD.md)


def expected_row(
    n: int,
    lent_mean: ArrayLike,
    sd: ArrayLike,
    df: ArrayLike,
    *,
    predicted: ArrayLike,
    level_sd: ArrayLike,
    history_df: ArrayLike,
    own: ArrayLike,
    own_sd: ArrayLike,
    adverse_sign: ArrayLike,
) -> tuple[Array, Array, Array]:
    """Where a healthy row falls at worst, its standard error and degrees of freedom; arrays of one common shape.

        allowed = max(0, sign (mean(x) - own))
        expected = predicted + sign allowed
        se^2 = level_sd^2 + s^2 + [s^2 / N + own_sd^2 where something is allowed]

    Degrees of freedom after Satterthwaite (1946), doi 10.2307/3002019, equation 17: (sum v)^2 / sum(v^2 / df).

    Parameters
    ----------
    n
        Replicates of the lender, at least 2.
    lent_mean, sd, df
        Their mean and moderated standard deviation, metric units, and its degrees of freedom.
    predicted, level_sd, history_df
        One-step prediction of the row, uncertainty of that mean without the row's own noise, degrees of freedom.
    own
        The epoch after the lender in the run itself, seen or predicted; NaN where not known: nothing is allowed then.
    own_sd
        Uncertainty of `own`; NaN where it is one row of the run, which has the replicates' sd.
    adverse_sign
        +1 where a rise is bad, -1 where a fall is.
    """
    mean, s, d0 = (np.asarray(a, dtype=np.float64) for a in (lent_mean, sd, history_df))
    neighbour, neighbour_sd, sign = (np.asarray(a, dtype=np.float64) for a in (own, own_sd, adverse_sign))
    effect = sign * (mean - neighbour)
    allowed = np.isfinite(neighbour) & (effect > 0)
    one_row = np.isnan(neighbour_sd)
    replicates = s**2 * (1 + np.where(allowed, 1 / n + one_row, 0.0))  # one estimate, however often it enters
    history = np.asarray(level_sd, dtype=np.float64) ** 2
    beside = np.where(allowed & ~one_row, neighbour_sd, 0.0) ** 2
    total = history + replicates + beside
    freedom = total**2 / ((history**2 + beside**2) / d0 + replicates**2 / np.asarray(df, dtype=np.float64))
    return np.asarray(predicted) + np.where(allowed, sign * effect, 0.0), np.sqrt(total), freedom


def borrowed_tests(
    lent: ArrayLike,
    observed: ArrayLike,
    *,
    names: Sequence[str],
    deciding: ArrayLike,
    adverse_sign: ArrayLike,
    alpha_null: float,
    predicted: Sequence[Prediction | None],
    own: ArrayLike,
    own_sd: ArrayLike,
    before: ArrayLike | None = None,
    units: ArrayLike | None = None,
    priors: Sequence[Prior | None] | None = None,
    margins: ArrayLike | None = None,
    diverged: ArrayLike | None = None,
    interval_level: float = INTERVAL_LEVEL,
) -> NullComparison:
    """Judge the observed row by `expected_row`: one-sided t in the adverse direction, Holm over the deciding metrics.

    Parameters
    ----------
    lent
        Shape (N, m), first resumed rows of the lender; a diverged one as in `shift_tests`.
    observed
        Shape (m,), the first resumed row of the seam that is judged.
    names, deciding, alpha_null, before, units, priors, margins, diverged, interval_level
        As in `shift_tests`; all of the seam that is judged.
    adverse_sign, own, own_sd
        Shape (m,), as in `expected_row`.
    predicted
        m one-step predictions of the observed epoch; None where the history is too short: that metric is not tested.

    Returns
    -------
    NullComparison
        ``procedure`` is "borrowed"; its null sample is the lent one. A metric is *inside* where its shift for the worse
        plus t(0.8, df) se is at most the margin.
    """
    given = check(lent, observed, names, deciding, before, units, priors, margins, diverged, False)
    if len(given.finite) < 2 or not given.usable.any():
        return undecided(given, alpha_null)
    sign = np.asarray(adverse_sign, dtype=np.float64)
    judged = _judged(given, sign, predicted, own, own_sd, alpha_null, interval_level)
    omnibus = float(np.nanmin(judged.adjusted)) if judged.family.any() else None
    return NullComparison(
        metrics=tuple(judged.metric(j) for j in range(len(given.names))),
        procedure="borrowed",
        n=len(given.null),
        n_diverged=given.diverged,
        observed_diverged=False,
        alpha=alpha_null,
        family=tuple(name for name, f in zip(given.names, judged.family, strict=True) if f),
        inflation=BORROWED_FACTOR,
        calibrated=True,
        omnibus_p=omnibus,
        omnibus=significance(omnibus, alpha_null),
        p_min=1 / (len(given.null) + 1),
        rank_from=rank_test_from(alpha_null),
        null=given.null,
        null_scores=np.empty(0),
        notes=tuple(f"{name}: {why}" for name, why in given.notes.items()),
    )


def _judged(
    given: Inputs,
    sign: Array,
    predicted: Sequence[Prediction | None],
    own: ArrayLike,
    own_sd: ArrayLike,
    alpha: float,
    level: float,
) -> _Judged:
    n = len(given.finite)
    s = moderate_family(
        given.finite.std(axis=0, ddof=1), n - 1, given.prior_sd, given.prior_df, given.units, groups=given.groups
    )
    mean, se, df = expected_row(
        n,
        given.finite.mean(axis=0),
        s.sd,
        s.df,
        predicted=[np.nan if q is None else q.mean for q in predicted],
        level_sd=[np.nan if q is None else q.level_sd for q in predicted],
        history_df=[np.nan if q is None else q.df for q in predicted],
        own=own,
        own_sd=own_sd,
        adverse_sign=sign,
    )
    tested = given.usable & np.isfinite(mean)
    family = given.deciding & tested
    p, adjusted = _p_values(given, sign * (given.observed - mean) / se, df, tested, family)
    return _Judged(given, sign, mean, se, df, tested, family, p, adjusted, alpha, level)


def _p_values(given: Inputs, t: Array, df: Array, tested: Flags, family: Flags) -> tuple[Array, Array]:
    """One-sided p and, over the family, Holm's; NaN where there is none."""
    p = np.where(tested, stats.t.sf(t / BORROWED_FACTOR, df), np.nan)
    if given.diverged:
        p = np.maximum(p, (1 + given.diverged) / (len(given.null) + 1))
    adjusted = np.full(len(p), np.nan)
    if family.any():
        adjusted[family] = holm(p[family])
    return p, adjusted


@dataclass(frozen=True, slots=True, eq=False)
class _Judged:
    """Everything about the m metrics as arrays, and one of them as a result."""

    given: Inputs
    sign: Array
    mean: Array
    se: Array
    df: Array
    tested: Flags
    family: Flags
    p: Array
    adjusted: Array
    alpha: float
    level: float

    def metric(self, j: int) -> MetricEvidence:
        given, sign = self.given, float(self.sign[j])
        if not self.tested[j]:
            return unknown(given, j, "the history before the seam is too short" if given.usable[j] else "")
        expected, error, df = float(self.mean[j]), float(self.se[j]), float(self.df[j])
        before, observed, margin = number(given.before[j]), float(given.observed[j]), number(given.margins[j])
        reach = BORROWED_FACTOR * float(stats.t.isf(self.alpha / max(int(self.family.sum()), 1), df))
        half = float(stats.t.isf((1 - self.level) / 2, df)) * error
        shift, limit = observed - expected, expected + sign * reach * error
        worst = (-np.inf, limit) if sign > 0 else (limit, np.inf)
        bound = upper_bound(max(sign * shift, 0.0), error, df)
        adjusted = number(self.adjusted[j])
        return MetricEvidence(
            name=given.names[j],
            deciding=bool(self.family[j]),
            before=before,
            observed=observed,
            null_mean=expected,
            null_sd=float(given.finite[:, j].std(ddof=1)),
            sd=error,
            df=df,
            jump=None if before is None else observed - before,
            expected_seam=None if before is None else expected - before,
            expected_seam_interval=None,
            unexplained_shift=shift,
            shift_interval=around(shift, half, self.level, "confidence"),
            prediction_interval=Interval(*worst, 1 - self.alpha, "prediction"),
            single_interval=around(expected, half, self.level, "prediction"),
            p=float(self.p[j]),
            p_adjusted=adjusted,
            margin=margin,
            equivalence_bound=bound,
            minimum_detectable_jump=float(detectable_multiple(df, reach, POWER) * error),
            significant=significance(adjusted, self.alpha),
            size=size_within(bound, margin),
            reason=given.notes.get(given.names[j], ""),
        )
