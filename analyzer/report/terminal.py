"""The report on a terminal: verdict and reason first, then the table, then how, then what to type next."""

from __future__ import annotations

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from analyzer.domain.evidence import MetricEvidence, Verdict
from analyzer.report import words
from analyzer.report.analysis import Analysis
from analyzer.report.numbers import duration, level, p_value, short_name, signed, unsigned

__all__ = ["render_plan", "render_terminal"]

_STYLE = {
    Verdict.NOISE: "bold green",
    Verdict.NEGLIGIBLE: "bold cyan",
    Verdict.FAULT: "bold red",
    Verdict.INCONCLUSIVE: "bold yellow",
}
_LABEL = 12  # width of the words on the left


def render_terminal(analysis: Analysis, console: Console) -> None:
    """Print an analysis; it fits 80 columns, and colour only helps.

    Parameters
    ----------
    analysis
        What is printed.
    console
        Where; its width and colours are respected.
    """
    _verdict(analysis, console)
    _facts(analysis, console)
    if analysis.metrics:
        console.print(_table(analysis))
        console.print(Padding(Text(words.LEGEND, style="dim"), (0, 0, 1, 0)))
    _how(analysis, console)
    _left_out(analysis, console)
    if analysis.plan is not None and not analysis.replicates:
        render_plan(analysis, console)
    _next(analysis, console)


def render_plan(analysis: Analysis, console: Console) -> None:
    """Print the cost before the work."""
    plan = analysis.plan
    if plan is None:
        return
    n, each = plan.replicates, plan.seconds_per_replicate
    line = f"{n} replicates of {plan.epochs} epoch(s), {duration(each)} each, at most {duration(plan.worst_seconds)}"
    _pair(console, "Plan", line + (f" ({plan.budget})" if plan.budget else ""))
    if plan.detectable:
        seen = ", ".join(f"{short_name(k)} {unsigned(v)}" for k, v in plan.detectable.items())
        _pair(console, "It can see", f"a shift of {seen} (power 0.8)")


def _verdict(analysis: Analysis, console: Console) -> None:
    title = Text(analysis.verdict.value, style=_STYLE[analysis.verdict])
    title.append(f": {words.HEADLINE[analysis.verdict]}", style="bold")
    console.print(title)
    for i, reason in enumerate(analysis.decision.reasons):
        console.print(Text(words.clean(reason), style="" if i == 0 else "dim"))
    console.print()


def _facts(analysis: Analysis, console: Console) -> None:
    _pair(console, "Run", str(analysis.run))
    _pair(console, "Seam", words.seam_line(analysis))
    _pair(console, "Checkpoint", words.checkpoint_line(analysis))
    _pair(console, "Null", words.null_line(analysis))
    console.print()


def _table(analysis: Analysis) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    table.add_column("\nmetric", no_wrap=True)
    for head in ("\nbefore", "\nobs'd", "\njump", "expect\nseam", "unexpl\nshift", "\nmargin", "\np adj"):
        table.add_column(head, justify="right", no_wrap=True)
    table.add_column("\nverdict", no_wrap=True)
    for metric in analysis.metrics:
        table.add_row(*_row(metric), style="" if metric.deciding else "dim")
    return table


def _row(metric: MetricEvidence) -> list[Text | str]:
    if not metric.deciding:
        verdict = Text("not deciding")
    elif metric.verdict is None:
        verdict = Text("not tested")
    else:
        verdict = Text(metric.verdict.value, style=_STYLE[metric.verdict])
    return [
        Text(words.clean(short_name(metric.name))),
        level(metric.before),
        level(metric.observed),
        signed(metric.jump),
        signed(metric.expected_seam),
        signed(metric.unexplained_shift),
        unsigned(metric.margin),
        p_value(metric.p_adjusted),
        verdict,
    ]


def _how(analysis: Analysis, console: Console) -> None:
    family = words.family_line(analysis)
    if family:
        _pair(console, "All at once", family)
    _pair(console, "History", words.history_line(analysis))
    for change in analysis.argument_changes:
        note = "" if change.allowed else " (this version refuses that on resume)"
        _pair(console, "Argument", f"{change.name}: {change.before!r} -> {change.after!r}{note}")
    for metric in analysis.metrics:
        if metric.changed_arguments is not None and metric.deciding:
            _pair(console, "", f"changed arguments move {metric.name} by {signed(metric.changed_arguments)}")
    for finding in analysis.audit or ():
        _pair(console, "Finding", f"{finding.id} ({finding.severity.value}): {finding.evidence}")
    for name, step in (("Validation", analysis.revalidation), ("Replay", analysis.replay)):
        if step is not None:
            _pair(console, name, step.summary)
    for cause in analysis.diagnosis or ():
        _pair(console, "Cause", f"{cause.outcome}: {cause.summary}")
    _pair(console, "Cost", words.cost_line(analysis))
    selection = words.selection_line(analysis)
    if selection:
        _pair(console, "Error rate", selection)


def _left_out(analysis: Analysis, console: Console) -> None:
    for warning in analysis.warnings:
        _pair(console, "Warning", warning, style="yellow")
    for i, step in enumerate(analysis.not_run):
        _pair(console, "Not run" if i == 0 else "", f"{step.step}: {step.reason}")


def _next(analysis: Analysis, console: Console) -> None:
    title = "To settle it" if analysis.verdict is Verdict.INCONCLUSIVE else "Next"
    console.print()
    for i, step in enumerate(words.next_steps(analysis)):
        _pair(console, title if i == 0 else "", step)
    if analysis.study is not None:
        _pair(console, "Report", str(analysis.study / "report.json"))


def _pair(console: Console, label: str, text: str, style: str = "") -> None:
    """Print a label and a text that wraps beside it."""
    grid = Table.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=_LABEL, no_wrap=True)
    grid.add_column(overflow="fold")
    grid.add_row(Text(label, style="bold"), Text(words.clean(text), style=style))
    console.print(grid)
