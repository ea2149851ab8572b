"""Read a run directory: its history, arguments and checkpoints; nothing is written."""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import Run, Seam, SeamSign
from analyzer.errors import CheckpointError, DriftError, RunError
from analyzer.runs.args import read_args
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.results import read_history

__all__ = ["find_checkpoint", "read_run", "run_directory"]

_NEXT_TIME = (
    "Give it with --checkpoint, if you have it elsewhere, or judge by --history-only. Next time use `drift resume`, or "
    "`drift replicate` before the resume, or train with save_period=1."
)


def run_directory(path: Path) -> Path:
    """The run directory of a path: itself, or that of a results.csv, args.yaml or .pt inside it.

    Raises
    ------
    RunError
        No results.csv in it or in the folders above a file.
    """
    path = path.expanduser().absolute()
    if not path.exists():
        raise RunError(f"{path} does not exist.", "Give the run directory, e.g. runs/detect/train.")
    start = path if path.is_dir() else path.parent
    # RUN/weights and RUN/weights/last.pt mean RUN; so do the copies in RUN/drift/seams/<epoch>/.
    for folder in (start, *list(start.parents)[:3]):
        if (folder / "results.csv").exists():
            return folder
        if start == path and path.name != "weights":
            break
    hint = "Give the directory in which Ultralytics wrote results.csv, e.g. runs/detect/train."
    raise RunError(f"{path} is no run directory: there is no results.csv.", hint)


def read_run(path: Path) -> Run:
    """Read a run directory.

    Parameters
    ----------
    path
        The directory, or a file inside (``weights/last.pt`` means its run).

    Returns
    -------
    Run
        ``args`` is empty where there is no args.yaml; checkpoints are listed, not read.

    Raises
    ------
    RunError
        No run directory, or its results.csv or args.yaml cannot be read.
    """
    folder = run_directory(path)
    history = read_history(folder / "results.csv")
    yaml = folder / "args.yaml"
    args = read_args(yaml) if yaml.exists() else {}
    return Run(folder, history, args, tuple(_checkpoints(folder)))


def _checkpoints(folder: Path) -> list[Path]:
    """Every .pt of the weights folder and of kept seams, sorted; folders named *.pt are left out."""
    found = [*(folder / "weights").glob("*.pt"), *(folder / "drift" / "seams").rglob("*.pt")]
    return sorted(p for p in found if p.is_file())


def find_checkpoint(run: Run, seam: Seam) -> Checkpoint:
    """The checkpoint from which a seam started: resumable, and of the epoch right before the first resumed one.

    Parameters
    ----------
    run
        The run; all its checkpoints are looked at, kept copies under ``drift/seams`` first.
    seam
        The seam.

    Returns
    -------
    Checkpoint
        Among several of that epoch: the one whose stored metrics fit the row before the seam best.

    Raises
    ------
    CheckpointError
        There is none; the message lists what was found and why it does not serve.
    """
    if seam.sign is SeamSign.RESTART:
        hint = "Give the first epoch of a true resume with --seam."
        raise CheckpointError(f"At epoch {seam.epoch} a new run starts: no checkpoint precedes it.", hint)
    wanted = seam.epoch - 1
    fitting: list[Checkpoint] = []
    reasons: list[str] = []
    for path in _kept_first(run):
        try:
            checkpoint = read_checkpoint(path)
        except DriftError as e:
            reasons.append(e.what)
            continue
        reason = _unfit(checkpoint, wanted)
        if reason is None:
            fitting.append(checkpoint)
        else:
            reasons.append(f"{_short(path, run.path)}: {reason}.")
    if not fitting:
        found = " ".join(reasons) if reasons else "There are no .pt files in weights/ and drift/seams/."
        raise CheckpointError(f"No checkpoint of epoch {wanted} (before the seam at {seam.epoch}). {found}", _NEXT_TIME)
    return min(fitting, key=lambda c: _misfit(run, seam, c))


def _short(path: Path, run: Path) -> Path:
    """A path as seen from the run, where it lies inside."""
    return path.relative_to(run) if path.is_relative_to(run) else path


def _kept_first(run: Run) -> Iterable[Path]:
    kept = run.path / "drift" / "seams"
    return sorted(run.checkpoints, key=lambda p: (kept not in p.parents, p))


def _unfit(checkpoint: Checkpoint, wanted: int) -> str | None:
    """Why a checkpoint cannot be the one; None where it can."""
    if checkpoint.epoch < 0:
        return "stripped (epoch -1: its run was finished)"
    if checkpoint.csv_epoch != wanted:
        return f"of epoch {checkpoint.csv_epoch}"
    return None if checkpoint.has_optimizer else "without optimizer state"


def _misfit(run: Run, seam: Seam, checkpoint: Checkpoint) -> float:
    """Relative distance between the metrics stored in a checkpoint and the row before the seam; 0 where unknown."""
    if seam.before is None:
        return 0.0
    row = run.history.row(seam.before)
    shared = [k for k in checkpoint.train_metrics if k in row]
    gaps = [abs(checkpoint.train_metrics[k] - row[k]) / (abs(row[k]) + 1e-3) for k in shared]
    return sum(g for g in gaps if math.isfinite(g)) / len(gaps) if gaps else 0.0
