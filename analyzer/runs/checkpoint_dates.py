"""Seams that `time` hides, by the dates that the checkpoints carry.

`time` counts from the start of the process. Where the first resumed epoch takes longer than all epochs since the seam
before, it does not fall. A checkpoint is dated when its row is written, so within one process two dates are as far
apart as the times of their rows, however long the epoch took; across a resume they are further apart by at least all
that `time` had counted before.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import numpy as np

from analyzer.domain.run import Run, Seam, SeamSign
from analyzer.errors import DriftError
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.seams import epoch_seconds, find_seams

__all__ = ["seams_of"]

_LONG = 1.5  # median epochs: only steps above it are looked at, since checkpoints have to be read for each
_MOST = 3  # steps that are looked at, the longest ones
_GAP = 5.0  # seconds; measured: at most 0.1 s in 201 pairs of one process, 41 s and more in 13 of two
_SUMMER_TIME = 3600.0  # dates are local: a clock that is put forward is no seam


def seams_of(run: Run) -> tuple[Seam, ...]:
    """The seams that results.csv shows (`find_seams`), and those that only the dates of its checkpoints show.

    A hidden seam is found where a checkpoint of the epoch before it and one of its first epoch are there.
    """
    seams = find_seams(run.history, run.args)
    hidden = [seam for row in _long_steps(run, seams) if (seam := _by_dates(run, row)) is not None]
    return tuple(sorted((*seams, *hidden), key=lambda s: s.row))


def _long_steps(run: Run, seams: tuple[Seam, ...]) -> list[int]:
    """Rows whose epoch took unusually long, the longest first."""
    time, epochs, usual = run.history.time, run.history.epochs, epoch_seconds(run.history)
    if time is None or usual is None:
        return []
    steps = np.diff(time, prepend=np.nan)
    follows = np.diff(epochs, prepend=epochs[:1] - 2) == 1
    known = {s.row for s in seams}
    rows = [int(r) for r in np.flatnonzero(follows & (steps > _LONG * usual)) if int(r) not in known]
    return sorted(rows, key=lambda r: -steps[r])[:_MOST]


def _by_dates(run: Run, row: int) -> Seam | None:
    time, epochs = run.history.time, run.history.epochs
    assert time is not None
    before, first = _date(run, int(epochs[row - 1])), _date(run, int(epochs[row]))
    if before is None or first is None:
        return None
    gap = first - before - float(time[row] - time[row - 1])
    if gap <= max(_GAP, float(time[row - 1]) / 2) or abs(gap - _SUMMER_TIME) < _GAP:
        return None
    evidence = (
        f"The checkpoints of epochs {epochs[row - 1]} and {epochs[row]} are dated {first - before:.4g} s apart, where "
        f"`time` grows by {time[row] - time[row - 1]:.4g} s."
    )
    return Seam(int(epochs[row]), row, row - 1, SeamSign.CHECKPOINT_DATES, evidence)


def _date(run: Run, epoch: int) -> float | None:
    """When the checkpoint of an epoch of results.csv was written, seconds; None where none tells."""
    for path in run.checkpoints:
        if not _may_be(path, epoch):
            continue
        try:
            checkpoint = read_checkpoint(path)
            if checkpoint.epoch >= 0 and checkpoint.csv_epoch == epoch and checkpoint.date:
                return datetime.fromisoformat(checkpoint.date).timestamp()
        except (DriftError, ValueError, OverflowError, OSError):
            continue
    return None


def _may_be(path: Path, epoch: int) -> bool:
    """Whether a file can be the checkpoint of that epoch by its name: many are large."""
    kept = path.parent.name.startswith(f"epoch{epoch}-")
    return kept or path.name in (f"epoch{epoch - 1}.pt", "last.pt", "best.pt")
