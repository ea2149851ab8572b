"""`drift analyze`, in the order of the method: point, regime, cost, replicates, statistics, verdict, report."""

from __future__ import annotations

import time
from dataclasses import replace

from analyzer.diagnosis.audit import Audited
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import HEALTHY, ArmKind
from analyzer.errors import DataError, StoreError
from analyzer.pipeline.analysis.bases.borrowed import analyze_borrowed
from analyzer.pipeline.analysis.bases.continue_run import analyze_continuation
from analyzer.pipeline.analysis.bases.lender import find_lender
from analyzer.pipeline.analysis.bases.own import gather
from analyzer.pipeline.analysis.bases.part import analyze_fraction
from analyzer.pipeline.analysis.cost import agree_on_budget, plan_cost, plan_words, refuse_busy_device
from analyzer.pipeline.analysis.evidence import Observed
from analyzer.pipeline.analysis.regime import Regime, read_regime
from analyzer.pipeline.analysis.result import from_history, from_replicates, planned
from analyzer.pipeline.analysis.resume_point import ResumePoint, as_configured, find_resume_point
from analyzer.pipeline.analysis.steps.audit import audit_resume
from analyzer.pipeline.request import AnalyzeRequest, with_absolute_out
from analyzer.replicates.study import open_study
from analyzer.report.document import write_report
from analyzer.report.model.analysis import Analysis

__all__ = ["analyze"]


def analyze(request: AnalyzeRequest, progress: Progress) -> Analysis:
    """Judge the resume of a run.

    Parameters
    ----------
    request
        What the user asks for.
    progress
        Who is told how far it is.

    Returns
    -------
    Analysis
        Verdict and evidence; ``report.json`` is written into the study folder.

    Raises
    ------
    DriftError
        Where it could not run, in one sentence.
    """
    started = time.monotonic()
    request = with_absolute_out(request)
    if request.before is not None:
        return _finish(analyze_continuation(request, progress), request)
    if request.fraction is not None:
        return _finish(analyze_fraction(request, progress, started), request)
    point = find_resume_point(request)
    regime = read_regime(point, request.margins)
    observed = Observed.of(point.observed_rows(request.epochs), point.before, regime)
    if observed.k < request.epochs:
        progress.message(f"The run has {observed.k} epochs after the seam, not {request.epochs}: that many are judged.")
        request = replace(request, epochs=observed.k)  # further epochs would be trained for nothing
    audited = audit_resume(point, request)
    if request.history_only or point.checkpoint is None:
        return _finish(_without_checkpoint(point, regime, observed, audited, request, progress, started), request)
    study = open_study(point.checkpoint, point.run.path, request, point.run.args)
    changes = as_configured(point.diff)
    study = study.with_data(changes)
    arms = (HEALTHY, study.arm(ArmKind.AS_CONFIGURED, changes)) if changes else (HEALTHY,)
    plan = plan_cost(point, regime, request, arms=len(arms), at_once=study.placement.at_once)
    progress.message(plan_words(plan))
    if request.dry_run:
        return planned(point, audited, request, plan, study, started)
    refuse_busy_device(point, study, request)
    budget = agree_on_budget(plan, request, progress)
    if study.device.note:
        progress.message(study.device.note)
    gathered = gather(point, study, arms, regime, observed, request, budget, plan, progress, audited=audited)
    return _finish(from_replicates(point, regime, observed, audited, gathered, request, plan, started), request)


def _without_checkpoint(
    point: ResumePoint,
    regime: Regime,
    observed: Observed,
    audited: Audited,
    request: AnalyzeRequest,
    progress: Progress,
    started: float,
) -> Analysis:
    """Borrow a null from another checkpoint of the run; judge by the history alone where none can lend one."""
    if not request.history_only:
        progress.message(point.missing)
        lender, why = find_lender(point, regime, request)
        if audited.hard:
            lender, why = None, "A certain cause was found without replicates."
        if lender is not None:
            epoch = lender.checkpoint.csv_epoch
            progress.message(f"Borrowing the null from the checkpoint of epoch {epoch}: the weaker evidence.")
            try:
                return analyze_borrowed(point, regime, observed, audited, lender, request, progress, started)
            except DataError as e:
                why = e.what  # history needs no data
        progress.message(f"{why} So no arm and no replay: going on with the run's own history (--history-only).")
        point = replace(point, missing=f"{point.missing} No other checkpoint can lend a null: {why}")
    return from_history(point, regime, observed, audited, request, started)


def _finish(analysis: Analysis, request: AnalyzeRequest) -> Analysis:
    if analysis.study is not None and not request.dry_run:
        try:
            write_report(analysis, analysis.study / "report.json")
        except StoreError as e:
            raise StoreError(e.what, e.hint or "Free space there, or choose a folder with --out.") from e
    return analysis
