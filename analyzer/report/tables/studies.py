"""``drift list``: one line a study."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from analyzer.errors import StoreError
from analyzer.report.codec import encode
from analyzer.report.document import load_report
from analyzer.report.formatting import clean

__all__ = ["ListedStudy", "document", "listed", "show"]


@dataclass(frozen=True, slots=True)
class ListedStudy:
    """One study.

    Parameters
    ----------
    study
        Its folder.
    verdict, seam, created
        Of its report; None where there is none that can be read.
    replicates
        That make its null; without a report, those that are stored.
    """

    study: str
    verdict: str | None
    seam: int | None
    replicates: int
    created: str | None


def listed(study: Path) -> ListedStudy:
    """Read a study for the list; a report that is damaged is named on stderr."""
    stored = sum(1 for path in (study / "replicates").rglob("*") if path.is_file() and not path.name.startswith("."))
    name = clean(str(study))
    if (study / "report.json").is_file():
        try:
            found = load_report(study)
        except StoreError as error:
            print(f"drift: {error}", file=sys.stderr)
        else:
            return ListedStudy(name, found.verdict.value, found.seam.epoch, found.n_replicates, clean(found.created))
    return ListedStudy(name, None, None, stored, None)


def document(studies: Sequence[ListedStudy]) -> list[dict[str, Any]]:
    """The list as JSON values."""
    rows: list[dict[str, Any]] = encode(studies)
    return rows


def show(studies: Sequence[ListedStudy], console: Console) -> None:
    """Print them, never cut."""
    width = max(len(row.study) for row in studies)
    console.out(f"{'study':<{width}}  {'verdict':<12}  {'seam':>5}  {'replicates':>10}  made")
    for row in studies:
        seam, verdict = "-" if row.seam is None else row.seam, row.verdict or "no verdict"
        console.out(f"{row.study:<{width}}  {verdict:<12}  {seam:>5}  {row.replicates:>10}  {row.created or '-'}")
