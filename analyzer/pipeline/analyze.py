"""`drift analyze`, in the order of the method: scene, past, cost, replicates, statistics, verdict, report."""

from __future__ import annotations

import time
from dataclasses import replace

from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm
from analyzer.errors import StoreError
from analyzer.pipeline.assemble import from_history, from_replicates, planned
from analyzer.pipeline.audit import audit_scene
from analyzer.pipeline.cost import agree_on_budget, plan_cost, refuse_busy_device
from analyzer.pipeline.gather import HEALTHY, gather
from analyzer.pipeline.judge import Observed
from analyzer.pipeline.past import look_back
from analyzer.pipeline.request import AnalyzeRequest, with_absolute_out
from analyzer.pipeline.scene import as_configured, look_at
from analyzer.pipeline.study import open_study
from analyzer.report.analysis import Analysis, Plan
from analyzer.report.document import write_report
from analyzer.report.numbers import duration, short_name, unsigned

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
    scene = look_at(request)
    past = look_back(scene, request.margins)
    observed = Observed.of(scene.observed_rows(request.epochs), scene.before, past)
    if observed.k < request.epochs:
        progress.message(f"The run has {observed.k} epochs after the seam, not {request.epochs}: that many are judged.")
        request = replace(request, epochs=observed.k)  # further epochs would be trained for nothing
    audited = audit_scene(scene, request)
    if request.history_only or scene.checkpoint is None:
        if not request.history_only:
            progress.message(f"{scene.missing} Going on with the run's own history (--history-only).")
        return _finish(from_history(scene, past, observed, audited, request, started), request)
    study = open_study(scene.checkpoint, scene.run.path, request)
    study, changes = study.with_data(as_configured(scene.diff))
    arms = (HEALTHY, Arm("as-configured", changes)) if changes else (HEALTHY,)
    plan = plan_cost(scene, past, request, arms=len(arms))
    progress.message(_plan_words(plan))
    if request.dry_run:
        return planned(scene, audited, request, plan, study, started)
    refuse_busy_device(scene, study, request)
    budget = agree_on_budget(plan, request, progress)
    if study.device.note:
        progress.message(study.device.note)
    gathered = gather(scene, study, arms, past, observed, request, budget, plan, progress, audited=audited)
    return _finish(from_replicates(scene, past, observed, audited, gathered, request, plan, started), request)


def _finish(analysis: Analysis, request: AnalyzeRequest) -> Analysis:
    if analysis.study is not None and not request.dry_run:
        try:
            write_report(analysis, analysis.study / "report.json")
        except StoreError as e:
            raise StoreError(e.what, e.hint or "Free space there, or choose a folder with --out.") from e
    return analysis


def _plan_words(plan: Plan) -> str:
    """Cost and sight of the work in two sentences, before its first epoch."""
    pace, worst = plan.seconds_per_replicate, plan.worst_seconds
    cost = f"At most {plan.replicates} replicates; the run's times do not tell how long one takes."
    if pace is not None and worst is not None:
        most = f"at most {plan.replicates} of them, {duration(worst)} with all other steps"
        cost = f"A replicate takes about {duration(pace)}; {most}."
    seen = [f"{short_name(name)} {unsigned(jump)}" for name, jump in plan.detectable.items()]
    return f"{cost} That many see a jump of {', '.join(seen)} with power 0.8." if seen else cost
