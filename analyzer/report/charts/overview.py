"""Figures of the whole: the forest of shifts, the path of the evidence, and the grid of results.png."""

from __future__ import annotations

from typing import TYPE_CHECKING

from analyzer.domain.evidence import Verdict
from analyzer.report.charts.panels import curve, panel_order
from analyzer.report.charts.style import BAND, FAULT, INK, MUTED, OBSERVED, quiet
from analyzer.report.formatting import short_name
from analyzer.report.model.analysis import Analysis

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["forest", "forest_rows", "grid", "looks"]


def forest_rows(analysis: Analysis) -> list[tuple[str, float, float, float, bool]]:
    """Deciding metrics as (name, shift, low, high, fault), each divided by its margin; those without one left out."""
    rows = []
    for metric in analysis.metrics:
        shift, interval, margin = metric.unexplained_shift, metric.shift_interval, metric.margin
        if metric.deciding and margin and shift is not None and interval is not None:
            fault = metric.verdict is Verdict.FAULT
            rows.append((metric.name, shift / margin, interval.low / margin, interval.high / margin, fault))
    return rows


def forest(analysis: Analysis) -> Figure:
    """Draw the unexplained shifts with their intervals, in units of their margins."""
    from matplotlib.figure import Figure

    rows = forest_rows(analysis)[::-1]
    figure = Figure(figsize=(5.6, 0.6 + 0.27 * len(rows)), layout="constrained")
    axes = figure.subplots()
    axes.axvspan(-1, 1, color=MUTED, alpha=0.16, linewidth=0)
    axes.axvline(0, color=MUTED, linewidth=0.8)
    for y, (_, shift, low, high, fault) in enumerate(rows):
        colour = FAULT if fault else BAND
        axes.plot([low, high], [y, y], color=colour, linewidth=1.4)
        axes.plot([shift], [y], marker="D", markersize=4.5, color=colour, linestyle="none")
    axes.set_yticks(range(len(rows)), [short_name(name, 20) for name, *_ in rows])
    axes.set_ylim(-0.6, len(rows) - 0.4)
    axes.set_xlabel("unexplained shift, in margins")
    axes.tick_params(axis="y", length=0)
    return figure


def looks(analysis: Analysis) -> Figure:
    """Draw the smallest adjusted p after each number of replicates, and below what it is significant at a look."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.6, 2.0), layout="constrained")
    axes = figure.subplots()
    axes.plot(*_points(analysis, "p"), color=OBSERVED, linewidth=1.4, marker="D", markersize=4, label="adjusted p")
    n, critical = _points(analysis, "critical")
    axes.plot(n, critical, color=FAULT, marker="_", markersize=14, linestyle="none", label="significant below")
    axes.set_xlabel("replicates")
    axes.set_xticks([look.n for look in analysis.looks])
    quiet(axes)
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:g}")  # the usual one writes formulas
    axes.legend(frameon=False, fontsize=8, labelcolor=INK)
    return figure


def _points(analysis: Analysis, what: str) -> tuple[list[int], list[float]]:
    """Numbers of replicates and the p value that belongs to each; too small a one would leave a logarithmic axis."""
    known = [(look.n, getattr(look, what)) for look in analysis.looks if getattr(look, what) is not None]
    return [n for n, _ in known], [max(value, 1e-12) for _, value in known]


def grid(analysis: Analysis) -> Figure:
    """Draw all columns in the grid and panel order of Ultralytics' results.png, with the null band."""
    from matplotlib.figure import Figure

    columns = panel_order(analysis.history.columns)
    across = max((len(columns) + 1) // 2, 1)
    figure = Figure(figsize=(len(columns) + 2, 6), layout="constrained")
    panels = figure.subplots(2, across, squeeze=False).ravel()
    for axes, name in zip(panels, columns, strict=False):
        curve(axes, analysis, name)
        axes.set_title(name)
    for axes in panels[len(columns) :]:
        axes.set_visible(False)
    figure.suptitle(
        f"{analysis.verdict.value}: resumed at epoch {analysis.seam.epoch}, {analysis.n_replicates} replicates",
        x=0.01,
        ha="left",
        fontsize=11,
    )
    return figure
