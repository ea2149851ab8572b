"""``drift export``: all values of a study as tidy CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import DebugOption

__all__ = ["export"]

Study = Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder, its report.json, or a run (its newest).")]
Out = Annotated[Path | None, typer.Option("--out", metavar="CSV", help="File to write; default: stdout.")]


@guarded
def export(study: Study, out: Out = None, debug: DebugOption = False) -> int:
    """Write every replicate, the row before and the observed row, one value a line."""
    from analyzer.report.document import load_report
    from analyzer.report.renderers.csv import render
    from analyzer.report.seal import write_file
    from analyzer.report.studies import find_report

    text = render(load_report(find_report(study)))
    if out is None:
        sys.stdout.write(text)
    else:
        print(write_file(out, text))
    return 0
