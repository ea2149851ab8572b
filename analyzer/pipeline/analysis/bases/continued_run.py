"""A deliberate continuation: a new training from an old run's checkpoint, with other arguments (``--before RUN``).

The observed row is judged against new trainings *as configured*; the jump is split into the new training itself (its
warmup, its new optimizer), each changed argument, and what is left.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.replicate import Arm, ArmKind
from analyzer.domain.run import Run, Seam, SeamSign
from analyzer.errors import CheckpointError, DriftError, RunError, UsageError
from analyzer.pipeline.analysis.regime import Regime, read_regime
from analyzer.pipeline.analysis.resume_point import ResumePoint, no_number, validated_images
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.study import Study
from analyzer.runs.args import ArgsDiff, diff_args
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.directory import read_run
from analyzer.runs.seams import find_seams

__all__ = ["Arms", "Continuation", "arms_of", "read_continuation"]

MOST_PAIRS = 4  # changed arguments up to which each is also tried alone; beyond, each is only left out


@dataclass(frozen=True, slots=True, eq=False)
class Continuation:
    """What is known before any training.

    Parameters
    ----------
    point
        The new run, judged from its first row; its seam's *before* lies in the old run.
    regime
        Noise and margins of the old run; no priors, since a new training is another regime.
    before
        The old run's row of the checkpoint's epoch.
    changes
        Changed arguments and their new values.
    """

    point: ResumePoint
    regime: Regime
    before: dict[str, float]
    changes: Mapping[str, Any]

    def can_resume(self, epochs: int) -> bool:
        """Whether the checkpoint still allows a plain resume of so many epochs."""
        checkpoint = self.point.checkpoint
        if checkpoint is None or not checkpoint.resumable:
            return False
        return checkpoint.csv_epoch + epochs <= int(checkpoint.train_args.get("epochs") or 0)


def read_continuation(request: AnalyzeRequest) -> Continuation:
    """Read both runs and the checkpoint between them.

    Raises
    ------
    RunError
        One of them is no run, or the new one is a resume.
    CheckpointError
        The checkpoint from which the new run started is not there.
    """
    assert request.before is not None
    _refuse(request)
    after, old = read_run(request.run), read_run(request.before)
    _must_be_new(after, old)
    checkpoint = _checkpoint(request, after, old)
    for place, args in ((after.path / "args.yaml", after.args), (checkpoint.path, checkpoint.train_args)):
        if wrong := no_number(args):
            raise RunError(f"{place}: {wrong}", "Give what Ultralytics wrote.")
    row = _row_of(checkpoint, old)
    regime = read_regime(_end_of_old_run(old, row, checkpoint, request), request.margins)
    regime = replace(regime, priors=(None,) * len(regime.metrics), crossing=False)
    diff = diff_args(checkpoint.train_args, after.args, version=None)
    seam = Seam(int(after.history.epochs[0]), 0, None, SeamSign.RESTART, f"a new training from {checkpoint.path.name}")
    point = ResumePoint(after, seam, (), checkpoint, "", diff, (*after.history.notes, *diff.notes))
    changes = {c.name: c.after for c in diff.changes if c.name != "device"}  # all arms train on the new run's
    return Continuation(point, regime, old.history.row(row), changes)


def _refuse(request: AnalyzeRequest) -> None:
    """Raise for options that do not go with ``--before``."""
    if request.history_only:
        raise UsageError(
            "--history-only trains nothing, but --before compares new trainings.", "Leave one of them out."
        )
    if request.replicates == 1:
        raise UsageError("--replicates 1 has no spread.", "Give 2 or more.")


def _must_be_new(after: Run, old: Run) -> None:
    """Raise where the new run is no new training that can be compared with the old one."""
    if after.path.resolve() == old.path.resolve():
        raise RunError(
            f"{after.path} cannot continue itself.", "Give with --before the run whose weights it started from."
        )
    if not len(after.history):
        raise RunError(f"{after.history.path} has no epoch yet.", "Wait for the first epoch of the new training.")
    if not after.args:
        raise RunError(f"{after.path} has no args.yaml.", "It says which arguments changed; give the whole directory.")
    if after.args.get("resume"):
        raise RunError(
            f"{after.path} is a resume (args.yaml: resume: {after.args['resume']}).",
            f"Leave --before out: drift analyze {after.path}",
        )


def _end_of_old_run(old: Run, row: int, checkpoint: Checkpoint, request: AnalyzeRequest) -> ResumePoint:
    """The old run up to the row of the checkpoint, as if a seam followed it."""
    return ResumePoint(
        run=old,
        seam=Seam(int(old.history.epochs[row]) + 1, row + 1, row, SeamSign.RESTART, "a new training continues"),
        others=tuple(s for s in find_seams(old.history, old.args) if s.row <= row),
        checkpoint=None,
        missing="",
        diff=ArgsDiff(()),
        notes=(),
        validated=validated_images(checkpoint.train_args, old.path, request.data),
    )


def _checkpoint(request: AnalyzeRequest, after: Run, old: Run) -> Checkpoint:
    """The given one, the one that args.yaml names, or the old run's last.pt."""
    named = str(after.args.get("model") or "")
    places = [Path(named)] if named.endswith(".pt") and Path(named).is_file() else []
    places = [request.checkpoint] if request.checkpoint is not None else [*places, old.path / "weights" / "last.pt"]
    problems: list[str] = []
    for place in places:
        try:
            return read_checkpoint(place, trust=request.trust_checkpoint)
        except DriftError as error:
            problems.append(error.what)
    raise CheckpointError(
        f"The checkpoint from which {after.path} started is not there. {' '.join(problems)}",
        f"Give it with --checkpoint; args.yaml says model: {named or '(nothing)'}.",
    )


def _row_of(checkpoint: Checkpoint, old: Run) -> int:
    """Row of the checkpoint's epoch; a stripped one has none, so the row that its stored metrics fit best."""
    epochs = old.history.epochs
    if not len(epochs):
        raise RunError(f"{old.history.path} has no epoch.", "Give the run that was continued with --before.")
    rows = np.flatnonzero(epochs == checkpoint.csv_epoch) if checkpoint.epoch >= 0 else np.array([], dtype=int)
    if len(rows):
        return int(rows[-1])
    stored = {k: v for k, v in checkpoint.train_metrics.items() if k in old.history.columns and np.isfinite(v)}
    if not stored:
        return len(epochs) - 1
    table = np.column_stack([old.history.column(k) for k in stored])
    gaps = np.abs(table - np.array(list(stored.values()))).sum(axis=1)
    return int(np.nanargmin(gaps)) if np.isfinite(gaps).any() else len(epochs) - 1


class Arms(NamedTuple):
    """The new trainings of a continuation: as configured, unchanged, each argument alone, each left out."""

    configured: Arm
    unchanged: Arm
    alone: dict[str, Arm]
    without: dict[str, Arm]


def arms_of(study: Study, changes: Mapping[str, Any]) -> Arms:
    """The arms of a continuation.

    Parameters
    ----------
    study
        Where they are trained, with the changed data set.
    changes
        Argument to new value.

    Returns
    -------
    Arms
        With one changed argument the last two are empty, beyond `MOST_PAIRS` `alone` is.
    """
    alone: dict[str, Arm] = {}
    without: dict[str, Arm] = {}
    if len(changes) > 1:
        for name, value in changes.items():
            rest = {k: v for k, v in changes.items() if k != name}
            without[name] = study.arm(ArmKind.NEW_WITHOUT_ONE, rest, label=name)
            if len(changes) <= MOST_PAIRS:
                alone[name] = study.arm(ArmKind.NEW_WITH_ONE, {name: value}, label=name)
    return Arms(study.arm(ArmKind.NEW_AS_CONFIGURED, changes), Arm(ArmKind.NEW_UNCHANGED), alone, without)
