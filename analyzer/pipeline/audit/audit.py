"""`drift audit`: find the seam and the checkpoints of a place, and audit them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer.diagnosis.audit.run import Audited, audit_run
from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Severity
from analyzer.domain.run import Run, Seam, SeamSign
from analyzer.errors import CheckpointError, RunError
from analyzer.pipeline.audit.collect import collect_facts
from analyzer.pipeline.audit.images import deep_findings
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.checkpoint_dates import seams_of
from analyzer.runs.directory import find_checkpoint, read_run
from analyzer.runs.seams import seam_at

__all__ = ["AuditOptions", "audit", "audit_place"]


@dataclass(frozen=True, slots=True)
class AuditOptions:
    """What is said beside the place: where things are, and how much is read.

    Parameters
    ----------
    checkpoint
        The checkpoint from which the resume started, where it is not in the run.
    seam
        First resumed epoch, where the run has several seams or none is visible.
    data
        Data yaml, where it moved.
    trust
        Accept unknown classes in the checkpoint; none is imported or run.
    deep
        Read and decode the images, too.
    """

    checkpoint: Path | None = None
    seam: int | None = None
    data: Path | None = None
    trust: bool = False
    deep: bool = False


def audit_place(
    place: Path, options: AuditOptions = AuditOptions(), tell: Callable[[int, int], None] | None = None
) -> Audited:
    """Audit a run directory (its latest seam, or its last checkpoint where there is none), or a checkpoint alone.

    Parameters
    ----------
    place
        Run directory or ``.pt``. A ``.pt`` inside a run is audited alone, against the run's results.csv.
    options
        As the command's.
    tell
        With ``deep``: called with (images done, images in all).

    Raises
    ------
    DriftError
        Nothing at that place can be read.
    """
    found = _audited(place, options)
    if not options.deep:
        return found
    findings = (*found.findings, *deep_findings(found.facts, options.data, tell))
    return replace(found, findings=tuple(sorted(findings, key=lambda f: list(Severity).index(f.severity))))


def _audited(place: Path, options: AuditOptions) -> Audited:
    checkpoint, data, trust = options.checkpoint, options.data, options.trust
    if place.suffix == ".pt" and place.is_file():
        alone = read_checkpoint(place, trust=trust)
        return audit(_run_around(place), None, (), alone, data=data, trust=trust)
    run = read_run(place)
    seams = seams_of(run)
    given = options.seam
    chosen = seam_at(run.history, given, run.args) if given is not None else seams[-1] if seams else None
    before = read_checkpoint(checkpoint, trust=trust) if checkpoint is not None else _before(run, chosen, trust)
    if chosen is not None and before is not None and before.epoch >= 0 and before.resumes_at != chosen.epoch:
        raise CheckpointError(
            f"{before.path} is of epoch {before.csv_epoch}, but the seam is at epoch {chosen.epoch}.",
            f"Give the checkpoint of epoch {chosen.epoch - 1}, or --seam {before.resumes_at}.",
        )
    if chosen is not None and chosen.row not in {s.row for s in seams}:
        seams = (*seams, chosen)
    return audit(run, chosen, seams, before, data=data, trust=trust)


def _run_around(place: Path) -> Run | None:
    """The run that a checkpoint lies in, without its seams; None where it lies alone or the run cannot be read."""
    try:
        return replace(read_run(place), checkpoints=())
    except RunError:
        return None


def _before(run: Run, seam: Seam | None, trust: bool) -> Checkpoint | None:
    """The checkpoint of a seam where it is kept; without a seam the newest one."""
    if seam is None:
        last = run.path / "weights" / "last.pt"
        return read_checkpoint(last, trust=trust) if last.is_file() else None
    if seam.sign is SeamSign.RESTART:
        return None
    try:
        return find_checkpoint(run, seam)
    except CheckpointError:
        return None


def audit(
    run: Run | None,
    seam: Seam | None,
    seams: tuple[Seam, ...],
    before: Checkpoint | None,
    *,
    data: Path | None = None,
    trust: bool = False,
) -> Audited:
    """Read the facts and judge them.

    Parameters
    ----------
    run, seam, seams, before, data, trust
        As in :func:`analyzer.pipeline.audit.collect.collect_facts`.
    """
    facts = collect_facts(run, seam, seams, before, data=data, trust=trust)
    return Audited(facts, audit_run(facts))
