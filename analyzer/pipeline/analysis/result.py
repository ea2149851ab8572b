"""From a case and its evidence to the one view model that every renderer reads."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from analyzer.domain.evidence import Decision, SeamCheck, Verdict
from analyzer.pipeline.analysis.basis import Basis, Judged, Trained, Work
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.analysis.causes import causes_in, twins_in
from analyzer.pipeline.analysis.frame import LADDER, cost, environment, frame, not_run, reference, warnings
from analyzer.report.model.analysis import Analysis, ArgumentChange, HistoryPrediction, NotRun
from analyzer.report.model.parts import reported
from analyzer.stats.seam import SeamResult

__all__ = ["analysis_of", "planned"]


def analysis_of(case: Case, basis: Basis, judged: Judged, decision: Decision) -> Analysis:
    """What was found, with everything that led to it.

    Parameters
    ----------
    case, basis
        What was judged, and against what.
    judged, decision
        The evidence, and what it came to.
    """
    trained = judged.trained
    steps = trained.steps if trained else None
    left_out = steps.reasons if steps and not basis.left_out else dict.fromkeys(LADDER, basis.left_out)
    fields: dict[str, Any] = {
        "metrics": judged.metrics,
        "omnibus": judged.omnibus,
        "checkpoint": _checkpoint(case),
        "audit": case.audited.findings if case.audited else None,
        "diagnosis": causes_in(decision, case.audited, steps),
        "warnings": case.point.notes,
        "not_run": not_run(**left_out),
    }
    if judged.seam is not None:
        fields |= {"seam_check": judged.seam.status, "history_predictions": _predictions(judged.seam)}
    if trained is not None:
        fields |= _of_training(case, judged, trained)
    special = basis.fields(case, judged)
    first = special.pop("first_not_run", ())
    fields |= {**basis.marks(case), **special}
    fields["not_run"] = (*first, *fields["not_run"])
    return replace(frame(case, decision), **fields)


def _of_training(case: Case, judged: Judged, trained: Trained) -> dict[str, Any]:
    """Fields of what was trained."""
    work, study, steps = trained.work, trained.work.study, trained.steps
    found: dict[str, Any] = {
        "study": study.store.path,
        "null_arm": work.null.folder,
        "base_seed": study.base_seed,
        "arms": reported(work.arms),
        "replicates": trained.all,
        "argument_changes": tuple(
            ArgumentChange(c.name, c.before, c.after, c.allowed) for c in case.point.diff.changes
        ),
        "looks": trained.looks,
        "plan": work.plan,
        "environment": environment(study),
        "cost": cost(trained, case.started),
        "warnings": warnings(case, judged, trained),
    }
    if steps is not None:
        found |= {
            "revalidation": steps.revalidation_step,
            "replay": steps.replay_step,
            "fingerprint": steps.search.step,
            "twins": twins_in(steps.twins),
        }
    return found


def planned(case: Case, basis: Basis, work: Work) -> Analysis:
    """The cost plan of ``--dry-run`` and the audit; nothing was judged and nothing is written."""
    decision = Decision(
        Verdict.INCONCLUSIVE, "dry-run", ("Nothing was trained (--dry-run).",), ("Run it without --dry-run.",)
    )
    fields: dict[str, Any] = {
        "checkpoint": _checkpoint(case),
        "study": work.study.store.path,
        "plan": work.plan,
        "audit": case.audited.findings if case.audited else None,
        "warnings": case.point.notes,
        "not_run": tuple(NotRun(s, "--dry-run") for s in ("null", "diagnosis"))
        + not_run(**dict.fromkeys(LADDER, "--dry-run")),
    }
    return replace(frame(case, decision), **{**fields, **basis.marks(case)})


def _checkpoint(case: Case) -> Any:
    point = case.point
    return reference(point.checkpoint, point.run.path) if point.checkpoint else None


def _predictions(result: SeamResult) -> tuple[HistoryPrediction, ...]:
    """The seam check as the report has it."""
    return tuple(
        HistoryPrediction(
            c.name,
            c.prediction.mean if c.prediction else None,
            c.interval,
            c.value if np.isfinite(c.value) else None,
            c.p,
            None if c.status is SeamCheck.UNKNOWN else c.status is SeamCheck.ADVERSE,
        )
        for c in result.checks
    )
