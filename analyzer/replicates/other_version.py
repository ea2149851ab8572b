"""A checkpoint that another version of Ultralytics wrote: what cannot be resumed is said, not met as a riddle."""

from __future__ import annotations

from collections.abc import Mapping

from analyzer.domain.checkpoint import Checkpoint
from analyzer.errors import DriftError, EngineError
from analyzer.runs.versions import groups_differ

__all__ = ["explained", "refuse_other_groups"]


def refuse_other_groups(checkpoint: Checkpoint, versions: Mapping[str, str]) -> None:
    """Refuse a checkpoint whose optimizer the installed version cannot load, before a worker is started.

    Parameters
    ----------
    checkpoint
        From which replicates resume.
    versions
        Installed, by package.

    Raises
    ------
    EngineError
        With the command that installs the version that wrote it.
    """
    wrote, here = checkpoint.version, versions.get("ultralytics")
    if groups_differ(wrote, here):
        raise EngineError(
            f"{checkpoint.path} was written by Ultralytics {wrote}, which keeps the optimizer's parameter groups in "
            f"another order than the installed {here}: neither can resume a checkpoint of the other.",
            f"Install the version that wrote it: {_command(wrote)}.",
        )


def explained(error: DriftError, checkpoint: Checkpoint, versions: Mapping[str, str]) -> DriftError:
    """The error of an engine that trained nothing yet, with the two versions where they differ."""
    wrote, here = checkpoint.version, versions.get("ultralytics")
    if not isinstance(error, EngineError) or not wrote or wrote == here:
        return error
    return EngineError(
        f"{error.what.rstrip('.')}. {checkpoint.path} was written by Ultralytics {wrote}, installed is {here}, which "
        "may not be able to resume it.",
        f"Try the version that wrote it: {_command(wrote)}. {error.hint}".strip(),
    )


def _command(version: str | None) -> str:
    return f"pip install ultralytics=={version}"
