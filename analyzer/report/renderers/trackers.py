"""Experiment trackers: one run a *study*, through the tracker's own client. The libraries are the user's, none is ours.

What is logged is the same everywhere: facts of the study, the verdict, numbers of each metric, the replicates of the
null as steps in the order of their seeds, and the report as files.
"""

from __future__ import annotations

import importlib.util
import math
import os
import re
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import DriftError, StoreError, UsageError

if TYPE_CHECKING:
    from analyzer.report.model.analysis import Analysis

__all__ = ["TRACKERS", "Tracker", "log", "require"]

_NUMBERS = (
    "before", "observed", "null_mean", "null_sd", "expected_seam", "changed_arguments", "unexplained_shift", "margin",
    "p_adjusted", "minimum_detectable_jump",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Tracker:
    """One tracker.

    Parameters
    ----------
    module
        That must be installed.
    install
        How.
    target
        What ``--report KIND=TARGET`` means for it.
    log
        Logs the study; returns where it can be seen.
    """

    module: str
    install: str
    target: str
    log: Callable[[Analysis, str], str]


def require(kind: str) -> None:
    """Refuse a tracker whose library is not here, before anything is trained.

    Raises
    ------
    UsageError
        With the command that installs it.
    """
    tracker = TRACKERS[kind]
    if importlib.util.find_spec(tracker.module) is None:
        raise UsageError(f"--report {kind} needs {tracker.module}, which is not installed.", tracker.install)


def log(kind: str, analysis: Analysis, target: str) -> str:
    """Log a study; returns where it can be seen.

    Raises
    ------
    UsageError
        The library is not installed.
    StoreError
        The tracker refused or cannot be reached.
    """
    require(kind)
    try:
        return TRACKERS[kind].log(analysis, target)
    except DriftError:
        raise
    except Exception as e:  # of a foreign library: any
        reason = " ".join(str(e).split())[:300] or type(e).__name__
        raise StoreError(f"{kind} took no report: {reason}.", "The study is kept: drift report STUDY --report.") from e


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
def _files(analysis: Analysis) -> Iterator[list[Path]]:
    """The report as files, for as long as they are wanted."""
    from analyzer.report.renderers.registry import KINDS

    with tempfile.TemporaryDirectory() as folder:
        written = []
        for kind in ("json", "html", "markdown"):
            content = KINDS[kind].render(analysis)
            path = Path(folder) / KINDS[kind].filename
            path.write_bytes(content.encode() if isinstance(content, str) else content)
            written.append(path)
        yield written


def _mlflow(analysis: Analysis, target: str) -> str:
    from mlflow import MlflowClient
    from mlflow.entities import Metric, Param, RunTag

    client: Any = MlflowClient(tracking_uri=target or None)
    name = os.environ.get("MLFLOW_EXPERIMENT_NAME") or "yolo-drift"
    experiment = client.get_experiment_by_name(name)
    number = experiment.experiment_id if experiment else client.create_experiment(name)
    wanted = study_id(analysis)
    earlier = client.search_runs([number], filter_string=f"tags.`drift.study` = '{wanted}'")
    for run in earlier:  # the study's earlier report: one study is one run
        client.delete_run(run.info.run_id)
    tags = {"drift.study": wanted, "verdict": analysis.verdict.value, "mlflow.note.content": _summary(analysis)}
    run = client.create_run(number, run_name=wanted, tags=tags)
    key = run.info.run_id
    now = run.info.start_time
    metrics = [Metric(k, v, now, 0) for k, v in numbers(analysis).items()]
    metrics += [Metric(k, v, now, i) for i, row in enumerate(steps(analysis)) for k, v in row.items()]
    params = [Param(k, str(v)) for k, v in facts(analysis).items()]
    client.log_batch(key, params=params, tags=[RunTag("rule", analysis.decision.rule)])
    for i in range(0, len(metrics), 1000):  # what the server takes at once
        client.log_batch(key, metrics=metrics[i : i + 1000])
    with _files(analysis) as files:
        for file in files:
            client.log_artifact(key, str(file))
    client.set_terminated(key)
    return f"MLflow run {key} of experiment {name}"


def _tensorboard(analysis: Analysis, target: str) -> str:
    import numpy as np
    from torch.utils.tensorboard import SummaryWriter

    default = analysis.study if analysis.study else analysis.run / "drift"
    folder = Path(target) / study_id(analysis) if target else default / "tensorboard"
    for old in folder.glob("events.out.tfevents.*"):
        old.unlink()  # the study's earlier report: one study is one run
    writer: Any = SummaryWriter(str(folder))
    try:
        for key, value in numbers(analysis).items():
            writer.add_scalar(key, value, 0)
        null: dict[str, list[float]] = {}
        for i, row in enumerate(steps(analysis)):
            for key, value in row.items():
                writer.add_scalar(key, value, i)
                null.setdefault(key, []).append(value)
        for key, values in null.items():
            writer.add_histogram(f"{key}s", np.array(values), 0)
        writer.add_text("verdict", _summary(analysis), 0)
        writer.add_text("facts", "\n".join(f"- {k}: `{v}`" for k, v in facts(analysis).items()), 0)
        with _files(analysis) as files:
            writer.add_text("report", files[2].read_text(encoding="utf-8"), 0)
        writer.add_figure("report", analysis.plot(), 0)
    finally:
        writer.close()
    return f"tensorboard --logdir {folder}"


def _wandb(analysis: Analysis, target: str) -> str:
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
        run.summary.update({**numbers(analysis), "verdict": analysis.verdict.value, "reasons": _summary(analysis)})
        artifact = wandb.Artifact(wanted[-128:].replace("/", "-").replace(" ", "-"), type="drift-report")
        with _files(analysis) as files:
            for file in files:
                artifact.add_file(str(file))
            run.log_artifact(artifact)
    finally:
        run.finish()
    return f"W&B run {wanted} of project {project}"


def _summary(analysis: Analysis) -> str:
    return " ".join([f"{analysis.verdict.value}.", *analysis.decision.reasons])


TRACKERS = {
    "mlflow": Tracker("mlflow", "pip install mlflow", "tracking URI", _mlflow),
    "wandb": Tracker("wandb", "pip install wandb", "project", _wandb),
    "tensorboard": Tracker("tensorboard", "pip install tensorboard", "log directory", _tensorboard),
}
