"""``drift list``: which studies there are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import DebugOption

__all__ = ["list_studies"]

Places = Annotated[list[Path], typer.Argument(metavar="[DIR]...", help="Runs, or folders above them; default: here.")]
Json = Annotated[bool, typer.Option("--json", help="Print the list as JSON.")]


@guarded
def list_studies(places: Places = [Path()], json: Json = False, debug: DebugOption = False) -> int:  # noqa: B006
    """Show the studies of runs: verdict, seam, replicates."""
    from analyzer.cli.studies import studies_of

    rows = [_row(study) for place in places for study in studies_of(place)]
    if json:
        import json as json_module

        sys.stdout.write(json_module.dumps(rows, indent=2, ensure_ascii=False) + "\n")
        return 0
    if not rows:
        print(f"No study in {', '.join(map(str, places))}.", file=sys.stderr)
        return 0
    width = max(len(str(row["study"])) for row in rows)
    print(f"{'study':<{width}}  {'verdict':<12}  {'seam':>5}  {'replicates':>10}  made")
    for row in rows:
        seam = "-" if row["seam"] is None else row["seam"]
        verdict, made = row["verdict"] or "no verdict", row["created"] or "-"
        print(f"{row['study']!s:<{width}}  {verdict:<12}  {seam:>5}  {row['replicates']:>10}  {made}")
    return 0


def _row(study: Path) -> dict[str, Any]:
    from analyzer.errors import StoreError
    from analyzer.report.document import load_report
    from analyzer.report.formatting import clean

    stored = sum(1 for path in (study / "replicates").rglob("*") if path.is_file() and not path.name.startswith("."))
    row = {"study": clean(str(study)), "verdict": None, "seam": None, "replicates": stored, "created": None}
    if not (study / "report.json").is_file():
        return row
    try:
        analysis = load_report(study)
    except StoreError as error:
        print(f"drift: {error}", file=sys.stderr)
        return row
    used = analysis.n_replicates
    found = {"verdict": analysis.verdict.value, "seam": analysis.seam.epoch, "created": clean(analysis.created)}
    return {**row, **found, "replicates": used}
