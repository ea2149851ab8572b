"""Simulated faults: which were tried, which share of the likelihood each has, and what each does to the metrics."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["FaultEffect", "SimulatedFault", "SimulatedFaults"]


@dataclass(frozen=True, slots=True)
class FaultEffect:
    """What a fault does to one metric, paired by seed; metric units.

    Parameters
    ----------
    effect
        Mean of faulty minus healthy replicate of the same seed.
    low, high
        Two-sided 95 % t confidence interval; None with one seed.
    """

    effect: float
    low: float | None
    high: float | None


@dataclass(frozen=True, slots=True)
class SimulatedFault:
    """One fault that was injected on seeds of the healthy arm.

    Parameters
    ----------
    id
        Of the fault, as in docs/FAULTS.md; two at once are joined by a plus.
    words
        The fault with its parameters.
    why
        What speaks for it.
    seeds, diverged
        How many replicates ended well, and how many diverged.
    share
        Posterior probability among all arms and "none of these".
    tail
        Probability that a row of this arm lies as far out as the observed one.
    explained
        Part of the squared distance from the healthy mean that it takes away.
    ruled_out
        Why it has no share; empty where it has one.
    effects
        Metric to its paired effect.
    """

    id: str
    words: str
    why: str
    seeds: int
    share: float
    tail: float
    explained: float
    ruled_out: str = ""
    effects: Mapping[str, FaultEffect] = field(default_factory=dict)
    diverged: int = 0


@dataclass(frozen=True, slots=True)
class SimulatedFaults:
    """Attribution of the row to faults by likelihood.

    Parameters
    ----------
    answer
        Id of the fault, "none of these" or "healthy".
    summary
        One sentence.
    arms
        The faults, the largest share first.
    healthy, none
        Shares of a healthy resume and of faults that were not tried.
    confused
        Pairs of faults that these seeds cannot tell apart, in words.
    untried
        Hypotheses that were not trained.
    columns
        Metrics in the likelihood.
    replicates
        Of the healthy arm.
    epochs
        Trained for it now.
    """

    answer: str
    summary: str
    arms: tuple[SimulatedFault, ...]
    healthy: float
    none: float
    confused: tuple[tuple[str, str], ...]
    untried: tuple[str, ...]
    columns: tuple[str, ...]
    replicates: int
    epochs: int
