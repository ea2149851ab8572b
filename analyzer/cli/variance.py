"""``drift variance``: whether the noise is the batch order, the augmentation, or the GPU."""

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
    PerDeviceOption,
    RayOption,
    SeedOption,
    TrustOption,
    WorkersOnOption,
    WorkersOption,
)

__all__ = ["variance"]

Count = Annotated[int, typer.Option("--seeds", "-n", min=2, metavar="N", help="Seeds: N x N pairs, N x R repeats.")]
Repeats = Annotated[int, typer.Option(min=2, metavar="R", help="Resumes with the same seed, of each seed.")]


@guarded
def variance(
    checkpoint: CheckpointArgument,
    n: Count = 4,
    repeats: Repeats = 2,
    device: DeviceOption = None,
    workers_on: WorkersOnOption = None,
    per_device: PerDeviceOption = None,
    ray: RayOption = None,
    data: DataOption = None,
    seed: SeedOption = None,
    workers: WorkersOption = None,
    out: OutOption = None,
    trust_checkpoint: TrustOption = False,
    json: JsonOption = False,
    debug: DebugOption = False,
) -> int:
    """Find where the noise of a resumed epoch comes from; trains N x (N + R) epochs, kept and reused."""
    given = locals()
    from analyzer.cli.emit import emit_found
    from analyzer.cli.progress import progress_on_stderr
    from analyzer.pipeline.request import ReplicateRequest, request_of
    from analyzer.pipeline.variance import find_variance
    from analyzer.report.tables import variance as table

    request = request_of(ReplicateRequest, given, replicates=n)
    with progress_on_stderr() as progress:
        found = find_variance(request, repeats, progress)
    return emit_found(found, table, as_json=json)
