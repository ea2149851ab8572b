"""One metric of a comparison: every number that is reported about it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analyzer.domain.evidence import Interval, MetricEvidence, Significance
from analyzer.domain.levels import POWER
from analyzer.stats.critical import rank_test_from
from analyzer.stats.equivalence import size_within, upper_bound
from analyzer.stats.inputs import Inputs
from analyzer.stats.moderation import Moderated
from analyzer.stats.power import detectable_multiple
from analyzer.stats.shift import NullComparison

__all__ = ["around", "entry", "number", "significance", "undecided", "unknown"]

Array = NDArray[np.float64]

_TIE = 1e-12  # p equal to alpha counts as at most alpha


def entry(
    given: Inputs,
    j: int,
    mean: Array,
    sample_sd: Array,
    moderated: Moderated,
    critical: float,
    p: float,
    adjusted: float,
    alpha: float,
    level: float,
    family: NDArray[np.bool_],
) -> MetricEvidence:
    """The j-th metric, from the family's arrays."""
    if not given.usable[j]:
        return unknown(given, j)
    finite_n = len(given.finite)
    sd, df, centre = float(moderated.sd[j]), float(moderated.df[j]), float(mean[j])
    se, se_mean = sd * np.sqrt(1 + 1 / finite_n), sd / np.sqrt(finite_n)
    t_level = float(stats.t.isf((1 - level) / 2, df))
    observed, before = float(given.observed[j]), number(given.before[j])
    shift = number(observed - centre)
    bound = None if shift is None else upper_bound(shift, se, df)
    margin = number(given.margins[j])
    expected = None if before is None else centre - before
    return MetricEvidence(
        name=given.names[j],
        deciding=bool(family[j]),
        before=before,
        observed=observed,
        null_mean=centre,
        null_sd=float(sample_sd[j]),
        sd=sd,
        df=df,
        jump=None if before is None else number(observed - before),
        expected_seam=expected,
        expected_seam_interval=around(expected, t_level * se_mean, level, "confidence"),
        unexplained_shift=shift,
        shift_interval=around(shift, t_level * se, level, "confidence"),
        prediction_interval=around(centre, critical * se, 1 - alpha, "prediction"),
        single_interval=around(centre, t_level * se, level, "prediction"),
        p=float(p),
        p_adjusted=number(adjusted),
        margin=margin,
        equivalence_bound=bound,
        minimum_detectable_jump=float(detectable_multiple(df, critical, POWER) * se),
        significant=significance(number(adjusted), alpha),
        size=size_within(bound, margin),
        reason=given.notes.get(given.names[j], ""),
    )


def unknown(given: Inputs, j: int, note: str = "") -> MetricEvidence:
    """The j-th metric where nothing can be said about it, and why."""
    before, observed = number(given.before[j]), float(given.observed[j])
    return MetricEvidence(
        name=given.names[j],
        deciding=False,
        before=before,
        observed=observed,
        jump=None if before is None else number(observed - before),
        margin=number(given.margins[j]),
        reason=given.notes.get(given.names[j], note),
    )


def undecided(given: Inputs, alpha: float) -> NullComparison:
    """A comparison that says why nothing was tested."""
    why = f"{len(given.finite)} finite replicates: at least 2 are needed"
    return NullComparison(
        metrics=tuple(unknown(given, j, why) for j in range(len(given.names))),
        procedure="none",
        n=len(given.null),
        n_diverged=given.diverged,
        observed_diverged=given.observed_diverged,
        alpha=alpha,
        family=(),
        inflation=1.0,
        calibrated=True,
        omnibus_p=None,
        omnibus=Significance.UNKNOWN,
        p_min=1 / (len(given.null) + 1),
        rank_from=rank_test_from(alpha),
        null=given.null,
        null_scores=np.empty(0),
        notes=(why,),
    )


def number(value: float) -> float | None:
    """The value, or None where it is not finite."""
    return float(value) if np.isfinite(value) else None


def around(centre: float | None, half: float, level: float, kind: str) -> Interval | None:
    """An interval of that half width; None where there is no centre."""
    return None if centre is None else Interval(float(centre - half), float(centre + half), level, kind)


def significance(p: float | None, alpha: float) -> Significance:
    """Whether p is at most alpha."""
    if p is None:
        return Significance.UNKNOWN
    return Significance.YES if p <= alpha + _TIE else Significance.NO
