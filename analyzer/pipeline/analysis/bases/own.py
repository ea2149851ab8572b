"""Gather what has to be trained or validated: re-validation, replay, then as few replicates as the evidence allows."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.diagnosis.audit import Audited
from analyzer.domain.evidence import Replay, Revalidation, Verdict
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import HEALTHY, Arm, Outcome, Replicate
from analyzer.pipeline.analysis.evidence import Observed, compare, rows_of, shift_arguments
from analyzer.pipeline.analysis.regime import Regime
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.analysis.steps.fault_search import Search, search, skipped
from analyzer.pipeline.analysis.steps.replay import replay_outcome, run_replay
from analyzer.pipeline.analysis.steps.revalidate import revalidate
from analyzer.pipeline.analysis.steps.simulated_faults import TwinSearch, search_twins, why_no_twins
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.budget import Budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study
from analyzer.report.model.analysis import Look, Plan, StepResult
from analyzer.stats.critical import looks
from analyzer.stats.sequential import PILOT, Stop, StopReason, next_action
from analyzer.stats.shift import NullComparison

__all__ = ["Gathered", "gather"]


@dataclass(frozen=True, slots=True, eq=False)
class Gathered:
    """What the replicates gave."""

    study: Study
    healthy: tuple[Replicate, ...]
    configured: tuple[Replicate, ...]
    arms: tuple[Arm, ...]
    comparison: NullComparison
    looks: tuple[Look, ...]
    stop: str
    collector: Collector
    budget: Budget
    revalidation: Revalidation = Revalidation.NOT_RUN
    revalidation_step: StepResult | None = None
    replay: Replay = Replay.NOT_RUN
    replay_step: StepResult | None = None
    replay_epochs: int = 0
    no_replay: str = ""
    fingerprint: Search = field(default_factory=Search)
    twins: TwinSearch = field(default_factory=TwinSearch)

    @property
    def null(self) -> tuple[Replicate, ...]:
        """The arm against which the shift is measured."""
        return self.configured or self.healthy


def gather(
    point: ResumePoint,
    study: Study,
    arms: tuple[Arm, ...],
    regime: Regime,
    observed: Observed,
    request: AnalyzeRequest,
    budget: Budget,
    plan: Plan,
    progress: Progress,
    *,
    audited: Audited,
) -> Gathered:
    """Validate the stored weights, repeat the user's own resume, then train as few replicates as the evidence allows.

    A certain cause needs no replay: the replicates then only say how much it matters. It is certain where the audit has
    a hard finding, and where the stored weights do not give their logged row any more. Where the replay gives another
    row, the fault that gives the observed one is searched for. Where no cause is certain and the row is more than
    noise, twins say which fault makes it likely.
    """
    pace = None if plan.seconds_per_replicate is None else plan.seconds_per_replicate / request.epochs
    collector = Collector(study, budget, progress, pace=pace)
    with collector.at_work():
        count = (request.replicates or PILOT) * len(arms)
        again, validated = _revalidated(study, collector, request, progress)
        skip = _no_replay(audited, again, request)
        progress.start((count + (not skip)) * request.epochs, f"{count} resumed paths at first")
        exact = _repeated(point, study, audited, collector, progress, skip)
        certain = bool(audited.hard) or again is Revalidation.DISAGREES or exact.fingerprint.hit
        null, comparison, looks, stop = _null_arm(arms[-1], collector, regime, observed, request, certain)
        why = why_no_twins(
            comparison,
            wanted=request.twins,
            certain=certain,
            same=exact.replay is Replay.SAME,
            diverged=observed.diverged(regime),
        )
        healthy = collector.extend(HEALTHY, (), len(null)) if len(arms) > 1 else null
        twins = TwinSearch(reason=why)
        if not why:
            twins = search_twins(point, study, audited, arms[-1], null, regime, comparison, collector, progress)
        return Gathered(
            study=study,
            healthy=healthy,
            configured=null if len(arms) > 1 else (),
            arms=arms,
            comparison=comparison,
            looks=looks,
            stop=stop,
            collector=collector,
            budget=budget,
            revalidation=again,
            revalidation_step=validated,
            replay=exact.replay,
            replay_step=exact.step,
            replay_epochs=exact.epochs,
            no_replay=skip,
            fingerprint=exact.fingerprint,
            twins=twins,
        )


def _revalidated(
    study: Study, collector: Collector, request: AnalyzeRequest, progress: Progress
) -> tuple[Revalidation, StepResult | None]:
    if not request.revalidate:
        return Revalidation.NOT_RUN, None
    outcome, step = revalidate(study, collector)
    progress.message(f"Re-validation: {step.summary}")
    return outcome, step


def _no_replay(audited: Audited, revalidation: Revalidation, request: AnalyzeRequest) -> str:
    """Why the replay is left out; empty where it is made."""
    if revalidation is Revalidation.DISAGREES:
        return "the data, a label cache or the environment changed: no training fault is looked for first"
    if audited.hard:
        return "a certain cause was found without it"
    return "" if request.replay else "--no-replay"


@dataclass(frozen=True, slots=True)
class _Exact:
    """What was compared with the run's row digit by digit."""

    replay: Replay
    step: StepResult | None
    epochs: int  # of the replay alone
    fingerprint: Search


def _repeated(
    point: ResumePoint, study: Study, audited: Audited, collector: Collector, progress: Progress, skip: str
) -> _Exact:
    """The user's own resume again and, where it gives another row, with one fault injected each time."""
    outcome, step, found = Replay.NOT_RUN, None, None
    if not skip:
        found = run_replay(point, study, collector)
        outcome, step = replay_outcome(point, study, found)
        progress.message(f"Replay: {step.summary}")
    replayed = collector.epochs_trained
    tried = Search(reason=skipped(outcome, step, skip))
    if isinstance(found, Replicate) and not tried.reason:
        tried = search(point, study, audited, found, collector, progress)
    return _Exact(outcome, step, replayed, tried)


def _null_arm(
    arm: Arm, collector: Collector, regime: Regime, observed: Observed, request: AnalyzeRequest, certain: bool
) -> tuple[tuple[Replicate, ...], NullComparison, tuple[Look, ...], str]:
    if request.replicates is not None:
        null = collector.extend(arm, (), request.replicates)
        return null, compare(null, regime, observed, request.alpha, sequential=False), (), "the number asked for"
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
            return null, action.comparison, _looks(action, request.alpha), action.reason.value
        have = len(null)
        null = collector.extend(arm, null, have + action.n_more, at_most=cap)
        if len(null) == have:  # the budget is spent
            final = compare(null, regime, observed, request.alpha, sequential=True)
            return null, final, (), "the budget is spent"


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
