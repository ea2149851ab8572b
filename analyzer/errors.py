"""What can go wrong, each in one sentence: what, where, what to try."""

from __future__ import annotations

__all__ = [
    "CheckpointError",
    "DataError",
    "DegenerateNullError",
    "DriftError",
    "EngineError",
    "RunError",
    "StoreError",
    "UsageError",
]


class DriftError(Exception):
    """An error that is shown to the user as one clear sentence, never as a traceback.

    Parameters
    ----------
    what
        What is wrong, and where (a path, an epoch, a column).
    hint
        What to try next, as an imperative; may be empty.
    """

    exit_code = 12  # "could not run"

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what, hint)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what} {self.hint}".strip()


class UsageError(DriftError):
    """An option does not make sense."""

    exit_code = 2


class RunError(DriftError):
    """The run directory, its results.csv or its args.yaml cannot be read as such."""


class CheckpointError(DriftError):
    """A checkpoint is stripped, truncated, of another epoch, unsafe, or no Ultralytics checkpoint."""


class DataError(DriftError):
    """The data set that the run was trained on cannot be found or read."""


class EngineError(DriftError):
    """A replicate could not be trained."""


class DegenerateNullError(EngineError):
    """Replicates with different seeds agree in every column: the null would have no variance."""


class StoreError(DriftError):
    """The study folder cannot be read or written."""
