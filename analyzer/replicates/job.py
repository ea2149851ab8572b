"""What the driver tells the worker: plain data that goes through a pipe as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from analyzer.domain.replicate import Arm

__all__ = ["ArmJob", "arm_from", "dump"]


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
    reseed
        False for a replay: the run's own seed, as Ultralytics sets it, and nothing reseeded after it.
    validate
        True to validate the checkpoint's own weights once instead of training; the seed then has no meaning.
    never_finite
        Columns that were NaN or infinite in the checkpoint's own row: no sign that a replicate diverged.
    fresh
        A new training from the checkpoint's weights instead of a resume.
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
    reseed: bool = True
    validate: bool = False
    never_finite: tuple[str, ...] = ()
    fresh: bool = False
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
    interventions = tuple((str(i), dict(p)) for i, p in message["interventions"])
    return Arm(
        str(message["name"]),
        dict(message["overrides"]),
        interventions,
        message.get("order_seed"),
        message.get("fraction"),
    )


def dump(job: ArmJob) -> dict[str, Any]:
    """A job as a JSON mapping."""
    message: dict[str, Any] = json.loads(json.dumps(asdict(job), default=str))
    return message
