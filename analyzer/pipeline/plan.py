"""`drift plan`: how many replicates and observed epochs see a given jump. Reads only, trains nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from analyzer.domain.levels import NULL_SHARE, POWER
from analyzer.domain.metrics import is_train_loss
from analyzer.domain.replicate import Replicate
from analyzer.errors import RunError, UsageError
from analyzer.pipeline.analysis.evidence import rows_of
from analyzer.pipeline.analysis.regime import Regime, read_regime
from analyzer.pipeline.planned_resume import FEWEST, pilot_of, resume_to_plan
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.report.model.replicate_plan import MOST, NUMBERS, MetricPlan, Need, ReplicatePlan
from analyzer.runs.seams import epoch_seconds
from analyzer.stats.critical import rank_test_from
from analyzer.stats.moderation import moderate_family
from analyzer.stats.power import plan

__all__ = ["EPOCHS", "plan_replicates"]

Array = NDArray[np.float64]

EPOCHS = (1, 2, 3)


def plan_replicates(request: AnalyzeRequest, power: float = POWER) -> ReplicatePlan:
    """Plan the replicates for a resume: that of the last seam, or the next one where there is none.

    Parameters
    ----------
    request
        Of it: run, seam, checkpoint, trust, alpha, margins (the jumps) and out (where studies are).
    power
        Chance to see the jump of a metric, in [0.5, 1).

    Raises
    ------
    RunError
        No results.csv, no deciding metric, or nothing that tells the spread of any.
    UsageError
        A jump names no metric, or ``--seam`` no epoch.
    CheckpointError
        The given checkpoint cannot start the resume.
    """
    point = resume_to_plan(request)
    try:
        regime = read_regime(point, request.margins)
    except UsageError as e:  # here the same words are jumps
        raise UsageError(e.what.replace("--margin", "--jump"), e.hint.replace("the margin", "the jump")) from e
    pilot, notes = pilot_of(point, request)
    pace = epoch_seconds(point.run.history)
    spreads = [s for s, m in zip(_spreads(regime, pilot), regime.metrics, strict=True) if m.deciding]
    if not spreads:
        raise RunError(f"{point.run.history.path} has no loss and no headline metric.", "Those are what decides.")
    if all(s.sd is None for s in spreads):
        raise RunError(
            f"Nothing tells the noise of {point.run.path}: fewer than 8 epochs alike before epoch {point.seam.epoch}, "
            f"and no {FEWEST} replicates of its checkpoint.",
            "Train a pilot: drift replicate CHECKPOINT -n 5.",
        )
    alpha_null = request.alpha * NULL_SHARE
    return ReplicatePlan(
        run=point.run.path,
        seam=point.seam.epoch,
        is_next=point.seam.row == len(point.run.history),
        alpha=request.alpha,
        power=power,
        pilot=len(pilot),
        epoch_seconds=pace,
        rank_from=rank_test_from(alpha_null),
        metrics=tuple(_with_needs(s, len(spreads), alpha_null, power, pace) for s in spreads),
        notes=(*point.run.history.notes, *notes, *_crossing(regime)),
    )


def _crossing(regime: Regime) -> tuple[str, ...]:
    text = "Mosaic closes between the last epoch and this seam: the history's spread may not be that of the replicates."
    return (text,) if regime.crossing else ()


def _spreads(regime: Regime, pilot: Sequence[Replicate]) -> list[MetricPlan]:
    """Spread of each metric: that with which the analysis would test."""
    m = len(regime.metrics)
    rows = rows_of(pilot, regime.names, 1) if pilot else np.full((1, m), np.nan)
    known: NDArray[np.bool_] = np.asarray(np.isfinite(rows).all(axis=0))
    sample = np.where(known, rows.std(axis=0, ddof=1) if len(rows) > 1 else np.nan, np.nan)
    moderated = moderate_family(
        np.where(known, sample, 0.0),
        max(len(rows) - 1, 1),
        np.array([np.nan if p is None or not k else p.sd for p, k in zip(regime.priors, known, strict=True)]),
        np.array([np.nan if p is None or not k else p.df for p, k in zip(regime.priors, known, strict=True)]),
        regime.units,
        groups=np.array([0 if is_train_loss(n) else 1 for n in regime.names]),
    )
    found = []
    for j, name in enumerate(regime.names):
        if known[j]:
            used, df = bool(moderated.used[j]), float(moderated.df[j])
            source = "replicates and history" if used else "replicates"
            one = _spread(name, float(moderated.sd[j]), source, df, df - (len(rows) - 1))
        else:
            one = _by_history(regime, j)
        jump = float(regime.margins[j])
        found.append(replace(one, jump=jump, jump_source=regime.sources[j]) if np.isfinite(jump) else one)
    return found


def _by_history(regime: Regime, j: int) -> MetricPlan:
    noise, prior, name = regime.noise[j], regime.priors[j], regime.names[j]
    if noise is None:
        return MetricPlan(name, None, "none")
    if noise.floored:
        return MetricPlan(name, max(noise.epoch_sd, float(regime.units[j])), "rounding unit")
    return _spread(name, noise.epoch_sd, "history", noise.prior_df, prior.df if prior else 0.0)


def _spread(name: str, sd: float, source: str, df: float, prior_df: float) -> MetricPlan:
    """With the bound sd sqrt(df / chi2(0.2, df))."""
    upper = sd * float(np.sqrt(df / stats.chi2.ppf(0.2, df)))
    return MetricPlan(name, sd, source, df, upper, prior_df)


def _with_needs(metric: MetricPlan, family: int, alpha: float, power: float, pace: float | None) -> MetricPlan:
    if metric.sd is None or metric.sd <= 0:
        return metric
    sd = metric.sd
    multiple = (metric.jump or 0.0) / sd
    look = plan(
        multiple, family=family, alpha_null=alpha, prior_df=metric.prior_df, power=power, numbers=(*NUMBERS, MOST)
    )
    needs = () if metric.jump is None else tuple(_need(metric, k, family, alpha, power, pace) for k in EPOCHS)
    detectable = tuple(p.detectable * sd for p in look.points[: len(NUMBERS)])
    return replace(metric, detectable=detectable, limit=look.limit * sd, needs=needs)


def _need(metric: MetricPlan, k: int, family: int, alpha: float, power: float, pace: float | None) -> Need:
    """Smallest N: the bracket among `NUMBERS` first, then bisection inside it, since each N costs an integration."""
    multiple = float(metric.jump or 0.0) / float(metric.sd or 1.0)

    def look(numbers: Sequence[int]) -> tuple[int | None, bool]:
        found = plan(
            multiple,
            family=family,
            alpha_null=alpha,
            prior_df=metric.prior_df,
            epochs=k,
            power=power,
            numbers=numbers,
        )
        return found.enough, found.out_of_reach

    grid = (*NUMBERS, MOST)
    high, out = look(grid)
    if high is None:
        return Need(k, None, out, None, None)
    low = grid[grid.index(high) - 1] if high > grid[0] else high - 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if look((middle,))[0] else (middle, high)
    return Need(k, high, False, high * k, None if pace is None else high * k * pace / 3600)
