"""From evidence to the one view model that every renderer reads."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from analyzer.diagnosis.audit import Audited
from analyzer.domain.evidence import (
    Decision,
    Evidence,
    MetricEvidence,
    SeamCheck,
    Significance,
    Size,
    Verdict,
)
from analyzer.domain.replicate import Outcome
from analyzer.pipeline.analysis.bases.history import by_history, with_before
from analyzer.pipeline.analysis.bases.own import Gathered
from analyzer.pipeline.analysis.causes import accusations, causes_in, twins_in
from analyzer.pipeline.analysis.evidence import (
    Observed,
    arm_differences,
    changed_size,
    compare,
    family_evidence,
    history_check,
    later_verdicts,
    lost_columns,
    metric_evidence,
    rows_of,
    shift_arguments,
    with_later,
)
from analyzer.pipeline.analysis.frame import LADDER, cost, environment, frame, not_run, reference, warnings
from analyzer.pipeline.analysis.regime import Regime
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.study import Study
from analyzer.report.model.analysis import (
    Analysis,
    ArgumentChange,
    HistoryPrediction,
    NotRun,
    Omnibus,
    PathPoint,
    Plan,
)
from analyzer.report.model.parts import reported
from analyzer.stats.arms import ArmDifference
from analyzer.stats.equivalence import upper_bound
from analyzer.stats.paths import PathComparison, path_tests
from analyzer.stats.seam import SeamResult, observed_against_history
from analyzer.stats.sequential import PILOT
from analyzer.stats.shift import NullComparison
from analyzer.verdict import decide

__all__ = ["evidence_of", "from_history", "from_replicates", "history_predictions", "planned"]


def from_replicates(
    point: ResumePoint,
    regime: Regime,
    observed: Observed,
    audited: Audited,
    got: Gathered,
    request: AnalyzeRequest,
    plan: Plan,
    started: float,
) -> Analysis:
    """Judge the observed rows against the replicates."""
    seam_check = history_check(got.healthy, regime, request.alpha)
    differences = arm_differences(got.healthy, got.configured, regime, request.alpha) if got.configured else {}
    evidence, names = evidence_of(regime, observed, audited, got, seam_check, differences)
    decision = decide(evidence, names=names, replicates_needed=_needed(got.comparison))
    decision = _explained(decision, audited, got, request)
    checkpoint = point.checkpoint
    assert checkpoint is not None
    return replace(
        frame(point, request, decision, started),
        metrics=_metrics(regime, observed, got, differences, request),
        omnibus=Omnibus(_test_name(got), got.comparison.omnibus_p, got.comparison.p_min, got.comparison.omnibus),
        checkpoint=reference(checkpoint, point.run.path),
        study=got.study.store.path,
        null_arm=got.arms[-1].folder,
        base_seed=got.study.base_seed,
        arms=reported(got.arms),
        replicates=(*got.healthy, *got.configured),
        argument_changes=tuple(ArgumentChange(c.name, c.before, c.after, c.allowed) for c in point.diff.changes),
        seam_check=seam_check.status,
        history_predictions=history_predictions(seam_check),
        audit=audited.findings,
        looks=got.looks,
        revalidation=got.revalidation_step,
        replay=got.replay_step,
        fingerprint=got.fingerprint.step,
        twins=twins_in(got),
        diagnosis=causes_in(decision, audited, got),
        paths=_paths(point, regime, observed, got, request),
        plan=plan,
        environment=environment(got.study),
        cost=cost(got, started),
        warnings=warnings(point, got),
        not_run=not_run(
            revalidation="" if got.revalidation_step else "--no-revalidate",
            replay=got.no_replay,
            fingerprint=got.fingerprint.reason,
            twins=got.twins.reason,
        ),
    )


def evidence_of(
    regime: Regime,
    observed: Observed,
    audited: Audited,
    got: Gathered,
    seam_check: SeamResult,
    differences: dict[str, ArmDifference],
) -> tuple[Evidence, tuple[str, ...]]:
    """What the verdict may look at, and the names of the metrics in it."""
    family, names = family_evidence(got.comparison, regime, observed)
    evidence = Evidence(
        metrics=family,
        omnibus=got.comparison.omnibus,
        seam=seam_check.status,
        certain_cause=bool(audited.hard) or got.fingerprint.hit,
        changed_arguments=changed_size(differences, regime, got.healthy, got.configured) if differences else None,
        revalidation=got.revalidation,
        replay=got.replay,
        diverged=observed.diverged(regime) or lost_columns(got.comparison, regime, observed),
        null_diverges=any(r.outcome is Outcome.DIVERGED for r in got.healthy),
    )
    return evidence, names


def _metrics(
    regime: Regime, observed: Observed, got: Gathered, differences: Mapping[str, ArmDifference], request: AnalyzeRequest
) -> tuple[MetricEvidence, ...]:
    """One entry a metric at the first resumed epoch, deciding ones first; the seam is that of the healthy arm."""
    base = compare(got.healthy, regime, observed, request.alpha, sequential=True) if got.configured else None
    first = got.comparison.metrics[: len(regime.metrics)]
    entries = [
        metric_evidence(
            replace(shift, name=name),
            source,
            healthy=base.metrics[j] if base else None,
            change=differences.get(name),
        )
        for j, (shift, name, source) in enumerate(zip(first, regime.names, regime.sources, strict=True))
    ]
    later = later_verdicts(got.comparison, regime, observed)
    entries = [with_later(m, later.get(m.name, ())) for m in entries]
    return tuple(sorted(entries, key=lambda m: not m.deciding))


def _paths(
    point: ResumePoint, regime: Regime, observed: Observed, got: Gathered, request: AnalyzeRequest
) -> tuple[PathPoint, ...]:
    """The first K resumed epochs, where more than one is looked at."""
    if observed.k < 2 or len(got.null) < 2:
        return ()
    compared = path_tests(
        rows_of(got.null, regime.names, observed.k).reshape(len(got.null), observed.k, len(regime.names)),
        observed.values,
        diverged=[r.outcome is Outcome.DIVERGED for r in got.null],
        sequential=request.replicates is None,
        **shift_arguments(regime, replace(observed, values=observed.values[:1]), request.alpha),
    )
    return _path_points(compared, point)


def _explained(decision: Decision, audited: Audited, got: Gathered, request: AnalyzeRequest) -> Decision:
    """Add the findings, and what a spent budget left open."""
    hit = (got.fingerprint.step.summary,) if got.fingerprint.hit and got.fingerprint.step else ()
    reasons, settle = (*hit, *accusations(audited), *decision.reasons), decision.settle
    wanted = request.replicates or PILOT
    if got.collector.exhausted:
        reasons = (
            *reasons,
            f"The budget ({got.budget.words}) ended after {len(got.null)} of at least {wanted} replicates.",
        )
        settle = ("The same command with a larger --budget; finished replicates are reused.", *settle)
        if decision.verdict is not Verdict.FAULT and len(got.null) < wanted:
            return Decision(Verdict.INCONCLUSIVE, "budget", reasons, settle)
    return replace(decision, reasons=reasons, settle=settle)


def from_history(
    point: ResumePoint, regime: Regime, observed: Observed, audited: Audited, request: AnalyzeRequest, started: float
) -> Analysis:
    """Judge without training: the observed row against the epochs before it."""
    keep = regime.deciding & np.isfinite(observed.values[0])
    result = (
        observed_against_history(
            regime.values[:, keep],
            observed.values[0, keep],
            names=[n for n, k in zip(regime.names, keep, strict=True) if k],
            adverse_sign=regime.adverse_sign[keep],
            alpha=request.alpha,
            units=regime.units[keep],
            crosses_close_mosaic=regime.crossing,
            setback=regime.setback,
        )
        if len(regime.values) and keep.any()
        else SeamResult(SeamCheck.UNKNOWN, request.alpha, ())
    )
    metrics = with_before(by_history(result, regime), point.before)
    cells = tuple((m.significant, m.size) for m in metrics) or ((Significance.UNKNOWN, Size.UNKNOWN),)
    evidence = Evidence(metrics=cells, certain_cause=bool(audited.hard), diverged=observed.diverged(regime))
    decision = decide(evidence, names=[m.name for m in metrics])
    weaker = (
        "Judged by the run's own history only: it cannot tell what every resume of this checkpoint does from a fault."
    )
    reasons = (*accusations(audited), *decision.reasons, weaker, *((point.missing,) if point.missing else ()))
    return replace(
        frame(point, request, replace(decision, reasons=reasons), started),
        metrics=metrics,
        checkpoint=reference(point.checkpoint, point.run.path) if point.checkpoint else None,
        study=(request.out or point.run.path / "drift") / f"history-seam{point.seam.epoch}",
        history_only=True,
        history_predictions=history_predictions(result),
        audit=audited.findings,
        diagnosis=causes_in(decision, audited),
        warnings=point.notes,
        not_run=(
            NotRun("null", "history only: no replicate was trained"),
            *not_run(**dict.fromkeys(LADDER, "history only")),
        ),
    )


def planned(
    point: ResumePoint, audited: Audited | None, request: AnalyzeRequest, plan: Plan, study: Study, started: float
) -> Analysis:
    """The cost plan of ``--dry-run`` and the audit; nothing was judged and nothing is written."""
    decision = Decision(
        Verdict.INCONCLUSIVE, "dry-run", ("Nothing was trained (--dry-run).",), ("Run it without --dry-run.",)
    )
    return replace(
        frame(point, request, decision, started),
        checkpoint=reference(point.checkpoint, point.run.path) if point.checkpoint else None,
        study=study.store.path,
        plan=plan,
        audit=audited.findings if audited else None,
        warnings=point.notes,
        not_run=tuple(NotRun(s, "--dry-run") for s in ("null", "diagnosis"))
        + not_run(**dict.fromkeys(LADDER, "--dry-run")),
    )


def _needed(comparison: NullComparison) -> float | None:
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


def _test_name(got: Gathered) -> str:
    if got.comparison.procedure == "rank":
        return "exact leave-one-out max-|z|"
    name = "smallest Holm-adjusted p of history-moderated t tests"
    return f"{name}, {got.stop}" if got.looks else name


def history_predictions(result: SeamResult) -> tuple[HistoryPrediction, ...]:
    """The seam check as the report has it."""
    return tuple(
        HistoryPrediction(
            c.name,
            c.prediction.mean if c.prediction else None,
            c.interval,
            c.value if np.isfinite(c.value) else None,
            c.p,
            None if c.status is SeamCheck.UNKNOWN else c.status is SeamCheck.ADVERSE,
        )
        for c in result.checks
    )


def _path_points(paths: PathComparison, point: ResumePoint) -> tuple[PathPoint, ...]:
    first = point.seam.epoch
    return tuple(
        PathPoint(p.name, first + k, m.observed, m.null_mean, m.single_interval, m.p_adjusted, p.word or "")
        for k, p, m in paths.by_epoch()
    )
