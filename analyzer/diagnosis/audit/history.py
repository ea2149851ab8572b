"""results.csv against the checkpoint: epoch, metrics, several runs in one file, repeated and skipped epochs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from analyzer.diagnosis.audit.facts import AuditFacts
from analyzer.diagnosis.catalogue import finding
from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.evidence import Finding, Severity
from analyzer.domain.run import History, SeamSign
from analyzer.runs.versions import has_feature

__all__ = ["check_history"]


def check_history(facts: AuditFacts) -> Iterator[Finding]:
    """All findings of this file."""
    yield from _not_a_resume(facts)
    if facts.run is None:
        return
    yield from _repeats(facts)
    yield from _stored_metrics(facts)
    yield from _artefacts(facts)


def _not_a_resume(facts: AuditFacts) -> Iterator[Finding]:
    before, seam = facts.before.checkpoint if facts.before else None, facts.seam
    if before is not None and before.epoch < 0:
        if seam is None:
            yield finding("finished", f"{before.path.name} has epoch -1: its run was finished and the file stripped.")
        else:
            yield finding("not-a-resume", f"{before.path.name} has epoch -1 and cannot be resumed from.")
    if facts.run is None or seam is None:
        return
    if seam.sign is SeamSign.RESTART:
        yield finding("not-a-resume", f"Epoch numbers start again at row {seam.row + 1}: {seam.evidence}")
    elif "resume" in facts.run.args and not facts.run.args["resume"]:
        what = f"args.yaml says resume: {str(facts.run.args['resume']).lower()}, although training restarted at epoch "
        yield finding("not-a-resume", f"{what}{seam.epoch}.", severity=Severity.WARNING)


def _repeats(facts: AuditFacts) -> Iterator[Finding]:
    """One repeated epoch is a kill between the row and last.pt; more mean an older checkpoint."""
    seam, run = facts.seam, facts.run
    if seam is None or run is None or seam.row == 0 or seam.sign is SeamSign.RESTART:
        return
    last = int(run.history.epochs[seam.row - 1])
    if (repeated := last - seam.epoch + 1) >= 2:
        yield finding(
            "wrong-checkpoint",
            f"The run had reached epoch {last} and went on at epoch {seam.epoch}: {repeated} epochs were trained again "
            "from an older checkpoint.",
        )


def _stored_metrics(facts: AuditFacts) -> Iterator[Finding]:
    """`train_metrics` of each checkpoint against the row of its epoch (any, where the number repeats)."""
    assert facts.run is not None
    history = facts.run.history
    for side, rows in ((facts.before, slice(0, facts.seam.row if facts.seam else None)), (facts.after, slice(None))):
        if side is None or side.checkpoint.epoch < 0:
            continue
        checkpoint = side.checkpoint
        found = np.flatnonzero(history.epochs[rows] == checkpoint.csv_epoch)
        if not len(found):
            yield from _no_row(checkpoint, history)
            continue
        relative = 5e-6 if has_feature("plain-csv", checkpoint.version) else 5e-5  # %.6g, or %.5g up to 8.3.5
        off = min((_differences(checkpoint.train_metrics, history.row(int(r)), relative) for r in found), key=len)
        if off:
            name, stored, logged = off[0]
            yield finding(
                "wrong-checkpoint",
                f"{checkpoint.path.name} stores {name} = {stored:g} for epoch {checkpoint.csv_epoch}, results.csv has "
                f"{logged:g} ({len(off)} columns differ by more than rounding): it is not the checkpoint of that row.",
            )


def _no_row(checkpoint: Checkpoint, history: History) -> Iterator[Finding]:
    """A row is written before its checkpoint, so there always is one."""
    if len(history):
        yield finding(
            "wrong-checkpoint",
            f"{checkpoint.path.name} is of epoch {checkpoint.csv_epoch}, but results.csv has no row of it.",
            severity=Severity.WARNING,
        )


def _differences(stored: object, row: dict[str, float], relative: float) -> list[tuple[str, float, float]]:
    """Columns that differ by more than the rounding to 5 decimals and the printed digits."""
    assert hasattr(stored, "items")
    pairs = [(str(k), float(v), row[k]) for k, v in stored.items() if k in row]
    return [
        (name, a, b)
        for name, a, b in pairs
        if math.isfinite(a) and math.isfinite(b) and abs(a - b) > 1.01e-5 + relative * max(abs(a), abs(b))
    ]


def _artefacts(facts: AuditFacts) -> Iterator[Finding]:
    assert facts.run is not None
    restarts = [s for s in facts.seams if s.sign is SeamSign.RESTART]
    if restarts:
        rows = ", ".join(str(s.row + 1) for s in restarts[:5]) + (" ..." if len(restarts) > 5 else "")
        yield finding("csv-artefact", f"results.csv holds {len(restarts) + 1} runs: numbers start again at row {rows}.")
    epochs = facts.run.history.epochs
    gaps = np.flatnonzero(np.diff(epochs) > 1) if len(epochs) > 1 else np.array([], dtype=np.int64)
    if len(gaps):
        first = int(gaps[0])
        what = f"Epoch numbers skip from {epochs[first]} to {epochs[first + 1]}"
        yield finding("csv-artefact", f"{what} ({len(gaps)} gaps in all).")
