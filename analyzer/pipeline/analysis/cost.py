"""Cost before work: how long it takes at worst, and what that many replicates can see."""

from __future__ import annotations

import math
import time
from dataclasses import replace

import numpy as np

from analyzer.domain.levels import NULL_SHARE
from analyzer.domain.progress import Progress
from analyzer.errors import DriftError, RunError
from analyzer.pipeline.analysis.regime import Regime
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.pipeline.analysis.steps.fault_search import MOST_EPOCHS
from analyzer.pipeline.analysis.steps.simulated_faults import MOST_TWIN_EPOCHS
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.budget import DEFAULT_SECONDS, LONG_SECONDS, Budget, parse_budget
from analyzer.replicates.devices import shares_device
from analyzer.replicates.study import Study
from analyzer.report.formatting import duration, short_name, unsigned
from analyzer.report.model.analysis import Plan
from analyzer.runs.activity import is_training
from analyzer.runs.seams import epoch_seconds
from analyzer.stats.critical import inflation, looks
from analyzer.stats.power import detectable_multiple
from analyzer.stats.sequential import PILOT

__all__ = ["agree_on_budget", "plan_cost", "plan_part", "plan_words", "refuse_busy_device", "replicate_words"]


def plan_cost(point: ResumePoint, regime: Regime, request: AnalyzeRequest, *, arms: int, at_once: float) -> Plan:
    """Worst case in replicates and seconds, and the smallest jumps that these see with power 0.8.

    Parameters
    ----------
    point, regime, request
        What is judged, and what was asked for.
    arms
        How many arms have that many replicates each.
    at_once
        Replicates of an arm that are trained at the same time (`Placement.at_once`); the other steps go one by one.
    """
    n = request.replicates or looks()[-1]
    in_turn = request.epochs * arms * _rounds(n, at_once)
    pace = epoch_seconds(point.run.history)
    seconds = None if pace is None else pace * request.epochs
    return Plan(
        replicates=n * arms,
        epochs=request.epochs,
        seconds_per_replicate=seconds,
        worst_seconds=None if pace is None else pace * (in_turn + _ladder_epochs(request)),
        detectable=_detectable(regime, n, request.alpha * NULL_SHARE, sequential=request.replicates is None),
        budget=request.budget or "",
    )


def plan_part(point: ResumePoint, request: AnalyzeRequest, share: float, *, at_once: float) -> Plan:
    """The same for replicates of that share of an epoch: one arm, no other step, and no validation at its end.

    What they can see is not told: the history has no losses of a part.
    """
    n = request.replicates or PILOT
    pace = epoch_seconds(point.run.history)
    seconds = None if pace is None else pace * share
    worst = None if seconds is None else seconds * _rounds(n, at_once)
    return Plan(n, 1, seconds, worst, budget=request.budget or "")


def _rounds(n: int, at_once: float) -> int:
    """How often an epoch has to pass until `n` replicates are trained; the last round may be half empty."""
    return math.ceil(n / at_once)


def _ladder_epochs(request: AnalyzeRequest) -> int:
    """What replay, fingerprint and twins may take."""
    exact = request.epochs + MOST_EPOCHS if request.replay else 0
    return exact + (MOST_TWIN_EPOCHS if request.twins and request.before is None else 0)


def _detectable(regime: Regime, n: int, alpha: float, *, sequential: bool) -> dict[str, float]:
    """From the history's noise alone; the replicates will say better."""
    family = int(regime.deciding.sum())
    if n < 2 or not family:
        return {}
    jumps = {}
    for metric, noise in zip(regime.metrics, regime.noise, strict=True):
        if metric.deciding and noise is not None:
            df = n - 1 + (noise.prior.df if noise.prior else 0.0)
            factor = inflation(n, alpha, family=family, moderated=noise.prior is not None, sequential=sequential)
            multiple = detectable_multiple(df, factor.critical(df, family, alpha))
            jumps[metric.name] = multiple * noise.epoch_sd * float(np.sqrt(1 + 1 / n))
    return jumps


def agree_on_budget(plan: Plan, request: AnalyzeRequest, progress: Progress) -> Budget:
    """The budget that was given, or asked for where the work is long.

    Raises
    ------
    UsageError
        ``--budget`` is none.
    DriftError
        The user does not want the work.
    """
    budget = parse_budget(request.budget)
    worst = plan.worst_seconds
    if request.budget or request.assume_yes or worst is None or worst <= LONG_SECONDS:
        return budget
    answer = progress.ask(f"This may take up to {worst / 3600:.1f} hours. Go on?")
    if answer is None:
        progress.message(f"Nobody can be asked: stopping after {DEFAULT_SECONDS / 3600:.0f} hours at most (--budget).")
        return replace(budget, seconds=DEFAULT_SECONDS, words="2h", started=time.monotonic())
    if not answer:
        raise DriftError("Nothing was trained.", "Bound the work with --budget, or use --history-only.")
    return budget


def refuse_busy_device(point: ResumePoint, study: Study, request: AnalyzeRequest) -> None:
    """Refuse the device of a training that is still running in the run.

    Raises
    ------
    RunError
        One is, and neither another device nor ``--share-device`` was asked for.
    """
    if request.share_device:
        return
    evidence = is_training(point.run)
    asked, own = request.device or request.workers_on, point.run.args.get("device")
    if evidence and (asked is None or any(shares_device(d, own) for d in study.placement.devices)):
        raise RunError(
            f"A training is still running in {point.run.path}: {evidence}",
            "Wait for it, choose another --device, or share its device with --share-device.",
        )


def replicate_words(n: int, seconds: float | None, at_once: float) -> str:
    """Cost of `n` replicates of that many seconds each, in one sentence; empty where the run's times do not tell."""
    if seconds is None:
        return ""
    return (
        f"A replicate takes about {duration(seconds)}; {n} of them, {duration(seconds * _rounds(n, at_once))} at most."
    )


def plan_words(plan: Plan) -> str:
    """Cost and sight of the work in two sentences, before its first epoch."""
    pace, worst = plan.seconds_per_replicate, plan.worst_seconds
    cost = f"At most {plan.replicates} replicates; the run's times do not tell how long one takes."
    if pace is not None and worst is not None:
        most = f"at most {plan.replicates} of them, {duration(worst)} with all other steps"
        cost = f"A replicate takes about {duration(pace)}; {most}."
    seen = [f"{short_name(name)} {unsigned(jump)}" for name, jump in plan.detectable.items()]
    return f"{cost} That many see a jump of {', '.join(seen)} with power 0.8." if seen else cost
