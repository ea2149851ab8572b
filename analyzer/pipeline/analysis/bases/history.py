"""Evidence of ``--history-only``: the observed row against the one-step prediction of the run's own epochs."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from analyzer.domain.evidence import MetricEvidence, SeamCheck, Significance, Size
from analyzer.pipeline.analysis.regime import Regime
from analyzer.stats.equivalence import size_within, upper_bound
from analyzer.stats.seam import HistoryCheck, SeamResult
from analyzer.verdict import metric_verdict

__all__ = ["by_history", "with_before"]


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
