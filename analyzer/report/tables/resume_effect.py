"""``drift seam``: what save and resume do to each metric."""

from __future__ import annotations

from typing import Any

from rich.console import Console

from analyzer.report.formatting import level, p_value, short_name, signed, unsigned
from analyzer.report.model.resume_effect import ResumeEffect
from analyzer.report.tables.table import document_of, plain_table, say

__all__ = ["document", "show"]


def document(found: ResumeEffect) -> dict[str, Any]:
    """What was measured as one JSON document."""
    return document_of(found)


def show(found: ResumeEffect, console: Console) -> None:
    """Print the epoch in memory and resumed, and their difference."""
    say(
        console,
        f"What a resume does to epoch {found.epoch}, Ultralytics {found.version}, {found.device}",
        f"{len(found.seeds)} seeds, in memory and through save and resume, the same draws in both.",
        "",
    )
    table = plain_table("metric", "memory", "resumed", "change", "95 % interval", "p", "sd")
    for m in found.metrics:
        d = m.difference
        span = f"{signed(d.interval.low)} to {signed(d.interval.high)}" if d.interval is not None else "-"
        name = short_name(m.name) + ("" if m.deciding else " *")
        numbers = (level(m.in_memory), level(m.resumed), signed(d.difference), span, p_value(d.p), unsigned(m.sd))
        table.add_row(name, *numbers)
    console.print(table)
    say(
        console,
        "",
        "change: resumed minus in memory, paired by seed; each interval holds by itself. sd: of one epoch over seeds.",
        "* does not decide.",
        f"Study {found.study}: {found.trained} epochs trained, {found.reused} paths reused.",
    )
