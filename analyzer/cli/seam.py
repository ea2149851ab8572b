"""``drift seam``: what a resume itself does to each metric, measured under this version."""

from __future__ import annotations

import json as json_module
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import (
    CheckpointArgument,
    DataOption,
    DebugOption,
    DeviceOption,
    JsonOption,
    OutOption,
    SeedOption,
    TrustOption,
    WorkersOption,
)

if TYPE_CHECKING:
    from analyzer.pipeline.resume_effect import SeamReport

__all__ = ["seam"]

Count = Annotated[int, typer.Option("--seeds", "-n", min=2, metavar="N", help="Seeds, three epochs each.")]


@guarded
def seam(
    checkpoint: CheckpointArgument,
    n: Count = 5,
    device: DeviceOption = None,
    data: DataOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    out: OutOption = None,
    trust_checkpoint: TrustOption = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Measure what save and resume do: an epoch after another in memory, and the same one resumed; 3 x N epochs."""
    given = locals()
    from analyzer.cli.progress import progress_on_stderr
    from analyzer.pipeline.request import ReplicateRequest, request_of
    from analyzer.pipeline.resume_effect import measure_seam, seam_document

    request = request_of(ReplicateRequest, given, replicates=n)
    with progress_on_stderr() as progress:
        found = measure_seam(request, progress)
    if json:
        print(json_module.dumps(seam_document(found), indent=2, allow_nan=False))
    else:
        _show(found)
    return 0


def _show(found: SeamReport) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from analyzer.report.formatting import level, p_value, short_name, signed, unsigned

    console = Console(highlight=False, emoji=False)
    console.print(Text(f"What a resume does to epoch {found.epoch}, Ultralytics {found.version}, {found.device}"))
    console.print(Text(f"{len(found.seeds)} seeds, in memory and through save and resume, the same draws in both."))
    console.print()
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("metric", no_wrap=True)
    for name in ("memory", "resumed", "change", "95 % interval", "p", "sd"):
        table.add_column(name, justify="right", no_wrap=True)
    for m in found.metrics:
        d = m.difference
        span = f"{signed(d.interval.low)} to {signed(d.interval.high)}" if d.interval is not None else "-"
        name = short_name(m.name) + ("" if m.deciding else " *")
        table.add_row(name, level(m.in_memory), level(m.resumed), signed(d.difference), span, p_value(d.p),
                      unsigned(m.sd))  # fmt: skip
    console.print(table)
    for line in (
        "",
        "change: resumed minus in memory, paired by seed; each interval holds by itself. sd: of one epoch over seeds.",
        "* does not decide.",
        f"Study {found.study}: {found.trained} epochs trained, {found.reused} paths reused.",
    ):
        console.print(Text(line))
    sys.stdout.flush()
