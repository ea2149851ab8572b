"""Where studies lie: what ``report``, ``list`` and ``export`` are pointed at."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from analyzer.errors import StoreError

__all__ = ["find_report", "studies_of"]


def find_report(place: Path) -> Path:
    """Find the report.json of a study folder, of a run (its newest), or the file itself.

    The newest is that which says so itself: the times of files are lost where a run is copied. Damaged reports are
    named on stderr and left out.

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
    return found[0] if len(found) == 1 else _newest(found)


def _newest(reports: list[Path]) -> Path:
    """The report that was made last, by what the reports say."""
    from analyzer.report.document import load_report

    made: dict[Path, str] = {}
    for path in reports:
        try:
            made[path] = load_report(path).created
        except StoreError as error:
            print(f"drift: {error}", file=sys.stderr)
    if not made:
        raise StoreError("None of these reports can be read.", "drift analyze makes one again from what is kept.")
    return max(made, key=lambda path: made[path])  # ISO 8601 in UTC sorts as text


def studies_of(place: Path) -> Iterator[Path]:
    """Study folders under a run, a folder of studies, or any folder above runs, in the order of their names."""
    folders = {p.parent for p in place.rglob("report.json")} | {
        p.parent for p in place.rglob("replicates") if p.is_dir()
    }
    yield from sorted(folders)
