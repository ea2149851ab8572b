"""`drift analyze AFTER --before RUN`: a new training judged by new trainings with the same arguments."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from analyzer.domain.evidence import Decision, Evidence, Replay
from analyzer.domain.replicate import HEALTHY, Arm, Outcome
from analyzer.errors import DriftError
from analyzer.pipeline.analysis.bases.continued_run import Arms, Continuation, arms_of, read_continuation
from analyzer.pipeline.analysis.bases.shares import shares_of_jump
from analyzer.pipeline.analysis.basis import Judged, ReplicateBasis, Trained, Work
from analyzer.pipeline.analysis.case import Case, Observed
from analyzer.pipeline.analysis.evidence import compare, family_evidence, lost_columns, metric_evidence
from analyzer.pipeline.analysis.frame import reference
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import Study
from analyzer.report.formatting import count, duration
from analyzer.report.model.analysis import ArgumentChange, NotRun, Omnibus

__all__ = ["ContinuationBasis", "read_continued"]

REPLICATES = 5  # new trainings an arm, where no number is asked for
_NEVER = "a new training was wanted, so there is no resume to repeat"


def read_continued(request: AnalyzeRequest) -> tuple[Case, ContinuationBasis]:
    """The new run as a case, and the basis on which it is judged.

    Raises
    ------
    DriftError
        As `read_continuation`.
    """
    started = time.monotonic()
    known = read_continuation(request)
    observed = Observed.of(known.point.observed_rows(request.epochs), known.before, known.regime)
    request = replace(request, epochs=observed.k, replicates=request.replicates or REPLICATES)
    return Case(request, known.point, known.regime, observed, None, started), ContinuationBasis(known)


class ContinuationBasis(ReplicateBasis):
    """New trainings as configured, unchanged, and with each changed argument alone and left out, on the same seeds."""

    def __init__(self, known: Continuation) -> None:
        self.known = known

    def changes(self, case: Case) -> Mapping[str, Any]:
        """What was changed on purpose."""
        return self.known.changes

    def arms(self, case: Case, study: Study) -> tuple[Arm, ...]:
        """With a plain resume, where the checkpoint still allows one."""
        new = self._new(study)
        plain = (HEALTHY,) if self.known.can_resume(case.request.epochs) else ()
        rest = (new.unchanged, *new.alone.values(), *new.without.values())
        return (new.configured, *plain, *rest) if self.known.changes else (new.configured,)

    def _new(self, study: Study) -> Arms:
        return arms_of(study, self.known.changes)

    def plan_words(self, case: Case, work: Work) -> str:
        """How many trainings of how many arms."""
        return (
            f"{count(len(work.arms), 'arm')} of {case.request.replicates} trainings, "
            f"{count(case.request.epochs, 'epoch')} each: at most {duration(work.plan.worst_seconds)}."
        )

    def train(self, case: Case, work: Work, collector: Collector) -> Trained:
        """Every arm on the same seeds."""
        n = case.request.replicates
        assert n is not None
        collector.progress.start(len(work.arms) * n * case.request.epochs, f"{len(work.arms)} arms")
        trained = Trained(work, collector, {arm.folder: collector.extend(arm, (), n) for arm in work.arms})
        if len(trained.null) < 2:
            raise DriftError("The budget ended before the second new training.", "Give more with --budget.")
        return trained

    def judge(self, case: Case, trained: Trained | None) -> Judged:
        """The observed row against new trainings with the same arguments."""
        assert trained is not None
        regime, observed = case.regime, case.observed
        comparison = compare(trained.null, regime, observed, case.request.alpha, sequential=False)
        family, names = family_evidence(comparison, regime, observed)
        evidence = Evidence(
            metrics=family,
            omnibus=comparison.omnibus,
            diverged=observed.diverged(regime) or lost_columns(comparison, regime, observed),
            replay=Replay.NOT_POSSIBLE,
            null_diverges=any(r.outcome is Outcome.DIVERGED for r in trained.null),
        )
        first = comparison.metrics[: len(regime.metrics)]
        metrics = (metric_evidence(m, s) for m, s in zip(first, regime.sources, strict=True))
        test = Omnibus("smallest Holm-adjusted p", comparison.omnibus_p, comparison.p_min, comparison.omnibus)
        shown = tuple(sorted(metrics, key=lambda m: not m.deciding))
        return Judged(evidence, names, shown, comparison, trained, test)

    def explained(self, case: Case, judged: Judged, decision: Decision) -> Decision:
        """A shift that is left is no effect of the wanted changes."""
        if decision.rule != "significant-not-inside":
            return decision
        hidden = "The row is no draw of a new training with these arguments: there is a fault beside your changes."
        return replace(decision, reasons=(*decision.reasons, hidden))

    def marks(self, case: Case) -> dict[str, Any]:
        """Which run it continues."""
        point, before = case.point, case.request.before
        assert point.checkpoint is not None and before is not None
        return {
            "checkpoint": reference(point.checkpoint, before),
            "continues": before.expanduser().absolute(),
            "argument_changes": tuple(ArgumentChange(c.name, c.before, c.after, True) for c in point.diff.changes),
            "not_run": tuple(NotRun(step, _NEVER) for step in ("audit", "revalidation", "replay", "diagnosis")),
        }

    def fields(self, case: Case, judged: Judged) -> dict[str, Any]:
        """The parts of the jump."""
        trained = judged.trained
        assert trained is not None
        study, collector = trained.work.study, trained.collector
        short = "The budget ended early: arms have fewer replicates than asked for." if collector.exhausted else ""
        return {
            "attribution": shares_of_jump(case, self._new(study), trained.replicates, tuple(self.known.changes)),
            "warnings": tuple(w for w in (*case.point.notes, study.device.note, short) if w),
        }
