"""A replicate: one resumed path of K epochs with its own seed, made under one arm."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.within import Within

__all__ = ["Arm", "EpochRecord", "Outcome", "Replicate", "matrix"]


class Outcome(str, Enum):
    """How a replicate ended."""

    OK = "ok"
    DIVERGED = "diverged"  # a loss or metric became NaN or infinite: a result, not a crash
    FAILED = "failed"  # could not be trained (out of memory, worker died twice)


@dataclass(frozen=True, slots=True)
class Arm:
    """The set of conditions under which replicates are made.

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
    fraction
        Paths end after this fraction of their first epoch, in (0, 1), and have no row; None: whole epochs.
    """

    name: str
    overrides: Mapping[str, Any] = field(default_factory=dict)
    interventions: tuple[tuple[str, Mapping[str, Any]], ...] = ()
    order_seed: int | None = None
    fraction: float | None = field(default=None, metadata={"store only": True})


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
    within: Within | None = field(default=None, metadata={"store only": True})


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
