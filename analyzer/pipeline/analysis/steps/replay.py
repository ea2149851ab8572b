"""The replay: the user's own resume again, with the same checkpoint, arguments and seed, nothing reseeded.

Same row to the printed digits: whatever could differ between two executions is cleared. Another row: something outside
differed. It shares the user's seed, so it is never part of the null.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from typing import Any

from analyzer.domain.evidence import Replay
from analyzer.domain.replicate import Arm, ArmKind, Outcome, Replicate
from analyzer.domain.rows import differing_columns
from analyzer.faults.clues import Interventions
from analyzer.pipeline.analysis.resume_point import ResumePoint, as_configured
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study
from analyzer.report.model.analysis import StepResult

__all__ = ["NotPossible", "replay_arm", "replay_outcome", "run_replay", "why_not"]


class NotPossible(str):
    """Why a replay cannot be had, as one sentence without its full stop."""

    __slots__ = ()


def why_not(point: ResumePoint, study: Study) -> NotPossible | None:
    """The reason for which an exact replay is not possible; None where it is."""
    args: Mapping[str, Any] = {**study.checkpoint.train_args, **point.run.args}
    installed, wrote = study.versions.get("ultralytics"), study.checkpoint.version
    batch = args.get("batch")
    reasons = {
        f"the run used Ultralytics {wrote}, here is {installed}": bool(wrote) and wrote != installed,
        study.device.note.rstrip("."): bool(study.device.note),
        "time= makes the schedule depend on the clock": bool(args.get("time")),
        "AutoBatch chose the batch by the memory that was free then": isinstance(batch, (int, float)) and batch < 1,
        "Albumentations draws from the operating system's entropy": _has_albumentations(),
    }
    return next((NotPossible(reason) for reason, holds in reasons.items() if holds), None)


def run_replay(point: ResumePoint, study: Study, collector: Collector) -> Replicate | NotPossible:
    """Train the replay, or take it from the store; the reason where it cannot be had."""
    reason = why_not(point, study)
    if reason is not None:
        return reason
    seed = point.run.args.get("seed", study.checkpoint.train_args.get("seed", 0))
    if not isinstance(seed, int) or isinstance(seed, bool):
        return NotPossible(f"the run's seed {seed!r} is no integer")
    found = collector.one(replay_arm(point, study, seed), seed)
    return NotPossible("the budget ended before it") if found is None else found


def replay_arm(
    point: ResumePoint, study: Study, seed: int, *, kind: ArmKind = ArmKind.REPLAY, interventions: Interventions = ()
) -> Arm:
    """The arm of the user's own resume: as configured, with the run's own seed; perhaps with faults injected."""
    changes = {**as_configured(point.diff), "seed": seed}
    return study.arm(kind, changes, interventions=interventions)


def replay_outcome(point: ResumePoint, study: Study, found: Replicate | NotPossible) -> tuple[Replay, StepResult]:
    """Compare the replay with every judged row, digit by digit as printed.

    On a GPU another row proves nothing, since its arithmetic may not repeat; there only the same row is an answer.
    """
    if isinstance(found, NotPossible):
        return Replay.NOT_POSSIBLE, StepResult("not possible", f"Not possible: {found}.")
    observed = point.observed_rows(study.epochs)
    shared, other = differing_columns(observed, [e.printed for e in found.epochs], point.run.history.unit)
    details = {"columns": len(shared), "differ": list(other), "seed": found.seed, "outcome": found.outcome.value}
    cost = len(found.epochs)
    if shared and not other and found.outcome is not Outcome.FAILED:
        text = f"The same resume with the same seed gave all {len(shared)} columns again, to every printed digit."
        return Replay.SAME, StepResult("same", text, cost, details)
    if study.device.argument != "cpu":
        text = f"{len(other)} of {len(shared)} columns came out differently, which GPU arithmetic alone can do."
        return Replay.NOT_POSSIBLE, StepResult("not possible", text, cost, details)
    text = f"The same resume with the same seed gave other values in {len(other)} of {len(shared)} columns."
    return Replay.OTHER, StepResult("other", text, cost, details)


def _has_albumentations() -> bool:
    try:
        importlib.metadata.version("albumentations")
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
