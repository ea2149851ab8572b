"""The parts of the view model: small frozen records, each with what it means and in which unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzer.domain.evidence import Interval, Significance, Verdict
from analyzer.domain.replicate import Arm

__all__ = [
    "STEPS",
    "ArgumentChange",
    "CheckpointRef",
    "Cost",
    "Environment",
    "HistoryPrediction",
    "Look",
    "NotRun",
    "Omnibus",
    "PathPoint",
    "Plan",
    "ReportedArm",
    "StepResult",
    "reported",
]

STEPS = ("audit", "revalidation", "replay", "fingerprint", "twins", "null", "diagnosis", "attribution")
"""Steps that an analysis may leave out; each is then null in the document, with its reason in ``not_run``."""


@dataclass(frozen=True, slots=True)
class CheckpointRef:
    """The checkpoint from which the seam started.

    Parameters
    ----------
    path
        Where it was found.
    epoch
        Its epoch as results.csv counts (the checkpoint itself counts from 0).
    sha256
        Of the file.
    kept
        The copy under ``RUN/drift/seams/``, or None where there is none.
    version
        Ultralytics version that wrote it.
    """

    path: Path
    epoch: int
    sha256: str
    kept: Path | None = None
    version: str | None = None


@dataclass(frozen=True, slots=True)
class Omnibus:
    """The test of the whole deciding family at once.

    Parameters
    ----------
    test
        Name of the procedure, in words.
    p
        Its p value in [0, 1]; None where not tested.
    p_min
        The smallest p that this number of replicates can give.
    significant
        Whether it is at most the null's share of alpha.
    """

    test: str
    p: float | None
    p_min: float | None
    significant: Significance = Significance.UNKNOWN


@dataclass(frozen=True, slots=True)
class HistoryPrediction:
    """One metric of the seam check: what the epochs before the seam predict for the first one after it.

    Parameters
    ----------
    name
        Column.
    predicted
        One-step prediction, in metric units; None where there is too little history.
    interval
        Prediction interval of that epoch.
    value
        What is judged against it: the null mean, or the observed row with ``history_only``.
    p
        One-sided in the adverse direction, before adjustment.
    adverse
        Whether it is worse than predicted at the seam's share of alpha; None where not tested.
    """

    name: str
    predicted: float | None
    interval: Interval | None
    value: float | None
    p: float | None
    adverse: bool | None


@dataclass(frozen=True, slots=True)
class ArgumentChange:
    """An argument in which the resumed run's args.yaml and the checkpoint differ.

    Parameters
    ----------
    name
        Of the argument.
    before, after
        Value stored in the checkpoint, value of the resumed run.
    allowed
        Whether this Ultralytics version takes it over on resume.
    """

    name: str
    before: Any
    after: Any
    allowed: bool


@dataclass(frozen=True, slots=True)
class Look:
    """One look of a sequential analysis.

    Parameters
    ----------
    n
        Replicates at this look.
    statistic
        What is compared, e.g. the largest |t| over the family.
    critical
        Where this look says FAULT.
    p
        Smallest adjusted p at this look, or None.
    verdict
        What would be said here.
    """

    n: int
    statistic: float | None
    critical: float | None
    p: float | None
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class PathPoint:
    """One metric at one of K resumed epochs.

    Parameters
    ----------
    name
        Column.
    epoch
        As results.csv counts.
    observed, null_mean
        In metric units.
    interval
        Prediction interval of that epoch.
    p_adjusted
        Over metrics and epochs; None where not tested.
    trend
        "recovering", "staying", "diverging", or empty where not judged.
    """

    name: str
    epoch: int
    observed: float
    null_mean: float | None
    interval: Interval | None
    p_adjusted: float | None
    trend: str = ""


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


@dataclass(frozen=True, slots=True)
class ReportedArm:
    """The set of conditions under which replicates were made.

    Parameters
    ----------
    name
        "healthy", "as-configured", or the id of a fault.
    overrides
        Training arguments that differ from those stored in the checkpoint.
    interventions
        Faults to apply, as (id, parameters) pairs; empty for the healthy arm.
    order_seed
        Seed of the order of the batches, apart from the seed of everything else; None: one seed for all.
    """

    name: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    interventions: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    order_seed: int | None = None


def reported(arms: Iterable[Arm]) -> tuple[ReportedArm, ...]:
    """The arms as the document shows them."""
    return tuple(ReportedArm(a.name, a.conditions, a.interventions, a.order_seed) for a in arms)
