"""``drift scan``: many runs, from their results.csv alone."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import AlphaOption, DebugOption, JsonOption

__all__ = ["scan"]

Places = Annotated[list[Path], typer.Argument(metavar="DIR...", help="Run directories, or folders above them.")]


@guarded
def scan(places: Places, alpha: AlphaOption = 0.05, json: JsonOption = False, debug: DebugOption = False) -> int:
    """List seams and abnormal epochs of many runs; trains nothing. Exit code 0 whatever is found."""
    from analyzer.cli.emit import emit_found
    from analyzer.pipeline.scan import scan as scan_runs
    from analyzer.report.tables import scan as table

    return emit_found(scan_runs(places, alpha), table, as_json=json)
