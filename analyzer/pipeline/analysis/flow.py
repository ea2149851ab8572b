"""`drift analyze`: one case, one basis, and the one way from them to a verdict."""

from __future__ import annotations

from dataclasses import replace

from analyzer.domain.progress import Progress
from analyzer.errors import DataError, StoreError
from analyzer.pipeline.analysis.bases.borrowed import BorrowedBasis
from analyzer.pipeline.analysis.bases.continuation import read_continued
from analyzer.pipeline.analysis.bases.history import HistoryBasis
from analyzer.pipeline.analysis.bases.lender import find_lender
from analyzer.pipeline.analysis.bases.own import OwnBasis
from analyzer.pipeline.analysis.bases.part import read_part
from analyzer.pipeline.analysis.basis import Basis, Judged, ReplicateBasis, Work
from analyzer.pipeline.analysis.case import Case, read_case
from analyzer.pipeline.analysis.cost import agree_on_budget, refuse_busy_device
from analyzer.pipeline.analysis.result import analysis_of, planned
from analyzer.pipeline.request import AnalyzeRequest, with_absolute_out
from analyzer.replicates.collector import Collector
from analyzer.replicates.study import open_study
from analyzer.report.document import write_report
from analyzer.report.model.analysis import Analysis
from analyzer.verdict import decide

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
    case, basis = _case_and_basis(with_absolute_out(request), progress)
    try:
        analysis = _judged_on(basis, case, progress)
    except DataError as e:
        if not isinstance(basis, BorrowedBasis):
            raise
        analysis = _judged_on(HistoryBasis(), _by_history(case, e.what, progress), progress)  # it needs no data
    return _written(analysis, request)


def _case_and_basis(request: AnalyzeRequest, progress: Progress) -> tuple[Case, Basis]:
    """What is judged, and against what."""
    if request.before is not None:
        return read_continued(request)
    if request.fraction is not None:
        return read_part(request)
    case = read_case(request, progress)
    if request.history_only:
        return case, HistoryBasis()
    if case.point.checkpoint is not None:
        return case, OwnBasis()
    progress.message(case.point.missing)
    lender, why = find_lender(case.point, case.regime, request)
    if case.certain:
        lender, why = None, "A certain cause was found without replicates."
    if lender is None:
        return _by_history(case, why, progress), HistoryBasis()
    epoch = lender.checkpoint.csv_epoch
    progress.message(f"Borrowing the null from the checkpoint of epoch {epoch}: the weaker evidence.")
    return case, BorrowedBasis(lender, case)


def _by_history(case: Case, why: str, progress: Progress) -> Case:
    """The case where no other checkpoint can lend its resumes."""
    progress.message(f"{why} So no arm and no replay: going on with the run's own history (--history-only).")
    missing = f"{case.point.missing} No other checkpoint can lend a null: {why}"
    return replace(case, point=replace(case.point, missing=missing))


def _judged_on(basis: Basis, case: Case, progress: Progress) -> Analysis:
    """Study, cost, replicates, evidence, verdict: the same on every basis."""
    case = basis.adapted(case, progress)
    if not isinstance(basis, ReplicateBasis):
        return _concluded(case, basis, basis.judge(case, None))
    run, request = case.point.run, case.request
    study = open_study(basis.checkpoint(case), run.path, request, run.args).with_data(basis.changes(case))
    arms = basis.arms(case, study)
    work = Work(study, arms, basis.plan(case, arms, study.placement.at_once))
    progress.message(basis.plan_words(case, work))
    if request.dry_run:
        return planned(case, basis, work)
    refuse_busy_device(case.point, study, request)
    budget = basis.budget(agree_on_budget(work.plan, request, progress))
    if study.device.note:
        progress.message(study.device.note)
    collector = Collector(study, budget, progress, pace=basis.pace(work.plan))
    with collector.at_work():
        trained = basis.train(case, work, collector)
    return _concluded(case, basis, basis.judge(case, trained))


def _concluded(case: Case, basis: Basis, judged: Judged) -> Analysis:
    decision = decide(judged.evidence, names=judged.names, replicates_needed=judged.needed)
    return analysis_of(case, basis, judged, basis.explained(case, judged, decision))


def _written(analysis: Analysis, request: AnalyzeRequest) -> Analysis:
    if analysis.study is not None and not request.dry_run:
        try:
            write_report(analysis, analysis.study / "report.json")
        except StoreError as e:
            raise StoreError(e.what, e.hint or "Free space there, or choose a folder with --out.") from e
    return analysis
