"""Tell whether a training still writes into a run directory (Linux, from /proc)."""

from __future__ import annotations

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from analyzer.domain.run import Run
from analyzer.runs.seams import epoch_seconds

__all__ = ["is_training"]

_PROC = Path("/proc")
_SAMPLE = 0.2  # seconds over which a process must use the CPU to count as busy
_SHORTEST = 30.0  # seconds: an epoch that is shorter counts as this long, since start and final validation come on top


def is_training(run: Run, *, now: float | None = None) -> str | None:
    """Evidence that a training still writes into a run directory.

    Two kinds of processes are reported, never this one, its ancestors or its descendants:

    1. one that has a file of the run (outside ``drift/``) open for writing, such as a log or an event file;
    2. where results.csv was written less than two epochs ago and epochs are left: a busy process with torch loaded,
       older than that write, whose command line names the run or whose working directory is the run, inside it or above
       it. Ultralytics opens results.csv for moments only, so this is how nearly every training is seen.

    Processes of other users, in other containers or on other machines cannot be seen.

    Parameters
    ----------
    run
        The run.
    now
        Seconds since 1970; by default the clock.

    Returns
    -------
    str or None
        One sentence with the process id; None where there is no such evidence (also off Linux).
    """
    if sys.platform != "linux" or not _PROC.is_dir():
        return None
    written = _written(run)
    seconds = epoch_seconds(run.history)
    now = time.time() if now is None else now
    fresh = written is not None and seconds is not None and now - written < 2 * max(seconds, _SHORTEST)
    fresh = fresh and _epochs_left(run)
    stats = _stats()
    family = _family(stats)
    for pid, stat in sorted(stats.items()):
        if pid in family:
            continue
        name = " ".join(_command(pid))[:80]
        if opened := _opened(pid, run.path):
            return f"Process {pid} ({name}) has {opened} open for writing: a training may still run in {run.path}."
        if fresh and written is not None and stat.started < written and _suspect(pid, stat, run.path):
            return (
                f"Process {pid} ({name}) is busy with torch near {run.path}, where results.csv was written "
                f"{now - written:.0f} s ago (an epoch takes {seconds:.0f} s): a training may still run."
            )
    return None


@dataclass(frozen=True, slots=True)
class _Stat:
    """Parent, CPU time in ticks, and start in seconds since 1970 of a process."""

    parent: int
    ticks: int
    started: float


def _written(run: Run) -> float | None:
    try:
        return (run.path / "results.csv").stat().st_mtime
    except OSError:
        return None


def _epochs_left(run: Run) -> bool:
    """Whether the run has not reached its last epoch; True where args.yaml does not say."""
    epochs = run.args.get("epochs")
    return not isinstance(epochs, int) or len(run.history) == 0 or int(run.history.epochs[-1]) < epochs


def _boot() -> float:
    try:
        lines = (_PROC / "stat").read_text().splitlines()
    except OSError:
        return 0.0
    return next((float(line.split()[1]) for line in lines if line.startswith("btime")), 0.0)


def _stat(pid: int, boot: float) -> _Stat | None:
    """Fields of /proc/PID/stat; the name in it may hold spaces and brackets, so it is cut off at the last bracket."""
    try:
        fields = (_PROC / str(pid) / "stat").read_text(errors="replace").rpartition(")")[2].split()
        ticks_per_second = os.sysconf("SC_CLK_TCK")
        return _Stat(int(fields[1]), int(fields[11]) + int(fields[12]), boot + int(fields[19]) / ticks_per_second)
    except (OSError, ValueError, IndexError):
        return None  # it has ended meanwhile


def _stats() -> dict[int, _Stat]:
    boot = _boot()
    found = {int(p.name): _stat(int(p.name), boot) for p in _PROC.iterdir() if p.name.isdigit()}
    return {pid: stat for pid, stat in found.items() if stat is not None}


def _family(stats: dict[int, _Stat]) -> frozenset[int]:
    """The process itself, its ancestors and its descendants: a notebook or our own worker is no foreign training."""
    me = os.getpid()
    above, pid = {me}, me
    while pid in stats and (pid := stats[pid].parent) > 0 and pid not in above:
        above.add(pid)
    below = {me}
    while more := {p for p, stat in stats.items() if stat.parent in below and p not in below}:
        below |= more
    return frozenset(above | below)


def _command(pid: int) -> list[str]:
    try:
        raw = (_PROC / str(pid) / "cmdline").read_bytes()
    except OSError:
        return []
    return [word.decode(errors="replace") for word in raw.split(b"\0") if word]


def _link(path: Path) -> Path | None:
    try:
        return path.readlink()
    except OSError:  # of another user, or gone
        return None


def _opened(pid: int, folder: Path) -> str | None:
    """Name of a file of the run, outside drift/, that the process has open for writing."""
    try:
        entries = list((_PROC / str(pid) / "fd").iterdir())
    except OSError:
        return None
    for entry in entries:
        target = _link(entry)
        if target is None or not target.is_relative_to(folder) or target.is_relative_to(folder / "drift"):
            continue
        if _writes(pid, entry.name):
            return target.name
    return None


def _writes(pid: int, descriptor: str) -> bool:
    """Whether a descriptor is open for writing: a pager or `tail -f` only reads."""
    try:
        text = (_PROC / str(pid) / "fdinfo" / descriptor).read_text()
    except OSError:
        return False
    flags = next((line.split()[1] for line in text.splitlines() if line.startswith("flags:")), "0")
    return int(flags, 8) & os.O_ACCMODE != os.O_RDONLY


def _suspect(pid: int, stat: _Stat, folder: Path) -> bool:
    """Whether a process has to do with the run, has torch loaded, and is busy."""
    cwd = _link(_PROC / str(pid) / "cwd")
    if cwd is None or not (_near(cwd, folder) or _names(pid, cwd, folder)) or not _has_torch(pid):
        return False
    time.sleep(_SAMPLE)
    later = _stat(pid, 0.0)
    return later is not None and later.ticks > stat.ticks


def _near(cwd: Path, folder: Path) -> bool:
    """Whether a working directory is the run, inside it, or a folder above it (but not the root or its children)."""
    return cwd.is_relative_to(folder) or (folder.is_relative_to(cwd) and len(cwd.parts) > 2)


def _names(pid: int, cwd: Path, folder: Path) -> bool:
    """Whether a word of the command line is a path of the run."""
    words = [word.partition("=")[2] or word for word in _command(pid)[1:]]
    return any(Path(os.path.normpath(cwd / word)).is_relative_to(folder) for word in words if "/" in word)


def _has_torch(pid: int) -> bool:
    try:
        return "libtorch" in (_PROC / str(pid) / "maps").read_text(errors="replace")
    except OSError:
        return False
