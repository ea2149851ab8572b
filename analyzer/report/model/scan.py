"""Many runs, screened from their results.csv alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analyzer.domain.run import Seam
from analyzer.stats.screen import Alarm

__all__ = ["Scan", "ScannedRun"]


@dataclass(frozen=True, slots=True, eq=False)
class ScannedRun:
    """One run, screened.

    Parameters
    ----------
    path
        The run directory.
    epochs
        Rows in its results.csv; 0 where it could not be read.
    judged
        Epochs that had enough history to be judged.
    seams
        Visible seams.
    alarms
        Abnormal epochs with their epoch number as printed.
    error
        Why it could not be read; empty otherwise.
    """

    path: Path
    epochs: int
    judged: int
    seams: tuple[Seam, ...]
    alarms: tuple[tuple[int, Alarm], ...]
    error: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """All runs that were screened.

    Parameters
    ----------
    alpha
        Chance of any alarm in an ordinary run, in (0, 1).
    runs
        In the order of their paths.
    """

    alpha: float
    runs: tuple[ScannedRun, ...]
