"""The report on a terminal: verdict and reason first, then the table, then how, then what to type next."""

from __future__ import annotations

import textwrap
from collections.abc import Callable
from typing import Literal

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.domain.evidence import MetricEvidence, Verdict
from analyzer.report.formatting import clean, count, level, p_value, short_name, signed, unsigned
from analyzer.report.model.analysis import Analysis
from analyzer.report.phrases import lines, simulated_faults
from analyzer.report.phrases.shares import attribution_lines

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
        console.print(_table(analysis, width=console.width))
        for sentence in lines.legend(analysis):
            _wrapped(console, sentence, style="dim")
        console.print()
    _how(analysis, console)
    _left_out(analysis, console)
    if analysis.plan is not None and not analysis.replicates:
        _plan(analysis, console)
    _next(analysis, console)


def render_plan(analysis: Analysis, console: Console) -> None:
    """Print the cost before the work, for ``--dry-run``."""
    _facts(analysis, console)
    _plan(analysis, console)
    _left_out(analysis, console)


def _plan(analysis: Analysis, console: Console) -> None:
    for label, line in zip(("Plan", "It can see"), lines.plan_lines(analysis), strict=True):
        if line:
            _pair(console, label, line)


def _verdict(analysis: Analysis, console: Console) -> None:
    title = Text(analysis.verdict.value, style=_STYLE[analysis.verdict])
    title.append(f": {lines.headline(analysis)}", style="bold")
    console.print(title)
    for i, reason in enumerate(analysis.decision.reasons):
        _wrapped(console, reason, style="" if i == 0 else "dim")
    console.print()


def _facts(analysis: Analysis, console: Console) -> None:
    _pair(console, "Run", str(analysis.run), whole=True)
    _pair(console, "Seam", lines.seam_line(analysis))
    _pair(console, "Checkpoint", lines.checkpoint_line(analysis), whole=True)
    _pair(console, "Null", lines.null_line(analysis))
    console.print()


def _table(analysis: Analysis, *, width: int) -> Table:
    wide, narrow = width >= 100, width < 78
    # The head's own blank separates columns: each is as wide as its longest number, 78 in all.
    table = Table(box=box.SIMPLE_HEAD, padding=(0, int(wide), 0, 0), pad_edge=False, show_edge=False)
    left_out = {"before", "seam", "p adj"} if narrow else set()
    for key, (head, long_head, _) in _COLUMNS.items():
        if key not in left_out:
            title = long_head if wide else head
            justify: Literal["left", "right"] = "left" if key in {"metric", "verdict"} else "right"
            table.add_column(title if "\n" in title else f"\n{title}", justify=justify, no_wrap=True)
    for metric in analysis.metrics:
        cells = [cell(metric) for key, (_, _, cell) in _COLUMNS.items() if key not in left_out]
        table.add_row(*cells, style="" if metric.deciding else "dim")
    return table


def _verdict_cell(metric: MetricEvidence) -> Text:
    if not metric.deciding:
        return Text("not deciding")
    if metric.verdict is None:
        return Text("not tested")
    return Text(metric.verdict.value, style=_STYLE[metric.verdict])


_COLUMNS: dict[str, tuple[str, str, Callable[[MetricEvidence], Text | str]]] = {
    "metric": ("metric", "metric", lambda m: Text(clean(short_name(m.name)))),
    "before": ("before", "before", lambda m: level(m.before)),
    "observed": ("obs'd", "observed", lambda m: level(m.observed)),
    "jump": ("jump", "jump", lambda m: signed(m.jump)),
    "seam": ("expect.\nseam", "expected\nseam", lambda m: signed(m.expected_seam)),
    "shift": ("unexpl.\nshift", "unexplained\nshift", lambda m: signed(m.unexplained_shift)),
    "margin": ("margin", "margin", lambda m: unsigned(m.margin)),
    "p adj": ("p adj", "p adj", lambda m: p_value(m.p_adjusted)),
    "verdict": ("verdict", "verdict", _verdict_cell),
}


def _how(analysis: Analysis, console: Console) -> None:
    family = lines.family_line(analysis)
    if family:
        _pair(console, "All at once", family)
    _pair(console, "History", lines.history_line(analysis))
    for change in analysis.argument_changes:
        note = "" if change.allowed else " (this version refuses that on resume)"
        _pair(console, "Argument", f"{change.name}: {change.before!r} -> {change.after!r}{note}")
    moved = lines.changed_line(analysis)
    if moved:
        _pair(console, "", moved)
    for line in lines.cause_lines(analysis):
        _pair(console, "Cause", line)
    for finding in lines.other_findings(analysis):
        _pair(console, "Finding", f"{finding.id} ({finding.severity.value}): {finding.evidence}")
    for name, step in lines.ladder_steps(analysis):
        spent = f" ({count(step.epochs, 'epoch')})" if step.epochs else ""
        _pair(console, name.capitalize(), step.summary + spent)
    _twins(analysis, console)
    for line in attribution_lines(analysis):
        _pair(console, "Shares", line)
    _pair(console, "Cost", lines.cost_line(analysis))
    selection = lines.selection_line(analysis)
    if selection:
        _pair(console, "Error rate", selection)


def _twins(analysis: Analysis, console: Console) -> None:
    """Twins that have a share, in a table; the others are counted."""
    found = analysis.twins
    if found is None:
        return
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0), pad_edge=False, show_edge=False)
    for name in simulated_faults.HEAD[1:5]:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column(simulated_faults.HEAD[0], overflow="fold")
    shown = [row for row in simulated_faults.rows(found) if row[2] not in {"-", "< 1 %"}]
    for row in shown:
        table.add_row(*row[1:5], Text(clean(": ".join(part for part in (row[0], row[5]) if part))))
    console.print(table)
    rest = len(found.arms) + 2 - len(shown)
    if rest:
        _pair(console, "", f"{rest} others have less than 1 % each or are ruled out (all in the HTML report)")
    for line in filter(None, (simulated_faults.selection_line(found), simulated_faults.confused_line(found))):
        _pair(console, "", line)


def _left_out(analysis: Analysis, console: Console) -> None:
    for warning in analysis.warnings:
        _pair(console, "Warning", warning, style="yellow")
    for i, line in enumerate(lines.not_run_lines(analysis)):
        _pair(console, "Not run" if i == 0 else "", line)


def _next(analysis: Analysis, console: Console) -> None:
    title = "To settle it" if analysis.verdict is Verdict.INCONCLUSIVE else "Next"
    console.print()
    for i, step in enumerate(lines.next_steps(analysis)):
        _pair(console, title if i == 0 else "", step.text)
        if step.command:
            _line(console, Text(" " * (_LABEL + 3) + step.command))
    if analysis.study is not None:
        _pair(console, "Report", str(analysis.study / "report.json"), whole=True)


def _pair(console: Console, label: str, text: str, style: str = "", *, whole: bool = False) -> None:
    """Print a label and a text that wraps beside it; paths and commands are never cut, nor wrapped where `whole`."""
    width = max(console.width - _LABEL - 2, 20)
    shown_text = clean(text)
    wrapped = textwrap.wrap(shown_text, width, break_long_words=False, break_on_hyphens=False) or [""]
    for i, line in enumerate([shown_text] if whole else wrapped):
        shown = Text(f"{label if i == 0 else '':<{_LABEL}} ", style="bold")
        _line(console, shown.append(line, style=style or "not bold"))


def _wrapped(console: Console, text: str, style: str) -> None:
    for line in textwrap.wrap(clean(text), console.width, break_long_words=False, break_on_hyphens=False):
        _line(console, Text(line, style=style))


def _line(console: Console, text: Text) -> None:
    console.print(text, no_wrap=True, overflow="ignore", crop=False, soft_wrap=True)
