"""What every analysis holds, whatever was found: where, when, with what, at what cost, and how to do it again."""

from __future__ import annotations

import platform
import time
from datetime import datetime, timezone
from pathlib import Path

from analyzer import __version__
from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Decision
from analyzer.pipeline.analysis.bases.own import Gathered
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.request import AnalyzeRequest, command_of
from analyzer.replicates.study import Study
from analyzer.report.model.analysis import Analysis, CheckpointRef, Cost, Environment, NotRun
from analyzer.runs.versions import installed_versions

__all__ = ["LADDER", "cost", "environment", "frame", "not_run", "reference", "warnings"]

LADDER = ("revalidation", "replay", "fingerprint", "twins")  # steps that `not_run` takes a reason for
_WANTED = "it splits the jump of a new training with other arguments: drift analyze NEW --before OLD"


def frame(point: ResumePoint, request: AnalyzeRequest, decision: Decision, started: float) -> Analysis:
    """What every analysis holds."""
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
        cost=Cost(epochs_trained=0, seconds=time.monotonic() - started),
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


def cost(got: Gathered, started: float) -> Cost:
    """What this call took, replicates of earlier calls apart."""
    c = got.collector
    tried = got.fingerprint.step.epochs if got.fingerprint.step else 0
    twins = got.twins.epochs
    return Cost(
        epochs_trained=c.epochs_trained,
        seconds=time.monotonic() - started,
        reused=c.reused,
        seconds_per_epoch=c.pace if c.epochs_trained else None,
        by_step={
            "replay": got.replay_epochs,
            "fingerprint": tried,
            "null": c.epochs_trained - got.replay_epochs - tried - twins,
            "twins": twins,
        },
    )


def warnings(point: ResumePoint, got: Gathered) -> tuple[str, ...]:
    """What makes the null approximate, and what had to be mended while reading."""
    found = [*point.notes, *got.comparison.notes]
    if got.study.device.note:
        found.append(got.study.device.note)
    checkpoint = got.study.checkpoint
    installed = got.study.versions.get("ultralytics")
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
