"""``drift seam``: what a resume itself does to each metric, measured under this version."""

from __future__ import annotations

from typing import Annotated

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
    from analyzer.cli.emit import emit_found
    from analyzer.cli.progress import progress_on_stderr
    from analyzer.pipeline.request import ReplicateRequest, request_of
    from analyzer.pipeline.resume_effect import measure_seam
    from analyzer.report.tables import resume_effect as table

    request = request_of(ReplicateRequest, given, replicates=n)
    with progress_on_stderr() as progress:
        found = measure_seam(request, progress)
    return emit_found(found, table, as_json=json)
