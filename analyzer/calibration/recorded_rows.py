"""Recorded replicate rows, from studies and from row files: what `drift calibrate` resamples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.metrics import Group, metric_of
from analyzer.domain.replicate import HEALTHY, matrix
from analyzer.errors import RunError
from analyzer.files import read_json
from analyzer.replicates.store import Store

__all__ = ["Recorded", "read_recorded"]

FEWEST = 4  # three replicates and the row that is judged


@dataclass(frozen=True, slots=True, eq=False)
class Recorded:
    """Healthy replicates of one checkpoint.

    Parameters
    ----------
    label
        How tables call it.
    rows
        Shape (R, m): deciding metrics that vary, first resumed epoch, finite.
    groups
        Shape (m,): 0 for train losses, 1 for what validation measures.
    """

    label: str
    rows: NDArray[np.float64]
    groups: NDArray[np.int_]


def read_recorded(places: Iterable[Path]) -> tuple[Recorded, ...]:
    """Read every study and row file given.

    Parameters
    ----------
    places
        RUN directories, study folders (``RUN/drift/STUDY``), or JSON files that hold one or a list of
        ``{"columns": [...], "rows": [[...], ...]}``, as those in ``data/replicates``.

    Raises
    ------
    RunError
        One is neither, or holds fewer than 4 usable rows or no deciding metric that varies.
    """
    found: list[Recorded] = []
    for place in places:
        for label, columns, rows in _tables(place):
            taken = {r.label for r in found}
            unique = next(c for c in (label, *(f"{label} ({k})" for k in range(2, len(taken) + 3))) if c not in taken)
            found.append(_recorded(unique, columns, rows, place))
    return tuple(found)


def _tables(place: Path) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
    """Label, columns and rows of each set in a place."""
    if place.is_file():
        yield from _of_file(place)
        return
    studies = [place] if (place / "replicates").is_dir() else [p.parent for p in place.glob("drift/*/replicates")]
    if not studies:
        raise RunError(
            f"{place} is no study, no run with studies and no file of rows.",
            "Make a study with drift replicate CHECKPOINT -n 40.",
        )
    for study in sorted(p.resolve() for p in studies):
        replicates = Store(study.parent, study.name).all(HEALTHY.folder)
        started = [r for r in replicates if r.epochs]
        columns = tuple(started[0].epochs[0].printed) if started else ()
        yield study.name, columns, matrix(tuple(started), columns)


def _of_file(path: Path) -> Iterator[tuple[str, tuple[str, ...], NDArray[np.float64]]]:
    try:
        document = read_json(path)
        entries: list[Mapping[str, Any]] = document if isinstance(document, list) else [document]
        for entry in entries:
            columns = tuple(str(c) for c in entry["columns"])
            yield path.stem, columns, np.array(entry["rows"], dtype=np.float64).reshape(-1, len(columns))
    except (ValueError, KeyError, TypeError, UnicodeDecodeError) as e:
        raise RunError(
            f"{path} holds no recorded rows ({type(e).__name__}: {e}).",
            'Wanted: {"columns": [...], "rows": [[...], ...]}, one number a column.',
        ) from e


def _recorded(label: str, columns: tuple[str, ...], rows: NDArray[np.float64], place: Path) -> Recorded:
    metrics = [(j, m) for j, c in enumerate(columns) if (m := metric_of(c)) is not None and m.deciding]
    known = rows[:, [j for j, _ in metrics]]
    known = known[np.isfinite(known).all(axis=1)]  # a diverged resume has no place in a spread
    if len(known) < FEWEST:
        raise RunError(f"{place} holds {len(known)} healthy rows, too few to resample.", f"At least {FEWEST} are used.")
    varies = np.ptp(known, axis=0) > 0
    if not varies.any():
        raise RunError(f"{place} has no deciding metric that varies.", "Give healthy resumes with seeds of their own.")
    groups = [0 if m.group is Group.TRAIN_LOSS else 1 for _, m in metrics]
    return Recorded(label, known[:, varies], np.array(groups)[varies])
