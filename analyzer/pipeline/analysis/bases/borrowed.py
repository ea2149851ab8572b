"""The checkpoint of the seam is gone: another one lends its resumes, and the history says where they fall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from analyzer.diagnosis.audit import Audited
from analyzer.domain.evidence import Decision, MetricEvidence, Replay, SeamCheck
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import HEALTHY, Arm, ArmKind, Outcome, Replicate
from analyzer.pipeline.analysis.bases.lender import Lender
from analyzer.pipeline.analysis.bases.own import Gathered
from analyzer.pipeline.analysis.causes import accusations, causes_in
from analyzer.pipeline.analysis.cost import agree_on_budget, plan_cost, plan_words, refuse_busy_device
from analyzer.pipeline.analysis.evidence import (
    Observed,
    arm_differences,
    history_check,
    metric_evidence,
    rows_of,
)
from analyzer.pipeline.analysis.frame import LADDER, cost, environment, frame, not_run, reference, warnings
from analyzer.pipeline.analysis.regime import Regime
from analyzer.pipeline.analysis.result import evidence_of, history_predictions, planned
from analyzer.pipeline.analysis.resume_point import ResumePoint, as_configured
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study, open_study
from analyzer.report.model.analysis import Analysis, ArgumentChange, Borrowed, Omnibus, Plan
from analyzer.report.model.parts import reported
from analyzer.runs.args import diff_args
from analyzer.stats.arms import ArmDifference
from analyzer.stats.borrowed import borrowed_tests
from analyzer.stats.seam import SeamResult, predictions
from analyzer.stats.sequential import PILOT
from analyzer.stats.shift import NullComparison
from analyzer.verdict import decide

__all__ = ["analyze_borrowed"]


def analyze_borrowed(
    point: ResumePoint,
    regime: Regime,
    observed: Observed,
    audited: Audited,
    lender: Lender,
    request: AnalyzeRequest,
    progress: Progress,
    started: float,
) -> Analysis:
    """Train replicates of the lender and judge the first resumed row by them and by the run's history.

    Their number is fixed (`--replicates`, by default the size of a pilot): they lend a spread and a mean, and the
    uncertainty of the prediction, which more of them cannot lessen, is the larger part.
    """
    point = _as_lent(point, lender)
    if observed.k > 1:
        progress.message("A borrowed null says nothing of later epochs: the first resumed one is judged.")
    request = replace(request, epochs=1)
    observed = replace(observed, values=observed.values[:1])
    study = open_study(lender.checkpoint, point.run.path, request, point.run.args)
    changes = as_configured(point.diff)
    study = study.with_data(changes)
    arms = (HEALTHY, study.arm(ArmKind.AS_CONFIGURED, changes)) if changes else (HEALTHY,)
    counted = replace(request, replicates=request.replicates or PILOT, replay=False)
    plan = replace(plan_cost(point, regime, counted, arms=len(arms), at_once=study.placement.at_once), detectable={})
    progress.message(plan_words(plan))
    if request.dry_run:
        planned_only = planned(point, audited, request, plan, study, started)
        return replace(planned_only, borrowed=_reference(lender, point))
    refuse_busy_device(point, study, request)
    budget = agree_on_budget(plan, request, progress)
    collector = Collector(study, budget, progress, pace=plan.seconds_per_replicate)
    healthy, configured = _replicates(study, collector, arms, request, lender, progress)
    seam_check = history_check(healthy, lender.regime, request.alpha)
    if seam_check.status is SeamCheck.ADVERSE:  # a mean that is itself in doubt is not lent
        unknown = np.full(len(regime.metrics), np.nan)
        lender = replace(lender, own=unknown, own_sd=unknown, kind="unknown")
    comparison = _compare(configured or healthy, regime, observed, lender, request)
    got = Gathered(study, healthy, configured, arms, comparison, (), "", collector, budget)
    return _assemble(point, regime, observed, audited, lender, got, seam_check, request, plan, started)


def _as_lent(point: ResumePoint, lender: Lender) -> ResumePoint:
    """With the arguments that changed between lender and resume: a later checkpoint has the resume's own."""
    if lender.away >= 0 or not point.run.args:
        return point
    checkpoint = lender.checkpoint
    return replace(point, diff=diff_args(checkpoint.train_args, point.run.args, version=checkpoint.version))


def _reference(lender: Lender, point: ResumePoint) -> Borrowed:
    return Borrowed(reference(lender.checkpoint, point.run.path), lender.away, lender.same_regime, lender.kind)


def _replicates(
    study: Study,
    collector: Collector,
    arms: tuple[Arm, ...],
    request: AnalyzeRequest,
    lender: Lender,
    progress: Progress,
) -> tuple[tuple[Replicate, ...], tuple[Replicate, ...]]:
    """Healthy replicates and those as configured, the same number and seeds; from the store where they are."""
    n = request.replicates or PILOT
    with collector.at_work():
        what = f"{n * len(arms)} resumes of the checkpoint of epoch {lender.checkpoint.csv_epoch}"
        progress.start(n * len(arms), what)
        healthy = collector.extend(HEALTHY, (), n)
        return healthy, collector.extend(arms[-1], (), len(healthy)) if len(arms) > 1 else ()


def _compare(
    replicates: Sequence[Replicate], regime: Regime, observed: Observed, lender: Lender, request: AnalyzeRequest
) -> NullComparison:
    expected = predictions(
        regime.values,
        names=regime.names,
        adverse_sign=regime.adverse_sign,
        units=regime.units,
        crosses_close_mosaic=regime.crossing,
        setback=regime.setback if lender.kind == "unknown" else 0,  # else the lender's resumes show it
    )
    return borrowed_tests(
        rows_of(replicates, regime.names, 1),
        observed.values[0],
        names=regime.names,
        deciding=regime.deciding,
        adverse_sign=regime.adverse_sign,
        alpha_null=request.alpha * NULL_SHARE,
        predicted=expected,
        own=lender.own,
        own_sd=lender.own_sd,
        before=observed.before,
        units=regime.units,
        priors=regime.priors,
        margins=regime.margins,
        diverged=[r.outcome is Outcome.DIVERGED for r in replicates],
    )


def _assemble(
    point: ResumePoint,
    regime: Regime,
    observed: Observed,
    audited: Audited,
    lender: Lender,
    got: Gathered,
    seam_check: SeamResult,
    request: AnalyzeRequest,
    plan: Plan,
    started: float,
) -> Analysis:
    differences = arm_differences(got.healthy, got.configured, regime, request.alpha) if got.configured else {}
    evidence, names = evidence_of(regime, observed, audited, got, seam_check, differences)
    decision = decide(replace(evidence, replay=Replay.NOT_POSSIBLE, borrowed=True), names=names)
    gone = f"the checkpoint of epoch {point.seam.epoch - 1} is gone"
    borrowed = _reference(lender, point)
    test = "smallest Holm-adjusted p of t tests on the borrowed null"
    return replace(
        frame(point, request, _explained(decision, audited, got, borrowed), started),
        metrics=_metrics(regime, observed, got, differences, lender, request),
        omnibus=Omnibus(test, got.comparison.omnibus_p, None, got.comparison.omnibus),
        borrowed=borrowed,
        study=(request.out or point.run.path / "drift") / f"borrowed-seam{point.seam.epoch}",
        null_arm=got.arms[-1].folder,
        base_seed=got.study.base_seed,
        arms=reported(got.arms),
        replicates=(*got.healthy, *got.configured),
        argument_changes=tuple(ArgumentChange(c.name, c.before, c.after, c.allowed) for c in point.diff.changes),
        seam_check=seam_check.status,
        history_predictions=history_predictions(seam_check),
        audit=audited.findings,
        plan=plan,
        environment=environment(got.study),
        cost=cost(got, started),
        warnings=warnings(point, got),
        diagnosis=causes_in(decision, audited),
        not_run=not_run(**dict.fromkeys(LADDER, gone)),
    )


def _explained(decision: Decision, audited: Audited, got: Gathered, borrowed: Borrowed) -> Decision:
    """Add the findings, how weak the null is, and what a spent budget left open."""
    weaker = f"The null is borrowed from the checkpoint of epoch {borrowed.checkpoint.epoch}: the weaker evidence."
    reasons = (*accusations(audited), *decision.reasons, weaker)
    if got.collector.exhausted:
        reasons = (*reasons, f"The budget ({got.budget.words}) ended after {len(got.null)} replicates.")
    return replace(decision, reasons=reasons)


def _metrics(
    regime: Regime,
    observed: Observed,
    got: Gathered,
    differences: dict[str, ArmDifference],
    lender: Lender,
    request: AnalyzeRequest,
) -> tuple[MetricEvidence, ...]:
    """One entry a metric, deciding ones first; the expected seam is that of the healthy arm."""
    base = _compare(got.healthy, regime, observed, lender, request) if got.configured else None
    entries = [
        metric_evidence(shift, source, healthy=base.metrics[j] if base else None, change=differences.get(shift.name))
        for j, (shift, source) in enumerate(zip(got.comparison.metrics, regime.sources, strict=True))
    ]
    return tuple(sorted(entries, key=lambda m: not m.deciding))
