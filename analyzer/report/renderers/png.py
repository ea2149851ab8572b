"""drift.png: results.png with the null drawn in."""

from __future__ import annotations

from analyzer.report.model.analysis import Analysis

__all__ = ["render"]


def render(analysis: Analysis) -> bytes:
    """Draw the grid of Ultralytics' results.png with the seam and the null band; returns a PNG."""
    from analyzer.report.charts.overview import grid
    from analyzer.report.charts.style import drawing, png

    with drawing():
        return png(grid(analysis))
