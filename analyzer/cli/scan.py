"""``drift scan``: many runs, from their results.csv alone."""

from __future__ import annotations

import json as json_module
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import AlphaOption, DebugOption, JsonOption

if TYPE_CHECKING:
    from analyzer.pipeline.scan import Scanned

__all__ = ["scan"]

Places = Annotated[list[Path], typer.Argument(metavar="DIR...", help="Run directories, or folders above them.")]


@guarded
def scan(places: Places, alpha: AlphaOption = 0.05, json: JsonOption = False, debug: DebugOption = False) -> int:
    """List seams and abnormal epochs of many runs; trains nothing. Exit code 0 whatever is found."""
    from analyzer.pipeline.scan import scan as scan_runs
    from analyzer.pipeline.scan import scan_document

    found = scan_runs(places, alpha)
    if json:
        print(json_module.dumps(scan_document(found, alpha), indent=2, allow_nan=False))
    else:
        _table(found, alpha)
    return 0


def _table(found: tuple[Scanned, ...], alpha: float) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    table.add_column("run", overflow="fold")
    for name in ("epochs", "judged"):
        table.add_column(name, justify="right")
    table.add_column("seams at", overflow="fold")
    table.add_column("abnormal epochs", overflow="fold")
    for run in found:
        alarms = [f"{epoch} {alarm.metric} {alarm.score:+.0f} sd" for epoch, alarm in run.alarms]
        table.add_row(
            Text(str(run.path)),
            str(run.epochs),
            str(run.judged),
            Text(_few([str(s.epoch) for s in run.seams]) or "-"),
            Text(run.error or _few(alarms) or "-"),
        )
    console = Console(highlight=False, emoji=False)
    console.print(table)
    console.print(
        f"An ordinary run raises any alarm with a chance of at most {alpha:.0%}; drift analyze RUN judges a seam.",
        style="dim",
    )
    sys.stdout.flush()


def _few(words: list[str], most: int = 4) -> str:
    rest = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + rest
