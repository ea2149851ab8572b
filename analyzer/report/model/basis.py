"""What the row of the seam is judged against."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from analyzer.report.model.parts import CheckpointRef

__all__ = ["Basis", "Borrowed"]


class Basis(str, Enum):
    """What the row of the seam is judged against; each has its own phrases (``analyzer.report.phrases.bases``)."""

    OWN = "resumes of the checkpoint of the seam"
    BORROWED = "resumes of another checkpoint, since that of the seam is gone"
    HISTORY = "the epochs before the seam, no replicate"
    PART = "resumes that stop inside the first epoch"
    CONTINUATION = "new trainings as configured, each from the checkpoint"


@dataclass(frozen=True, slots=True)
class Borrowed:
    """The checkpoint that lent its replicates, where that of the seam is gone.

    Parameters
    ----------
    checkpoint
        The lender.
    away
        Epochs from the checkpoint that is gone to the lender; negative where the lender is older.
    same_regime
        Whether no warmup, closing of mosaic or other seam lies between the two.
    own
        What resumes of the lender are compared with, to allow for what any resume loses: "row" (the next epoch of the
        run itself), "prediction" (of that epoch), or "unknown": then nothing is allowed.
    """

    checkpoint: CheckpointRef
    away: int
    same_regime: bool
    own: str
