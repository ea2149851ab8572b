"""Where a finished analysis goes: stdout for data, and the exit code."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from analyzer.cli.exit_codes import ExitCode, exit_code

if TYPE_CHECKING:
    from analyzer.report.analysis import Analysis

__all__ = ["emit"]


def emit(analysis: Analysis, *, as_json: bool, exit_zero: bool = False, dry_run: bool = False) -> int:
    """Print the document or the table on stdout.

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

        from analyzer.report.terminal import render_plan, render_terminal

        console = Console(highlight=False, emoji=False)
        if dry_run:
            render_plan(analysis, console)
        else:
            render_terminal(analysis, console)
    sys.stdout.flush()
    return ExitCode.OK if exit_zero or dry_run else exit_code(analysis.verdict)
