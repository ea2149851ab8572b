"""The borrowed null in a report: which checkpoint lent it, and in which words that is said."""

from __future__ import annotations

from dataclasses import dataclass

from analyzer.report.model.parts import CheckpointRef

__all__ = ["LEGEND", "Borrowed", "distance", "methods", "source"]

LEGEND = (
    "Expected seam: what the history predicts, and what resumes of the lender lose (borrowed null).",
    "Unexplained shift: jump - expected seam; for the worse it is judged, against the margin.",
)

_OWN = {"row": "the epoch that the run itself had there", "prediction": "what the epochs before them predict"}


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


def distance(borrowed: Borrowed) -> str:
    """Say how far away the lender is.

    Examples
    --------
    >>> from pathlib import Path
    >>> distance(Borrowed(CheckpointRef(Path("a.pt"), 23, "0" * 64), -11, True, "row"))
    '11 epochs before it'
    """
    n = abs(borrowed.away)
    return f"{n} epoch{'' if n == 1 else 's'} {'before' if borrowed.away < 0 else 'after'} it"


def source(borrowed: Borrowed) -> str:
    """Say from which checkpoint the null is borrowed."""
    lender = borrowed.checkpoint
    where = f"epoch {lender.epoch}, {distance(borrowed)}" + ("" if borrowed.same_regime else ", of another regime")
    return f"gone; the null is borrowed from {lender.path} ({where}, sha256 {lender.sha256[:12]})"


def methods(borrowed: Borrowed, replicates: int) -> str:
    """Say how a borrowed null was made, in one sentence for the methods paragraph."""
    lender = borrowed.checkpoint
    allowed = "nothing was allowed for what any resume loses"
    if borrowed.own != "unknown":
        allowed = f"what these resumes lose against {_OWN[borrowed.own]} was allowed"
    return (
        "The checkpoint of the seam was gone, so the null was borrowed from that of epoch "
        f"{lender.epoch} ({distance(borrowed)}, SHA-256 {lender.sha256[:16]}), which was resumed {replicates} times: "
        "the expected value is the one-step prediction of the run's own epochs (local linear trend), its error the "
        f"spread of these resumes and the uncertainty of the prediction together; {allowed}. Only shifts for the worse "
        "were judged."
    )
