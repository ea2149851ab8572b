"""Gather the replicates of an analysis: the null arm first, as few as the evidence allows, then the healthy arm."""

from __future__ import annotations

from dataclasses import dataclass, field

from analyzer.diagnosis.audit import Audited
from analyzer.domain.evidence import Replay, Verdict
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm, Outcome, Replicate
from analyzer.pipeline.budget import Budget
from analyzer.pipeline.collect import Collector
from analyzer.pipeline.fingerprint import Search, search, skipped
from analyzer.pipeline.judge import Observed, compare, rows_of, shift_arguments
from analyzer.pipeline.past import Past
from analyzer.pipeline.replay import replay_outcome, run_replay
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.pipeline.scene import Scene
from analyzer.pipeline.study import Study
from analyzer.report.analysis import Look, Plan, StepResult
from analyzer.stats.sequential import PILOT, Stop, StopReason, next_action
from analyzer.stats.shift import NullComparison

__all__ = ["HEALTHY", "Gathered", "gather"]

HEALTHY = Arm("healthy")


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
    replay: Replay = Replay.NOT_RUN
    replay_step: StepResult | None = None
    replay_epochs: int = 0
    no_replay: str = ""
    fingerprint: Search = field(default_factory=Search)

    @property
    def null(self) -> tuple[Replicate, ...]:
        """The arm against which the shift is measured."""
        return self.configured or self.healthy


def gather(
    scene: Scene,
    study: Study,
    arms: tuple[Arm, ...],
    past: Past,
    observed: Observed,
    request: AnalyzeRequest,
    budget: Budget,
    plan: Plan,
    progress: Progress,
    *,
    audited: Audited,
) -> Gathered:
    """Repeat the user's own resume, then train as few replicates as the evidence allows, the null arm first.

    A certain cause (the audit has a hard finding) needs no replay: the replicates then only say how much it matters.
    Where the replay gives another row, the fault that gives the observed one is searched for.
    """
    pace = None if plan.seconds_per_replicate is None else plan.seconds_per_replicate / request.epochs
    collector = Collector(study, budget, progress, pace=pace)
    with study.store.lock():
        study.store.describe(study.facts)
        try:
            count = (request.replicates or PILOT) * len(arms)
            skip = "a certain cause was found without it" if audited.hard else "" if request.replay else "--no-replay"
            progress.start((count + (not skip)) * request.epochs, f"{count} resumed paths at first")
            outcome, step, found = Replay.NOT_RUN, None, None
            if not skip:
                found = run_replay(scene, study, collector)
                outcome, step = replay_outcome(scene, study, found)
                progress.message(f"Replay: {step.summary}")
            replayed = collector.epochs_trained
            tried = Search(reason=skipped(outcome, step, skip))
            if isinstance(found, Replicate) and not tried.reason:
                tried = search(scene, study, audited, found, collector, progress)
            certain = bool(audited.hard) or tried.hit
            null, comparison, looks, stop = _null_arm(arms[-1], collector, past, observed, request, certain)
            healthy = collector.extend(HEALTHY, (), len(null)) if len(arms) > 1 else null
            configured = null if len(arms) > 1 else ()
            return Gathered(
                study=study,
                healthy=healthy,
                configured=configured,
                arms=arms,
                comparison=comparison,
                looks=looks,
                stop=stop,
                collector=collector,
                budget=budget,
                replay=outcome,
                replay_step=step,
                replay_epochs=replayed,
                no_replay=skip,
                fingerprint=tried,
            )
        finally:
            collector.close()


def _null_arm(
    arm: Arm, collector: Collector, past: Past, observed: Observed, request: AnalyzeRequest, certain: bool
) -> tuple[tuple[Replicate, ...], NullComparison, tuple[Look, ...], str]:
    if request.replicates is not None:
        null = collector.extend(arm, (), request.replicates)
        return null, compare(null, past, observed, request.alpha, sequential=False), (), "the number asked for"
    null = collector.extend(arm, (), PILOT)
    while True:
        action = next_action(
            rows_of(null, past.names, observed.k),
            observed.values.reshape(-1),
            certain_cause=certain,
            diverged=[r.outcome is Outcome.DIVERGED for r in null],
            **shift_arguments(past, observed, request.alpha),
        )
        if isinstance(action, Stop):
            return null, action.comparison, _looks(action), action.reason.value
        have = len(null)
        null = collector.extend(arm, null, have + action.n_more)
        if len(null) == have:  # the budget is spent
            final = compare(null, past, observed, request.alpha, sequential=True)
            return null, final, (), "the budget is spent"


def _looks(stop: Stop) -> tuple[Look, ...]:
    """The path of the evidence; only the last point carries the final word."""
    return tuple(
        Look(
            n=p.n,
            statistic=p.observed_score,
            critical=None,
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
