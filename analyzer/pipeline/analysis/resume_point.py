"""The resume point: which run, which seam, which checkpoint, which arguments changed. Reads only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import Run, Seam, SeamSign
from analyzer.errors import CheckpointError, DataError, RunError
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.runs.args import ArgsDiff, diff_args
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.checkpoint_dates import seams_of
from analyzer.runs.data_content import list_images
from analyzer.runs.dataset import resolve_dataset
from analyzer.runs.directory import find_checkpoint, read_run
from analyzer.runs.seams import find_seams, seam_at, why_no_seam

__all__ = ["ResumePoint", "as_configured", "find_resume_point", "no_number", "validated_images"]


@dataclass(frozen=True, slots=True, eq=False)
class ResumePoint:
    """Everything that is known before any training.

    Parameters
    ----------
    run
        The run directory.
    seam, others
        The seam that is judged, and the other visible ones, oldest first.
    checkpoint
        From which it started; None where it is gone.
    missing
        Why there is no checkpoint; empty where there is one.
    diff
        Arguments of the checkpoint against those of the resumed run.
    notes
        What the user should know, one sentence each.
    validated
        Validation images of a classification run, where they are found: its accuracies move in steps of one image.
    """

    run: Run
    seam: Seam
    others: tuple[Seam, ...]
    checkpoint: Checkpoint | None
    missing: str
    diff: ArgsDiff
    notes: tuple[str, ...]
    validated: int | None = None

    @property
    def observed(self) -> dict[str, float]:
        """The row of the first resumed epoch."""
        return self.run.history.row(self.seam.row)

    @property
    def before(self) -> dict[str, float]:
        """The row of the checkpoint's epoch; empty where there is none."""
        return {} if self.seam.before is None else self.run.history.row(self.seam.before)

    @property
    def train_args(self) -> Mapping[str, Any]:
        """Arguments of the training before the seam, as far as they are known."""
        return self.checkpoint.train_args if self.checkpoint else self.run.args

    def observed_rows(self, k: int) -> list[dict[str, float]]:
        """Rows of the first k resumed epochs that are there, up to the next seam or repeated epoch."""
        epochs = self.run.history.epochs
        rows = [self.run.history.row(self.seam.row)]
        for row in range(self.seam.row + 1, min(self.seam.row + k, len(epochs))):
            if epochs[row] != epochs[row - 1] + 1 or any(o.row == row for o in self.others):
                break
            rows.append(self.run.history.row(row))
        return rows


def find_resume_point(request: AnalyzeRequest) -> ResumePoint:
    """Read the run and find the seam and its checkpoint.

    Raises
    ------
    RunError
        No results.csv, or no seam in it.
    CheckpointError
        A given checkpoint cannot start this seam.
    UsageError
        ``--seam`` names an epoch that is not there.
    """
    run = read_run(request.run)
    if request.out is not None:  # where `drift replicate --out` keeps its copies
        kept = sorted((request.out / "seams").rglob("*.pt"))
        run = replace(run, checkpoints=(*run.checkpoints, *kept))
    seams = seams_of(run)
    seam = _chosen(run, seams, request.seam)
    others = tuple(s for s in seams if s.row != seam.row)
    checkpoint, missing = _checkpoint_of(request, run, seam)
    if wrong := no_number(run.args):
        raise RunError(f"{run.path / 'args.yaml'}: {wrong}", "Give the args.yaml that Ultralytics wrote.")
    if checkpoint and (wrong := no_number(checkpoint.train_args)):
        raise CheckpointError(f"{checkpoint.path}: {wrong}", "Give the checkpoint that Ultralytics wrote.")
    notes = list(run.history.notes)
    if gone := [m.name for m in run.history.metrics if m.name in run.history.unmeasured(seam.row)]:
        notes.append(f"Not measured at epoch {seam.epoch} (empty cells), so left out: {', '.join(gone)}.")
    if others:
        listed = ", ".join(f"epoch {s.epoch}" for s in others)
        notes.append(f"Other seams in this run: {listed}; judge one of them with --seam EPOCH.")
    if any(o.row > seam.row for o in others):
        notes.append(
            "args.yaml is that of the last resume, not of this one: changed arguments may belong to a later seam."
        )
    if checkpoint is not None:
        seam = _before_of(run, seam, checkpoint)
        diff = diff_args(checkpoint.train_args, run.args, version=checkpoint.version) if run.args else ArgsDiff(())
        if not run.args:
            notes.append("The run has no args.yaml, so changed arguments cannot be seen.")
    else:
        diff = ArgsDiff(())
    args = checkpoint.train_args if checkpoint else run.args
    validated = validated_images(args, run.path, request.data)
    return ResumePoint(run, seam, others, checkpoint, missing, diff, (*notes, *diff.notes), validated)


def validated_images(args: Mapping[str, Any], run: Path, data: Path | None) -> int | None:
    """Number of validation images of a classification run; None for other tasks and where the data is not found."""
    if args.get("task") != "classify":
        return None
    try:
        places = resolve_dataset(args, run=run, override=data).splits["val"]
        return sum(len(list_images(place)) for place in places) or None
    except DataError:
        return None  # whoever needs the data says so


def no_number(args: Mapping[str, Any]) -> str:
    """Which argument of the schedule is no finite number, though it has to be; empty where all are."""
    for name in ("epochs", "close_mosaic", "warmup_epochs", "lr0", "lrf", "batch", "nbs"):
        value = args.get(name)
        if value is not None and not (isinstance(value, (int, float)) and abs(value) < 1e9):
            return f"the argument {name} is {str(value)[:40]!r}, no number that a training can have."
    return ""


def _chosen(run: Run, seams: tuple[Seam, ...], wanted: int | None) -> Seam:
    if wanted is not None:
        return seam_at(run.history, wanted, run.args)
    if not seams:
        raise RunError(why_no_seam(run.history, run.args))
    return seams[-1]


def _checkpoint_of(request: AnalyzeRequest, run: Run, seam: Seam) -> tuple[Checkpoint | None, str]:
    """The given checkpoint, which must fit, or one found by its epoch, which may be missing."""
    if request.checkpoint is not None:
        checkpoint = read_checkpoint(request.checkpoint, trust=request.trust_checkpoint)
        _must_start(checkpoint, seam)
        return checkpoint, ""
    if seam.sign is SeamSign.RESTART:
        return None, "Epoch numbers start again there: it is a new training in the same file, not a resume."
    try:
        return find_checkpoint(run, seam), ""
    except CheckpointError as e:
        return None, str(e)


def _must_start(checkpoint: Checkpoint, seam: Seam) -> None:
    if checkpoint.epoch < 0:
        raise CheckpointError(
            f"{checkpoint.path} is stripped (epoch -1): its training was finished and its optimizer removed.",
            "Give the checkpoint from which the resume started, e.g. weights/epochN.pt.",
        )
    if not checkpoint.has_optimizer:
        raise CheckpointError(
            f"{checkpoint.path} holds no optimizer state, so Ultralytics cannot resume from it.",
            "Give the checkpoint from which the resume started.",
        )
    if checkpoint.resumes_at != seam.epoch:
        raise CheckpointError(
            f"{checkpoint.path} is of epoch {checkpoint.csv_epoch}: a resume from it starts at epoch "
            f"{checkpoint.resumes_at}, but the seam is at epoch {seam.epoch}.",
            f"Give the checkpoint of epoch {seam.epoch - 1}, or --seam {checkpoint.resumes_at}.",
        )


def _before_of(run: Run, seam: Seam, checkpoint: Checkpoint) -> Seam:
    """*Before* is the row of the checkpoint's epoch, the last one above the seam."""
    rows = np.flatnonzero(run.history.epochs[: seam.row] == checkpoint.csv_epoch)
    return replace(seam, before=int(rows[-1])) if len(rows) else seam


def as_configured(diff: ArgsDiff) -> dict[str, Any]:
    """Arguments of the arm *as configured*, where they differ from the checkpoint's.

    Not the optimizer: the checkpoint's state is that of another class and would not load. It is a certain cause anyway.
    Nor the device: both arms train where the study does, which is chosen like the resumed run's.
    """
    return {c.name: c.after for c in diff.changes if c.name not in ("optimizer", "device")}


def running_resume_point(run: Path, checkpoint: Path, first: int) -> ResumePoint:
    """The resume point whose first row may not be written yet: resumed epoch `first` from a kept checkpoint."""
    seen = read_run(run)
    kept = read_checkpoint(checkpoint, trust=True)
    rows = np.flatnonzero(seen.history.epochs == kept.csv_epoch)
    before = int(rows[-1]) if len(rows) else None
    row = len(seen.history) if before is None else before + 1
    seam = Seam(first, row, before, SeamSign.GIVEN, "")
    others = tuple(s for s in find_seams(seen.history, seen.args) if s.row < row)
    diff = diff_args(kept.train_args, seen.args, version=kept.version)
    return ResumePoint(seen, seam, others, kept, "", diff, ())
