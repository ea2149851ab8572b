"""Which other checkpoint of the run can lend its resumes where that of the seam is gone."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import SeamSign
from analyzer.errors import DriftError
from analyzer.pipeline.analysis.regime import Regime, read_regime
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.schedule import Schedule
from analyzer.stats.history import MIN_EPOCHS
from analyzer.stats.seam import predictions

__all__ = ["Lender", "find_lender"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Lender:
    """A checkpoint whose replicates are borrowed.

    Parameters
    ----------
    checkpoint
        The lender.
    away
        Epochs from the checkpoint that is gone to it; negative where it is older.
    same_regime
        Whether no warmup, closing of mosaic or other seam lies between the two.
    regime
        The regime that ends with its epoch.
    own, own_sd
        Shape (m,), the epoch after it in the run: as `borrowed_tests` takes them.
    kind
        "row", "prediction" or "unknown": what `own` is.
    """

    checkpoint: Checkpoint
    away: int
    same_regime: bool
    regime: Regime
    own: Array
    own_sd: Array
    kind: str


def find_lender(point: ResumePoint, regime: Regime, request: AnalyzeRequest) -> tuple[Lender | None, str]:
    """The checkpoint that can lend best, and why none can where there is none.

    Preferred in this order: of the seam's regime; one after which the run itself shows (or its epochs predict) what
    comes next without a resume; the nearest; the older of two that are equally far.
    """
    if point.seam.sign is SeamSign.RESTART or point.seam.before is None:
        return None, "There is no training before the seam that another checkpoint could stand for."
    if len(regime.values) < MIN_EPOCHS:
        return (
            None,
            f"Fewer than {MIN_EPOCHS} comparable epochs lie before the seam, too few to predict from.",
        )
    found, reasons = [], []
    for path in point.run.checkpoints:
        name = path.relative_to(point.run.path) if path.is_relative_to(point.run.path) else path
        try:
            checkpoint = read_checkpoint(path, trust=request.trust_checkpoint)
        except DriftError as e:
            reasons.append(e.what)
            continue
        if not checkpoint.resumable:
            reasons.append(f"{name} is stripped: its training was finished, and nothing can be resumed from it.")
            continue
        lender = _lender(point, checkpoint, request)
        if lender is None:
            reasons.append(f"{name} is of epoch {checkpoint.csv_epoch}, which results.csv does not have.")
        else:
            found.append(lender)
    if found:
        return min(found, key=lambda b: (not b.same_regime, b.kind == "unknown", abs(b.away), b.away)), ""
    return None, " ".join(dict.fromkeys(reasons)) or "The run has no checkpoint at all."


def _lender(point: ResumePoint, checkpoint: Checkpoint, request: AnalyzeRequest) -> Lender | None:
    history, seam = point.run.history, point.seam
    assert seam.before is not None
    epoch = checkpoint.csv_epoch
    rows = np.flatnonzero(history.epochs == epoch)
    side = rows[rows < seam.row] if epoch < seam.epoch else rows[rows >= seam.row]
    if not len(side):
        return None
    row = int(side[-1])
    regime = read_regime(replace(point, checkpoint=checkpoint), request.margins, last=row)
    own, own_sd, kind = _own(point, row, regime)
    same = _cuts(point, row, checkpoint) == _cuts(point, seam.before, checkpoint)
    return Lender(checkpoint, epoch - int(history.epochs[seam.before]), same, regime, own, own_sd, kind)


def _own(point: ResumePoint, row: int, regime: Regime) -> tuple[Array, Array, str]:
    """The epoch after the lender's without a resume: the row itself, else what the epochs before it predict."""
    history = point.run.history
    nan = np.full(len(regime.metrics), np.nan)
    starts = {s.row for s in (*point.others, point.seam)}
    if row + 1 < len(history) and row + 1 not in starts and history.epochs[row + 1] == history.epochs[row] + 1:
        following = history.row(row + 1)
        return np.array([following[n] for n in regime.names]), nan, "row"
    found = predictions(
        regime.values,
        names=regime.names,
        adverse_sign=regime.adverse_sign,
        units=regime.units,
        new_regime=regime.crossing,
    )
    if not any(found):
        return nan, nan, "unknown"
    mean = np.array([np.nan if p is None else p.mean for p in found])
    return mean, np.array([np.nan if p is None else p.level_sd for p in found]), "prediction"


def _cuts(point: ResumePoint, row: int, checkpoint: Checkpoint) -> tuple[bool, bool, int]:
    """What tells the regime of a row: warmup over, mosaic closed, how many other seams lie before it."""
    epoch, schedule = int(point.run.history.epochs[row]), Schedule.told(checkpoint.train_args)
    return epoch > schedule.warmup, schedule.closed_at(epoch), sum(o.row <= row for o in point.others)
