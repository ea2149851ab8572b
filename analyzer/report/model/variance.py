"""Where the noise of a resumed epoch comes from."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from analyzer.stats.components import Component

__all__ = ["MetricVariance", "VarianceReport"]


@dataclass(frozen=True, slots=True)
class MetricVariance:
    """One metric. Units are those of the metric, squared for variances.

    Parameters
    ----------
    name, deciding
        Column, and whether it is of the family that decides.
    mean, sd
        Over all pairs of an order seed and a seed of everything else; the sd is the root of the components' sum.
    components
        Batch order, augmentation, order x augmentation, same seed again.
    """

    name: str
    deciding: bool
    mean: float
    sd: float
    components: tuple[Component, ...]


@dataclass(frozen=True, slots=True)
class VarianceReport:
    """What was found.

    Parameters
    ----------
    study
        Folder of the study, where the replicates are kept.
    epoch
        The resumed epoch, as results.csv counts.
    device
        In words.
    seeds, repeats
        Of the order and of everything else (each n values); repeats of each seed.
    trained, reused
        Replicates.
    identical
        Whether the same seed gave the same row each time, at full precision.
    metrics
        In the order of the columns.
    """

    study: Path
    epoch: int
    device: str
    seeds: tuple[int, ...]
    repeats: int
    trained: int
    reused: int
    identical: bool
    metrics: tuple[MetricVariance, ...]
