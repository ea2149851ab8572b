"""The observed row against the seed null: jump split, test, intervals, equivalence."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from analyzer.domain.levels import INTERVAL_LEVEL
from analyzer.stats.critical import Inflation, inflation, rank_test_from
from analyzer.stats.entries import entry, significance, undecided
from analyzer.stats.inputs import Inputs, check
from analyzer.stats.moderation import Moderated, Prior, moderate_family
from analyzer.stats.multiplicity import holm
from analyzer.stats.rank import RankTest, rank_test
from analyzer.stats.shift import NullComparison

__all__ = ["shift_tests"]

Array = NDArray[np.float64]


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
    interval_level: float = INTERVAL_LEVEL,
) -> NullComparison:
    """Compare an observed row with N replicates, in the one procedure that this N calls for.

    For each metric, with shift d = observed - mean, s the moderated sd and se = s sqrt(1 + 1/N): two-sided t test of
    d/se
    with its critical value inflated by `inflation`, Holm over the deciding metrics; from N = 1/alpha - 1 on the exact
    rank test instead. Equivalence: inside where |d| + t(0.8, df) se <= margin.

    Parameters
    ----------
    null
        Shape (N, m), printed values of the replicates. A row with a cell that is not finite, in a column that is not
        wholly missing, is a **diverged** replicate: it stays in N as an outcome more extreme than any finite row (so
        p is at least
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
        Shape (N,), bool; where given, only these rows count as diverged, and a column with other missing cells is
        dropped.
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
    given = check(null, observed, names, deciding, before, units, priors, margins, diverged, observed_diverged)
    n = len(given.null)
    if len(given.finite) < 2 or not given.usable.any():
        return undecided(given, alpha_null)
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
        entry(given, j, mean, sample_sd, moderated, critical[j], p[j], adjusted[j], alpha_null, interval_level, family)
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
        omnibus=significance(omnibus, alpha_null),
        p_min=1 / (n + 1),
        rank_from=rank_test_from(alpha_null),
        null=given.null,
        null_scores=scores,
        notes=_notes(given, moderated, factor, alpha_null),
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
        adjusted[family] = holm(p[family])
    if given.diverged or given.observed_diverged:  # a rank among all outcomes is a statement on the whole row
        adjusted[family] = np.where(np.isfinite(given.observed[family]), adjusted[family], least)
    return p, adjusted, float(np.nanmin(adjusted)) if family.any() else None, np.empty(0)


def _rank_p(given: Inputs, family: NDArray[np.bool_]) -> tuple[Array, Array, float | None, Array]:
    p, adjusted = np.full(len(given.names), np.nan), np.full(len(given.names), np.nan)

    def test(columns: NDArray[np.bool_]) -> RankTest:
        return rank_test(
            given.finite[:, columns],
            given.observed[columns],
            units=given.units[columns],
            prior_sd=given.prior_sd[columns],
            prior_df=given.prior_df[columns],
            groups=given.groups[columns],
            diverged=given.diverged,
            observed_diverged=given.observed_diverged,
        )

    p[given.usable] = test(given.usable).p_metric
    if not family.any():
        return p, adjusted, None, np.empty(0)
    result = test(family)
    p[family], adjusted[family] = result.p_metric, result.p_adjusted
    return p, adjusted, result.p, result.null_scores


def _notes(given: Inputs, moderated: Moderated, factor: Inflation, alpha: float) -> tuple[str, ...]:
    notes = [f"{name}: {why}" for name, why in given.notes.items()]
    if given.diverged:
        notes.append(f"{given.diverged} of {len(given.null)} replicates diverged: this checkpoint resumes unstably")
    if given.observed_diverged:
        notes.append("the observed row diverged: it is ranked above every finite replicate")
    raised = moderated.scale[moderated.used & given.usable]
    if len(raised) and raised.max() > 1.5:
        notes.append(
            f"replicates vary up to {raised.max():.1f} times as much as the history: its sd was raised to match"
        )
    against = np.isfinite(given.prior_sd) & given.usable & ~moderated.used
    contradicted = [name for name, flag in zip(given.names, against, strict=True) if flag]
    notes += [f"{name}: replicates contradict the history's sd, which was not used" for name in contradicted]
    if not factor.calibrated:
        notes.append(f"error rates at alpha {alpha:g} were not simulated; the factor for {factor.alpha:g} is used")
    return tuple(notes)
