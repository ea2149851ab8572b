"""What the driver tells the worker: plain data that goes through a pipe as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analyzer.domain.replicate import Arm, ArmKind

__all__ = ["ArmJob", "arm_from", "arm_message", "dump"]


@dataclass(frozen=True, slots=True)
class ArmJob:
    """Everything a worker needs to set up one arm.

    Parameters
    ----------
    arm
        The arm.
    checkpoint
        The seam checkpoint, read only.
    data
        The resolved data set: for detection and its kin a mapping as in a data yaml with absolute paths, for
        classification ``{"path": folder}``.
    device
        As Ultralytics takes it: "cpu", "0", "mps"; "0,1" for one job on two GPUs.
    workers
        Loader processes, or None to leave it to Ultralytics (which forces 0 on CPU).
    epochs
        K, how many epochs to train.
    scratch
        Folder that the worker may write to.
    root, study
        Of the store.
    hashes
        Whether to hash model, EMA and optimizer after each epoch (for fidelity tests).
    trust
        Whether the checkpoint may be unpickled without the allow-list.
    threads
        CPU threads of torch, or None to leave them to Ultralytics.
    never_finite
        Columns that were NaN or infinite in the checkpoint's own row: no sign that a replicate diverged.
    between
        Folder for the checkpoint between the two epochs of a path; None: none is kept.
    sha256
        Of the checkpoint; a file that has another one is not loaded. Empty: unchecked.
    """

    arm: Arm
    checkpoint: Path
    data: Mapping[str, Any]
    device: str
    epochs: int
    scratch: Path
    root: Path
    study: str
    workers: int | None = None
    hashes: bool = False
    trust: bool = False
    threads: int | None = None
    never_finite: tuple[str, ...] = ()
    between: Path | None = None
    sha256: str = ""

    @classmethod
    def load(cls, message: Mapping[str, Any]) -> ArmJob:
        """Rebuild a job from its JSON mapping."""
        values = dict(message)
        values["arm"] = arm_from(values["arm"])
        values["never_finite"] = tuple(values["never_finite"])
        for name in ("checkpoint", "scratch", "root", "between"):
            values[name] = None if values[name] is None else Path(values[name])
        return cls(**values)


def arm_from(message: Mapping[str, Any]) -> Arm:
    """Rebuild an arm from its JSON mapping."""
    values = dict(message)
    values["kind"] = ArmKind[values["kind"]]
    values["interventions"] = tuple((str(i), dict(p)) for i, p in values["interventions"])
    return Arm(**values)


def arm_message(arm: Arm) -> dict[str, Any]:
    """An arm as a mapping whose values go into JSON."""
    return {**asdict(arm), "kind": arm.kind.name}


def dump(job: ArmJob) -> dict[str, Any]:
    """A job as a JSON mapping."""
    message: dict[str, Any] = json.loads(json.dumps({**asdict(job), "arm": arm_message(job.arm)}, default=str))
    return message
