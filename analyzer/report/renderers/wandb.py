"""A study as a run of a W&B project."""

from __future__ import annotations

import os
from typing import Any

from analyzer.report.model.analysis import Analysis
from analyzer.report.renderers.trackers import facts, numbers, report_files, steps, study_id, summary

__all__ = ["log"]


def log(analysis: Analysis, target: str) -> str:
    """Log it; ``target`` is the project; by default WANDB_PROJECT, else ``yolo-drift``."""
    import wandb

    wanted = study_id(analysis)
    project = target or os.environ.get("WANDB_PROJECT") or "yolo-drift"
    run: Any = wandb.init(
        project=project, name=wanted, id=wanted[-64:], resume="allow", config=facts(analysis), job_type="drift",
        tags=[analysis.verdict.value],
    )  # fmt: skip
    try:
        for row in steps(analysis):
            run.log(row)
        run.summary.update({**numbers(analysis), "verdict": analysis.verdict.value, "reasons": summary(analysis)})
        artifact = wandb.Artifact(wanted[-128:].replace("/", "-").replace(" ", "-"), type="drift-report")
        with report_files(analysis) as files:
            for file in files:
                artifact.add_file(str(file))
            run.log_artifact(artifact)
    finally:
        run.finish()
    return f"W&B run {wanted} of project {project}"
