"""A replicate: one resumed path of K epochs with its own seed, made under one arm."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.within import Within

__all__ = ["HEALTHY", "Arm", "ArmKind", "EpochRecord", "Outcome", "Replicate", "matrix"]


class Outcome(str, Enum):
    """How a replicate ended."""

    OK = "ok"
    DIVERGED = "diverged"  # a loss or metric became NaN or infinite: a result, not a crash
    FAILED = "failed"  # could not be trained (out of memory, worker died twice)


class ArmKind(Enum):
    """What an arm is for: the start of its name in the store, and whether its replicates are new trainings."""

    HEALTHY = "healthy"
    AS_CONFIGURED = "as-configured"
    REPEAT = "repeat"  # the healthy arm once more; its label counts
    ORDER_APART = "apart"  # the order of the batches has a seed of its own
    SIMULATED_FAULT = "twin-"  # its label names the faults
    THROUGH_CHECKPOINT = "through-checkpoint"  # the second epoch, after save and resume
    UNINTERRUPTED = "uninterrupted"  # the second epoch, in the process of the first
    REPLAY = "replay"
    FAULT_SEARCH = "fingerprint"
    REVALIDATION = "revalidation"
    NEW_AS_CONFIGURED = "as-configured", True
    NEW_UNCHANGED = "new-training", True
    NEW_WITH_ONE = "only-", True  # its label names the argument, here and below
    NEW_WITHOUT_ONE = "without-", True

    def __init__(self, stem: str, new_training: bool = False) -> None:
        self.stem = stem
        self.new_training = new_training  # from the checkpoint's weights, instead of a resume

    @property
    def repeats_the_run(self) -> bool:
        """Whether it is the run's own resume: its seed and its threads, and nothing seeded again."""
        return self in (ArmKind.REPLAY, ArmKind.FAULT_SEARCH)

    @property
    def trains(self) -> bool:
        """False where the checkpoint's own weights are validated once; the seed then has no meaning."""
        return self is not ArmKind.REVALIDATION

    @property
    def keeps_checkpoint(self) -> bool:
        """Whether the checkpoint between its two epochs is kept."""
        return self is ArmKind.UNINTERRUPTED


@dataclass(frozen=True, slots=True)
class Arm:
    """The set of conditions under which replicates are made.

    Parameters
    ----------
    kind
        What it is for.
    changes
        Training arguments that differ from those stored in the checkpoint.
    interventions
        Faults to apply, as (id, parameters) pairs; empty for the healthy arm.
    label
        What tells arms of one kind apart by name: the faults, the changed argument, the number of the repeat.
    order_seed
        Seed of the order of the batches, apart from the seed of everything else; None: one seed for all.
    fraction
        Paths end after this fraction of their first epoch, in (0, 1), and have no row; None: whole epochs.
    data_sha256
        Fingerprint of the data set where ``changes`` names another one; without meaning elsewhere.
    """

    kind: ArmKind
    changes: Mapping[str, Any] = field(default_factory=dict)
    interventions: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    label: str = ""
    order_seed: int | None = None
    fraction: float | None = None
    data_sha256: str = ""

    @property
    def name(self) -> str:
        """As it is shown; the arguments are not in it."""
        return self.kind.stem + self.label

    @property
    def conditions(self) -> dict[str, Any]:
        """The changes, and what else sets the arm apart under keys that no training argument has."""
        new = {"new training": True} if self.kind.new_training else {}
        content = {"data (sha256)": self.data_sha256} if self.data_sha256 and "data" in self.changes else {}
        return {**new, **self.changes, **content}

    @property
    def folder(self) -> str:
        """Its name in the store: arms of one name with other conditions or faults never mix."""
        name, conditions = self.name, self.conditions
        if self.order_seed is not None:
            name = f"{name}-order{self.order_seed:010d}"
        if conditions or self.interventions:
            facts = [conditions, [[i, dict(p)] for i, p in self.interventions]]
            text = json.dumps(facts, sort_keys=True, default=str)
            name = f"{name}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"
        # a part of an epoch is never taken for a whole one
        return name if self.fraction is None else f"{name}-first{self.fraction:g}"


HEALTHY = Arm(ArmKind.HEALTHY)


@dataclass(frozen=True, slots=True)
class EpochRecord:
    """One resumed epoch.

    Parameters
    ----------
    epoch
        As results.csv counts.
    printed
        Column to value as Ultralytics prints it (rounded), lr/pg* included.
    exact
        The same metric columns at full precision.
    seconds
        Wall time of the epoch.
    within
        The epoch from inside; None in stores of versions that did not keep it, and where nothing was trained. It is
        no part of a report.
    """

    epoch: int
    printed: Mapping[str, float]
    exact: Mapping[str, float]
    seconds: float
    within: Within | None = field(default=None, metadata={"in report": False})


@dataclass(frozen=True, slots=True)
class Replicate:
    """One resumed path.

    Parameters
    ----------
    arm
        Name of the arm.
    seed
        The seed of python, numpy, torch and the loader.
    outcome
        How it ended.
    epochs
        1..K records in order.
    message
        Why it failed or diverged; empty when ok.
    hashes
        SHA-256 of "model", "ema", "optimizer" tensors after each epoch where asked for, else empty.
    """

    arm: str
    seed: int
    outcome: Outcome
    epochs: tuple[EpochRecord, ...]
    message: str = ""
    hashes: tuple[Mapping[str, str], ...] = ()


def matrix(
    replicates: tuple[Replicate, ...], columns: tuple[str, ...], *, step: int = 0, exact: bool = False
) -> NDArray[np.float64]:
    """Values of one resumed epoch of all replicates, shape (N, len(columns)); NaN where a column is missing.

    Parameters
    ----------
    replicates
        The replicates, one row each; those with fewer epochs than ``step + 1`` are left out.
    columns
        Names of the columns.
    step
        Which resumed epoch, from 0.
    exact
        Full precision instead of the printed values.
    """
    rows = [r.epochs[step] for r in replicates if len(r.epochs) > step]
    cells = [[float((e.exact if exact else e.printed).get(c, np.nan)) for c in columns] for e in rows]
    return np.array(cells, dtype=np.float64).reshape(len(rows), len(columns))
