"""`drift scan`: seams and abnormal epochs of many runs from their results.csv alone."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np

from analyzer.domain.run import Run
from analyzer.errors import DriftError, RunError
from analyzer.report.model.scan import Scan, ScannedRun
from analyzer.runs.directory import read_run
from analyzer.runs.schedule import Schedule
from analyzer.runs.seams import find_seams
from analyzer.stats.screen import screen_run

__all__ = ["find_runs", "scan"]


def find_runs(places: Iterable[Path]) -> list[Path]:
    """Every folder with a results.csv in or below the places, each once, in the order of their paths.

    Raises
    ------
    RunError
        There is none.
    """
    found: set[Path] = set()
    for place in places:
        if not place.exists():
            raise RunError(f"{place} does not exist.", "Give run directories or folders above them.")
        found |= {p.parent for p in ([place] if place.is_file() else place.rglob("results.csv"))}
    if not found:
        raise RunError("There is no results.csv in or below the folders given.", "Give e.g. runs/.")
    return sorted(found)


def scan(places: Iterable[Path], alpha: float) -> Scan:
    """Screen every run in or below the places; one that cannot be read says why and stops nothing.

    Parameters
    ----------
    places
        Run directories, or folders above them.
    alpha
        Chance of any alarm in an ordinary run, in (0, 1).
    """
    return Scan(alpha, tuple(_one(path, alpha) for path in find_runs(places)))


def _one(path: Path, alpha: float) -> ScannedRun:
    try:
        run = read_run(path)
    except DriftError as e:
        return ScannedRun(path, 0, 0, (), (), str(e))
    metrics = [m for m in run.history.metrics if m.deciding]
    seams = find_seams(run.history, run.args)
    if not metrics:
        return ScannedRun(path, len(run.history), 0, seams, (), "It has no loss and no headline metric.")
    values = np.stack([run.history.column(m.name) for m in metrics], axis=1)
    screening = screen_run(
        np.where(np.isfinite(values), values, np.nan),  # a diverged epoch predicts nothing
        names=[m.name for m in metrics],
        adverse_sign=[m.adverse_sign for m in metrics],
        alpha=alpha,
        units=[run.history.unit(m.name) for m in metrics],
        starts=[*_closing(run), *(s.row for s in seams)],
    )
    alarms = tuple((int(run.history.epochs[a.row]), a) for a in screening.alarms)
    return ScannedRun(path, len(run.history), screening.judged, seams, alarms)


def _closing(run: Run) -> list[int]:
    """Row in which mosaic closes: a known step."""
    first = Schedule.told(run.args).closed_from
    rows = np.flatnonzero(run.history.epochs == first) if first is not None else np.empty(0, dtype=np.int64)
    return [int(rows[0])] if len(rows) else []
