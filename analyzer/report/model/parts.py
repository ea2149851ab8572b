"""The parts of the view model: small frozen records, each with what it means and in which unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from analyzer.domain.evidence import Interval, Significance, Verdict
from analyzer.domain.replicate import Arm

__all__ = [
    "ArgumentChange",
    "CheckpointRef",
    "HistoryPrediction",
    "Look",
    "Omnibus",
    "PathPoint",
    "ReportedArm",
    "reported",
]


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
    """The evidence after so many replicates of a sequential analysis.

    Parameters
    ----------
    n
        Replicates so far.
    statistic
        The largest |z| of the observed row over the family, standardised on the first replicates; None where no
        other replicate can be compared with it.
    critical
        Where the verdict looks for a fault: `p` at or below this is significant; None at the other numbers.
    p
        Smallest adjusted p with these replicates, or None.
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
