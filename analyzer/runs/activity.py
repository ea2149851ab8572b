"""Tell whether a training still writes into a run directory."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path

import psutil

from analyzer.domain.run import Run
from analyzer.runs.seams import epoch_seconds

__all__ = ["is_training"]

_SAMPLE = 0.2  # seconds over which a process must use the CPU to count as busy
_SHORTEST = 30.0  # seconds: an epoch that is shorter counts as this long, since start and final validation come on top


def is_training(run: Run, *, now: float | None = None) -> str | None:
    """Evidence that a training still writes into a run directory.

    Two kinds of processes are reported, never this one, its ancestors or its descendants:

    1. one that has a file of the run (outside ``drift/``) open for writing, such as a log or an event file;
    2. where results.csv was written less than two epochs ago and epochs are left: a busy process with torch loaded,
       older than that write, whose command line names the run or whose working directory is the run, inside it or above
       it. Ultralytics opens results.csv for moments only, so this is how nearly every training is seen.

    Processes of other users, in other containers or on other machines cannot be seen. The second kind needs a system
    that tells which libraries a process has loaded (Linux, Windows).

    Parameters
    ----------
    run
        The run.
    now
        Seconds since 1970; by default the clock.

    Returns
    -------
    str or None
        One sentence with the process id; None where there is no such evidence.
    """
    written = _written(run)
    seconds = epoch_seconds(run.history)
    now = time.time() if now is None else now
    fresh = written is not None and seconds is not None and now - written < 2 * max(seconds, _SHORTEST)
    fresh = fresh and _epochs_left(run)
    for process in _others():
        try:
            name = " ".join(filter(None, process.cmdline()))[:80]
            if opened := _opened(process, run.path):
                return (
                    f"Process {process.pid} ({name}) has {opened} open for writing: "
                    f"a training may still run in {run.path}."
                )
            if fresh and written is not None and process.create_time() < written and _suspect(process, run.path):
                return (
                    f"Process {process.pid} ({name}) is busy with torch near {run.path}, where results.csv was written "
                    f"{now - written:.0f} s ago (an epoch takes {seconds:.0f} s): a training may still run."
                )
        except (psutil.Error, OSError):
            continue  # of another user, or gone
    return None


def _written(run: Run) -> float | None:
    try:
        return (run.path / "results.csv").stat().st_mtime
    except OSError:
        return None


def _epochs_left(run: Run) -> bool:
    """Whether the run has not reached its last epoch; True where args.yaml does not say."""
    epochs = run.args.get("epochs")
    return not isinstance(epochs, int) or len(run.history) == 0 or int(run.history.epochs[-1]) < epochs


def _others() -> Iterator[psutil.Process]:
    """All processes but this one, its ancestors and its descendants: a notebook, or our own worker."""
    me = psutil.Process()
    family = {p.pid for p in (me, *me.parents(), *me.children(recursive=True))}
    return (p for p in psutil.process_iter() if p.pid not in family)


def _opened(process: psutil.Process, folder: Path) -> str | None:
    """Name of a file of the run, outside drift/, that the process has open for writing: `tail -f` only reads."""
    for file in process.open_files():
        path = Path(file.path)
        writes = getattr(file, "mode", "r") != "r"  # systems that do not tell the mode tell no writer
        if writes and path.is_relative_to(folder) and not path.is_relative_to(folder / "drift"):
            return path.name
    return None


def _suspect(process: psutil.Process, folder: Path) -> bool:
    """Whether a process has to do with the run, has torch loaded, and is busy."""
    cwd = Path(process.cwd())
    if not (_near(cwd, folder) or _names(process, cwd, folder)) or not _has_torch(process):
        return False
    before = process.cpu_times()
    time.sleep(_SAMPLE)
    return sum(process.cpu_times()[:2]) > sum(before[:2])


def _near(cwd: Path, folder: Path) -> bool:
    """Whether a working directory is the run, inside it, or a folder above it (but not the root or its children)."""
    return cwd.is_relative_to(folder) or (folder.is_relative_to(cwd) and len(cwd.parts) > 2)


def _names(process: psutil.Process, cwd: Path, folder: Path) -> bool:
    """Whether a word of the command line is a path of the run."""
    words = [word.partition("=")[2] or word for word in process.cmdline()[1:]]
    return any(Path(os.path.normpath(cwd / word)).is_relative_to(folder) for word in words if "/" in word)


def _has_torch(process: psutil.Process) -> bool:
    maps = getattr(process, "memory_maps", None)  # macOS has none
    return maps is not None and any("libtorch" in Path(m.path).name for m in maps())
