"""What a hypothesis is, and the clues that it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.domain.evidence import Finding
from analyzer.domain.metrics import is_train_loss
from analyzer.runs.schedule import Schedule, has_mosaic

__all__ = ["Clues", "Hypothesis", "Interventions", "OtherFile"]

Interventions = tuple[tuple[str, Mapping[str, Any]], ...]


@dataclass(frozen=True, slots=True)
class OtherFile:
    """A weight file that may have been resumed by mistake.

    Parameters
    ----------
    path, sha256
        The file.
    epoch
        As results.csv counts; 0 for a file that is no checkpoint of this run (``pretrained=``).
    updates
        Counter of its EMA; None where it is not known.
    near
        Distance of what was trained after the seam from it, relative to the distance from the seam's checkpoint; None
        where it is not known. Far below 1, the resume trained from its weights.
    """

    path: Path
    sha256: str
    epoch: int
    updates: int | None = None
    near: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Clues:
    """What is known when the replay gave another row.

    Parameters
    ----------
    observed, replayed
        Row of the first resumed epoch, and what the replay printed for it.
    differ
        Columns that are not the same.
    args
        Arguments as configured.
    epoch
        The first resumed epoch as results.csv counts.
    findings
        Of the audit.
    files
        Other checkpoints of the run, and the file that ``pretrained`` names.
    splits
        Split to the images that the data yaml names, absolute.
    later_args
        Arguments that only a checkpoint after the seam knows to be different.
    updates
        Counter of the EMA in the seam's checkpoint, where a checkpoint after the seam shows that it ran on as the
        arguments give: then the batch was not another one, nor was a checkpoint with another counter resumed.
    state_kept
        Whether Adam's step counters after the seam show that the optimizer's state was kept.
    read_splits
        Splits whose number of images gives the number of updates after the seam, where that of training does not.
    names
        Class names of the data set, by index.
    """

    observed: Mapping[str, float]
    replayed: Mapping[str, float]
    differ: Sequence[str]
    args: Mapping[str, Any]
    epoch: int
    findings: tuple[Finding, ...] = ()
    files: tuple[OtherFile, ...] = ()
    splits: Mapping[str, Sequence[str]] = field(default_factory=dict)
    later_args: Mapping[str, Any] = field(default_factory=dict)
    updates: int | None = None
    state_kept: bool = False
    read_splits: tuple[str, ...] = ()
    names: Mapping[int, str] = field(default_factory=dict)

    @property
    def shift(self) -> float:
        """Median relative difference of the train losses, observed against replay; NaN where there are none."""
        relative = self.train_shifts
        return float(np.median(list(relative.values()))) if relative else float("nan")

    @property
    def train_shifts(self) -> dict[str, float]:
        """Relative difference of every train loss that differs, observed against replay."""
        pairs = {c: (self.observed[c], self.replayed[c]) for c in self.differ if is_train_loss(c)}
        return {c: (a - b) / abs(b) for c, (a, b) in pairs.items() if np.isfinite([a, b]).all() and b}

    @property
    def mosaic_open(self) -> bool:
        """Whether mosaic is on in the first resumed epoch, as configured."""
        closed = Schedule.of(self.args).closed_at(self.epoch)
        return has_mosaic(self.args) and bool(self.args.get("mosaic", 1.0)) and not closed


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """One fault, or two at once, that may explain the row.

    Parameters
    ----------
    interventions
        As in `Arm.interventions`.
    why
        What speaks for it, in half a sentence.
    """

    interventions: Interventions
    why: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Ids of its faults."""
        return tuple(i for i, _ in self.interventions)

    @property
    def words(self) -> str:
        """Faults with their parameters, as shown to the user.

        Examples
        --------
        >>> Hypothesis((("lr-jump", {"factors": 10.0}), ("ema-reset", {})), "").words
        'lr-jump (factors 10) and ema-reset'
        """
        return " and ".join(i + _shown(p) for i, p in self.interventions)


def _shown(parameters: Mapping[str, Any]) -> str:
    values = {k: v for k, v in parameters.items() if k != "sha256" and v is not False}
    shown = [f"{k} {Path(v).name if k == 'path' else _plain(v)}" for k, v in values.items()]
    return f" ({', '.join(shown)})" if shown else ""


def _plain(value: Any) -> str:
    if isinstance(value, (list, tuple)):
        return "/".join(_plain(v) for v in value)
    return f"{value:g}" if isinstance(value, float) else str(value)
