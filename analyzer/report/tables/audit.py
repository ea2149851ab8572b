"""``drift audit``: what was looked at, and the findings."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.diagnosis.audit import Audited
from analyzer.domain.evidence import Severity
from analyzer.report.formatting import clean

__all__ = ["document", "show"]

_STYLE = {Severity.HARD: "bold red", Severity.WARNING: "yellow", Severity.INFORMATION: "dim"}


def document(audited: Audited) -> dict[str, Any]:
    """What was looked at and found, as one JSON document."""
    facts = audited.facts
    return {
        "run": str(facts.run.path) if facts.run else None,
        "seam": facts.seam.epoch if facts.seam else None,
        "before": str(facts.before.checkpoint.path) if facts.before else None,
        "after": str(facts.after.checkpoint.path) if facts.after else None,
        "findings": [
            {"id": f.id, "severity": f.severity.value, "evidence": f.evidence, "remedy": f.remedy}
            for f in audited.findings
        ],
    }


def show(audited: Audited, console: Console) -> None:
    """Print the files that were looked at, and a table of the findings."""
    looked_at = document(audited)
    for key in ("run", "seam", "before", "after"):
        if looked_at[key] is not None:
            console.print(Text(f"{key:<7}{clean(str(looked_at[key]))}"), soft_wrap=True)
    if not audited.findings:
        console.print("Nothing found.")
        return
    table = Table("finding", "weight", "seen", "what to do")
    for f in audited.findings:
        named = (Text(text, _STYLE[f.severity]) for text in (f.id, f.severity.value))
        table.add_row(*named, Text(clean(f.evidence)), Text(clean(f.remedy)))
    console.print(table)
