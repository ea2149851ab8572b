"""``drift resume``: the safe way to resume."""

from __future__ import annotations

import shlex
import sys
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from analyzer.cli.exit_codes import ExitCode
from analyzer.cli.guard import guarded
from analyzer.cli.options import AlphaOption, DebugOption, ReportOption

if TYPE_CHECKING:
    from analyzer.pipeline.resume import Resume

__all__ = ["resume"]


class OnFault(str, Enum):
    """What a FAULT in the first resumed epochs does."""

    warn = "warn"
    stop = "stop"


Run = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory that broke off, or its .pt to resume from.")]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[ARG=VALUE]...", show_default=False, help="For Ultralytics, e.g. device=1; it accepts few here."
    ),
]
Count = Annotated[int, typer.Option("--replicates", min=0, metavar="N", help="Healthy resumes to train first.")]
Epochs = Annotated[int, typer.Option(min=1, metavar="K", help="Resumed epochs to guard and judge.")]
Fault = Annotated[OnFault, typer.Option("--on-fault", help="What a FAULT in those epochs does.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be run, run nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON, nothing else.")]
ExitZero = Annotated[bool, typer.Option("--exit-zero", help="Exit with 0 whatever the verdict.")]


@guarded
def resume(
    run: Run,
    words: Words = None,
    replicates: Count = 0,
    epochs: Epochs = 3,
    on_fault: Fault = OnFault.warn,
    alpha: AlphaOption = 0.05,
    dry_run: DryRun = False,
    json: Json = False,
    report: ReportOption = [],  # noqa: B006  (Typer reads it, nobody changes it)
    exit_zero: ExitZero = False,
    debug: DebugOption = False,
) -> int:
    """Resume a training with Ultralytics: audit, snapshot, replicates if wanted, guard on, then the report.

    Exit codes: 0 noise or negligible, 10 fault, 11 inconclusive, 12 could not run, 2 usage.
    """
    import analyzer.pipeline as pipeline  # noqa: PLR0402  (numpy, scipy and torch come with it: not for --help)
    from analyzer.cli.emit import emit, errors_reported
    from analyzer.cli.progress import progress_on_stderr
    from analyzer.domain.evidence import Severity
    from analyzer.pipeline import resume as steps

    request = steps.ResumeRequest(
        run=run,
        replicates=replicates,
        epochs=epochs,
        on_fault=on_fault.value,
        alpha=alpha,
        arguments=tuple(words or ()),
    )
    with errors_reported(report):
        plan = steps.plan_resume(request)
        print("\n".join(_shown(plan)), file=sys.stdout if dry_run else sys.stderr, flush=True)
        if dry_run:
            return 0
        findings = steps.audit_before(plan)
        for finding in findings:
            print(f"audit: {finding.severity.value}: {finding.evidence} {finding.remedy}", file=sys.stderr, flush=True)
        if on_fault is OnFault.stop and any(f.severity is Severity.HARD for f in findings):
            print("drift: Nothing was resumed: the checkpoint itself has a fault (--on-fault stop).", file=sys.stderr)
            return ExitCode.FAULT
        with progress_on_stderr() as progress:
            kept = steps.prepare(plan, progress)
        steps.train(plan.command)
        with progress_on_stderr() as progress:
            analysis = pipeline.analyze(steps.report_request(plan, kept), progress)
    return emit(analysis, as_json=json, reports=report, exit_zero=exit_zero)


def _shown(plan: Resume) -> list[str]:
    """What will be run, step by step."""
    from analyzer.replicates.archive import seam_folder
    from analyzer.report.formatting import duration

    asked, seconds = plan.request, plan.seconds_of_replicates
    lines = [
        f"Resume {plan.run.path} from epoch {plan.checkpoint.csv_epoch}:",
        f"  audit       {plan.checkpoint.path}",
        f"  snapshot    {seam_folder(plan.checkpoint, plan.root)}",
    ]
    if asked.replicates:
        pace = "" if seconds is None else f", about {duration(seconds)}"
        lines.append(f"  replicates  {asked.replicates} healthy resumes of {asked.epochs} epochs each{pace}")
        if not asked.arguments:
            lines.append("  replay      one epoch of the resume as it will be, on CPU only")
    judged = f"{asked.replicates} replicates" if asked.replicates else "history only; --replicates N makes a null first"
    return [
        *lines,
        f"  training    {shlex.join(plan.command)}",
        f"  report      of the seam at epoch {plan.checkpoint.resumes_at} ({judged})",
    ]
