"""From rows to evidence: where the matrix of replicates meets the statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.evidence import MetricEvidence, SeamCheck, Significance, Size, Verdict
from analyzer.domain.levels import NULL_SHARE, SEAM_SHARE
from analyzer.domain.metrics import is_train_loss
from analyzer.domain.replicate import Outcome, Replicate
from analyzer.pipeline.analysis.case import Observed
from analyzer.pipeline.analysis.regime import Regime
from analyzer.stats.arms import ArmDifference, compare_arms
from analyzer.stats.equivalence import upper_bound
from analyzer.stats.null import shift_tests
from analyzer.stats.paths import epoch_names
from analyzer.stats.seam import SeamResult, seam_against_history
from analyzer.stats.shift import NullComparison
from analyzer.verdict import SEVERITY, metric_verdict

__all__ = [
    "arm_differences",
    "changed_size",
    "compare",
    "family_evidence",
    "history_check",
    "inside_of",
    "later_verdicts",
    "lost_columns",
    "metric_evidence",
    "replicates_needed",
    "rows_of",
    "shift_arguments",
    "with_later",
]

Array = NDArray[np.float64]


def rows_of(replicates: Sequence[Replicate], names: Sequence[str], k: int) -> Array:
    """Printed values of the first k epochs, shape (N, k * len(names)), epoch by epoch; NaN after a divergence."""
    cube = np.full((len(replicates), k, len(names)), np.nan)
    for i, replicate in enumerate(replicates):
        for step, record in enumerate(replicate.epochs[:k]):
            cube[i, step] = [record.printed.get(n, np.nan) for n in names]
    return cube.reshape(len(replicates), k * len(names))


def inside_of(replicates: Sequence[Replicate]) -> tuple[tuple[int, ...], tuple[str, ...], Array]:
    """First epochs from inside: the marks that all have, the train losses, and their running means.

    Returns
    -------
    tuple
        L numbers of batches, m names, and values of shape (N, L, m), NaN after a divergence.
    """
    inside = [r.epochs[0].within for r in replicates if r.epochs]
    rows = [w.after for w in inside if w is not None]
    marks = tuple(sorted(set.intersection(*(set(r) for r in rows)))) if rows else ()
    names = tuple(k for k in rows[0][marks[0]] if is_train_loss(k)) if marks else ()
    cube = np.array([[[r[n].get(k, np.nan) for k in names] for n in marks] for r in rows], dtype=np.float64)
    return marks, names, cube.reshape(len(rows), len(marks), len(names))


def shift_arguments(regime: Regime, observed: Observed, alpha: float) -> dict[str, Any]:
    """Arguments of `shift_tests` and `next_action` that do not depend on the replicates: K epochs are one family."""
    k = observed.k
    return {
        "names": regime.names if k == 1 else epoch_names(regime.names, k),
        "deciding": np.tile(regime.deciding, k),
        "alpha_null": alpha * NULL_SHARE,
        "before": np.tile(observed.before, k),
        "units": np.tile(regime.units, k),
        "priors": list(regime.priors) * k,
        "margins": np.tile(regime.margins, k),
        "observed_diverged": observed.diverged(regime),
    }


def compare(
    replicates: Sequence[Replicate], regime: Regime, observed: Observed, alpha: float, *, sequential: bool
) -> NullComparison:
    """Compare the observed epochs with an arm."""
    return shift_tests(
        rows_of(replicates, regime.names, observed.k),
        observed.values.reshape(-1),
        diverged=[r.outcome is Outcome.DIVERGED for r in replicates],
        sequential=sequential,
        **shift_arguments(regime, observed, alpha),
    )


def family_evidence(
    comparison: NullComparison, regime: Regime, observed: Observed
) -> tuple[tuple[tuple[Significance, Size], ...], tuple[str, ...]]:
    """Evidence of the family, and its names; a deciding metric that one side lacks is unknown, never left out.

    A column constant on both sides, or missing on both, has nothing to say and stays out.
    """
    kept = {m.name: (m.significant, m.size) for m in comparison.deciding}
    finite = np.asarray(np.isfinite(comparison.null).any(axis=0))
    seen = np.asarray(np.isfinite(observed.values.reshape(-1)))
    wanted = np.tile(regime.deciding, observed.k)
    for j, metric in enumerate(comparison.metrics):
        if wanted[j] and metric.name not in kept and finite[j] != seen[j]:
            kept[metric.name] = (Significance.UNKNOWN, Size.UNKNOWN)
    return tuple(kept.values()), tuple(kept)


def lost_columns(comparison: NullComparison, regime: Regime, observed: Observed) -> bool:
    """Whether a deciding metric is not finite in the observed rows though it is in the replicates."""
    finite = np.asarray(np.isfinite(comparison.null).any(axis=0))
    return bool((finite & ~np.isfinite(observed.values.reshape(-1)) & np.tile(regime.deciding, observed.k)).any())


def history_check(healthy: Sequence[Replicate], regime: Regime, alpha: float) -> SeamResult:
    """Judge the mean of the healthy arm against the history: where a fault that all resumes share shows."""
    d = regime.deciding
    x = rows_of([r for r in healthy if r.outcome is Outcome.OK], regime.names, 1)[:, d]
    names = [n for n, keep in zip(regime.names, d, strict=True) if keep]
    lost = sum(r.outcome is Outcome.DIVERGED for r in healthy)
    if 2 * lost > len(healthy) and np.isfinite(regime.values[-1:, d]).any():
        return SeamResult(SeamCheck.ADVERSE, alpha * SEAM_SHARE, ())  # most resumes diverge where the history does not
    if len(x) < 2 or not len(regime.values):
        return SeamResult(SeamCheck.UNKNOWN, alpha * SEAM_SHARE, ())
    return seam_against_history(
        regime.values[:, d],
        x.mean(axis=0),
        x.std(axis=0, ddof=1) / np.sqrt(len(x)),
        names=names,
        adverse_sign=regime.adverse_sign[d],
        alpha_history=alpha * SEAM_SHARE,
        units=regime.units[d],
        new_regime=regime.crossing,
        setback=regime.setback,
    )


def arm_differences(
    healthy: Sequence[Replicate], configured: Sequence[Replicate], regime: Regime, alpha: float
) -> dict[str, ArmDifference]:
    """What the changed arguments do at the first resumed epoch, paired by seed."""
    n = min(len(healthy), len(configured))
    differences = compare_arms(
        rows_of(healthy[:n], regime.names, 1),
        rows_of(configured[:n], regime.names, 1),
        names=regime.names,
        paired=True,
        units=regime.units,
        margins=regime.margins,
        level=1 - alpha,
    )
    return {d.name: d for d in differences}


def changed_size(
    differences: Mapping[str, ArmDifference],
    regime: Regime,
    healthy: Sequence[Replicate] = (),
    configured: Sequence[Replicate] = (),
) -> Size:
    """Whether the changed arguments move a deciding metric beyond its margin.

    NOT_INSIDE only where the effect is significant too: with few replicates a wide interval alone shows nothing.
    Where more replicates diverge with the changed arguments than without, the rest cannot show that they do no harm.
    """
    lost = [sum(r.outcome is Outcome.DIVERGED for r in arm) for arm in (healthy, configured)]
    if lost[1] > lost[0]:
        return Size.NOT_INSIDE if 2 * lost[1] > len(configured) and not lost[0] else Size.UNKNOWN
    deciding = [differences[m.name] for m in regime.metrics if m.deciding and m.name in differences]
    if any(d.size is Size.NOT_INSIDE and d.significant is Significance.YES for d in deciding):
        return Size.NOT_INSIDE
    return Size.INSIDE if deciding and all(d.size is Size.INSIDE for d in deciding) else Size.UNKNOWN


def metric_evidence(
    shift: MetricEvidence,
    source: str,
    *,
    healthy: MetricEvidence | None = None,
    change: ArmDifference | None = None,
) -> MetricEvidence:
    """Everything about one metric; `healthy` and `change` where a second arm was made."""
    verdict = metric_verdict(shift.significant, shift.size) if shift.deciding else None
    reason = shift.reason or _words(shift)
    if (
        shift.deciding
        and change is not None
        and change.significant is Significance.YES
        and change.size is not Size.INSIDE
    ):
        verdict, reason = Verdict.FAULT, "the changed arguments alone move it beyond its margin"
    base = healthy or shift
    return replace(
        shift,
        expected_seam=base.expected_seam,
        expected_seam_interval=base.expected_seam_interval,
        changed_arguments=change.difference if change else None,
        changed_arguments_interval=change.interval if change else None,
        margin_source=source,
        verdict=verdict,
        reason=reason,
    )


def _words(shift: MetricEvidence) -> str:
    if not shift.deciding:
        return "shown, does not decide"
    where = {
        Size.INSIDE: "inside the margin",
        Size.NOT_INSIDE: "not shown to be inside the margin",
        Size.UNKNOWN: "no margin",
    }
    what = {
        Significance.YES: "more than the seeds do",
        Significance.NO: "no more than the seeds do",
        Significance.UNKNOWN: "not tested",
    }
    return f"{what[shift.significant]}, {where[shift.size]}"


def later_verdicts(
    comparison: NullComparison, regime: Regime, observed: Observed
) -> dict[str, tuple[tuple[int, Verdict], ...]]:
    """What each metric says at its second and later resumed epochs, as (number of the epoch, verdict)."""
    m = len(regime.metrics)
    found: dict[str, tuple[tuple[int, Verdict], ...]] = {}
    for step in range(1, observed.k):
        for name, shift in zip(regime.names, comparison.metrics[step * m : (step + 1) * m], strict=True):
            if shift.deciding:
                found[name] = (*found.get(name, ()), (step + 1, metric_verdict(shift.significant, shift.size)))
    return found


def with_later(metric: MetricEvidence, later: tuple[tuple[int, Verdict], ...]) -> MetricEvidence:
    """Show the worst verdict of a metric's epochs in its row, and say which epoch it is."""
    if metric.verdict is None or not later:
        return metric
    step, verdict = max(later, key=lambda pair: SEVERITY.index(pair[1]))
    if SEVERITY.index(verdict) <= SEVERITY.index(metric.verdict):
        return metric
    return replace(metric, verdict=verdict, reason=f"{verdict.value} at resumed epoch {step}; {metric.reason}")


def replicates_needed(comparison: NullComparison) -> float | None:
    """Replicates that put every metric inside its margin if shifts and spreads stay; inf where none can."""
    needed = 0.0
    for m in comparison.deciding:
        shift, sd, df, margin = m.unexplained_shift, m.sd, m.df, m.margin
        if m.size is not Size.NOT_INSIDE or shift is None or sd is None or df is None or margin is None:
            continue
        prior_df = df - (comparison.n - 1)
        for n in range(comparison.n + 1, 201):
            if upper_bound(shift, sd * np.sqrt(1 + 1 / n), n - 1 + prior_df) <= margin:
                needed = max(needed, n)
                break
        else:
            return float("inf")
    return needed or None
