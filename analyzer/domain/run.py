"""What a run directory says: its history, its seams, its data set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.metrics import Metric, metrics_of

__all__ = ["DataSet", "History", "Run", "Seam", "SeamSign"]


@dataclass(frozen=True, slots=True, eq=False)
class History:
    """A results.csv, read.

    Parameters
    ----------
    path
        The file.
    epochs
        Shape (n,), the ``epoch`` column, counted from 1 (old files count from 0). Numbers may repeat at a seam.
    time
        Shape (n,), seconds since *the process that wrote the row* started training; None where the column is missing.
    columns
        Every other numeric column, in file order.
    values
        Shape (n, len(columns)), NaN where a cell is empty, ``nan`` or no number.
    units
        Shape (len(columns),), the rounding unit of each column as printed (e.g. 1e-05), at least 1e-12.
    notes
        What had to be mended to read the file, one sentence each (truncated last line, padded header ...).
    empty
        Shape (n, len(columns)), which cells are empty: not measured at that epoch, unlike one that says ``nan``. None
        where that is not known.
    """

    path: Path
    epochs: NDArray[np.int64]
    time: NDArray[np.float64] | None
    columns: tuple[str, ...]
    values: NDArray[np.float64]
    units: NDArray[np.float64]
    notes: tuple[str, ...] = ()
    empty: NDArray[np.bool_] | None = field(default=None, metadata={"in report": False})

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """The metric columns, in file order."""
        return metrics_of(self.columns)

    def column(self, name: str) -> NDArray[np.float64]:
        """One column, shape (n,); KeyError where there is none of that name."""
        if name not in self.columns:
            raise KeyError(name)
        return self.values[:, self.columns.index(name)]

    def unit(self, name: str) -> float:
        """Rounding unit of one column as printed."""
        return float(self.units[self.columns.index(name)])

    def row(self, index: int) -> dict[str, float]:
        """One row as a mapping from column to value."""
        return {c: float(v) for c, v in zip(self.columns, self.values[index], strict=True)}

    def unmeasured(self, index: int) -> frozenset[str]:
        """Columns whose cell is empty in a row; none of a row that is not written yet."""
        if self.empty is None or index >= len(self):
            return frozenset()
        return frozenset(c for c, empty in zip(self.columns, self.empty[index], strict=True) if empty)

    def __len__(self) -> int:
        return len(self.epochs)


class SeamSign(str, Enum):
    """By what a seam was recognised."""

    TIME_FALLS = "time falls"
    TIME_BEGINS = "time begins"  # the rows before are of a version that had no `time`
    SHORT_INCREMENT = "time increment too small for an epoch"
    EPOCH_REPEATS = "epoch number repeats"
    RESTART = "epoch number starts again"
    CHECKPOINT_DATES = "dates of the checkpoints"
    GIVEN = "given by --seam"


@dataclass(frozen=True, slots=True)
class Seam:
    """The epoch boundary at which training was restarted.

    Parameters
    ----------
    epoch
        First resumed epoch, as printed in the CSV.
    row
        Index of its row in the history.
    before
        Index of the row of the checkpoint's epoch (the last row with a smaller epoch before `row`), or None.
    sign
        By what it was recognised.
    evidence
        The numbers behind it in one sentence.
    """

    epoch: int
    row: int
    before: int | None
    sign: SeamSign
    evidence: str


@dataclass(frozen=True, slots=True, eq=False)
class DataSet:
    """The data set that a run was trained on, resolved as Ultralytics resolves it, nothing downloaded.

    Parameters
    ----------
    yaml
        The data yaml (or the folder, for classification), absolute.
    names
        Class index to name.
    splits
        Split name ("train", "val") to absolute image folders or list files.
    raw
        The yaml as a mapping, with absolute paths and without ``download``.
    maps
        Where labels are images (masks, depths): the folder beside ``images`` and the endings, the preferred first; None
        where they are text.
    """

    yaml: Path
    names: Mapping[int, str]
    splits: Mapping[str, tuple[Path, ...]]
    raw: Mapping[str, Any] = field(default_factory=dict)
    maps: tuple[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """An Ultralytics run directory.

    Parameters
    ----------
    path
        The directory, absolute.
    history
        Its results.csv.
    args
        Its args.yaml as a mapping; empty where there is none.
    checkpoints
        Every ``weights/*.pt`` and ``drift/seams/**/*.pt`` found, unread.
    """

    path: Path
    history: History
    args: Mapping[str, Any]
    checkpoints: tuple[Path, ...]
