"""``drift audit``: what the state says for certain, without training."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from analyzer.cli.exit_codes import ExitCode
from analyzer.cli.guard import guarded
from analyzer.cli.options import DataOption, DebugOption

if TYPE_CHECKING:
    from analyzer.diagnosis.audit import Audited

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
    from analyzer.pipeline.audit import audit_place

    audited = audit_place(
        place, checkpoint=checkpoint, seam=seam, data=data, trust=trust_checkpoint, deep=deep, tell=_tell
    )
    if json:
        import json as json_module

        sys.stdout.write(json_module.dumps(_document(audited), indent=2, ensure_ascii=False) + "\n")
    else:
        _table(audited)
    return ExitCode.FAULT if audited.hard else ExitCode.OK


def _tell(done: int, total: int) -> None:
    """A line on stderr every tenth of the images."""
    if done == total or done % max(total // 10, 100) == 0:
        print(f"{done} of {total} images read", file=sys.stderr, flush=True)


def _document(audited: Audited) -> dict[str, Any]:
    facts = audited.facts
    return {
        "run": str(facts.run.path) if facts.run else None,
        "seam": facts.seam.epoch if facts.seam else None,
        "before": str(facts.before.checkpoint.path) if facts.before else None,
        "after": str(facts.after.checkpoint.path) if facts.after else None,
        "findings": [
            {"id": f.id, "severity": f.severity.value, "evidence": f.evidence, "remedy": f.remedy}
            for f in audited.findings
        ],
    }


def _table(audited: Audited) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from analyzer.report.formatting import clean

    console = Console(highlight=False, emoji=False)
    document = _document(audited)
    for key in ("run", "seam", "before", "after"):
        if document[key] is not None:
            console.print(Text(f"{key:<7}{clean(str(document[key]))}"), soft_wrap=True)
    if not audited.findings:
        console.print("Nothing found.")
        return
    colours = {"hard": "bold red", "warning": "yellow", "information": "dim"}
    table = Table("finding", "weight", "seen", "what to do")
    for f in audited.findings:
        style = colours[f.severity.value]
        table.add_row(Text(f.id, style), Text(f.severity.value, style), Text(clean(f.evidence)), Text(clean(f.remedy)))
    console.print(table)
