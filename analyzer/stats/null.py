"""The observed row against the seed null: jump split, test, intervals, equivalence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats
from statsmodels.stats.multitest import multipletests

from analyzer.domain.evidence import Interval, Significance, Size
from analyzer.stats.critical import Inflation, inflation, rank_test_from
from analyzer.stats.moderation import Moderated, Prior, moderate_family
from analyzer.stats.power import detectable_multiple
from analyzer.stats.rank import RankTest, rank_test
from analyzer.stats.shift import MetricShift, NullComparison

__all__ = ["BETA", "CONSTANT_UNITS", "Inputs", "shift_tests"]

Array = NDArray[np.float64]

BETA = 0.2  # equivalence: risk of calling a shift as large as the margin "inside"
CONSTANT_UNITS = 10.0  # a column constant in the null decides only beyond this many rounding units
_POWER = 0.8
_TIE = 1e-12  # p equal to alpha counts as at most alpha


@dataclass(frozen=True, slots=True, eq=False)
class Inputs:
    """Arrays of one comparison after checks; see `shift_tests`."""

    names: tuple[str, ...]
    null: Array  # (N, m) all replicates
    finite: Array  # (N - diverged, m)
    observed: Array
    before: Array
    units: Array
    margins: Array
    prior_sd: Array
    prior_df: Array
    groups: NDArray[np.int_]
    deciding: NDArray[np.bool_]
    usable: NDArray[np.bool_]
    diverged: int
    observed_diverged: bool
    notes: dict[str, str]


def shift_tests(
    null: ArrayLike,
    observed: ArrayLike,
    *,
    names: Sequence[str],
    deciding: ArrayLike,
    alpha_null: float,
    before: ArrayLike | None = None,
    units: ArrayLike | None = None,
    priors: Sequence[Prior | None] | None = None,
    margins: ArrayLike | None = None,
    diverged: ArrayLike | None = None,
    observed_diverged: bool = False,
    sequential: bool = False,
    interval_level: float = 0.95,
) -> NullComparison:
    """Compare an observed row with N replicates, in the one procedure that this N calls for.

    For each metric, with shift d = observed - mean, s the moderated sd and se = s sqrt(1 + 1/N): two-sided t test of d/se
    with its critical value inflated by `inflation`, Holm over the deciding metrics; from N = 1/alpha - 1 on the exact
    rank test instead. Equivalence: inside where |d| + t(0.8, df) se <= margin.

    Parameters
    ----------
    null
        Shape (N, m), printed values of the replicates. A row with a cell that is not finite, in a column that is not
        wholly missing, is a **diverged** replicate: it stays in N as an outcome more extreme than any finite row (so p is at least
        (1 + diverged) / (N + 1)), and takes no part in means and sds.
    observed
        Shape (m,), printed values of the observed row. A value that is not finite drops the column with a reason,
        unless ``observed_diverged``.
    names
        m column names.
    deciding
        Shape (m,), bool.
    alpha_null
        The null's share of alpha, over the whole family.
    before
        Shape (m,), the row of the checkpoint's epoch; NaN where missing.
    units
        Shape (m,), rounding units, metric units.
    priors
        m priors from the history, None where there is none or its regime differs.
    margins
        Shape (m,), metric units; NaN where there is none.
    diverged
        Shape (N,), bool; where given, only these rows count as diverged, and a column with other missing cells is dropped.
    observed_diverged
        The observed row is a divergence, not a missing value.
    sequential
        N was reached by the sequential design: its critical values, always the t procedure.
    interval_level
        Level of the per-metric intervals.

    Returns
    -------
    NullComparison
        Frozen; ``procedure`` is "none" and everything UNKNOWN with fewer than 2 finite replicates.

    References
    ----------
    Prediction t: Hahn and Meeker (1991), Statistical Intervals, equation 4.3. Moderation: Smyth (2004). Holm (1979),
    Scand. J. Statist. 6, 65-70. Equivalence: Berger and Hsu (1996), doi 10.1214/ss/1032280304.
    """
    given = _check(null, observed, names, deciding, before, units, priors, margins, diverged, observed_diverged)
    n = len(given.null)
    if len(given.finite) < 2 or not given.usable.any():
        return _undecided(given, alpha_null)
    mean = np.where(given.usable, given.finite.mean(axis=0), np.nan)
    sample_sd = given.finite.std(axis=0, ddof=1)
    with np.errstate(invalid="ignore"):
        moderated = moderate_family(
            sample_sd, len(given.finite) - 1, given.prior_sd, given.prior_df, given.units, groups=given.groups
        )
    family = given.deciding & given.usable
    factor = _factor(n, alpha_null, moderated, family, sequential)
    critical = np.array([factor.critical(df, max(int(family.sum()), 1), alpha_null) for df in moderated.df])
    procedure = "t" if sequential or n < rank_test_from(alpha_null) else "rank"
    p, adjusted, omnibus, scores = _p_values(given, mean, moderated, family, factor.factor, procedure)
    entries = tuple(
        _entry(given, j, mean, sample_sd, moderated, critical[j], p[j], adjusted[j], alpha_null, interval_level, family)
        for j in range(len(given.names))
    )
    return NullComparison(
        metrics=entries,
        procedure=procedure,
        n=n,
        n_diverged=given.diverged,
        observed_diverged=given.observed_diverged,
        alpha=alpha_null,
        family=tuple(name for name, f in zip(given.names, family, strict=True) if f),
        inflation=factor.factor,
        calibrated=factor.calibrated,
        omnibus_p=omnibus,
        omnibus=_significance(omnibus, alpha_null),
        p_min=1 / (n + 1),
        rank_from=rank_test_from(alpha_null),
        null=given.null,
        null_scores=scores,
        notes=_notes(given, moderated, factor, alpha_null),
    )


def _check(
    null: ArrayLike, observed: ArrayLike, names: Sequence[str], deciding: ArrayLike, before: ArrayLike | None,
    units: ArrayLike | None, priors: Sequence[Prior | None] | None, margins: ArrayLike | None, diverged: ArrayLike | None,
    observed_diverged: bool,
) -> Inputs:
    m = len(names)
    x = np.asarray(null, dtype=np.float64).reshape(-1, m)
    row = np.asarray(observed, dtype=np.float64)
    missing = ~np.isfinite(x).any(axis=0) if len(x) else np.ones(m, dtype=bool)
    notes = {names[j]: "no replicate has this metric" for j in np.flatnonzero(missing)}
    bad = ~np.isfinite(x) & ~missing
    gone = bad.any(axis=1) if diverged is None else np.asarray(diverged, dtype=bool)
    holes = bad[~gone].any(axis=0) if len(x) else missing
    notes |= {names[j]: "some replicates lack this metric" for j in np.flatnonzero(holes & ~missing)}
    absent = ~np.isfinite(row) & (not observed_diverged)
    notes |= {names[j]: "the observed row lacks this metric" for j in np.flatnonzero(absent)}
    usable = ~(missing | holes | absent)
    finite = np.where(usable, x[~gone], 0.0)
    unit = np.zeros(m) if units is None else np.asarray(units, dtype=np.float64)
    if len(finite) and not observed_diverged:
        near = (np.ptp(finite, axis=0) == 0) & (np.abs(row - finite[0]) <= CONSTANT_UNITS * unit * (1 + 1e-9))
        notes |= {names[j]: "constant in the null and in the observed row" for j in np.flatnonzero(near & usable)}
    else:
        near = np.zeros(m, dtype=bool)
    known = [None] * m if priors is None else list(priors)
    return Inputs(
        names=tuple(names), null=x, finite=finite, observed=row,
        before=np.full(m, np.nan) if before is None else np.asarray(before, dtype=np.float64), units=unit,
        margins=np.full(m, np.nan) if margins is None else np.asarray(margins, dtype=np.float64),
        prior_sd=np.array([np.nan if q is None else q.sd for q in known]),
        prior_df=np.array([np.nan if q is None else q.df for q in known]),
        groups=np.array([0 if name.startswith("train/") else 1 for name in names]),
        deciding=np.asarray(deciding, dtype=bool) & ~near, usable=usable,
        diverged=int(gone.sum()), observed_diverged=observed_diverged, notes=notes,
    )


def _factor(n: int, alpha: float, moderated: Moderated, family: NDArray[np.bool_], sequential: bool) -> Inflation:
    """One factor for the family: moderated where all of it is, the larger of both kinds where some is."""
    used = moderated.used[family]
    kinds = {bool(u) for u in used} or {False}
    size = max(int(family.sum()), 1)
    found = [inflation(n, alpha, family=size, moderated=kind, sequential=sequential) for kind in sorted(kinds)]
    return max(found, key=lambda f: f.factor)


def _p_values(
    given: Inputs, mean: Array, moderated: Moderated, family: NDArray[np.bool_], factor: float, procedure: str
) -> tuple[Array, Array, float | None, Array]:
    """p, adjusted p (NaN where none), omnibus p, null scores."""
    m, n = len(given.names), len(given.null)
    adjusted = np.full(m, np.nan)
    if procedure == "rank":
        return _rank_p(given, family)
    se = moderated.sd * np.sqrt(1 + 1 / len(given.finite))
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(given.observed == mean, 0.0, np.abs(given.observed - mean) / se)
    p = 2 * stats.t.sf(t / factor, moderated.df)
    least = (1 + given.diverged) / (n + 1)
    if given.observed_diverged:
        p = np.where(np.isfinite(given.observed), np.maximum(p, least), least)
    elif given.diverged:
        p = np.maximum(p, least)
    p = np.where(given.usable, p, np.nan)
    if family.any():
        adjusted[family] = multipletests(p[family], method="holm")[1]
    if given.diverged or given.observed_diverged:  # a rank among all outcomes is a statement on the whole row
        adjusted[family] = np.where(np.isfinite(given.observed[family]), adjusted[family], least)
    return p, adjusted, float(np.nanmin(adjusted)) if family.any() else None, np.empty(0)


def _rank_p(given: Inputs, family: NDArray[np.bool_]) -> tuple[Array, Array, float | None, Array]:
    p, adjusted = np.full(len(given.names), np.nan), np.full(len(given.names), np.nan)

    def test(columns: NDArray[np.bool_]) -> RankTest:
        return rank_test(
            given.finite[:, columns], given.observed[columns], units=given.units[columns], prior_sd=given.prior_sd[columns],
            prior_df=given.prior_df[columns], groups=given.groups[columns], diverged=given.diverged,
            observed_diverged=given.observed_diverged,
        )

    p[given.usable] = test(given.usable).p_metric
    if not family.any():
        return p, adjusted, None, np.empty(0)
    result = test(family)
    p[family], adjusted[family] = result.p_metric, result.p_adjusted
    return p, adjusted, result.p, result.null_scores


def _entry(
    given: Inputs, j: int, mean: Array, sample_sd: Array, moderated: Moderated, critical: float, p: float, adjusted: float,
    alpha: float, level: float, family: NDArray[np.bool_],
) -> MetricShift:
    if not given.usable[j]:
        return _unknown(given, j)
    finite_n = len(given.finite)
    sd, df, centre = float(moderated.sd[j]), float(moderated.df[j]), float(mean[j])
    se, se_mean = sd * np.sqrt(1 + 1 / finite_n), sd / np.sqrt(finite_n)
    t_level = float(stats.t.isf((1 - level) / 2, df))
    observed, before = float(given.observed[j]), _number(given.before[j])
    shift = _number(observed - centre)
    bound = None if shift is None else float(abs(shift) + stats.t.isf(BETA, df) * se)
    margin = _number(given.margins[j])
    expected = None if before is None else centre - before
    return MetricShift(
        name=given.names[j], deciding=bool(family[j]), before=before, observed=observed, null_mean=centre,
        null_sd=float(sample_sd[j]), sd=sd, df=df, prior_used=bool(moderated.used[j]),
        jump=None if before is None else _number(observed - before), expected_seam=expected,
        expected_seam_interval=_around(expected, t_level * se_mean, level, "confidence"),
        shift=shift, shift_interval=_around(shift, t_level * se, level, "confidence"),
        prediction_interval=_around(centre, critical * se, 1 - alpha, "prediction"),
        single_interval=_around(centre, t_level * se, level, "prediction"),
        p=float(p), p_adjusted=_number(adjusted), margin=margin, equivalence_bound=bound,
        minimum_detectable_jump=float(detectable_multiple(df, critical, _POWER) * se),
        significant=_significance(_number(adjusted), alpha), size=_size(bound, margin), note=given.notes.get(given.names[j], ""),
    )


def _unknown(given: Inputs, j: int, note: str = "") -> MetricShift:
    before = _number(given.before[j])
    observed = float(given.observed[j])
    return MetricShift(
        name=given.names[j], deciding=False, before=before, observed=observed, null_mean=None, null_sd=None, sd=None, df=None,
        prior_used=False, jump=None if before is None else _number(observed - before), expected_seam=None,
        expected_seam_interval=None, shift=None, shift_interval=None, prediction_interval=None, single_interval=None, p=None,
        p_adjusted=None, margin=_number(given.margins[j]), equivalence_bound=None, minimum_detectable_jump=None,
        significant=Significance.UNKNOWN, size=Size.UNKNOWN, note=given.notes.get(given.names[j], note),
    )


def _undecided(given: Inputs, alpha: float) -> NullComparison:
    why = f"{len(given.finite)} finite replicates: at least 2 are needed"
    return NullComparison(
        metrics=tuple(_unknown(given, j, why) for j in range(len(given.names))), procedure="none", n=len(given.null),
        n_diverged=given.diverged, observed_diverged=given.observed_diverged, alpha=alpha, family=(), inflation=1.0,
        calibrated=True, omnibus_p=None, omnibus=Significance.UNKNOWN, p_min=1 / (len(given.null) + 1),
        rank_from=rank_test_from(alpha), null=given.null, null_scores=np.empty(0), notes=(why,),
    )


def _notes(given: Inputs, moderated: Moderated, factor: Inflation, alpha: float) -> tuple[str, ...]:
    notes = [f"{name}: {why}" for name, why in given.notes.items()]
    if given.diverged:
        notes.append(f"{given.diverged} of {len(given.null)} replicates diverged: this checkpoint resumes unstably")
    if given.observed_diverged:
        notes.append("the observed row diverged: it is ranked above every finite replicate")
    raised = moderated.scale[moderated.used & given.usable]
    if len(raised) and raised.max() > 1.5:
        notes.append(f"replicates vary up to {raised.max():.1f} times as much as the history: its sd was raised to match")
    against = np.isfinite(given.prior_sd) & given.usable & ~moderated.used
    notes += [f"{given.names[j]}: replicates contradict the history's sd, which was not used" for j in np.flatnonzero(against)]
    if not factor.calibrated:
        notes.append(f"error rates at alpha {alpha:g} were not simulated; the factor for {factor.alpha:g} is used")
    return tuple(notes)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _around(centre: float | None, half: float, level: float, kind: str) -> Interval | None:
    return None if centre is None else Interval(float(centre - half), float(centre + half), level, kind)


def _significance(p: float | None, alpha: float) -> Significance:
    if p is None:
        return Significance.UNKNOWN
    return Significance.YES if p <= alpha + _TIE else Significance.NO


def _size(bound: float | None, margin: float | None) -> Size:
    if margin is None:
        return Size.UNKNOWN
    return Size.INSIDE if bound is not None and bound <= margin else Size.NOT_INSIDE
