"""What a checkpoint says, without its tensors."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Checkpoint"]


@dataclass(frozen=True, slots=True, eq=False)
class Checkpoint:
    """The facts of an Ultralytics training checkpoint.

    Parameters
    ----------
    path
        The file, absolute.
    sha256
        Of the file, hexadecimal.
    epoch
        As stored, from 0; -1 where the run was finished and the checkpoint stripped.
    updates
        EMA updates so far (optimizer steps), or None.
    version
        Ultralytics version that wrote it.
    date
        ISO 8601 string, as stored.
    task
        "detect", "segment", "pose", "obb", "classify".
    train_args
        The arguments of the run.
    train_metrics
        The metrics row of its epoch, as stored (without train losses).
    has_optimizer
        Whether an optimizer state is stored.
    optimizer_kind
        "SGD-like" (momentum buffers), "Adam-like" (exp_avg), "unknown", or None where there is no state.
    names
        Class index to name of the stored model.
    """

    path: Path
    sha256: str
    epoch: int
    updates: int | None
    version: str | None
    date: str | None
    task: str
    train_args: Mapping[str, Any]
    train_metrics: Mapping[str, float]
    has_optimizer: bool
    optimizer_kind: str | None
    names: Mapping[int, str]

    @property
    def resumable(self) -> bool:
        """Whether Ultralytics can resume from it: an epoch and an optimizer are there."""
        return self.epoch >= 0 and self.has_optimizer

    @property
    def csv_epoch(self) -> int:
        """Its epoch as results.csv counts (from 1)."""
        return self.epoch + 1

    @property
    def resumes_at(self) -> int:
        """First epoch that a resume writes, as results.csv counts."""
        return self.epoch + 2

    @property
    def ema_epochs(self) -> float:
        """How many epochs its EMA looks back on average; 0 where the number of updates is not known.

        A resume restarts the raw weights from the EMA, so it can set the training back by about as much. Mean age of
        what is averaged, d / (1 - d) updates with d = 0.9999 (1 - exp(-updates / 2000)) (``ModelEMA`` of Ultralytics),
        over the updates an epoch had so far: 0.03 epochs for a run of 1,768 updates in 34 epochs, 16 epochs for one of
        20,572 in 45.
        """
        if not self.updates or self.updates < 0 or self.epoch < 0:
            return 0.0
        decay = 0.9999 * (1 - math.exp(-self.updates / 2000))
        return decay / (1 - decay) / (self.updates / self.csv_epoch)
