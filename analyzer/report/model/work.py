"""What was done for an analysis: where, at what cost, which steps ran and which did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["STEPS", "Cost", "Environment", "NotRun", "Plan", "StepResult"]

STEPS = ("audit", "revalidation", "replay", "fingerprint", "twins", "null", "diagnosis", "attribution")
"""Steps that an analysis may leave out; each is then null in the document, with its reason in ``not_run``."""


@dataclass(frozen=True, slots=True)
class Environment:
    """Where the analysis ran.

    Parameters
    ----------
    python, platform
        Versions in words.
    device
        On which the replicates were trained, e.g. "cpu", "cuda:0 (NVIDIA H100)".
    threads
        CPU threads of a replicate; None where nothing was trained, or on a GPU.
    packages
        Package name to version.
    """

    python: str
    platform: str
    device: str | None
    threads: int | None
    packages: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Cost:
    """What the analysis took.

    Parameters
    ----------
    epochs_trained
        In this call, over all arms and steps; with ``--fraction``, parts of epochs added up.
    seconds
        Wall time of this call.
    reused
        Replicates taken from the store.
    seconds_per_epoch
        Median of a trained epoch; None where nothing was trained.
    by_step
        Step to epochs trained in it.
    """

    epochs_trained: float
    seconds: float
    reused: int = 0
    seconds_per_epoch: float | None = None
    by_step: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """The cost before the work, and what it can see.

    Parameters
    ----------
    replicates, epochs
        Replicates over all arms that are still to be trained, epochs of each.
    seconds_per_replicate
        From the run's ``time`` column, corrected by the first replicate; None where unknown.
    worst_seconds
        Upper bound of the whole.
    detectable
        Metric to the smallest jump that this many replicates see with power 0.8, where history tells.
    budget
        In words, where one applies.
    """

    replicates: int
    epochs: int
    seconds_per_replicate: float | None
    worst_seconds: float | None
    detectable: Mapping[str, float] = field(default_factory=dict)
    budget: str = ""


@dataclass(frozen=True, slots=True)
class StepResult:
    """What a step of the diagnosis ladder found.

    Parameters
    ----------
    outcome
        In short, e.g. "agrees", "same", "lr-jump", "none of these".
    summary
        One sentence.
    epochs
        What it cost.
    details
        Numbers behind it.
    """

    outcome: str
    summary: str
    epochs: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NotRun:
    """A step that was left out, and why.

    Parameters
    ----------
    step
        One of ``STEPS``.
    reason
        One sentence.
    """

    step: str
    reason: str
