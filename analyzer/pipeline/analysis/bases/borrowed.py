"""The checkpoint of the seam is gone: another one lends its resumes, and the history says where they fall."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Decision, MetricEvidence, Replay, SeamCheck
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import HEALTHY, Arm, Outcome, Replicate
from analyzer.pipeline.analysis.bases.lender import Lender
from analyzer.pipeline.analysis.bases.own import evidence_of
from analyzer.pipeline.analysis.basis import Judged, ReplicateBasis, Trained, Work
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.cost import plan_cost
from analyzer.pipeline.analysis.evidence import arm_differences, history_check, metric_evidence, rows_of
from analyzer.pipeline.analysis.frame import reference
from analyzer.pipeline.analysis.steps.ladder import Steps
from analyzer.replicates.collector import Collector
from analyzer.report.model.analysis import Borrowed, Omnibus, Plan
from analyzer.runs.args import diff_args
from analyzer.stats.arms import ArmDifference
from analyzer.stats.borrowed import borrowed_tests
from analyzer.stats.seam import predictions
from analyzer.stats.sequential import PILOT
from analyzer.stats.shift import NullComparison

__all__ = ["BorrowedBasis"]


class BorrowedBasis(ReplicateBasis):
    """Replicates of the lender, their number fixed (`--replicates`, by default the size of a pilot).

    They lend a spread and a mean, and the uncertainty of the prediction, which more of them cannot lessen, is the
    larger part.

    Parameters
    ----------
    lender
        The other checkpoint.
    """

    def __init__(self, lender: Lender, case: Case) -> None:
        self.lender = lender
        self.left_out = f"the checkpoint of epoch {case.point.seam.epoch - 1} is gone"

    def adapted(self, case: Case, progress: Progress) -> Case:
        """One epoch, and the arguments that changed since the lender: a later checkpoint has the resume's own."""
        if case.observed.k > 1:
            progress.message("A borrowed null says nothing of later epochs: the first resumed one is judged.")
        point, checkpoint = case.point, self.lender.checkpoint
        if self.lender.away < 0 and point.run.args:
            diff = diff_args(checkpoint.train_args, point.run.args, version=checkpoint.version)
            point = replace(point, diff=diff)
        observed = replace(case.observed, values=case.observed.values[:1])
        return replace(case, point=point, request=replace(case.request, epochs=1), observed=observed)

    def checkpoint(self, case: Case) -> Checkpoint:
        """The lender's."""
        return self.lender.checkpoint

    def plan(self, case: Case, arms: tuple[Arm, ...], at_once: float) -> Plan:
        """A pilot of each arm; what it can see is not told: the prediction decides that."""
        counted = replace(case.request, replicates=case.request.replicates or PILOT, replay=False)
        return replace(plan_cost(case.point, case.regime, counted, arms=len(arms), at_once=at_once), detectable={})

    def train(self, case: Case, work: Work, collector: Collector) -> Trained:
        """Healthy replicates and those as configured, the same number and seeds; from the store where they are."""
        n = case.request.replicates or PILOT
        total = n * len(work.arms)
        epoch = self.lender.checkpoint.csv_epoch
        collector.progress.start(total, f"{total} resumes of the checkpoint of epoch {epoch}")
        healthy = collector.extend(HEALTHY, (), n)
        made = {HEALTHY.folder: healthy}
        if len(work.arms) > 1:
            made[work.null.folder] = collector.extend(work.null, (), len(healthy))
        return Trained(work, collector, made, Steps())

    def judge(self, case: Case, trained: Trained | None) -> Judged:
        """The row against the prediction, with the spread that was lent."""
        assert trained is not None
        lender, regime, alpha = self.lender, case.regime, case.request.alpha
        seam = history_check(trained.healthy, lender.regime, alpha)
        if seam.status is SeamCheck.ADVERSE:  # a mean that is itself in doubt is not lent
            unknown = np.full(len(regime.metrics), np.nan)
            lender = replace(lender, own=unknown, own_sd=unknown, kind="unknown")
        configured = trained.null if len(trained.work.arms) > 1 else ()
        differences = arm_differences(trained.healthy, configured, regime, alpha) if configured else {}
        comparison = _compare(case, lender, trained.null)
        evidence, names = evidence_of(case, trained, comparison, seam, differences)
        base = _compare(case, lender, trained.healthy) if configured else None
        test = "smallest Holm-adjusted p of t tests on the borrowed null"
        return Judged(
            replace(evidence, replay=Replay.NOT_POSSIBLE, borrowed=True),
            names,
            _metrics(case, comparison, base, differences),
            comparison,
            trained,
            Omnibus(test, comparison.omnibus_p, None, comparison.omnibus),
            seam,
        )

    def explained(self, case: Case, judged: Judged, decision: Decision) -> Decision:
        """Add the findings, how weak the null is, and what a spent budget left open."""
        assert judged.trained is not None
        epoch, collector = self.lender.checkpoint.csv_epoch, judged.trained.collector
        weaker = f"The null is borrowed from the checkpoint of epoch {epoch}: the weaker evidence."
        reasons = (*case.accusations, *decision.reasons, weaker)
        if collector.exhausted:
            n = len(judged.trained.null)
            reasons = (*reasons, f"The budget ({collector.budget.words}) ended after {n} replicates.")
        return replace(decision, reasons=reasons)

    def marks(self, case: Case) -> dict[str, Any]:
        """Which checkpoint lent."""
        lender = self.lender
        lent_by = reference(lender.checkpoint, case.point.run.path)
        return {"borrowed": Borrowed(lent_by, lender.away, lender.same_regime, lender.kind)}

    def fields(self, case: Case, judged: Judged) -> dict[str, Any]:
        """A folder of its own beside the lender's study."""
        root = case.request.out or case.point.run.path / "drift"
        return {"study": root / f"borrowed-seam{case.point.seam.epoch}"}


def _metrics(
    case: Case, comparison: NullComparison, base: NullComparison | None, differences: Mapping[str, ArmDifference]
) -> tuple[MetricEvidence, ...]:
    """One entry a metric, deciding ones first; the expected seam is that of the healthy arm."""
    entries = [
        metric_evidence(shift, source, healthy=base.metrics[j] if base else None, change=differences.get(shift.name))
        for j, (shift, source) in enumerate(zip(comparison.metrics, case.regime.sources, strict=True))
    ]
    return tuple(sorted(entries, key=lambda m: not m.deciding))


def _compare(case: Case, lender: Lender, replicates: Sequence[Replicate]) -> NullComparison:
    regime, observed = case.regime, case.observed
    expected = predictions(
        regime.values,
        names=regime.names,
        adverse_sign=regime.adverse_sign,
        units=regime.units,
        new_regime=regime.crossing,
        setback=regime.setback if lender.kind == "unknown" else 0,  # else the lender's resumes show it
    )
    return borrowed_tests(
        rows_of(replicates, regime.names, 1),
        observed.values[0],
        names=regime.names,
        deciding=regime.deciding,
        adverse_sign=regime.adverse_sign,
        alpha_null=case.request.alpha * NULL_SHARE,
        predicted=expected,
        own=lender.own,
        own_sd=lender.own_sd,
        before=observed.before,
        units=regime.units,
        priors=regime.priors,
        margins=regime.margins,
        diverged=[r.outcome is Outcome.DIVERGED for r in replicates],
    )
