"""A resume judged by the run's own earlier epochs: nothing is trained, and nothing is known of other resumes."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from analyzer.domain.evidence import Decision, Evidence, MetricEvidence, SeamCheck, Significance, Size
from analyzer.pipeline.analysis.basis import Basis, Judged, Trained
from analyzer.pipeline.analysis.case import Case, Observed
from analyzer.pipeline.analysis.regime import Regime
from analyzer.report.model.analysis import NotRun
from analyzer.stats.equivalence import size_within, upper_bound
from analyzer.stats.seam import HistoryCheck, SeamResult, observed_against_history
from analyzer.verdict import metric_verdict

__all__ = ["HistoryBasis", "against_history", "by_history", "with_before"]


class HistoryBasis(Basis):
    """The observed row against the one-step prediction of the epochs before it, in the adverse direction only."""

    left_out = "history only"

    def judge(self, case: Case, trained: Trained | None) -> Judged:
        """The first resumed row; without any comparable epoch nothing is tested."""
        result = against_history(case.regime, case.observed, case.request.alpha)
        metrics = with_before(by_history(result, case.regime), case.point.before)
        cells = tuple((m.significant, m.size) for m in metrics) or ((Significance.UNKNOWN, Size.UNKNOWN),)
        diverged = case.observed.diverged(case.regime)
        evidence = Evidence(metrics=cells, certain_cause=case.certain, diverged=diverged)
        return Judged(evidence, tuple(m.name for m in metrics), metrics, seam=result)

    def explained(self, case: Case, judged: Judged, decision: Decision) -> Decision:
        """Say how weak it is, and why nothing better was to be had."""
        weaker = (
            "Judged by the run's own history only: it cannot tell what every resume of this checkpoint does from a "
            "fault."
        )
        missing = (case.point.missing,) if case.point.missing else ()
        return replace(decision, reasons=(*case.accusations, *decision.reasons, weaker, *missing))

    def fields(self, case: Case, judged: Judged) -> dict[str, Any]:
        """A folder of its own, and no check of the replicates: there are none."""
        root = case.request.out or case.point.run.path / "drift"
        return {
            "study": root / f"history-seam{case.point.seam.epoch}",
            "history_only": True,
            "seam_check": SeamCheck.UNKNOWN,
            "first_not_run": (NotRun("null", "history only: no replicate was trained"),),
        }


def against_history(regime: Regime, observed: Observed, alpha: float, *, ahead: int = 1) -> SeamResult:
    """The first observed row against the prediction, `ahead` epochs after the last one of the history."""
    keep = regime.deciding & np.isfinite(observed.values[0])
    if not len(regime.values) or not keep.any():
        return SeamResult(SeamCheck.UNKNOWN, alpha, ())
    return observed_against_history(
        regime.values[:, keep],
        observed.values[0, keep],
        names=[n for n, k in zip(regime.names, keep, strict=True) if k],
        adverse_sign=regime.adverse_sign[keep],
        alpha=alpha,
        units=regime.units[keep],
        new_regime=regime.crossing,
        setback=regime.setback,
        ahead=ahead,
    )


def by_history(shifts: SeamResult, regime: Regime) -> tuple[MetricEvidence, ...]:
    """Evidence of ``--history-only``: the observed row against the one-step prediction, adverse direction only."""
    source = dict(zip(regime.names, regime.sources, strict=True))
    margin = dict(zip(regime.names, regime.margins, strict=True))
    sign = dict(zip(regime.names, regime.adverse_sign, strict=True))
    found = []
    for check in shifts.checks:
        prediction, name = check.prediction, check.name
        bound = None
        if prediction is not None and np.isfinite(check.value):
            adverse = max(0.0, float(sign[name]) * (check.value - prediction.mean))
            bound = upper_bound(adverse, prediction.sd, prediction.df)
        m = float(margin[name]) if np.isfinite(margin[name]) else None
        size = Size.UNKNOWN if bound is None else size_within(bound, m)
        if prediction is not None and m is not None and size is Size.INSIDE and abs(check.value - prediction.mean) > m:
            size = Size.NOT_INSIDE  # a shift for the better accuses nobody, and acquits nobody either
        significant = {SeamCheck.ADVERSE: Significance.YES, SeamCheck.WITHIN: Significance.NO}.get(
            check.status, Significance.UNKNOWN
        )
        found.append(_history_evidence(check, m, source[name], significant, size))
    return tuple(found)


def _history_evidence(
    check: HistoryCheck, margin: float | None, source: str, significant: Significance, size: Size
) -> MetricEvidence:
    p = check.prediction
    return MetricEvidence(
        name=check.name,
        deciding=True,
        observed=check.value,
        null_mean=p.mean if p else None,
        sd=p.sd if p else None,
        df=p.df if p else None,
        unexplained_shift=check.value - p.mean if p else None,
        prediction_interval=check.interval,
        p=check.p,
        p_adjusted=check.p_adjusted,
        margin=margin,
        margin_source=source,
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
