"""From rows to evidence: where the matrix of replicates meets the statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.evidence import Interval, MetricEvidence, SeamCheck, Significance, Size, Verdict
from analyzer.domain.replicate import Outcome, Replicate
from analyzer.pipeline.past import Past
from analyzer.stats.arms import ArmDifference, compare_arms
from analyzer.stats.null import shift_tests
from analyzer.stats.paths import epoch_names
from analyzer.stats.seam import SeamResult, seam_against_history
from analyzer.stats.shift import MetricShift, NullComparison
from analyzer.verdict import NULL_SHARE, SEAM_SHARE, metric_verdict

__all__ = [
    "Observed",
    "arm_differences",
    "by_history",
    "changed_size",
    "compare",
    "history_check",
    "metric_evidence",
    "rows_of",
    "shift_arguments",
    "with_before",
]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The resumed epochs that are judged, K of them over m metrics.

    Parameters
    ----------
    values
        Shape (K, m).
    before
        Shape (m,), NaN where missing.
    """

    values: Array
    before: Array

    @classmethod
    def of(cls, rows: Sequence[dict[str, float]], before: dict[str, float], past: Past) -> Observed:
        """Take the metrics of `past` out of rows."""
        values = np.array([[row.get(n, np.nan) for n in past.names] for row in rows])
        return cls(values, np.array([before.get(n, np.nan) for n in past.names]))

    @property
    def k(self) -> int:
        """How many resumed epochs."""
        return len(self.values)

    def diverged(self, past: Past) -> bool:
        """Whether a deciding metric that had been finite is not any more."""
        lost = np.isfinite(self.before) & ~np.isfinite(self.values).all(axis=0) & past.deciding
        return bool(lost.any())


def rows_of(replicates: Sequence[Replicate], names: Sequence[str], k: int) -> Array:
    """Printed values of the first k epochs, shape (N, k * len(names)), epoch by epoch; NaN after a divergence."""
    cube = np.full((len(replicates), k, len(names)), np.nan)
    for i, replicate in enumerate(replicates):
        for step, record in enumerate(replicate.epochs[:k]):
            cube[i, step] = [record.printed.get(n, np.nan) for n in names]
    return cube.reshape(len(replicates), k * len(names))


def shift_arguments(past: Past, observed: Observed, alpha: float) -> dict[str, Any]:
    """Arguments of `shift_tests` and `next_action` that do not depend on the replicates: K epochs are one family."""
    k = observed.k
    return {
        "names": past.names if k == 1 else epoch_names(past.names, k),
        "deciding": np.tile(past.deciding, k),
        "alpha_null": alpha * NULL_SHARE,
        "before": np.tile(observed.before, k),
        "units": np.tile(past.units, k),
        "priors": list(past.priors) * k,
        "margins": np.tile(past.margins, k),
        "observed_diverged": observed.diverged(past),
    }


def compare(
    replicates: Sequence[Replicate], past: Past, observed: Observed, alpha: float, *, sequential: bool
) -> NullComparison:
    """Compare the observed epochs with an arm."""
    return shift_tests(
        rows_of(replicates, past.names, observed.k),
        observed.values.reshape(-1),
        diverged=[r.outcome is Outcome.DIVERGED for r in replicates],
        sequential=sequential,
        **shift_arguments(past, observed, alpha),
    )


def history_check(healthy: Sequence[Replicate], past: Past, alpha: float) -> SeamResult:
    """Judge the mean of the healthy arm against the history: where a fault that all resumes share shows."""
    d = past.deciding
    x = rows_of([r for r in healthy if r.outcome is Outcome.OK], past.names, 1)[:, d]
    names = [n for n, keep in zip(past.names, d, strict=True) if keep]
    if len(x) < 2 or not len(past.values):
        return SeamResult(SeamCheck.UNKNOWN, alpha * SEAM_SHARE, ())
    return seam_against_history(
        past.values[:, d],
        x.mean(axis=0),
        x.std(axis=0, ddof=1) / np.sqrt(len(x)),
        names=names,
        adverse_sign=past.adverse_sign[d],
        alpha_history=alpha * SEAM_SHARE,
        units=past.units[d],
        crosses_close_mosaic=past.crossing,
    )


def arm_differences(
    healthy: Sequence[Replicate], configured: Sequence[Replicate], past: Past, alpha: float
) -> dict[str, ArmDifference]:
    """What the changed arguments do at the first resumed epoch, paired by seed."""
    n = min(len(healthy), len(configured))
    differences = compare_arms(
        rows_of(healthy[:n], past.names, 1),
        rows_of(configured[:n], past.names, 1),
        names=past.names,
        paired=True,
        units=past.units,
        margins=past.margins,
        level=1 - alpha,
    )
    return {d.name: d for d in differences}


def changed_size(differences: dict[str, ArmDifference], past: Past) -> Size:
    """Whether the changed arguments move a deciding metric beyond its margin.

    NOT_INSIDE only where the effect is significant too: with few replicates a wide interval alone shows nothing.
    """
    deciding = [differences[m.name] for m in past.metrics if m.deciding and m.name in differences]
    if any(d.size is Size.NOT_INSIDE and d.significant is Significance.YES for d in deciding):
        return Size.NOT_INSIDE
    return Size.INSIDE if deciding and all(d.size is Size.INSIDE for d in deciding) else Size.UNKNOWN


def metric_evidence(
    shift: MetricShift,
    source: str,
    *,
    healthy: MetricShift | None = None,
    change: ArmDifference | None = None,
) -> MetricEvidence:
    """Everything about one metric; `healthy` and `change` where a second arm was made."""
    verdict = metric_verdict(shift.significant, shift.size) if shift.deciding else None
    reason = shift.note or _words(shift)
    if (
        shift.deciding
        and change is not None
        and change.significant is Significance.YES
        and change.size is not Size.INSIDE
    ):
        verdict, reason = Verdict.FAULT, "the changed arguments alone move it beyond its margin"
    base = healthy or shift
    return MetricEvidence(
        name=shift.name,
        deciding=shift.deciding,
        before=shift.before,
        observed=shift.observed,
        jump=shift.jump,
        null_mean=shift.null_mean,
        null_sd=shift.null_sd,
        sd=shift.sd,
        df=shift.df,
        expected_seam=base.expected_seam,
        expected_seam_interval=base.expected_seam_interval,
        changed_arguments=change.difference if change else None,
        changed_arguments_interval=change.interval if change else None,
        unexplained_shift=shift.shift,
        shift_interval=shift.shift_interval,
        prediction_interval=shift.prediction_interval,
        p=shift.p,
        p_adjusted=shift.p_adjusted,
        margin=shift.margin,
        margin_source=source,
        minimum_detectable_jump=shift.minimum_detectable_jump,
        significant=shift.significant,
        size=shift.size,
        verdict=verdict,
        reason=reason,
    )


def _words(shift: MetricShift) -> str:
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


def by_history(shifts: SeamResult, past: Past) -> tuple[MetricEvidence, ...]:
    """Evidence of ``--history-only``: the observed row against the one-step prediction, adverse direction only."""
    from scipy import stats

    source = dict(zip(past.names, past.sources, strict=True))
    margin = dict(zip(past.names, past.margins, strict=True))
    sign = dict(zip(past.names, past.adverse_sign, strict=True))
    found = []
    for check in shifts.checks:
        prediction, name = check.prediction, check.name
        bound = None
        if prediction is not None and np.isfinite(check.value):
            adverse = max(0.0, float(sign[name]) * (check.value - prediction.mean))
            bound = adverse + float(stats.t.isf(0.2, prediction.df)) * prediction.sd
        m = float(margin[name]) if np.isfinite(margin[name]) else None
        size = Size.UNKNOWN if bound is None or m is None else Size.INSIDE if bound <= m else Size.NOT_INSIDE
        significant = {SeamCheck.ADVERSE: Significance.YES, SeamCheck.WITHIN: Significance.NO}.get(
            check.status, Significance.UNKNOWN
        )
        found.append(_history_evidence(check, m, source[name], significant, size))
    return tuple(found)


def _history_evidence(
    check: Any, margin: float | None, source: str, significant: Significance, size: Size
) -> MetricEvidence:
    p = check.prediction
    interval: Interval | None = check.interval
    return MetricEvidence(
        name=check.name,
        deciding=True,
        before=None,
        observed=check.value,
        jump=None,
        null_mean=p.mean if p else None,
        null_sd=None,
        sd=p.sd if p else None,
        df=p.df if p else None,
        expected_seam=None,
        expected_seam_interval=None,
        changed_arguments=None,
        changed_arguments_interval=None,
        unexplained_shift=check.value - p.mean if p else None,
        shift_interval=None,
        prediction_interval=interval,
        p=check.p,
        p_adjusted=check.p_adjusted,
        margin=margin,
        margin_source=source,
        minimum_detectable_jump=None,
        significant=significant,
        size=size,
        verdict=metric_verdict(significant, size),
        reason=check.note or "against the run's own history, the weaker evidence",
    )


def with_before(metrics: tuple[MetricEvidence, ...], before: dict[str, float]) -> tuple[MetricEvidence, ...]:
    """Add the values before the seam, and with them the jump."""
    return tuple(
        replace(m, before=before[m.name], jump=m.observed - before[m.name])
        if np.isfinite(before.get(m.name, np.nan))
        else m
        for m in metrics
    )
