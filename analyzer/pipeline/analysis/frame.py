"""What every analysis holds, whatever was found: where, when, with what, at what cost, and how to do it again."""

from __future__ import annotations

import platform
import time
from datetime import datetime, timezone
from pathlib import Path

from analyzer import __version__
from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Decision
from analyzer.pipeline.analysis.basis import Judged, Trained
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.request import command_of
from analyzer.replicates.study import Study
from analyzer.report.model.analysis import Analysis, CheckpointRef, Cost, Environment, NotRun
from analyzer.runs.versions import installed_versions

__all__ = ["LADDER", "cost", "environment", "frame", "not_run", "reference", "warnings"]

LADDER = ("revalidation", "replay", "fingerprint", "twins")  # steps that `not_run` takes a reason for
_WANTED = "it splits the jump of a new training with other arguments: drift analyze NEW --before OLD"


def frame(case: Case, decision: Decision) -> Analysis:
    """What every analysis holds."""
    point, request = case.point, case.request
    return Analysis(
        decision=decision,
        run=point.run.path,
        history=point.run.history,
        seam=point.seam,
        other_seams=point.others,
        alpha=request.alpha,
        metrics=(),
        omnibus=None,
        environment=environment(None),
        cost=Cost(epochs_trained=0, seconds=time.monotonic() - case.started),
        created=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        command=command_of(request),
        tool_version=__version__,
    )


def reference(checkpoint: Checkpoint, run: Path) -> CheckpointRef:
    """The checkpoint as the report names it."""
    kept = checkpoint.path if (run / "drift" / "seams") in checkpoint.path.parents else None
    return CheckpointRef(checkpoint.path, checkpoint.csv_epoch, checkpoint.sha256, kept, checkpoint.version)


def environment(study: Study | None) -> Environment:
    """Where this ran; without a study nothing was trained."""
    threads = study.placement.threads if study else None
    packages = {k: v for k, v in installed_versions().items() if v and k != "python"}
    return Environment(
        platform.python_version(), platform.platform(), study.device.words if study else None, threads, packages
    )


def cost(trained: Trained, started: float) -> Cost:
    """What this call took, replicates of earlier calls apart."""
    c, steps = trained.collector, trained.steps
    by_step = {} if steps is None else steps.epochs
    by_step["null"] = c.epochs_trained - sum(by_step.values())
    return Cost(
        epochs_trained=c.epochs_trained,
        seconds=time.monotonic() - started,
        reused=c.reused,
        seconds_per_epoch=c.pace if c.epochs_trained else None,
        by_step=by_step,
    )


def warnings(case: Case, judged: Judged, trained: Trained) -> tuple[str, ...]:
    """What makes the null approximate, and what had to be mended while reading."""
    study = trained.work.study
    found = [*case.point.notes, *(judged.comparison.notes if judged.comparison else ())]
    if study.device.note:
        found.append(study.device.note)
    checkpoint = study.checkpoint
    installed = study.versions.get("ultralytics")
    if checkpoint.version and installed != checkpoint.version:
        found.append(
            f"The checkpoint was written by Ultralytics {checkpoint.version}, the replicates ran under {installed}: "
            "a null of another version is approximate."
        )
    return tuple(found)


def not_run(*, revalidation: str, replay: str, fingerprint: str, twins: str) -> tuple[NotRun, ...]:
    """Steps of the ladder that were left out, with the reason; an empty one for a step that was made."""
    reasons = {
        "revalidation": revalidation,
        "replay": replay,
        "fingerprint": fingerprint,
        "twins": twins,
        "attribution": _WANTED,
    }
    return tuple(NotRun(step, reason) for step, reason in reasons.items() if reason)
