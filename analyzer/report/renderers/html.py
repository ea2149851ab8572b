"""report.html: one self-contained page, readable without a network and without scripts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from analyzer.domain.evidence import MetricEvidence
from analyzer.report.formatting import clean, count, duration, level, p_value, signed, unsigned
from analyzer.report.model.analysis import Analysis
from analyzer.report.phrases import lines, simulated_faults
from analyzer.report.phrases.methods import methods_paragraph

if TYPE_CHECKING:
    from jinja2 import Environment

__all__ = ["render", "render_summary"]


@dataclass(frozen=True, slots=True)
class _Card:
    """One metric with its two figures, ready for the page."""

    metric: MetricEvidence
    curve: str
    null: str


def render(analysis: Analysis) -> str:
    """Make the whole page; everything foreign is escaped by the template, figures are inline SVG."""
    from markupsafe import Markup

    figures = {name: Markup(text) for name, text in _figures(analysis).items()}  # made by style.svg
    cards = [
        _Card(m, figures.get(f"curve{i}", Markup("")), figures.get(f"null{i}", Markup("")))
        for i, m in enumerate(analysis.metrics)
    ]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(**_context(analysis), cards=cards, forest=figures.get("forest"), looks=figures.get("looks"))
    )


def render_summary(analysis: Analysis) -> str:
    """Make a fragment for a notebook: verdict, reason and table, with nothing but inline styles."""
    return _environment().get_template("summary.html.j2").render(**_context(analysis))


def _context(analysis: Analysis) -> Mapping[str, Any]:
    return {
        "a": analysis,
        "lines": lines,
        "simulated_faults": simulated_faults,
        "methods": methods_paragraph(analysis),
        "steps": lines.next_steps(analysis, look=False),
        "ladder": _ladder(analysis),
    }


def _ladder(analysis: Analysis) -> list[tuple[str, str, int | None]]:
    """Steps of the diagnosis as (name, what it found, epochs spent); those not run have None epochs and a reason."""
    ladder: list[tuple[str, str, int | None]] = []
    if analysis.audit is not None:
        ladder.append(("audit", count(len(analysis.audit), "finding"), 0))
    ladder += [(name, step.summary, step.epochs) for name, step in lines.ladder_steps(analysis)]
    if analysis.n_replicates:
        spent = sum(len(r.epochs) for r in analysis.replicates)
        ladder.append(("null", lines.null_line(analysis), spent))
    ladder += [(f"share: {share.outcome}", share.summary, share.epochs) for share in analysis.attribution or ()]
    return ladder + [(left_out.step, left_out.reason, None) for left_out in analysis.not_run]


def _figures(analysis: Analysis) -> dict[str, str]:
    from matplotlib.figure import Figure

    from analyzer.report.charts import overview, panels
    from analyzer.report.charts.style import drawing, svg

    made: dict[str, str] = {}
    with drawing():
        for i, metric in enumerate(analysis.metrics):
            figure = Figure(figsize=(3.6, 1.7), layout="constrained")
            panels.curve(figure.subplots(), analysis, metric.name, rows=panels.window(analysis))
            made[f"curve{i}"] = svg(figure, f"curve{i}")
            if analysis.n_replicates:
                figure = Figure(figsize=(3.6, 0.8), layout="constrained")
                panels.null_distribution(figure.subplots(), analysis, metric)
                made[f"null{i}"] = svg(figure, f"null{i}")
        if overview.forest_rows(analysis):
            made["forest"] = svg(overview.forest(analysis), "forest")
        if sum(look.p is not None for look in analysis.looks) > 1:
            made["looks"] = svg(overview.looks(analysis), "looks")
    return made


def _environment() -> Environment:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("analyzer.report", "templates"),
        autoescape=True,  # everything but the figures, whatever the file is called
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        level=level,
        signed=signed,
        unsigned=unsigned,
        pvalue=p_value,
        duration=duration,
        clean=lambda value: clean(str(value)),
        counted=count,
        finite=lambda value: value is not None and math.isfinite(value),
    )
    return environment
