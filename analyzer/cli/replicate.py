"""``drift replicate``: make the null before the resume."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import (
    DataOption,
    DebugOption,
    DeviceOption,
    EpochsOption,
    FractionOption,
    OutOption,
    PerDeviceOption,
    RayOption,
    SeedOption,
    TrustOption,
    WorkersOnOption,
)

__all__ = ["replicate"]

Checkpoint = Annotated[
    Path, typer.Argument(metavar="CHECKPOINT", help="Checkpoint that will be resumed, e.g. RUN/weights/last.pt.")
]
Count = Annotated[
    int, typer.Option("--replicates", "-n", min=1, metavar="N", help="Healthy resumes to have in the end.")
]


@guarded
def replicate(
    checkpoint: Checkpoint,
    n: Count = 5,
    epochs: EpochsOption = 1,
    fraction: FractionOption = None,
    device: DeviceOption = None,
    workers_on: WorkersOnOption = None,
    per_device: PerDeviceOption = None,
    ray: RayOption = None,
    data: DataOption = None,
    seed: SeedOption = None,
    out: OutOption = None,
    trust_checkpoint: TrustOption = False,
    debug: DebugOption = False,
) -> int:
    """Train healthy resumes of a checkpoint now, so that the later analyze is instant and never lacks it."""
    given = locals()
    from analyzer import pipeline
    from analyzer.cli.progress import progress_on_stderr
    from analyzer.pipeline.request import request_of

    request = request_of(pipeline.ReplicateRequest, given, replicates=n)
    with progress_on_stderr() as progress:
        study = pipeline.replicate(request, progress)
    print(study)
    return 0
