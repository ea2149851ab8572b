"""The command ``drift``: which commands there are."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from analyzer import __version__
from analyzer.cli.analyze import analyze
from analyzer.cli.audit import audit
from analyzer.cli.calibrate import calibrate
from analyzer.cli.export import export
from analyzer.cli.list import list_studies
from analyzer.cli.plan import plan
from analyzer.cli.replicate import replicate
from analyzer.cli.report import report
from analyzer.cli.resume import resume
from analyzer.cli.scan import scan
from analyzer.cli.seam import seam
from analyzer.cli.variance import variance

__all__ = ["app"]

app = typer.Typer(
    name="drift",
    help="Was the jump after resuming a YOLO training noise or a fault? Measured, with error rates.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        print(f"yolo-drift {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and stop.")
    ] = False,
) -> None:
    """Was the jump after resuming a YOLO training noise or a fault? Measured, with error rates."""


_COMMANDS: dict[str, Callable[..., None]] = {
    "analyze": analyze,
    "audit": audit,
    "replicate": replicate,
    "resume": resume,
    "report": report,
    "list": list_studies,
    "export": export,
    "scan": scan,
    "plan": plan,
    "variance": variance,
    "seam": seam,
    "calibrate": calibrate,
}
for _name, _command in _COMMANDS.items():
    app.command(_name)(_command)
