"""``drift list``: which studies there are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import DebugOption

__all__ = ["list_studies"]

Places = Annotated[
    list[Path] | None,  # None: click 8.2 takes no other default for many values
    typer.Argument(metavar="[DIR]...", show_default=False, help="Runs, or folders above them; default: here."),
]
Json = Annotated[bool, typer.Option("--json", help="Print the list as JSON.")]


@guarded
def list_studies(places: Places = None, json: Json = False, debug: DebugOption = False) -> int:
    """Show the studies of runs: verdict, seam, replicates."""
    from analyzer.cli.emit import emit_found
    from analyzer.report.studies import studies_of
    from analyzer.report.tables import studies as table

    places = places or [Path()]
    rows = [table.listed(study) for place in places for study in studies_of(place)]
    if not rows and not json:
        print(f"No study in {', '.join(map(str, places))}.", file=sys.stderr)
        return 0
    return emit_found(rows, table, as_json=json)
