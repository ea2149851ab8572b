"""A resume judged by healthy resumes of its own checkpoint, and by those as configured where arguments were changed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analyzer.domain.evidence import Decision, Evidence, MetricEvidence, Replay, Verdict
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.replicate import HEALTHY, Outcome, Replicate
from analyzer.pipeline.analysis.basis import Judged, ReplicateBasis, Trained, Work
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.evidence import (
    arm_differences,
    changed_size,
    compare,
    family_evidence,
    history_check,
    later_verdicts,
    lost_columns,
    metric_evidence,
    replicates_needed,
    rows_of,
    shift_arguments,
    with_later,
)
from analyzer.pipeline.analysis.steps.ladder import run_steps
from analyzer.pipeline.analysis.steps.simulated_faults import TwinSearch, search_twins, why_no_twins
from analyzer.replicates.collector import Collector
from analyzer.report.model.analysis import Look, Omnibus, PathPoint
from analyzer.stats.arms import ArmDifference
from analyzer.stats.critical import looks
from analyzer.stats.paths import path_tests
from analyzer.stats.seam import SeamResult
from analyzer.stats.sequential import PILOT, Stop, StopReason, next_action
from analyzer.stats.shift import NullComparison

__all__ = ["OwnBasis", "evidence_of"]


class OwnBasis(ReplicateBasis):
    """As few replicates as the evidence allows; the steps before them may find a cause that is certain."""

    def train(self, case: Case, work: Work, collector: Collector) -> Trained:
        """Steps, the arm that the row is compared with, then as many healthy resumes, then simulated faults.

        Where no cause is certain and the row is more than noise, simulated faults say which one makes it likely.
        """
        steps = run_steps(case, collector, (case.request.replicates or PILOT) * len(work.arms))
        certain = case.certain or steps.certain
        trained = _null(case, work, collector, certain)
        healthy = collector.extend(HEALTHY, (), len(trained.null)) if len(work.arms) > 1 else trained.null
        assert trained.comparison is not None
        why = why_no_twins(
            trained.comparison,
            wanted=case.request.twins,
            certain=certain,
            same=steps.replay is Replay.SAME,
            diverged=case.observed.diverged(case.regime),
        )
        twins = TwinSearch(reason=why)
        if not why:
            twins = search_twins(case, collector, work.null, trained.null, trained.comparison)
        made = {HEALTHY.folder: healthy, work.null.folder: trained.null}
        return replace(trained, replicates=made, steps=replace(steps, twins=twins))

    def judge(self, case: Case, trained: Trained | None) -> Judged:
        """The row against the replicates, and the healthy ones against the history."""
        assert trained is not None and trained.comparison is not None and trained.steps is not None
        seam, differences = compared_arms(case, trained)
        comparison = trained.comparison
        evidence, names = evidence_of(case, trained, comparison, seam, differences)
        return Judged(
            replace(evidence, revalidation=trained.steps.revalidation, replay=trained.steps.replay),
            names,
            _metrics(case, trained, differences),
            comparison,
            trained,
            Omnibus(_test_name(trained), comparison.omnibus_p, comparison.p_min, comparison.omnibus),
            seam,
            replicates_needed(comparison),
        )

    def explained(self, case: Case, judged: Judged, decision: Decision) -> Decision:
        """Add the findings, and what a spent budget left open."""
        trained = judged.trained
        assert trained is not None and trained.steps is not None
        search, collector = trained.steps.search, trained.collector
        hit = (search.step.summary,) if search.hit and search.step else ()
        reasons, settle = (*hit, *case.accusations, *decision.reasons), decision.settle
        wanted = case.request.replicates or PILOT
        if collector.exhausted:
            n = len(trained.null)
            ended = f"The budget ({collector.budget.words}) ended after {n} of at least {wanted} replicates."
            reasons = (*reasons, ended)
            settle = ("The same command with a larger --budget; finished replicates are reused.", *settle)
            if decision.verdict is not Verdict.FAULT and n < wanted:
                return Decision(Verdict.INCONCLUSIVE, "budget", reasons, settle)
        return replace(decision, reasons=reasons, settle=settle)

    def fields(self, case: Case, judged: Judged) -> dict[str, Any]:
        """The first K resumed epochs, where more than one is looked at."""
        assert judged.trained is not None
        return {"paths": _paths(case, judged.trained)}


def compared_arms(case: Case, trained: Trained) -> tuple[SeamResult, dict[str, ArmDifference]]:
    """Healthy resumes against the history, and what the changed arguments do."""
    alpha, regime = case.request.alpha, case.regime
    configured = trained.null if len(trained.work.arms) > 1 else ()
    differences = arm_differences(trained.healthy, configured, regime, alpha) if configured else {}
    return history_check(trained.healthy, regime, alpha), differences


def evidence_of(
    case: Case,
    trained: Trained,
    comparison: NullComparison,
    seam: SeamResult,
    differences: Mapping[str, ArmDifference],
) -> tuple[Evidence, tuple[str, ...]]:
    """What the verdict may look at, and the names of the metrics in it."""
    regime, observed = case.regime, case.observed
    family, names = family_evidence(comparison, regime, observed)
    changed = changed_size(differences, regime, trained.healthy, trained.null) if differences else None
    evidence = Evidence(
        metrics=family,
        omnibus=comparison.omnibus,
        seam=seam.status,
        certain_cause=case.certain or (trained.steps is not None and trained.steps.search.hit),
        changed_arguments=changed,
        diverged=observed.diverged(regime) or lost_columns(comparison, regime, observed),
        null_diverges=any(r.outcome is Outcome.DIVERGED for r in trained.healthy),
    )
    return evidence, names


def _null(case: Case, work: Work, collector: Collector, certain: bool) -> Trained:
    """Replicates of the arm that the row is compared with, until the evidence suffices."""
    regime, observed, request = case.regime, case.observed, case.request
    arm = work.null

    def trained(null: tuple[Replicate, ...], found: NullComparison, why: str, path: tuple[Look, ...] = ()) -> Trained:
        return Trained(work, collector, {arm.folder: null}, None, found, path, why)

    if request.replicates is not None:
        null = collector.extend(arm, (), request.replicates)
        return trained(null, compare(null, regime, observed, request.alpha, sequential=False), "the number asked for")
    cap = PILOT if certain else looks()[-1]
    null = collector.extend(arm, (), PILOT, at_most=cap)
    while True:
        action = next_action(
            rows_of(null, regime.names, observed.k),
            observed.values.reshape(-1),
            certain_cause=certain,
            diverged=[r.outcome is Outcome.DIVERGED for r in null],
            **shift_arguments(regime, observed, request.alpha),
        )
        if isinstance(action, Stop):
            return trained(null, action.comparison, action.reason.value, _looks(action, request.alpha))
        have = len(null)
        null = collector.extend(arm, null, have + action.n_more, at_most=cap)
        if len(null) == have:  # the budget is spent
            final = compare(null, regime, observed, request.alpha, sequential=True)
            return trained(null, final, "the budget is spent")


def _metrics(case: Case, trained: Trained, differences: Mapping[str, ArmDifference]) -> tuple[MetricEvidence, ...]:
    """One entry a metric at the first resumed epoch, deciding ones first; the seam is that of the healthy arm."""
    regime, observed, comparison = case.regime, case.observed, trained.comparison
    assert comparison is not None
    base = compare(trained.healthy, regime, observed, case.request.alpha, sequential=True) if differences else None
    first = comparison.metrics[: len(regime.metrics)]
    entries = [
        metric_evidence(
            replace(shift, name=name),
            source,
            healthy=base.metrics[j] if base else None,
            change=differences.get(name),
        )
        for j, (shift, name, source) in enumerate(zip(first, regime.names, regime.sources, strict=True))
    ]
    later = later_verdicts(comparison, regime, observed)
    entries = [with_later(m, later.get(m.name, ())) for m in entries]
    return tuple(sorted(entries, key=lambda m: not m.deciding))


def _paths(case: Case, trained: Trained) -> tuple[PathPoint, ...]:
    observed, regime, null = case.observed, case.regime, trained.null
    if observed.k < 2 or len(null) < 2:
        return ()
    compared = path_tests(
        rows_of(null, regime.names, observed.k).reshape(len(null), observed.k, len(regime.names)),
        observed.values,
        diverged=[r.outcome is Outcome.DIVERGED for r in null],
        sequential=case.request.replicates is None,
        **shift_arguments(regime, replace(observed, values=observed.values[:1]), case.request.alpha),
    )
    first = case.point.seam.epoch
    return tuple(
        PathPoint(p.name, first + k, m.observed, m.null_mean, m.single_interval, m.p_adjusted, p.word or "")
        for k, p, m in compared.by_epoch()
    )


def _test_name(trained: Trained) -> str:
    if trained.comparison is not None and trained.comparison.procedure == "rank":
        return "exact leave-one-out max-|z|"
    name = "smallest Holm-adjusted p of history-moderated t tests"
    return f"{name}, {trained.stop}" if trained.looks else name


def _looks(stop: Stop, alpha: float) -> tuple[Look, ...]:
    """The path of the evidence; only the last point carries the final word."""
    return tuple(
        Look(
            n=p.n,
            statistic=p.observed_score,
            critical=NULL_SHARE * alpha if p.look else None,
            p=p.p_fault,
            verdict=_look_verdict(stop) if p is stop.path[-1] else Verdict.INCONCLUSIVE,
        )
        for p in stop.path
    )


def _look_verdict(stop: Stop) -> Verdict:
    return {
        StopReason.FAULT: Verdict.FAULT,
        StopReason.NEGLIGIBLE: Verdict.NEGLIGIBLE,
        StopReason.NOISE: Verdict.NOISE,
    }.get(stop.reason, Verdict.INCONCLUSIVE)
