"""`drift analyze --fraction`: the first part of the first resumed epoch, for epochs that take hours.

The guard logged what the running epoch showed; replicates stop after that part. Nothing is validated, so the losses can
accuse, and nothing can be called NOISE.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from analyzer.diagnosis.audit import Audited
from analyzer.domain.evidence import Decision, Evidence, Verdict
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm, ArmKind, Outcome, Replicate
from analyzer.domain.within import Within, batches_of
from analyzer.errors import RunError, UsageError
from analyzer.pipeline.analysis.causes import accusations, causes_in
from analyzer.pipeline.analysis.cost import agree_on_budget, plan_part, plan_words, refuse_busy_device
from analyzer.pipeline.analysis.evidence import inside_of, metric_evidence
from analyzer.pipeline.analysis.frame import environment, frame, not_run, reference
from analyzer.pipeline.analysis.regime import Regime, read_regime
from analyzer.pipeline.analysis.result import planned
from analyzer.pipeline.analysis.resume_point import ResumePoint, as_configured, running_resume_point
from analyzer.pipeline.analysis.steps.audit import audit_resume
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.archive import read_running
from analyzer.replicates.budget import Budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study, open_study
from analyzer.report.model.analysis import Analysis, Cost, Plan
from analyzer.report.model.parts import reported
from analyzer.runs.directory import run_directory
from analyzer.stats.early import early_look
from analyzer.stats.shift import NullComparison
from analyzer.verdict import decide

__all__ = ["analyze_fraction"]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What was compared: the last mark that both sides have."""

    done: int
    of: int
    observed: Mapping[str, float]
    comparison: NullComparison


def analyze_fraction(request: AnalyzeRequest, progress: Progress, started: float) -> Analysis:
    """Judge the train losses of the first part of the resumed epoch by replicates that stop after it.

    One look is made, at the last mark that lies within the fraction and was logged. The rules are those of
    `analyzer.verdict`, but whatever is no FAULT is INCONCLUSIVE: validation was not looked at.

    Raises
    ------
    UsageError
        An option that needs whole epochs.
    RunError
        The guard logged nothing of such an epoch.
    DriftError
        As `drift analyze`.
    """
    _refuse(request)
    point, logged = _logged(request)
    assert point.checkpoint is not None and request.fraction is not None
    regime = read_regime(point, request.margins)
    written = len(point.run.history) > point.seam.row  # what the audit compares with is written with the row
    audited = audit_resume(point, request) if written else None
    study = open_study(point.checkpoint, point.run.path, request, point.run.args)
    changes = as_configured(point.diff)
    study = study.with_data(changes)
    arm = study.arm(ArmKind.AS_CONFIGURED if changes else ArmKind.HEALTHY, changes, fraction=request.fraction)
    share = batches_of(request.fraction, logged.batches) / logged.batches  # whole batches are trained
    plan = plan_part(point, request, share, at_once=study.placement.at_once)
    progress.message(plan_words(plan))
    if request.dry_run:
        return replace(planned(point, audited, request, plan, study, started), fraction=request.fraction)
    refuse_busy_device(point, study, request)
    null, spent = _train(study, arm, plan, agree_on_budget(plan, request, progress), share, progress)
    part = _compare(null, logged.up_to(request.fraction), regime, request)
    decision = _decide(part, audited)
    sources = dict(zip(regime.names, regime.sources, strict=True))
    return replace(
        frame(point, request, decision, started),
        metrics=tuple(metric_evidence(m, sources.get(m.name, "none")) for m in part.comparison.metrics),
        environment=environment(study),
        cost=replace(spent, seconds=time.monotonic() - started),
        plan=plan,
        checkpoint=reference(point.checkpoint, point.run.path),
        study=study.store.path,
        null_arm=arm.folder,
        base_seed=study.base_seed,
        arms=reported((arm,)),
        replicates=tuple(_shown(r, part.done) for r in null),
        fraction=request.fraction,
        audit=audited.findings if audited else None,
        diagnosis=causes_in(decision, audited) if audited else None,
        warnings=(*point.notes, *part.comparison.notes),
        not_run=not_run(**dict.fromkeys(("revalidation", "replay", "fingerprint", "twins"), "--fraction")),
    )


def _train(
    study: Study, arm: Arm, plan: Plan, budget: Budget, share: float, progress: Progress
) -> tuple[tuple[Replicate, ...], Cost]:
    """The replicates of that share of the epoch, and what they took."""
    if budget.epochs is not None:  # the collector counts a part as one
        budget = replace(budget, epochs=int(budget.epochs / share + 1e-9))
    collector = Collector(study, budget, progress)
    wanted = plan.replicates
    with collector.at_work():
        progress.start(wanted, f"{wanted} resumed paths", part=share)
        null = collector.extend(arm, (), wanted)
    if not null:
        raise UsageError("The budget ended before the first replicate.", "Give a larger --budget.")
    trained = collector.epochs_trained * share
    return null, Cost(trained, 0.0, collector.reused, by_step={"null": trained})


def _refuse(request: AnalyzeRequest) -> None:
    for word, given in (
        ("--epochs", request.epochs != 1),
        ("--history-only", request.history_only),
        ("--checkpoint", request.checkpoint is not None),
    ):
        if given:
            raise UsageError(f"{word} does not go with --fraction.", f"Leave {word} out, or judge whole epochs.")


def _logged(request: AnalyzeRequest) -> tuple[ResumePoint, Within]:
    """The newest epoch that the guard logged, or the one of ``--seam``, and its point."""
    run = run_directory(request.run)
    found = []
    for file in (run / "drift" / "seams").glob("*/running.json"):
        read = read_running(file.parent)
        if read is not None and (file.parent / "checkpoint.pt").is_file() and request.seam in (None, read.epoch):
            found.append((read, file.parent))
    if not found:
        raise RunError(
            f"The guard logged no epoch from inside in {run / 'drift' / 'seams'}.",
            "Resume with drift resume or add_drift_callback; or judge the whole epoch, without --fraction.",
        )
    newest, folder = max(found, key=lambda entry: entry[0].written)
    return running_resume_point(run, folder / "checkpoint.pt", newest.epoch), newest.within


def _compare(null: tuple[Replicate, ...], logged: Within, regime: Regime, request: AnalyzeRequest) -> _Part:
    marks, names, cube = inside_of(null)
    inside = next((r.epochs[0].within for r in null if r.epochs), None)
    if inside is not None and inside.batches != logged.batches:
        raise RunError(
            f"The logged epoch has {logged.batches} batches, a replicate's {inside.batches}: they cannot be compared.",
            "Judge the whole epoch, without --fraction.",
        )
    common = [j for j, n in enumerate(marks) if n in logged.after]
    if not common:
        first = batches_of(0.01, logged.batches)
        raise RunError(
            f"Nothing was logged within that part of the epoch (the first mark is after batch {first}).",
            "Wait until the training is further, or give a larger --fraction.",
        )
    look = common[-1]
    row = logged.after[marks[look]]
    margins = dict(zip(regime.names, regime.margins, strict=True))
    comparison = early_look(
        cube,
        [row.get(n, np.nan) for n in names],
        marks,
        look,
        names=names,
        alpha=request.alpha * NULL_SHARE,
        margins=[margins.get(n, np.nan) for n in names],
        diverged=[r.outcome is Outcome.DIVERGED for r in null],
    )
    return _Part(marks[look], logged.batches, row, comparison)


def _shown(replicate: Replicate, done: int) -> Replicate:
    """The replicate with the losses that were compared as its row: it has none of its own."""
    first = replicate.epochs[0]
    after = first.within.after.get(done, {}) if first.within is not None else {}
    losses = {k: v for k, v in after.items() if k.startswith("train/")}
    return replace(replicate, epochs=(replace(first, printed=losses, exact=losses),))


def _decide(part: _Part, audited: Audited | None) -> Decision:
    compared, accused = part.comparison, accusations(audited) if audited else ()
    evidence = Evidence(
        metrics=tuple((m.significant, m.size) for m in compared.deciding),
        omnibus=compared.omnibus,
        certain_cause=bool(audited and audited.hard),
        # a column that is missing on one side is no divergence
        diverged=any(not np.isfinite(part.observed.get(m.name, 0.0)) for m in compared.metrics)
        and bool(np.isfinite(compared.null).all()),
    )
    decision = decide(evidence, names=[m.name for m in compared.deciding])
    basis = (
        f"Judged by the train losses of the first {part.done} of {part.of} batches and {compared.n} replicates of that "
        "part: validation losses and mAP were not looked at."
    )
    reasons = (*accused, *decision.reasons, basis)
    if decision.verdict is Verdict.FAULT:
        return replace(decision, reasons=reasons)
    calm = decision.verdict in (Verdict.NOISE, Verdict.NEGLIGIBLE)
    told = "No train loss shows a shift that matters so far" if calm else "The train losses so far do not settle it"
    return Decision(
        Verdict.INCONCLUSIVE,
        "fraction-only",
        (*accused, f"{told}; a part of an epoch cannot show that the rest is NOISE.", basis),
        ("The whole epoch: drift analyze RUN without --fraction.",),
    )
