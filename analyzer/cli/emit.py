"""Where a finished analysis goes: stdout for data, and the exit code."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

from analyzer.cli.exit_codes import ExitCode, exit_code
from analyzer.errors import DriftError

if TYPE_CHECKING:
    from analyzer.report.model.analysis import Analysis
    from analyzer.report.tables.table import Printed

__all__ = ["emit", "emit_found", "errors_reported"]

T = TypeVar("T")


def emit(
    analysis: Analysis, *, as_json: bool, reports: Sequence[str] = (), exit_zero: bool = False, dry_run: bool = False
) -> int:
    """Print the document or the table on stdout, and write the reports asked for.

    Returns
    -------
    int
        The exit code: of the verdict, or 0 with ``exit_zero`` or ``dry_run``.
    """
    if as_json:
        from analyzer.report.document import dumps

        sys.stdout.write(dumps(analysis.to_dict()))
    else:
        from rich.console import Console

        from analyzer.report.renderers.terminal import render_plan, render_terminal

        console = Console(highlight=False, emoji=False)
        if dry_run:
            render_plan(analysis, console)
        else:
            render_terminal(analysis, console)
    sys.stdout.flush()
    if not dry_run:
        from analyzer.report.renderers.registry import parse_spec, write

        for report in reports:
            print(f"Written: {write(analysis, parse_spec(report))}", file=sys.stderr)
    return ExitCode.OK if exit_zero or dry_run else exit_code(analysis.verdict)


def emit_found(found: T, table: Printed[T], *, as_json: bool) -> int:
    """Print what a command found on stdout, as its JSON document or as its table; returns the exit code 0."""
    from rich.console import Console

    if as_json:
        sys.stdout.write(json.dumps(table.document(found), indent=2, allow_nan=False) + "\n")
    else:
        table.show(found, Console(highlight=False, emoji=False))
    sys.stdout.flush()
    return ExitCode.OK


@contextmanager
def errors_reported(reports: Sequence[str]) -> Iterator[None]:
    """Let the reports that have a word for it say that the analysis could not run."""
    try:
        yield
    except DriftError as error:
        from analyzer.report.renderers.registry import parse_spec, write_error

        for report in reports:
            write_error(str(error), parse_spec(report))
        raise
