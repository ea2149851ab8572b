"""``drift report``: render a study again, without training."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import DebugOption, ReportOption

__all__ = ["report"]

Study = Annotated[Path, typer.Argument(metavar="STUDY", help="Study folder, its report.json, or a run (its newest).")]
Json = Annotated[bool, typer.Option("--json", help="Print the document instead of the table.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever the verdict.")]


@guarded
def report(
    study: Study,
    kinds: ReportOption = [],  # noqa: B006
    json: Json = False,
    exit_zero: ExitZero = False,
    debug: DebugOption = False,
) -> int:
    """Render a finished study again; nothing is trained. The exit code is that of its verdict."""
    import dataclasses

    from analyzer.cli.emit import emit
    from analyzer.report.document import load_report
    from analyzer.report.studies import find_report

    path = find_report(study)
    analysis = dataclasses.replace(load_report(path), study=path.parent)  # a study may have been moved
    return emit(analysis, as_json=json, reports=kinds, exit_zero=exit_zero)
