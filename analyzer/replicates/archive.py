"""Keep the checkpoint of a seam before the resume overwrites it, with a manifest of the data beside it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import psutil

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import DataSet
from analyzer.domain.within import Within, marks
from analyzer.errors import CheckpointError
from analyzer.files import read_json, write_atomically
from analyzer.replicates.store import within_from_body, within_to_body
from analyzer.runs.dataset import manifest

__all__ = ["Running", "keep_checkpoint", "keep_manifest", "keep_running", "read_running", "seam_folder"]

_TEMPORARY = re.compile(r"\..+\.(\d+)\.tmp")


def seam_folder(checkpoint: Checkpoint, root: Path) -> Path:
    """Where a seam is kept: ``seams/epochN-<first 8 digits of the checkpoint's SHA-256>`` under `root`."""
    return root / "seams" / f"epoch{checkpoint.csv_epoch}-{checkpoint.sha256[:8]}"


def keep_checkpoint(checkpoint: Checkpoint, root: Path) -> Path:
    """Copy a checkpoint to ``seam_folder(checkpoint, root) / "checkpoint.pt"``, whole or not at all, once.

    Parameters
    ----------
    checkpoint
        As read; a copy that is already kept is taken as it is.
    root
        Folder of the tool, e.g. ``RUN/drift``.

    Returns
    -------
    Path
        The copy, byte for byte the checkpoint.

    Raises
    ------
    CheckpointError
        The file is not any more what was read.
    StoreError
        The copy cannot be written.
    """
    target = seam_folder(checkpoint, root) / "checkpoint.pt"
    if checkpoint.path == target:
        return target
    data = checkpoint.path.read_bytes()
    if hashlib.sha256(data).hexdigest() != checkpoint.sha256:
        raise CheckpointError(
            f"{checkpoint.path} changed while it was read.", "Is a training still writing it? Try again."
        )
    if not target.exists():
        write_atomically(target, data)
    _sweep(target.parent)
    return target


def keep_manifest(checkpoint: Checkpoint, data: DataSet, root: Path) -> Path:
    """Write what the data set holds now into the seam's folder, atomically; a later resume rewrites it.

    Raises
    ------
    DataError
        The data set cannot be read.
    StoreError
        The manifest cannot be written.
    """
    facts = {"checkpoint": checkpoint.sha256, "epoch": checkpoint.csv_epoch, "data": manifest(data)}
    target = seam_folder(checkpoint, root) / "manifest.json"
    write_atomically(target, json.dumps(facts, indent=1, sort_keys=True))
    return target


def keep_running(seam: Path, checkpoint: str, epoch: int, within: Within) -> Path:
    """Write what the first resumed epoch showed at its marks so far into a seam's folder, atomically.

    Parameters
    ----------
    seam
        The folder.
    checkpoint
        SHA-256 of the checkpoint.
    epoch
        As results.csv counts.
    within
        The epoch from inside.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    kept = {n: row for n, row in within.after.items() if n in marks(within.batches)}
    facts = {
        "checkpoint": checkpoint,
        "epoch": epoch,
        "written": datetime.now(timezone.utc).isoformat(),  # the file's own time is lost where a run is copied
        "within": within_to_body(Within(within.batches, kept)),
    }
    target = seam / "running.json"
    write_atomically(target, json.dumps(facts, indent=1))
    return target


@dataclass(frozen=True, slots=True)
class Running:
    """An epoch as the guard saw it from inside.

    Parameters
    ----------
    epoch
        As results.csv counts.
    within
        What it showed at its marks.
    written
        When, ISO 8601 in UTC: it sorts as text.
    """

    epoch: int
    within: Within
    written: str


def read_running(seam: Path) -> Running | None:
    """What the guard kept in a seam's folder; None where nothing readable was kept."""
    try:
        facts = read_json(seam / "running.json")
        return Running(int(facts["epoch"]), within_from_body(facts["within"]), str(facts["written"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return None


def _sweep(folder: Path) -> None:
    """Remove half-written files of processes that are gone: a killed copy is as large as a checkpoint."""
    for path in folder.iterdir():
        owner = _TEMPORARY.fullmatch(path.name)
        if owner and not psutil.pid_exists(int(owner[1])):
            path.unlink(missing_ok=True)
