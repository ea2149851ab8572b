"""``drift analyze``: judge the resume of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from analyzer.cli.guard import guarded
from analyzer.cli.options import (
    AlphaOption,
    BudgetOption,
    DataOption,
    DebugOption,
    DeviceOption,
    EpochsOption,
    FractionOption,
    MarginOption,
    OutOption,
    PerDeviceOption,
    RayOption,
    ReplicatesOption,
    ReportOption,
    SeedOption,
    TrustOption,
    WorkersOnOption,
)

__all__ = ["analyze"]

Run = Annotated[
    Path, typer.Argument(metavar="RUN", help="Ultralytics run directory that was resumed, or a .pt inside.")
]
Checkpoint = Annotated[Path | None, typer.Option(metavar="PT", help="Where the seam started; default: found.")]
Seam = Annotated[int | None, typer.Option(metavar="EPOCH", help="First resumed epoch; default: found.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show the cost, train nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON, nothing else.")]
HistoryOnly = Annotated[bool, typer.Option("--history-only", help="Train nothing (weaker evidence).")]
Revalidate = Annotated[
    bool, typer.Option("--revalidate/--no-revalidate", help="Validate the checkpoint's own weights first.")
]
Replay = Annotated[bool, typer.Option("--replay/--no-replay", help="Repeat your own resume first (one epoch).")]
Twins = Annotated[
    bool, typer.Option("--twins/--no-twins", help="Train plausible faults where none is certain (28 epochs at most).")
]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever the verdict.")]
Share = Annotated[bool, typer.Option("--share-device", help="Use the device of a running training.")]
Before = Annotated[
    Path | None, typer.Option(metavar="RUN", help="The run that this new training continues, with other arguments.")
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask before long work.")]


@guarded
def analyze(
    run: Run,
    checkpoint: Checkpoint = None,
    seam: Seam = None,
    replicates: ReplicatesOption = "auto",
    epochs: EpochsOption = 1,
    fraction: FractionOption = None,
    device: DeviceOption = None,
    workers_on: WorkersOnOption = None,
    per_device: PerDeviceOption = None,
    ray: RayOption = None,
    data: DataOption = None,
    alpha: AlphaOption = 0.05,
    margin: MarginOption = [],  # noqa: B006  (Typer reads it, nobody changes it)
    seed: SeedOption = None,
    budget: BudgetOption = None,
    dry_run: DryRun = False,
    out: OutOption = None,
    json: Json = False,
    report: ReportOption = [],  # noqa: B006
    history_only: HistoryOnly = False,
    revalidate: Revalidate = True,
    replay: Replay = True,
    twins: Twins = True,
    exit_zero: ExitZero = False,
    share_device: Share = False,
    yes: Yes = False,
    before: Before = None,
    trust_checkpoint: TrustOption = False,
    debug: DebugOption = False,
) -> int:
    """Say whether the jump after a resume is NOISE, NEGLIGIBLE, a FAULT or INCONCLUSIVE.

    Exit codes: 0 noise or negligible, 10 fault, 11 inconclusive, 12 could not run, 2 usage.
    """
    given = locals()
    from analyzer import pipeline  # numpy, scipy and torch come with it: not for --help
    from analyzer.cli.emit import emit, errors_reported
    from analyzer.cli.progress import progress_on_stderr
    from analyzer.pipeline.request import request_of

    request = request_of(pipeline.AnalyzeRequest, given)
    with errors_reported(report), progress_on_stderr() as progress:
        analysis = pipeline.analyze(request, progress)
    return emit(analysis, as_json=json, reports=report, exit_zero=exit_zero, dry_run=dry_run)
