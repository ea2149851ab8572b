"""Where studies lie: what ``report``, ``list`` and ``export`` are pointed at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from analyzer.errors import StoreError

__all__ = ["find_report", "studies_of"]


def find_report(place: Path) -> Path:
    """Find the report.json of a study folder, of a run (its newest), or the file itself.

    Raises
    ------
    StoreError
        Where there is none.
    """
    if place.is_file():
        return place
    if (place / "report.json").is_file():
        return place / "report.json"
    reports = [study / "report.json" for study in studies_of(place)]
    found = [path for path in reports if path.is_file()]
    if not found:
        raise StoreError(f"There is no report in {place}.", "drift analyze RUN makes one; drift list RUN shows them.")
    return max(found, key=lambda path: path.stat().st_mtime)


def studies_of(place: Path) -> Iterator[Path]:
    """Study folders under a run, a folder of studies, or any folder above runs, in the order of their names."""
    folders = {p.parent for p in place.rglob("report.json")} | {
        p.parent for p in place.rglob("replicates") if p.is_dir()
    }
    yield from sorted(folders)
