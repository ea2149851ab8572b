"""`drift analyze AFTER --before RUN`: train the arms of a continuation, attribute its jump, judge what is left."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import replace

from analyzer.domain.evidence import Decision, Evidence, Replay, Verdict
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import HEALTHY, Arm, Outcome, Replicate
from analyzer.errors import DriftError
from analyzer.pipeline.analysis.bases.continuation import Arms, Continuation, arms_of, read_continuation
from analyzer.pipeline.analysis.cost import agree_on_budget, plan_cost, refuse_busy_device
from analyzer.pipeline.analysis.evidence import (
    Observed,
    compare,
    family_evidence,
    lost_columns,
    metric_evidence,
    rows_of,
)
from analyzer.pipeline.analysis.frame import environment, frame, reference
from analyzer.pipeline.analysis.regime import Regime
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import open_study
from analyzer.report.formatting import count, duration, short_name, signed
from analyzer.report.model.analysis import Analysis, ArgumentChange, Cost, NotRun, Omnibus, StepResult
from analyzer.report.model.parts import reported
from analyzer.stats.attribution import INTERACTION, RESTART, RESUME, UNEXPLAINED, Share, attribute
from analyzer.verdict import decide

__all__ = ["analyze_continuation"]

REPLICATES = 5  # new trainings an arm, where no number is asked for


def analyze_continuation(request: AnalyzeRequest, progress: Progress) -> Analysis:
    """Judge a new training that was started from an old run's checkpoint with other arguments.

    Parameters
    ----------
    request
        With ``before``, the run directory that was continued.
    progress
        Who is told how far it is.

    Returns
    -------
    Analysis
        ``attribution`` holds one entry a part of the jump.

    Raises
    ------
    DriftError
        Where it could not run, in one sentence.
    """
    started = time.monotonic()
    known = read_continuation(request)
    point, regime = known.point, known.regime
    observed = Observed.of(point.observed_rows(request.epochs), known.before, regime)
    request = replace(request, epochs=observed.k, replicates=request.replicates or REPLICATES)
    assert point.checkpoint is not None and request.replicates is not None
    study = open_study(point.checkpoint, point.run.path, request, point.run.args)
    study = study.with_data(known.changes)
    made_new = arms_of(study, known.changes)
    configured = made_new.configured
    plain = (HEALTHY,) if known.can_resume(request.epochs) else ()
    extra = (made_new.unchanged, *made_new.alone.values(), *made_new.without.values())
    arms = (configured, *plain, *extra) if known.changes else (configured,)
    plan = plan_cost(point, regime, request, arms=len(arms), at_once=study.placement.at_once)
    progress.message(
        f"{count(len(arms), 'arm')} of {request.replicates} trainings, {count(request.epochs, 'epoch')} each: "
        f"at most {duration(plan.worst_seconds)}."
    )
    if request.dry_run:
        decision = Decision(Verdict.INCONCLUSIVE, "planned", ("Nothing was trained: --dry-run.",))
        return replace(_framed(known, request, decision, started), plan=plan, environment=environment(study))
    refuse_busy_device(point, study, request)
    budget = agree_on_budget(plan, request, progress)
    collector = Collector(study, budget, progress, pace=plan.seconds_per_replicate)
    made = _train(collector, arms, request.replicates)
    null = made[configured.folder]
    if len(null) < 2:
        raise DriftError("The budget ended before the second new training.", "Give more with --budget.")
    decision, analysis = _judged(known, observed, null, request, started)
    shares = _shares(known, made, made_new, observed)
    return replace(
        analysis,
        decision=decision,
        study=study.store.path,
        null_arm=configured.folder,
        base_seed=study.base_seed,
        arms=reported(arms),
        replicates=tuple(r for arm in arms for r in made[arm.folder]),
        attribution=shares,
        plan=plan,
        environment=environment(study),
        cost=_cost(collector, started),
        warnings=tuple(w for w in (*analysis.warnings, study.device.note, _short(collector)) if w),
    )


def _train(collector: Collector, arms: tuple[Arm, ...], n: int) -> dict[str, tuple[Replicate, ...]]:
    """Every arm on the same seeds, by its folder."""
    study = collector.study
    with collector.at_work():
        collector.progress.start(len(arms) * n * study.epochs, f"{len(arms)} arms")
        return {arm.folder: collector.extend(arm, (), n) for arm in arms}


def _framed(known: Continuation, request: AnalyzeRequest, decision: Decision, started: float) -> Analysis:
    point = known.point
    assert point.checkpoint is not None and request.before is not None
    never = "a new training was wanted, so there is no resume to repeat"
    return replace(
        frame(point, request, decision, started),
        checkpoint=reference(point.checkpoint, request.before),
        continues=request.before.expanduser().absolute(),
        argument_changes=tuple(ArgumentChange(c.name, c.before, c.after, True) for c in point.diff.changes),
        warnings=point.notes,
        not_run=tuple(NotRun(step, never) for step in ("audit", "revalidation", "replay", "diagnosis")),
    )


def _judged(
    known: Continuation, observed: Observed, null: tuple[Replicate, ...], request: AnalyzeRequest, started: float
) -> tuple[Decision, Analysis]:
    """The observed row against new trainings with the same arguments."""
    regime = known.regime
    comparison = compare(null, regime, observed, request.alpha, sequential=False)
    family, names = family_evidence(comparison, regime, observed)
    evidence = Evidence(
        metrics=family,
        omnibus=comparison.omnibus,
        diverged=observed.diverged(regime) or lost_columns(comparison, regime, observed),
        replay=Replay.NOT_POSSIBLE,
        null_diverges=any(r.outcome is Outcome.DIVERGED for r in null),
    )
    decision = decide(evidence, names=names)
    if decision.rule == "significant-not-inside":
        hidden = "The row is no draw of a new training with these arguments: there is a fault beside your changes."
        decision = replace(decision, reasons=(*decision.reasons, hidden))
    first = comparison.metrics[: len(regime.metrics)]
    metrics = tuple(metric_evidence(m, s) for m, s in zip(first, regime.sources, strict=True))
    analysis = replace(
        _framed(known, request, decision, started),
        metrics=tuple(sorted(metrics, key=lambda m: not m.deciding)),
        omnibus=Omnibus("smallest Holm-adjusted p", comparison.omnibus_p, comparison.p_min, comparison.omnibus),
    )
    return decision, analysis


def _shares(
    known: Continuation,
    made: Mapping[str, tuple[Replicate, ...]],
    arms: Arms,
    observed: Observed,
) -> tuple[StepResult, ...] | None:
    """The parts of the jump at the first epoch, over the seeds that every arm has."""
    regime, names = known.regime, list(known.changes)
    if not names:
        return None
    seeds = set.intersection(*({r.seed for r in found if r.outcome is Outcome.OK} for found in made.values()))
    if len(seeds) < 2:
        return None  # a diverged training has no effect that could be shared out
    kept = {name: [r for r in found if r.seed in seeds] for name, found in made.items()}
    rows = {name: rows_of(found, regime.names, 1) for name, found in kept.items()}
    full = rows[arms.configured.folder]
    single = {names[0]: full} if len(names) == 1 else {name: rows[arm.folder] for name, arm in arms.alone.items()}
    split = attribute(
        observed.before,
        observed.values[0],
        rows[arms.unchanged.folder],
        full,
        alone=single,
        without={name: rows[arm.folder] for name, arm in arms.without.items()},
        resumed=rows.get(HEALTHY.folder),
    )
    parts = [s.part for s in split[0]]
    return tuple(_step(part, [shares[i] for shares in split], regime, known) for i, part in enumerate(parts))


def _step(part: str, shares: list[Share], regime: Regime, known: Continuation) -> StepResult:
    """One part over all metrics: the deciding ones in words, all in numbers."""
    words = [
        f"{short_name(m.name)} {_with_interval(share)}"
        for m, share in zip(regime.metrics, shares, strict=True)
        if m.deciding
    ]
    details = {
        m.name: {
            "effect": _finite(share.effect),
            "low": _finite(share.interval.low) if share.interval else None,
            "high": _finite(share.interval.high) if share.interval else None,
        }
        for m, share in zip(regime.metrics, shares, strict=True)
    }
    return StepResult(_title(part, known), "; ".join(words), 0, details)


def _title(part: str, known: Continuation) -> str:
    """What a part is called, with what it stands for."""
    change = next((c for c in known.point.diff.changes if c.name == part), None)
    if change is not None:
        return f"{part} {change.before!r} -> {change.after!r}"
    warmup = known.point.run.args.get("warmup_epochs", 3.0)
    meaning = {
        RESUME: "plain resume of the checkpoint, had it been chosen",
        RESTART: f"a new training as such (new optimizer, learning rate from its start, warmup of {warmup:g} epochs)",
        INTERACTION: "the changed arguments together, beyond the sum of each",
        UNEXPLAINED: "unexplained",
    }
    return meaning.get(part, part)


def _finite(value: float) -> float | None:
    """A number, or None for a column that one of the runs does not have."""
    return value if math.isfinite(value) else None


def _with_interval(share: Share) -> str:
    if share.interval is None or not math.isfinite(share.effect):
        return signed(_finite(share.effect))
    return f"{signed(share.effect)} [{signed(share.interval.low)}, {signed(share.interval.high)}]"


def _cost(collector: Collector, started: float) -> Cost:
    return Cost(
        epochs_trained=collector.epochs_trained,
        seconds=time.monotonic() - started,
        reused=collector.reused,
        seconds_per_epoch=collector.pace if collector.epochs_trained else None,
        by_step={"null": collector.epochs_trained},
    )


def _short(collector: Collector) -> str:
    return "The budget ended early: arms have fewer replicates than asked for." if collector.exhausted else ""
