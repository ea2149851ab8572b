"""What `drift plan` looks at: the resume, seen or still to come, and the pilot replicates of its checkpoint."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.replicate import HEALTHY, Outcome, Replicate
from analyzer.domain.run import Run, Seam, SeamSign
from analyzer.errors import CheckpointError
from analyzer.files import read_json
from analyzer.pipeline.analysis.resume_point import ResumePoint, find_resume_point, validated_images
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.store import Store
from analyzer.runs.args import ArgsDiff
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.checkpoint_dates import seams_of
from analyzer.runs.directory import find_checkpoint, read_run

__all__ = ["FEWEST", "pilot_of", "resume_to_plan"]

FEWEST = 3  # fewer replicates say less about a spread than the history does


def resume_to_plan(request: AnalyzeRequest) -> ResumePoint:
    """Look at an old seam, or at a resume that is still to come: after the last row, with nothing observed.

    Raises
    ------
    RunError
        No results.csv.
    CheckpointError
        A given checkpoint cannot start the resume.
    UsageError
        ``--seam`` names an epoch that is not there.
    """
    run = read_run(request.run)
    last = int(run.history.epochs[-1])
    wanted = request.seam
    if request.checkpoint is not None:
        checkpoint = read_checkpoint(request.checkpoint, trust=request.trust_checkpoint)
        if not checkpoint.resumable:
            raise CheckpointError(
                f"{checkpoint.path} is stripped or holds no optimizer: Ultralytics cannot resume from it.",
                "Give a checkpoint of an unfinished training.",
            )
        starts = checkpoint.resumes_at
        if wanted is None and starts > last + 1:
            raise CheckpointError(
                f"{checkpoint.path} is of epoch {checkpoint.csv_epoch}, but {run.history.path} ends at epoch {last}.",
                "Give a checkpoint of this run.",
            )
        wanted = starts if wanted is None else wanted
        if wanted == last + 1 == starts:
            return _next(run, checkpoint, "", request)
    elif wanted == last + 1 or (wanted is None and not seams_of(run)):
        try:
            return _next(run, find_checkpoint(run, _seam_to_come(run)), "", request)
        except CheckpointError as e:
            return _next(run, None, str(e), request)
    return find_resume_point(replace(request, seam=wanted))


def _seam_to_come(run: Run) -> Seam:
    rows = len(run.history)
    return Seam(int(run.history.epochs[-1]) + 1, rows, rows - 1, SeamSign.GIVEN, "The next resume.")


def _next(run: Run, checkpoint: Checkpoint | None, missing: str, request: AnalyzeRequest) -> ResumePoint:
    seams = seams_of(run)
    validated = validated_images(checkpoint.train_args if checkpoint else run.args, run.path, request.data)
    return ResumePoint(run, _seam_to_come(run), seams, checkpoint, missing, ArgsDiff(()), (), validated)


def pilot_of(point: ResumePoint, request: AnalyzeRequest) -> tuple[tuple[Replicate, ...], tuple[str, ...]]:
    """Healthy replicates that did not diverge, of the largest study of the seam's checkpoint, and a note on them.

    Studies differ in data, versions or device and are never pooled; one with fewer than `FEWEST` lends nothing.
    """
    root = request.out or point.run.path / "drift"
    best: tuple[Replicate, ...] = ()
    name = ""
    for file in sorted(root.glob("*/study.json")):
        if not _of_checkpoint(file, point):
            continue
        found = Store(root, file.parent.name).all(HEALTHY.folder)
        ok = tuple(r for r in found if r.outcome is Outcome.OK and r.epochs)
        if len(ok) > len(best):
            best, name = ok, file.parent.name
    if not best:
        return (), ()
    if len(best) < FEWEST:
        return (), (f"Study {name} holds {len(best)} replicates only, too few for a spread.",)
    gone = "" if point.checkpoint else "; the checkpoint is gone, so the study is taken by its epoch"
    return best, (f"Pilot: {len(best)} replicates of study {name}{gone}.",)


def _of_checkpoint(file: Path, point: ResumePoint) -> bool:
    """Whether a study is that of the seam's checkpoint, or, where that is gone, of its epoch."""
    try:
        facts = read_json(file)
        if point.checkpoint is not None:
            return bool(facts["checkpoint"] == point.checkpoint.sha256)
        return int(facts["epoch"]) + 2 == point.seam.epoch
    except (OSError, ValueError, KeyError, TypeError):
        return False  # no study of this tool, or cut short: it lends nothing
