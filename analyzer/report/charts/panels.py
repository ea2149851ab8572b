"""Panels of one metric: its curve through the seam, and its null distribution."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from analyzer.domain.evidence import MetricEvidence
from analyzer.report.charts.style import BAND, FAULT, INK, MUTED, OBSERVED, quiet
from analyzer.report.model.analysis import Analysis

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["curve", "null_distribution", "panel_order", "window"]

BEFORE, AFTER = 20, 20  # rows around the seam: as many as margins are read from; steep first epochs would flatten it


def panel_order(columns: tuple[str, ...]) -> tuple[str, ...]:
    """Order columns as Ultralytics' results.png does (ultralytics.utils.plotting.plot_results, 8.4.190).

    Examples
    --------
    >>> panel_order(("train/a_loss", "metrics/p", "metrics/r", "val/a_loss", "lr/pg0"))
    ('train/a_loss', 'metrics/p', 'val/a_loss', 'metrics/r')
    """
    losses = [c for c in columns if "loss" in c]
    metrics = [c for c in columns if "loss" not in c and "metric" in c]
    half, middle = len(losses) // 2, (len(metrics) + 1) // 2
    return (*losses[:half], *metrics[:middle], *losses[half:], *metrics[middle:])


def window(analysis: Analysis) -> slice:
    """Rows around the seam that are drawn."""
    row = analysis.seam.row
    return slice(max(0, row - BEFORE), row + AFTER)


def curve(axes: Axes, analysis: Analysis, name: str, *, rows: slice | None = None) -> None:
    """Draw a column through the seam, with the null's prediction interval at each resumed epoch that has one.

    Parameters
    ----------
    axes
        Where.
    analysis
        Of which run.
    name
        A column of the history; an empty panel says so where there is none.
    rows
        Rows to draw; None for all.
    """
    history, seam = analysis.history, analysis.seam
    if name not in history.columns:
        axes.text(0.5, 0.5, "no such column", ha="center", transform=axes.transAxes, color=MUTED)
        return
    part = rows or slice(None)
    order = np.arange(len(history))[part]
    x, y = history.epochs[part], history.column(name)[part]
    for past in (order < seam.row, order >= seam.row):
        colour = INK if past is not None and past.any() and order[past][0] < seam.row else OBSERVED
        axes.plot(x[past], y[past], color=colour, linewidth=1.1, marker=".", markersize=3)
    axes.axvline(seam.epoch - 0.5, color=MUTED, linewidth=0.8, linestyle=(0, (3, 2)))
    _bands(axes, analysis, name)
    row = history.column(name)[seam.row] if seam.row < len(history) else math.nan  # the epoch may still run
    if math.isfinite(row):
        axes.plot([seam.epoch], [row], marker="D", markersize=4.5, color=OBSERVED, linestyle="none", zorder=5)
    quiet(axes)


def _bands(axes: Axes, analysis: Analysis, name: str) -> None:
    intervals = {p.epoch: p.interval for p in analysis.paths if p.name == name and p.interval is not None}
    metric = next((m for m in analysis.metrics if m.name == name), None)
    if metric is not None and metric.prediction_interval is not None:
        intervals.setdefault(analysis.seam.epoch, metric.prediction_interval)
    for epoch, interval in intervals.items():
        x = [epoch - 0.4, epoch + 0.4]
        axes.fill_between(x, interval.low, interval.high, color=BAND, alpha=0.3, linewidth=0)
        axes.plot(x, [(interval.low + interval.high) / 2] * 2, color=BAND, linewidth=1.4)


def null_distribution(axes: Axes, analysis: Analysis, metric: MetricEvidence) -> None:
    """Draw every replicate as a dot, the prediction interval, the margin and the observed value.

    The margin lies around the null mean, since it applies to the unexplained shift and never to the observed jump.
    """
    values = [r.epochs[0].printed.get(metric.name, math.nan) for r in analysis.null_replicates]
    values = [v for v in values if math.isfinite(v)]
    if analysis.borrowed is not None and values and metric.null_mean is not None:  # of another epoch: moved to this one
        move = metric.null_mean - sum(values) / len(values)
        values = [v + move for v in values]
    if metric.margin is not None and metric.null_mean is not None:
        low, high = metric.null_mean - metric.margin, metric.null_mean + metric.margin
        axes.axvspan(low, high, ymin=0.12, ymax=0.88, color=MUTED, alpha=0.16, linewidth=0)
    if metric.prediction_interval is not None:
        interval = metric.prediction_interval
        axes.plot([interval.low, interval.high], [0.0, 0.0], color=BAND, linewidth=5, alpha=0.35, solid_capstyle="butt")
    heights = 0.22 + 0.36 * ((np.arange(len(values)) * 0.618034) % 1)  # spread without chance, so dots do not hide
    axes.plot(values, heights, marker="o", markersize=3.6, color=BAND, alpha=0.8, linestyle="none")
    if metric.before is not None:
        axes.plot([metric.before], [-0.42], marker="|", markersize=9, markeredgewidth=1.2, color=INK, linestyle="none")
    if math.isfinite(metric.observed):
        outside = metric.verdict is not None and metric.verdict.value == "FAULT"
        colour = FAULT if outside else OBSERVED
        axes.plot([metric.observed], [0.0], marker="D", markersize=5.5, color=colour, linestyle="none", zorder=5)
    axes.set_ylim(-0.7, 0.85)
    quiet(axes, y=False)
