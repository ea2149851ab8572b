"""``drift scan``: one line a run."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from analyzer.report.codec import encode
from analyzer.report.model.scan import Scan, ScannedRun

__all__ = ["document", "show"]


def document(found: Scan) -> dict[str, Any]:
    """All runs as one JSON document."""
    return {"schema_version": "1.0", "alpha": found.alpha, "runs": [_run(run) for run in found.runs]}


def _run(run: ScannedRun) -> dict[str, Any]:
    return {
        "path": str(run.path),
        "epochs": run.epochs,
        "judged": run.judged,
        "seams": [{"epoch": s.epoch, "sign": s.sign.value, "evidence": s.evidence} for s in run.seams],
        "alarms": [{"epoch": epoch, **encode(alarm)} for epoch, alarm in run.alarms],
        "error": run.error or None,
    }


def show(found: Scan, console: Console) -> None:
    """Print the seams and the abnormal epochs of each run."""
    table = Table(box=None, pad_edge=False)
    table.add_column("run", overflow="fold")
    for name in ("epochs", "judged"):
        table.add_column(name, justify="right")
    for name in ("seams at", "abnormal epochs"):
        table.add_column(name, overflow="fold")
    for run in found.runs:
        alarms = [f"{epoch} {alarm.metric} {alarm.score:+.0f} sd" for epoch, alarm in run.alarms]
        seams = _few([str(s.epoch) for s in run.seams]) or "-"
        said = run.error or _few(alarms) or "-"
        table.add_row(Text(str(run.path)), str(run.epochs), str(run.judged), Text(seams), Text(said))
    console.print(table)
    alpha = f"{found.alpha:.0%}"
    note = f"An ordinary run raises any alarm with a chance of at most {alpha}; drift analyze RUN judges a seam."
    console.print(note, style="dim")


def _few(words: list[str], most: int = 4) -> str:
    rest = f" and {len(words) - most} more" if len(words) > most else ""
    return ", ".join(words[:most]) + rest
