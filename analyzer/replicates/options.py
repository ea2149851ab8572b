"""How replicates are trained, as every command that trains some is asked for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["TrainingOptions"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainingOptions:
    """What says how replicates are trained, where, and from what.

    Parameters
    ----------
    replicates
        N, or None for as few as the evidence allows.
    epochs
        K, how many resumed epochs are looked at.
    fraction
        Only the first part of the first resumed epoch, in (0, 1); None: whole epochs.
    device
        As Ultralytics takes it; None: as the run had it.
    workers_on
        Devices on which replicates are trained at once, ``0,1,2``; None: one device.
    per_device
        Replicates that are trained at once on each device; None: as many as pay without changing a bit.
    ray
        Address of a Ray cluster that trains the replicates; None: this machine.
    data
        Data yaml; None: the run's own.
    seed
        Base of the replicate seeds; None: 0.
    workers
        Loader processes of the replicates; None: as the run had them.
    out
        Folder for studies; None: ``RUN/drift``.
    trust_checkpoint
        Unpickle the checkpoint without the allow-list.
    """

    replicates: int | None = None
    epochs: int = 1
    fraction: float | None = None
    device: str | None = None
    workers_on: str | None = None
    per_device: int | None = None
    ray: str | None = None
    data: Path | None = None
    seed: int | None = None
    workers: int | None = None
    out: Path | None = None
    trust_checkpoint: bool = False
