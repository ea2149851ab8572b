"""What the run's own epochs before the seam say: noise, priors, margins, predictions."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.metrics import Metric
from analyzer.errors import DriftError, RunError
from analyzer.pipeline.analysis.resume_point import ResumePoint
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.schedule import Schedule
from analyzer.stats.history import HistoryNoise, auto_margin, history_noise
from analyzer.stats.margins import parse_margins
from analyzer.stats.moderation import Prior

__all__ = ["Regime", "read_regime"]

Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Regime:
    """The regime that ends before the seam, metric by metric (m metrics, in the order of the CSV).

    Parameters
    ----------
    metrics
        m metrics.
    values
        Shape (T, m), the epochs of the regime.
    noise
        m entries, None where the history is too short.
    priors
        m priors on the sd of a replicate; None where the history says nothing or its regime differs.
    margins
        Shape (m,), NaN where there is none.
    sources
        "given", "auto" or "none" for each margin.
    units
        Shape (m,), the smallest step that a column can show: its rounding unit, of an accuracy that of one image.
    crossing
        Whether mosaic closes between the last epoch of the regime and the seam.
    setback
        How many epochs the EMA looks back, and a resume may fall back to; 0 where it is less than one.
    """

    metrics: tuple[Metric, ...]
    values: Array
    noise: tuple[HistoryNoise | None, ...]
    priors: tuple[Prior | None, ...]
    margins: Array
    sources: tuple[str, ...]
    units: Array
    crossing: bool
    setback: int = 0

    @property
    def names(self) -> tuple[str, ...]:
        """The columns."""
        return tuple(m.name for m in self.metrics)

    @property
    def deciding(self) -> NDArray[np.bool_]:
        """Which metrics decide, shape (m,)."""
        return np.array([m.deciding for m in self.metrics], dtype=np.bool_)

    @property
    def adverse_sign(self) -> NDArray[np.int_]:
        """+1 where a rise is bad, -1 where a fall is, shape (m,)."""
        return np.array([m.adverse_sign for m in self.metrics])


def read_regime(point: ResumePoint, margin_terms: tuple[str, ...], *, last: int | None = None) -> Regime:
    """Cut the regime before the seam out of the history and read its noise.

    Parameters
    ----------
    point
        The run and its seam.
    margin_terms
        As in `parse_margins`.
    last
        Row with which the regime ends instead of the last one before the seam: that of a checkpoint.

    Raises
    ------
    RunError
        results.csv has no metric.
    UsageError
        A margin term names no metric or no value.
    """
    history, seam = point.run.history, point.seam
    unmeasured = history.unmeasured(seam.row)
    metrics = tuple(m for m in history.metrics if m.name not in unmeasured)
    if not metrics:
        if unmeasured:
            what = f"{history.path} measured nothing at epoch {seam.epoch}: every cell of a metric is empty there."
            raise RunError(what, "Judge another resume with --seam, or wait for an epoch that is measured.")
        raise RunError(f"{history.path} has no metric column.", "Give the results.csv that Ultralytics wrote.")
    names = [m.name for m in metrics]
    schedule = Schedule.told(point.train_args)
    after = seam.epoch if last is None else int(history.epochs[last]) + 1
    last = seam.before if last is None else last
    start = 0
    if last is not None:
        cuts = [s.row for s in (*point.others, seam) if s.row <= last]
        start = schedule.regime_start(history.epochs[: last + 1], cuts=cuts)
    rows = history.values[start : last + 1] if last is not None else history.values[:0]
    values = rows[:, [history.columns.index(n) for n in names]]
    step = 0.0 if point.validated is None else 1.0 / point.validated
    units = np.array([max(history.unit(m.name), step * m.share_of_images) for m in metrics])
    noise = tuple(history_noise(values[:, j], unit=units[j]) for j in range(len(names)))
    crossing = last is not None and schedule.closes_between(int(history.epochs[last]), after)
    given = parse_margins(margin_terms, names, point.before)
    auto = [auto_margin(n) for n in noise]
    margins = np.array([given.get(n, np.nan if a is None else a) for n, a in zip(names, auto, strict=True)])
    sources = tuple(
        "given" if n in given else "none" if a is None else "auto" for n, a in zip(names, auto, strict=True)
    )
    priors = tuple(None if crossing or n is None else n.prior for n in noise)
    return Regime(metrics, values, noise, priors, margins, sources, units, crossing, _setback(point))


def _setback(point: ResumePoint) -> int:
    """Epochs that the EMA of the seam looks back; of another checkpoint of the run where that one is gone."""
    if point.checkpoint is not None:
        return int(point.checkpoint.ema_epochs)
    for path in point.run.checkpoints:
        with contextlib.suppress(DriftError):
            if reach := read_checkpoint(path).ema_epochs:
                return int(reach)
    return 0
