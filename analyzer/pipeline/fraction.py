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
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm, Outcome, Replicate
from analyzer.domain.within import Within, batches_of
from analyzer.errors import RunError, UsageError
from analyzer.pipeline.audit import audit_scene
from analyzer.pipeline.budget import parse_budget
from analyzer.pipeline.collect import Collector
from analyzer.pipeline.cost import refuse_busy_device
from analyzer.pipeline.explain import accusations, causes_in
from analyzer.pipeline.frame import environment, frame, not_run, reference
from analyzer.pipeline.judge import inside_of, metric_evidence
from analyzer.pipeline.past import Past, look_back
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.pipeline.scene import Scene, as_configured, scene_inside
from analyzer.pipeline.study import Study, open_study
from analyzer.replicates.keep import read_running
from analyzer.replicates.study import arm_folder
from analyzer.report.analysis import Analysis, Cost
from analyzer.runs.directory import run_directory
from analyzer.stats.early import early_look
from analyzer.stats.sequential import PILOT
from analyzer.stats.shift import NullComparison
from analyzer.verdict import NULL_SHARE, decide

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
    scene, logged = _logged(request)
    assert scene.checkpoint is not None and request.fraction is not None
    past = look_back(scene, request.margins)
    written = len(scene.run.history) > scene.seam.row  # what the audit compares with is written with the row
    audited = audit_scene(scene, request) if written else None
    study = open_study(scene.checkpoint, scene.run.path, request)
    study, changes = study.with_data(as_configured(scene.diff))
    refuse_busy_device(scene, study, request)
    arm = Arm("as-configured" if changes else "healthy", changes, fraction=request.fraction)
    null, reused = _train(study, arm, request, progress)
    part = _compare(null, logged.up_to(request.fraction), past, request)
    decision = _decide(part, audited)
    sources = dict(zip(past.names, past.sources, strict=True))
    return replace(
        frame(scene, request, decision, started),
        metrics=tuple(metric_evidence(m, sources.get(m.name, "none")) for m in part.comparison.metrics),
        environment=environment(study),
        cost=Cost(
            epochs_trained=0,
            seconds=time.monotonic() - started,
            reused=reused,
            by_step={},
        ),
        checkpoint=reference(scene.checkpoint, scene.run.path),
        study=study.store.path,
        null_arm=arm_folder(arm),
        base_seed=study.base_seed,
        arms=(arm,),
        replicates=tuple(_shown(r, part.done) for r in null),
        fraction=request.fraction,
        audit=audited.findings if audited else None,
        diagnosis=causes_in(decision, audited) if audited else None,
        warnings=(*scene.notes, *part.comparison.notes),
        not_run=not_run(**dict.fromkeys(("revalidation", "replay", "fingerprint", "twins"), "--fraction")),
    )


def _train(study: Study, arm: Arm, request: AnalyzeRequest, progress: Progress) -> tuple[tuple[Replicate, ...], int]:
    """The replicates of that part of the epoch, and how many of them were there before."""
    collector = Collector(study, parse_budget(request.budget), progress)
    wanted = request.replicates or PILOT
    with study.store.lock():
        study.store.describe(study.facts)
        try:
            progress.start(wanted, f"{wanted} resumed paths of {request.fraction:.0%} of an epoch")
            null = collector.extend(arm, (), wanted)
        finally:
            collector.close()
    if not null:
        raise UsageError("The budget ended before the first replicate.", "Give a larger --budget.")
    return null, collector.reused


def _refuse(request: AnalyzeRequest) -> None:
    for word, given in (
        ("--epochs", request.epochs != 1),
        ("--history-only", request.history_only),
        ("--dry-run", request.dry_run),
        ("--checkpoint", request.checkpoint is not None),
    ):
        if given:
            raise UsageError(f"{word} does not go with --fraction.", f"Leave {word} out, or judge whole epochs.")


def _logged(request: AnalyzeRequest) -> tuple[Scene, Within]:
    """The newest epoch that the guard logged, or the one of ``--seam``, and its scene."""
    run = run_directory(request.run)
    found = []
    for file in (run / "drift" / "seams").glob("*/running.json"):
        read = read_running(file.parent)
        if read is not None and (file.parent / "checkpoint.pt").is_file() and request.seam in (None, read[0]):
            found.append((file.stat().st_mtime, file.parent, *read))
    if not found:
        raise RunError(
            f"The guard logged no epoch from inside in {run / 'drift' / 'seams'}.",
            "Resume with drift resume or add_drift_callback; or judge the whole epoch, without --fraction.",
        )
    _, folder, epoch, within = max(found, key=lambda entry: entry[0])
    return scene_inside(run, folder / "checkpoint.pt", epoch), within


def _compare(null: tuple[Replicate, ...], logged: Within, past: Past, request: AnalyzeRequest) -> _Part:
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
    margins = dict(zip(past.names, past.margins, strict=True))
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
