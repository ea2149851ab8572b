"""Analyses for tests: those that the real pipeline made, and one of a run with strange names and values."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.report.document import load_report
from analyzer.report.model.analysis import Analysis

__all__ = ["GOLDEN", "document", "golden", "hostile"]

GOLDEN = Path(__file__).parents[1] / "golden"


def golden(name: str) -> Analysis:
    """An analysis by its basis: noise, fault, history, borrowed, part, continuation or plan."""
    return load_report(GOLDEN / f"{name}.json")


def document(name: str) -> dict[str, Any]:
    """The document of such an analysis."""
    made: dict[str, Any] = json.loads((GOLDEN / f"{name}.json").read_text(encoding="utf-8"))
    return made


def hostile() -> Analysis:
    """The analysis by history of a run whose folder and column bear markup, with a value that is not finite."""
    made = golden("history")
    values = made.history.values.copy()
    values[3, 0] = np.nan
    strange = replace(made.metrics[0], name="train/<script>alert(1)</script>", observed=float("nan"), jump=None)
    return replace(
        made,
        run=Path("runs/[red]<b>&\x1b[2J"),
        history=replace(made.history, values=values),
        metrics=(strange,),
    )
