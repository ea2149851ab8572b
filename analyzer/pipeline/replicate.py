"""`drift replicate`: the null before the resume, and a copy of the checkpoint that the resume will overwrite."""

from __future__ import annotations

from pathlib import Path

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm, ArmKind
from analyzer.errors import CheckpointError, RunError, UsageError
from analyzer.pipeline.analysis.cost import replicate_words
from analyzer.pipeline.request import ReplicateRequest, with_absolute_out
from analyzer.replicates.archive import keep_checkpoint, keep_manifest
from analyzer.replicates.budget import parse_budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study, open_study, pace_of
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.directory import run_directory

__all__ = ["read_resumable", "replicate", "run_of"]


def replicate(request: ReplicateRequest, progress: Progress) -> Path:
    """Make or extend the null of a checkpoint, and keep a copy of it with a manifest of the data.

    Returns
    -------
    Path
        The study folder.

    Raises
    ------
    CheckpointError
        Ultralytics cannot resume from it.
    """
    request = with_absolute_out(request)
    if request.fraction is not None and request.epochs != 1:
        raise UsageError("--epochs does not go with --fraction.", "Leave one of them out.")
    checkpoint = read_resumable(request)
    run = run_of(checkpoint)
    study = open_study(checkpoint, run, request)
    root = request.out or run / "drift"
    kept = keep_checkpoint(checkpoint, root)
    keep_manifest(checkpoint, study.data, root)
    progress.message(f"A copy of the checkpoint is kept: {kept}")
    pace = pace_of(run)
    seconds = None if pace is None else pace * request.epochs * (request.fraction or 1.0)
    if cost := replicate_words(request.replicates, seconds, study.placement.at_once):
        progress.message(cost)
    collector = Collector(study, parse_budget(None), progress)
    with collector.at_work():
        progress.start(
            request.replicates * request.epochs, f"{request.replicates} healthy resumes", part=request.fraction or 1.0
        )
        collector.extend(Arm(ArmKind.HEALTHY, fraction=request.fraction), (), request.replicates)
        if request.replay:
            _replay(study, collector, progress)
    return study.store.path


def _replay(study: Study, collector: Collector, progress: Progress) -> None:
    """Train the first epoch of the resume as it will be, with its own seed; elsewhere than on CPU it proves nothing."""
    seed = study.checkpoint.train_args.get("seed", 0)
    if study.device.argument == "cpu" and type(seed) is int:
        collector.one(Arm(ArmKind.REPLAY, {"seed": seed}), seed, epochs=1)
        progress.message("The resume itself was trained for one epoch: the guard compares every batch with it.")


def read_resumable(request: ReplicateRequest) -> Checkpoint:
    """Read the checkpoint of a request.

    Raises
    ------
    CheckpointError
        Ultralytics cannot resume from it.
    """
    checkpoint = read_checkpoint(request.checkpoint, trust=request.trust_checkpoint)
    if not checkpoint.resumable:
        raise CheckpointError(
            f"{checkpoint.path} is stripped: its training was finished, so nothing can be resumed from it.",
            "Give the last.pt of a training that broke off, or an epochN.pt.",
        )
    return checkpoint


def run_of(checkpoint: Checkpoint) -> Path:
    """The run directory of the checkpoint; its own folder where there is none (a checkpoint that was copied out)."""
    try:
        return run_directory(checkpoint.path)
    except RunError:
        return checkpoint.path.parent
