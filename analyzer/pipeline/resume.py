"""`drift resume`: snapshot, null if wanted, the real resume with the guard on, and what is needed for the report."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Finding, Severity
from analyzer.domain.progress import Progress
from analyzer.domain.run import Run
from analyzer.errors import CheckpointError, DataError, DriftError, EngineError, RunError
from analyzer.pipeline.audit import audit
from analyzer.pipeline.replicate import replicate
from analyzer.pipeline.request import AnalyzeRequest, ReplicateRequest
from analyzer.replicates.archive import keep_checkpoint, keep_manifest
from analyzer.runs.activity import is_training
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.dataset import resolve_dataset
from analyzer.runs.directory import read_run
from analyzer.runs.same_value import is_automatic_device
from analyzer.runs.seams import epoch_seconds

__all__ = ["Resume", "ResumeRequest", "audit_before", "plan_resume", "prepare", "report_request", "train"]

_PATIENCE = 30.0  # seconds that a stopped training may take to end by itself
_TERMINAL = 3.0  # seconds after which the terminal's own signal has not reached it


@dataclass(frozen=True, slots=True)
class ResumeRequest:
    """Options of ``drift resume``.

    Parameters
    ----------
    run
        Run directory, or the ``.pt`` inside one that shall be resumed.
    replicates
        Healthy resumes to train first; 0: none, the run is judged by its history.
    epochs
        K, resumed epochs that are guarded, replicated and judged.
    on_fault
        "warn" or "stop".
    alpha
        Rate of false alarms, in (0, 0.5): of the guard, and of the report.
    arguments
        Words for Ultralytics, e.g. ``device=1``.
    """

    run: Path
    replicates: int = 0
    epochs: int = 3
    on_fault: str = "warn"
    alpha: float = 0.05
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Resume:
    """What will be done.

    Parameters
    ----------
    request
        As asked for.
    run
        The run directory.
    checkpoint
        That is resumed.
    command
        The training process.
    """

    request: ResumeRequest
    run: Run
    checkpoint: Checkpoint
    command: tuple[str, ...]

    @property
    def root(self) -> Path:
        """The tool's folder in the run."""
        return self.run.path / "drift"

    @property
    def seconds_of_replicates(self) -> float | None:
        """How long the replicates take at the pace of the run; None where it is not known."""
        pace = epoch_seconds(self.run.history)
        return None if pace is None else pace * self.request.epochs * self.request.replicates


def plan_resume(request: ResumeRequest) -> Resume:
    """Find what can be resumed; nothing is written.

    Raises
    ------
    RunError
        No run directory, or a training is still writing into it.
    CheckpointError
        Nothing in the run can be resumed.
    """
    run = read_run(request.run)
    if evidence := is_training(run):
        raise RunError(
            f"A training is still running in {run.path}: {evidence}", "Two trainings would spoil one run: wait for it."
        )
    checkpoint = _checkpoint(request.run.expanduser().absolute(), run)
    command = (
        sys.executable, "-m", "analyzer.integrations.yolo", "--epochs", str(request.epochs),
        "--on-fault", request.on_fault, "--alpha", f"{request.alpha:g}",
        "train", "resume", f"model={checkpoint.path}", *request.arguments,
    )  # fmt: skip
    return Resume(request, run, checkpoint, command)


def _checkpoint(given: Path, run: Run) -> Checkpoint:
    """The given file, else last.pt, else, in a training that the guard ended early, the newest kept seam."""
    if given.is_file() and given.suffix == ".pt":
        candidates = [given]
    elif len(run.history) and int(run.history.epochs[-1]) >= int(run.args.get("epochs") or 0):
        candidates = [run.path / "weights" / "last.pt"]  # all epochs are there: never fall back to an earlier one
    else:
        seams = [p for p in run.checkpoints if run.path / "drift" / "seams" in p.parents]
        seams.sort(key=lambda p: p.stat().st_mtime, reverse=True)
        candidates = [p for p in (run.path / "weights" / "last.pt", *seams) if p.is_file()]
    reasons = []
    for path in candidates:
        try:
            checkpoint = read_checkpoint(path)
        except DriftError as error:
            reasons.append(error.what)
            continue
        if checkpoint.resumable:
            return checkpoint
        reasons.append(f"{path} is stripped: its training was finished.")
    found = " ".join(reasons) or f"{run.path} has no weights/last.pt."
    raise CheckpointError(
        f"Nothing can be resumed. {found}", "Give a checkpoint of a broken-off training, e.g. RUN/weights/epochN.pt."
    )


def audit_before(plan: Resume) -> tuple[Finding, ...]:
    """What the checkpoint that will be resumed says, against the run's own history; information is left out.

    Raises
    ------
    DriftError
        It cannot be read.
    """
    # Ultralytics unpickles this file next; the audit only scans it, so own classes in it do no harm.
    alone = replace(plan.run, checkpoints=())  # there is no resume yet whose checkpoints could be compared with it
    found = audit(alone, None, (), plan.checkpoint, trust=True).findings
    return tuple(f for f in found if f.severity is not Severity.INFORMATION)


def prepare(plan: Resume, progress: Progress) -> Path:
    """Keep the seam, and train the null where one is wanted.

    Returns
    -------
    Path
        The kept checkpoint.

    Raises
    ------
    DriftError
        The snapshot or a replicate failed; nothing was resumed.
    """
    kept = keep_checkpoint(plan.checkpoint, plan.root)
    progress.message(f"A copy of the checkpoint is kept: {kept}")
    try:
        data = resolve_dataset(plan.checkpoint.train_args, run=plan.run.path)
        keep_manifest(plan.checkpoint, data, plan.root)
    except DataError as error:
        progress.message(f"No manifest of the data was kept: {error}")
    if plan.request.replicates:
        # words for Ultralytics change what the resume does: a replay without them would differ from it
        wanted = ReplicateRequest(
            checkpoint=kept,
            replicates=plan.request.replicates,
            epochs=plan.request.epochs,
            replay=not plan.request.arguments,
            device=_device(plan.request.arguments),
        )
        replicate(wanted, progress)
    return kept


def _device(arguments: Sequence[str]) -> str | None:
    """On which device the words for Ultralytics let the resume train; None where they leave it."""
    named = [word.partition("=")[2] for word in arguments if word.startswith("device=")]
    return None if not named or is_automatic_device(named[-1]) else named[-1]


def train(command: Sequence[str]) -> None:
    """Run the resume in a process of its own, its output on stderr, until it ends.

    Ctrl-C reaches that process too: it is waited for, so that no training goes on unseen.

    Raises
    ------
    EngineError
        It ended with an error.
    KeyboardInterrupt
        After the training has ended.
    """
    process = subprocess.Popen(command, stdout=2, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    try:
        # Not wait(): a signal may be delivered to another thread (those of a BLAS), and the main one would sleep on.
        while (code := process.poll()) is None:
            time.sleep(0.2)
    except KeyboardInterrupt:
        _end(process)
        raise
    if code == -signal.SIGINT or code == 128 + signal.SIGINT:
        raise KeyboardInterrupt
    if code:
        how = f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
        raise EngineError(
            f"The resumed training {how}.",
            "Its own message is above; drift analyze RUN judges the epochs that it wrote.",
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    """Wait for an interrupted training; make sure where it was not reached by the terminal's own signal."""
    for send in (None, signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        if send is not None:
            process.send_signal(send)
        until = time.monotonic() + (_PATIENCE if send is not None else _TERMINAL)
        try:
            while time.monotonic() < until:
                if process.poll() is not None:
                    return
                time.sleep(0.2)
        except KeyboardInterrupt:  # a second Ctrl-C: faster
            continue


def report_request(plan: Resume, kept: Path) -> AnalyzeRequest:
    """What ``analyze`` is asked after the training: this seam, and to train nothing that was not wanted."""
    r = plan.request
    return AnalyzeRequest(
        run=plan.run.path,
        checkpoint=kept,
        seam=plan.checkpoint.resumes_at,
        replicates=r.replicates or None,
        epochs=r.epochs,
        alpha=r.alpha,
        history_only=not r.replicates,
        revalidate=False,
        replay=False,
        assume_yes=True,
    )
