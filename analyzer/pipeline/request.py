"""What a user asks for."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from analyzer.replicates.options import TrainingOptions

__all__ = ["AnalyzeRequest", "ReplicateRequest", "with_absolute_out"]

R = TypeVar("R", bound=TrainingOptions)


def with_absolute_out(request: R) -> R:
    """The request with a study folder that means the same in the worker, whose working directory is another."""
    return request if request.out is None else replace(request, out=request.out.expanduser().absolute())


@dataclass(frozen=True, slots=True)
class AnalyzeRequest(TrainingOptions):
    """Options of ``drift analyze``.

    Parameters
    ----------
    run
        Run directory, or a ``.pt`` inside one.
    checkpoint
        From which the seam started; None: found by its epoch.
    seam
        First resumed epoch as in the CSV; None: the last seam that is visible.
    alpha
        Level of the whole command, in (0, 1).
    margins
        ``METRIC=VALUE`` terms.
    budget
        ``6h``, ``45m``, ``5epochs``; None: none below 30 minutes, then 2 hours unless somebody agrees to more.
    dry_run
        Stop before the first epoch.
    history_only
        Train nothing.
    share_device
        Use the device although a training is running in the run.
    assume_yes
        Do not ask before long work.
    revalidate
        Validate the checkpoint's own weights first.
    replay
        Repeat the user's own resume first, where it can be had again.
    twins
        Train plausible faults where the row is more than noise and no cause is certain.
    before
        The run that was continued: `run` is then a new training from its checkpoint, not a resume.
    """

    run: Path
    checkpoint: Path | None = None
    seam: int | None = None
    alpha: float = 0.05
    margins: tuple[str, ...] = ()
    budget: str | None = None
    dry_run: bool = False
    history_only: bool = False
    share_device: bool = False
    assume_yes: bool = False
    revalidate: bool = True
    replay: bool = True
    twins: bool = True
    before: Path | None = None


@dataclass(frozen=True, slots=True)
class ReplicateRequest(TrainingOptions):
    """Options of the commands that resume a checkpoint: ``drift replicate``, ``variance`` and ``seam``.

    Parameters
    ----------
    checkpoint
        The checkpoint that will be resumed.
    replicates
        How many healthy replicates there shall be in the end; of ``variance`` and ``seam`` the number of seeds.
    replay
        Train the run's own resume too, on CPU, where it can be exact: the guard then compares batch by batch.
    """

    checkpoint: Path
    replicates: int = field(default=5, kw_only=True)
    replay: bool = False
