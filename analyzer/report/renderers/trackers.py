"""What every experiment tracker is told of a study, through its own client: one study is one run there.

Facts of the study, the verdict, numbers of each metric, the replicates of the null as steps in the order of their
seeds, and the report as files. The libraries are the user's, none is ours.
"""

from __future__ import annotations

import math
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from analyzer.report.model.analysis import Analysis

__all__ = ["facts", "numbers", "report_files", "steps", "study_id", "summary"]

_NUMBERS = (
    "before", "observed", "null_mean", "null_sd", "expected_seam", "changed_arguments", "unexplained_shift", "margin",
    "p_adjusted", "minimum_detectable_jump",
)  # fmt: skip


def study_id(analysis: Analysis) -> str:
    """Name of the study for a tracker: run, seam and the study's own digest, so logging again finds the same run."""
    own = analysis.study.name if analysis.study else f"seam{analysis.seam.epoch}-history"
    return _name(f"{analysis.run.name}-{own}")


def facts(analysis: Analysis) -> dict[str, str | int | float]:
    """What the study is: short values that trackers show beside each other."""
    known: dict[str, str | int | float | None] = {
        "run": str(analysis.run),
        "study": analysis.study.name if analysis.study else None,
        "seam_epoch": analysis.seam.epoch,
        "checkpoint_sha256": analysis.checkpoint.sha256 if analysis.checkpoint else None,
        "null_arm": analysis.null_arm,
        "replicates": analysis.n_replicates,
        "alpha": analysis.alpha,
        "device": analysis.environment.device,
        "ultralytics": analysis.environment.packages.get("ultralytics"),
        "verdict": analysis.verdict.value,
        "rule": analysis.decision.rule,
        "causes": ", ".join(c.id for c in analysis.diagnosis or ()),
        "drift": analysis.tool_version,
    }
    return {k: v for k, v in known.items() if v not in (None, "")}


def numbers(analysis: Analysis) -> dict[str, float]:
    """Every finite number of every metric, as ``<column>/<what>``."""
    found = {f"{m.name}/{what}": getattr(m, what) for m in analysis.metrics for what in _NUMBERS}
    return {_name(k): float(v) for k, v in found.items() if v is not None and math.isfinite(v)}


def steps(analysis: Analysis) -> Iterator[dict[str, float]]:
    """The first resumed epoch of each replicate of the null, in the order of the seeds: a step each."""
    names = [m.name for m in analysis.metrics]
    for replicate in analysis.null_replicates:
        row = replicate.epochs[0].printed if replicate.epochs else {}
        yield {_name(f"{n}/replicate"): float(row[n]) for n in names if n in row and math.isfinite(row[n])}


def _name(text: str) -> str:
    """A name that every tracker takes."""
    return re.sub(r"_+(?=/|$)", "", re.sub(r"[^\w./ -]+", "_", text))


@contextmanager
def report_files(analysis: Analysis) -> Iterator[list[Path]]:
    """The report as JSON, HTML and Markdown files, for as long as they are wanted."""
    from analyzer.report.renderers import html, json, markdown

    with tempfile.TemporaryDirectory() as folder:
        made = {"report.json": json.render, "report.html": html.render, "report.md": markdown.render}
        for name, render in made.items():
            (Path(folder) / name).write_bytes(render(analysis).encode())
        yield [Path(folder) / name for name in made]


def summary(analysis: Analysis) -> str:
    """The verdict and its reasons."""
    return " ".join([f"{analysis.verdict.value}.", *analysis.decision.reasons])
