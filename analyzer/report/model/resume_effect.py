"""What a resume itself does to the next epoch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analyzer.stats.arms import ArmDifference

__all__ = ["MetricEffect", "ResumeEffect"]


@dataclass(frozen=True, slots=True)
class MetricEffect:
    """One metric of the second epoch. Units are those of the metric.

    Parameters
    ----------
    name, deciding
        Column, and whether it is of the family that decides.
    in_memory, resumed
        Mean over the seeds: the epoch in the same process, and through save and resume.
    sd
        Of one uninterrupted epoch over the seeds: what the difference can be compared with.
    difference
        Resumed minus in memory, paired by seed, with its 95 % t interval and two-sided p.
    """

    name: str
    deciding: bool
    in_memory: float
    resumed: float
    sd: float
    difference: ArmDifference


@dataclass(frozen=True, slots=True)
class ResumeEffect:
    """What was measured.

    Parameters
    ----------
    study
        Folder of the study, where the replicates are kept.
    checkpoint
        From which the first epoch was trained.
    epoch
        The second epoch, as results.csv counts: the one that is compared.
    version
        Of Ultralytics.
    device
        In words.
    seeds
        Of the first epochs; those of the second are spawned from them.
    trained, reused
        Epochs trained now, and paths taken from the store.
    metrics
        In the order of the columns.
    """

    study: Path
    checkpoint: Path
    epoch: int
    version: str | None
    device: str
    seeds: tuple[int, ...]
    trained: int
    reused: int
    metrics: tuple[MetricEffect, ...]
