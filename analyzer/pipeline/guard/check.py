"""Judge one resumed epoch while the run goes on: against the stored null of its checkpoint, else against history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.domain.evidence import Decision, Evidence, MetricEvidence, SeamCheck, Significance, Size
from analyzer.domain.replicate import Outcome, Replicate
from analyzer.pipeline.analysis.bases.history import against_history, by_history, with_before
from analyzer.pipeline.analysis.case import Case, Observed, audit_resume
from analyzer.pipeline.analysis.evidence import (
    compare,
    family_evidence,
    history_check,
    lost_columns,
    metric_evidence,
)
from analyzer.pipeline.analysis.regime import Regime, read_regime
from analyzer.pipeline.analysis.resume_point import ResumePoint, as_configured, find_resume_point
from analyzer.pipeline.guard.stored import studies_of
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.verdict import decide

__all__ = ["EpochCheck", "check_epoch", "judged_by_history", "roots_of", "stored_null"]

_MIN_REPLICATES = 2  # fewer have no spread


@dataclass(frozen=True, slots=True, eq=False)
class EpochCheck:
    """What one resumed epoch says.

    Parameters
    ----------
    epoch
        As results.csv counts.
    against
        Name of the study whose replicates were the null, or "history".
    replicates
        How many; 0 for history.
    alpha
        What this look may spend.
    decision
        Verdict, rule and reasons.
    metrics
        Evidence metric by metric.
    notes
        What the test says of itself, e.g. that its level is below the calibrated ones.
    """

    epoch: int
    against: str
    replicates: int
    alpha: float
    decision: Decision
    metrics: tuple[MetricEvidence, ...]
    notes: tuple[str, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """The check as plain JSON; what is not finite is None."""
        return {
            "epoch": self.epoch,
            "against": self.against,
            "replicates": self.replicates,
            "alpha": self.alpha,
            "verdict": self.decision.verdict.value,
            "rule": self.decision.rule,
            "reasons": list(self.decision.reasons),
            "notes": list(self.notes),
            "metrics": [
                {
                    "name": m.name,
                    "before": _number(m.before),
                    "observed": _number(m.observed),
                    "expected": _number(m.null_mean),
                    "p_adjusted": _number(m.p_adjusted),
                    "margin": _number(m.margin),
                    "verdict": m.verdict.value if m.verdict else None,
                }
                for m in self.metrics
                if m.deciding
            ],
        }


def check_epoch(run: Path, checkpoint: Path, epoch: int, *, looks: int, alpha: float, first: int) -> EpochCheck:
    """Judge a row that the resumed run has just written.

    The looks share alpha (Bonferroni): each tests its own row at ``alpha / looks``, with Holm over the deciding
    metrics. Against a null, the null's share is spent on the rows and the rest once, at the first look, on the null
    mean against history (a fault that all resumes share). Against history, the row of resumed epoch j is compared with
    the prediction j epochs ahead, in the adverse direction only. At the first look the audit is made too: a certain
    finding is a FAULT whatever the metrics say.

    Parameters
    ----------
    run
        The run directory.
    checkpoint
        The kept seam checkpoint.
    epoch, first
        The epoch that was written, and the first resumed one, as results.csv counts.
    looks
        K, how many epochs will be judged in all.
    alpha
        Rate of false alarms over all looks, in (0, 1).

    Raises
    ------
    DriftError
        The run or the checkpoint cannot be read, or the row is not there.
    """
    request = AnalyzeRequest(run=run, checkpoint=checkpoint, seam=first, trust_checkpoint=True)
    point = find_resume_point(request)
    regime = read_regime(point, ())
    step, share = epoch - first, alpha / looks
    whole = Observed.of(point.observed_rows(step + 1), point.before, regime)
    if whole.k <= step:
        raise IndexError(f"results.csv has no row of epoch {epoch} after the seam at epoch {first}")
    observed = replace(whole, values=whole.values[step : step + 1])
    audited = audit_resume(point, request) if step == 0 else None  # nothing in it changes while the run goes on
    case = Case(replace(request, alpha=share), point, regime, observed, audited, 0.0)
    study, null = stored_null(roots_of(run, point.train_args), point, step + 1)
    notes: tuple[str, ...] = ()
    if len(null) >= _MIN_REPLICATES:
        shared = step == 0 and not point.diff.changes
        seam = history_check(null, regime, alpha).status if shared else SeamCheck.UNKNOWN
        decision, metrics, notes = _by_null(case, tuple(_at(r, step) for r in null), seam)
    else:
        study, null = "history", ()
        decision, metrics = judged_by_history(regime, observed, step + 1, share, case.certain)
    decision = replace(decision, reasons=(*case.accusations, *decision.reasons))
    return EpochCheck(epoch, study, len(null), share, decision, with_before(metrics, point.before), notes)


def _at(replicate: Replicate, step: int) -> Replicate:
    """One epoch of a replicate, counted from 0; none where it diverged before."""
    return replace(replicate, epochs=replicate.epochs[step : step + 1])


def _by_null(
    case: Case, null: tuple[Replicate, ...], seam: SeamCheck
) -> tuple[Decision, tuple[MetricEvidence, ...], tuple[str, ...]]:
    """As `drift analyze` judges, at the level of one look."""
    regime, observed = case.regime, case.observed
    comparison = compare(null, regime, observed, case.request.alpha, sequential=False)
    family, names = family_evidence(comparison, regime, observed)
    evidence = Evidence(
        metrics=family,
        omnibus=comparison.omnibus,
        seam=seam,
        certain_cause=case.certain,
        diverged=observed.diverged(regime) or lost_columns(comparison, regime, observed),
        null_diverges=any(r.outcome is Outcome.DIVERGED for r in null),
    )
    metrics = tuple(metric_evidence(m, s) for m, s in zip(comparison.metrics, regime.sources, strict=True))
    return decide(evidence, names=names), metrics, comparison.notes


def roots_of(run: Path, train_args: Mapping[str, Any]) -> tuple[Path, Path]:
    """Where studies may lie: in the run, and in that of the checkpoint, another one where save_dir was changed."""
    saved = train_args.get("save_dir")
    return run / "drift", Path(str(saved)) / "drift" if saved else run / "drift"


def stored_null(roots: Iterable[Path], point: ResumePoint, epochs: int) -> tuple[str, tuple[Replicate, ...]]:
    """The largest stored null of the resume's checkpoint, made with the installed versions and the run's arguments.

    Parameters
    ----------
    roots
        Folders that hold studies.
    point
        Its checkpoint names the studies; changed arguments ask for the arm *as configured*.
    epochs
        Replicates must have this many epochs (or have diverged).

    Returns
    -------
    tuple
        Name of the study and its replicates; empty where there is none.
    """
    if point.checkpoint is None:
        return "", ()
    studies = studies_of(roots, point.checkpoint.sha256, as_configured(point.diff), point.run.args.get("device"))
    found = [(k.name, k.null(epochs)) for k in studies]
    return max(found, key=lambda pair: len(pair[1]), default=("", ()))


def judged_by_history(
    regime: Regime, observed: Observed, ahead: int, alpha: float, certain: bool
) -> tuple[Decision, tuple[MetricEvidence, ...]]:
    """Judge a row by the epochs before the seam, where there are no replicates.

    Parameters
    ----------
    regime, observed
        The history, and the row.
    ahead
        How many epochs after the last one of the history it is, from 1.
    alpha
        Of this look.
    certain
        Whether a cause is certain already.
    """
    metrics = by_history(against_history(regime, observed, alpha, ahead=ahead), regime)
    cells = tuple((m.significant, m.size) for m in metrics) or ((Significance.UNKNOWN, Size.UNKNOWN),)
    labels = [m.name for m in metrics] or ["every metric"]
    if observed.diverged(regime):
        cells, labels = (*cells, (Significance.YES, Size.NOT_INSIDE)), [*labels, "a metric that is not finite any more"]
    return decide(Evidence(metrics=cells, certain_cause=certain), names=labels), metrics


def _number(value: float | None) -> float | None:
    return float(value) if value is not None and np.isfinite(value) else None
