"""What a user asks for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

__all__ = ["AnalyzeRequest", "ReplicateRequest", "with_absolute_out"]

R = TypeVar("R", "AnalyzeRequest", "ReplicateRequest")


def with_absolute_out(request: R) -> R:
    """The request with a study folder that means the same in the worker, whose working directory is another."""
    return request if request.out is None else replace(request, out=request.out.expanduser().absolute())


@dataclass(frozen=True, slots=True)
class AnalyzeRequest:
    """Options of ``drift analyze``.

    Parameters
    ----------
    run
        Run directory, or a ``.pt`` inside one.
    checkpoint
        From which the seam started; None: found by its epoch.
    seam
        First resumed epoch as in the CSV; None: the last seam that is visible.
    replicates
        N, or None for as few as the evidence allows.
    epochs
        K, how many resumed epochs are looked at.
    device
        As Ultralytics takes it; None: as the run had it.
    data
        Data yaml; None: the run's own.
    alpha
        Level of the whole command, in (0, 1).
    margins
        ``METRIC=VALUE`` terms.
    seed
        Base of the replicate seeds; None: 0.
    budget
        ``6h``, ``45m``, ``5epochs``; None: none below 30 minutes, then 2 hours unless somebody agrees to more.
    dry_run
        Stop before the first epoch.
    out
        Folder for studies; None: ``RUN/drift``.
    history_only
        Train nothing.
    share_device
        Use the device although a training is running in the run.
    assume_yes
        Do not ask before long work.
    trust_checkpoint
        Unpickle the checkpoint without the allow-list.
    workers
        Loader processes of the replicates; None: as the run had them.
    revalidate
        Validate the checkpoint's own weights first.
    replay
        Repeat the user's own resume first, where it can be had again.
    twins
        Train plausible faults where the row is more than noise and no cause is certain.
    workers_on
        Devices on which replicates are trained at once, ``0,1,2``; None: one device.
    per_device
        Replicates that are trained at once on each device; None: as many as pay without changing a bit.
    ray
        Address of a Ray cluster that trains the replicates; None: this machine.
    before
        The run that was continued: `run` is then a new training from its checkpoint, not a resume.
    fraction
        Compare only the first part of the first resumed epoch, in (0, 1), as the guard logged it; None: whole epochs.
    """

    run: Path
    checkpoint: Path | None = None
    seam: int | None = None
    replicates: int | None = None
    epochs: int = 1
    device: str | None = None
    data: Path | None = None
    alpha: float = 0.05
    margins: tuple[str, ...] = ()
    seed: int | None = None
    budget: str | None = None
    dry_run: bool = False
    out: Path | None = None
    history_only: bool = False
    share_device: bool = False
    assume_yes: bool = False
    trust_checkpoint: bool = False
    workers: int | None = None
    workers_on: str | None = None
    per_device: int | None = None
    ray: str | None = None
    revalidate: bool = True
    replay: bool = True
    twins: bool = True
    before: Path | None = None
    fraction: float | None = None


@dataclass(frozen=True, slots=True)
class ReplicateRequest:
    """Options of ``drift replicate``; as in :class:`AnalyzeRequest`.

    Parameters
    ----------
    checkpoint
        The checkpoint that will be resumed.
    n
        How many healthy replicates there shall be in the end.
    replay
        Train the run's own resume too, on CPU, where it can be exact: the guard then compares batch by batch.
    """

    checkpoint: Path
    n: int = 5
    replay: bool = False
    fraction: float | None = None
    epochs: int = 1
    device: str | None = None
    data: Path | None = None
    seed: int | None = None
    out: Path | None = None
    trust_checkpoint: bool = False
    workers: int | None = None
    workers_on: str | None = None
    per_device: int | None = None
    ray: str | None = None

    @property
    def replicates(self) -> int:
        """As `AnalyzeRequest.replicates`."""
        return self.n
