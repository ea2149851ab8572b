"""``drift audit``: what the state says for certain, without training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.exit_codes import ExitCode
from analyzer.cli.guard import guarded
from analyzer.cli.options import DataOption, DebugOption

__all__ = ["audit"]

Place = Annotated[Path, typer.Argument(metavar="RUN|PT", help="A run directory, or a checkpoint.")]
Before = Annotated[
    Path | None, typer.Option("--checkpoint", metavar="PT", help="Checkpoint from which the resume started.")
]
SeamOption = Annotated[int | None, typer.Option("--seam", metavar="EPOCH", help="First resumed epoch to look at.")]
Trust = Annotated[
    bool, typer.Option("--trust-checkpoint", help="Accept unknown classes in the checkpoint; none is imported or run.")
]
Deep = Annotated[bool, typer.Option("--deep", help="Read and decode the images, too (at most 20,000).")]
Json = Annotated[bool, typer.Option("--json", help="Print the findings as JSON.")]


@guarded
def audit(
    place: Place,
    checkpoint: Before = None,
    seam: SeamOption = None,
    data: DataOption = None,
    deep: Deep = False,
    json: Json = False,
    trust_checkpoint: Trust = False,
    debug: DebugOption = False,
) -> int:
    """Look at checkpoints, arguments, results.csv and data; nothing is trained. Exit code 10 for a certain fault."""
    from analyzer.cli.emit import emit_found
    from analyzer.pipeline.audit import AuditOptions, audit_place
    from analyzer.report.tables import audit as table

    audited = audit_place(place, AuditOptions(checkpoint, seam, data, trust_checkpoint, deep), _tell)
    emit_found(audited, table, as_json=json)
    return ExitCode.FAULT if audited.hard else ExitCode.OK


def _tell(done: int, total: int) -> None:
    """A line on stderr every tenth of the images."""
    if done == total or done % max(total // 10, 100) == 0:
        print(f"{done} of {total} images read", file=sys.stderr, flush=True)
