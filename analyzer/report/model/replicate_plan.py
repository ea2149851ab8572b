"""The plan of the replicates for a resume: how many see a jump, and which jump N of them see."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

__all__ = ["MOST", "NUMBERS", "MetricPlan", "Need", "ReplicatePlan"]

NUMBERS = (3, 5, 8, 12, 19, 39)
"""Numbers of replicates for which a plan says which jump they see."""
MOST = 124  # largest tabulated N: beyond it the critical values are not simulated


@dataclass(frozen=True, slots=True)
class Need:
    """What a jump asks for, at one number of observed epochs.

    Parameters
    ----------
    epochs
        Observed epochs K, decided together; the jump is taken to last for all of them, their noise to be independent.
    replicates
        Smallest N from 3 to `MOST` with the power; None where none has it.
    out_of_reach
        Whether no N at all has it.
    trained_epochs, hours
        N K, and what they take at the run's own pace; None where not known.
    """

    epochs: int
    replicates: int | None
    out_of_reach: bool
    trained_epochs: int | None
    hours: float | None


@dataclass(frozen=True, slots=True)
class MetricPlan:
    """One deciding metric. Units are those of the metric.

    Parameters
    ----------
    name
        Column.
    sd, sd_source
        Spread of a replicate, and "replicates", "replicates and history", "history", "rounding unit" or "none".
    sd_df
        Degrees of freedom of that estimate; None where the rounding unit stands in for it.
    sd_upper
        One-sided 80 % upper confidence bound of the spread.
    prior_df
        Degrees of freedom that the history lends to the test.
    jump, jump_source
        The jump asked for, and "given", "auto" (3 robust sd of the history's steps) or "none".
    detectable
        Smallest jump seen with the power, one for each of `NUMBERS`, K = 1.
    limit
        What it goes to as N grows, K = 1.
    needs
        One entry for each of `EPOCHS`; empty without a jump.
    """

    name: str
    sd: float | None
    sd_source: str
    sd_df: float | None = None
    sd_upper: float | None = None
    prior_df: float = 0.0
    jump: float | None = None
    jump_source: str = "none"
    detectable: tuple[float, ...] = ()
    limit: float | None = None
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class ReplicatePlan:
    """Plan of the replicates for one resume.

    Parameters
    ----------
    run
        The run directory.
    seam
        First resumed epoch as results.csv counts.
    is_next
        Whether that epoch is not trained yet.
    alpha, power
        As asked for.
    pilot
        Healthy replicates whose spread was used; 0 where it is the history's.
    epoch_seconds
        Median wall time of an epoch of the run; None without times.
    rank_from
        N from which the analysis decides by ranks; the figures are those of the t procedure there too.
    metrics
        Deciding metrics, in the order of the CSV.
    notes
        What the user should know, one sentence each.
    """

    run: Path
    seam: int
    is_next: bool
    alpha: float
    power: float
    pilot: int
    epoch_seconds: float | None
    rank_from: int
    metrics: tuple[MetricPlan, ...]
    notes: tuple[str, ...]
