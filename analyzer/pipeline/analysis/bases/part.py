"""`drift analyze --fraction`: the first part of the first resumed epoch, for epochs that take hours.

The guard logged what the running epoch showed; replicates stop after that part. Nothing is validated, so the losses can
accuse, and nothing can be called NOISE.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from analyzer.domain.evidence import Decision, Evidence, Verdict
from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.metrics import is_train_loss
from analyzer.domain.replicate import Arm, ArmKind, Outcome, Replicate
from analyzer.domain.within import Within, batches_of
from analyzer.errors import RunError, UsageError
from analyzer.pipeline.analysis.basis import Judged, ReplicateBasis, Trained, Work
from analyzer.pipeline.analysis.case import Case, Observed, audit_resume
from analyzer.pipeline.analysis.cost import plan_part
from analyzer.pipeline.analysis.evidence import inside_of, metric_evidence
from analyzer.pipeline.analysis.regime import read_regime
from analyzer.pipeline.analysis.resume_point import ResumePoint, running_resume_point
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.archive import read_running
from analyzer.replicates.budget import Budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study
from analyzer.report.model.analysis import Cost, Plan
from analyzer.runs.directory import run_directory
from analyzer.stats.early import early_look
from analyzer.stats.shift import NullComparison

__all__ = ["PartBasis", "read_part"]


@dataclass(frozen=True, slots=True, eq=False)
class _Part:
    """What was compared: the last mark that both sides have."""

    done: int
    of: int
    observed: Mapping[str, float]
    comparison: NullComparison


def read_part(request: AnalyzeRequest) -> tuple[Case, PartBasis]:
    """The epoch that the guard logged, and the basis on which its first part is judged.

    Raises
    ------
    UsageError
        An option that needs whole epochs.
    RunError
        The guard logged nothing of such an epoch.
    """
    started = time.monotonic()
    _refuse(request)
    point, logged = _logged(request)
    regime = read_regime(point, request.margins)
    written = len(point.run.history) > point.seam.row  # what the audit compares with is written with the row
    audited = audit_resume(point, request) if written else None
    observed = Observed.of([], point.before, regime)
    assert request.fraction is not None
    return Case(request, point, regime, observed, audited, started), PartBasis(logged, request.fraction)


class PartBasis(ReplicateBasis):
    """The train losses of the first part of the epoch, by replicates that stop after it.

    One look is made, at the last mark that lies within the fraction and was logged. The rules are those of
    `analyzer.verdict`, but whatever is no FAULT is INCONCLUSIVE: validation was not looked at.

    Parameters
    ----------
    logged
        What the guard logged of the epoch.
    fraction
        Of it, in (0, 1).
    """

    left_out = "--fraction"

    def __init__(self, logged: Within, fraction: float) -> None:
        self.logged, self.fraction = logged, fraction
        self.share = batches_of(fraction, logged.batches) / logged.batches  # whole batches are trained

    def arms(self, case: Case, study: Study) -> tuple[Arm, ...]:
        """One, of the arguments that the run has."""
        changes = self.changes(case)
        return (study.arm(ArmKind.AS_CONFIGURED if changes else ArmKind.HEALTHY, changes, fraction=self.fraction),)

    def plan(self, case: Case, arms: tuple[Arm, ...], at_once: float) -> Plan:
        """Of so much of an epoch."""
        return plan_part(case.point, case.request, self.share, at_once=at_once)

    def budget(self, agreed: Budget) -> Budget:
        """The collector counts a part as one epoch."""
        return agreed if agreed.epochs is None else replace(agreed, epochs=int(agreed.epochs / self.share + 1e-9))

    def pace(self, plan: Plan) -> float | None:
        """Not told: the first replicate shows what a part takes."""
        return None

    def train(self, case: Case, work: Work, collector: Collector) -> Trained:
        """The replicates of that part."""
        wanted = work.plan.replicates
        collector.progress.start(wanted, f"{wanted} resumed paths", part=self.share)
        null = collector.extend(work.null, (), wanted)
        if not null:
            raise UsageError("The budget ended before the first replicate.", "Give a larger --budget.")
        return Trained(work, collector, {work.null.folder: null})

    def judge(self, case: Case, trained: Trained | None) -> Judged:
        """One look at the running losses."""
        assert trained is not None
        part = self._part(case, trained)
        compared = part.comparison
        evidence = Evidence(
            metrics=tuple((m.significant, m.size) for m in compared.deciding),
            omnibus=compared.omnibus,
            certain_cause=case.certain,
            # a column that is missing on one side is no divergence
            diverged=any(not np.isfinite(part.observed.get(m.name, 0.0)) for m in compared.metrics)
            and bool(np.isfinite(compared.null).all()),
        )
        sources = dict(zip(case.regime.names, case.regime.sources, strict=True))
        metrics = tuple(metric_evidence(m, sources.get(m.name, "none")) for m in compared.metrics)
        return Judged(evidence, tuple(m.name for m in compared.deciding), metrics, compared, trained)

    def explained(self, case: Case, judged: Judged, decision: Decision) -> Decision:
        """A part can accuse; it cannot show that the rest is NOISE."""
        assert judged.trained is not None
        part = self._part(case, judged.trained)
        basis = (
            f"Judged by the train losses of the first {part.done} of {part.of} batches and {part.comparison.n} "
            "replicates of that part: validation losses and mAP were not looked at."
        )
        if decision.verdict is Verdict.FAULT:
            return replace(decision, reasons=(*case.accusations, *decision.reasons, basis))
        calm = decision.verdict in (Verdict.NOISE, Verdict.NEGLIGIBLE)
        told = "No train loss shows a shift that matters so far" if calm else "The train losses so far do not settle it"
        return Decision(
            Verdict.INCONCLUSIVE,
            "fraction-only",
            (*case.accusations, f"{told}; a part of an epoch cannot show that the rest is NOISE.", basis),
            ("The whole epoch: drift analyze RUN without --fraction.",),
        )

    def marks(self, case: Case) -> dict[str, Any]:
        """How much of the epoch."""
        return {"fraction": self.fraction}

    def fields(self, case: Case, judged: Judged) -> dict[str, Any]:
        """Parts of an epoch as cost and as rows."""
        trained = judged.trained
        assert trained is not None and judged.comparison is not None
        spent = trained.collector.epochs_trained * self.share
        done = self._part(case, trained).done
        return {
            "cost": Cost(spent, time.monotonic() - case.started, trained.collector.reused, by_step={"null": spent}),
            "replicates": tuple(_shown(r, done) for r in trained.null),
            "argument_changes": (),
            "warnings": (*case.point.notes, *judged.comparison.notes),
        }

    def _part(self, case: Case, trained: Trained) -> _Part:
        return _compare(case, trained.null, self.logged.up_to(self.fraction))


def _refuse(request: AnalyzeRequest) -> None:
    for word, given in (
        ("--epochs", request.epochs != 1),
        ("--history-only", request.history_only),
        ("--checkpoint", request.checkpoint is not None),
    ):
        if given:
            raise UsageError(f"{word} does not go with --fraction.", f"Leave {word} out, or judge whole epochs.")


def _logged(request: AnalyzeRequest) -> tuple[ResumePoint, Within]:
    """The newest epoch that the guard logged, or the one of ``--seam``, and its point."""
    run = run_directory(request.run)
    found = []
    for file in (run / "drift" / "seams").glob("*/running.json"):
        read = read_running(file.parent)
        if read is not None and (file.parent / "checkpoint.pt").is_file() and request.seam in (None, read.epoch):
            found.append((read, file.parent))
    if not found:
        raise RunError(
            f"The guard logged no epoch from inside in {run / 'drift' / 'seams'}.",
            "Resume with drift resume or add_drift_callback; or judge the whole epoch, without --fraction.",
        )
    newest, folder = max(found, key=lambda entry: entry[0].written)
    return running_resume_point(run, folder / "checkpoint.pt", newest.epoch), newest.within


def _compare(case: Case, null: tuple[Replicate, ...], logged: Within) -> _Part:
    regime = case.regime
    marks, names, cube = inside_of(null)
    inside = next((r.epochs[0].within for r in null if r.epochs), None)
    if inside is not None and inside.batches != logged.batches:
        raise RunError(
            f"The logged epoch has {logged.batches} batches, a replicate's {inside.batches}: they cannot be compared.",
            "Judge the whole epoch, without --fraction.",
        )
    common = [j for j, n in enumerate(marks) if n in logged.after]
    if not common:
        first = batches_of(0.01, logged.batches)
        raise RunError(
            f"Nothing was logged within that part of the epoch (the first mark is after batch {first}).",
            "Wait until the training is further, or give a larger --fraction.",
        )
    look = common[-1]
    row = logged.after[marks[look]]
    margins = dict(zip(regime.names, regime.margins, strict=True))
    comparison = early_look(
        cube,
        [row.get(n, np.nan) for n in names],
        marks,
        look,
        names=names,
        alpha=case.request.alpha * NULL_SHARE,
        margins=[margins.get(n, np.nan) for n in names],
        diverged=[r.outcome is Outcome.DIVERGED for r in null],
    )
    return _Part(marks[look], logged.batches, row, comparison)


def _shown(replicate: Replicate, done: int) -> Replicate:
    """The replicate with the losses that were compared as its row: it has none of its own."""
    first = replicate.epochs[0]
    after = first.within.after.get(done, {}) if first.within is not None else {}
    losses = {k: v for k, v in after.items() if is_train_loss(k)}
    return replace(replicate, epochs=(replace(first, printed=losses, exact=losses),))
