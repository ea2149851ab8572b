"""A study as a run of an MLflow experiment."""

from __future__ import annotations

import os
from typing import Any

from analyzer.report.model.analysis import Analysis
from analyzer.report.renderers.trackers import facts, numbers, report_files, steps, study_id, summary

__all__ = ["log"]


def log(analysis: Analysis, target: str) -> str:
    """Log it; ``target`` is a tracking URI; by default MLFLOW_TRACKING_URI, else MLflow's own."""
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
    tags = {"drift.study": wanted, "verdict": analysis.verdict.value, "mlflow.note.content": summary(analysis)}
    run = client.create_run(number, run_name=wanted, tags=tags)
    key = run.info.run_id
    now = run.info.start_time
    metrics = [Metric(k, v, now, 0) for k, v in numbers(analysis).items()]
    metrics += [Metric(k, v, now, i) for i, row in enumerate(steps(analysis)) for k, v in row.items()]
    params = [Param(k, str(v)) for k, v in facts(analysis).items()]
    client.log_batch(key, params=params, tags=[RunTag("rule", analysis.decision.rule)])
    for i in range(0, len(metrics), 1000):  # what the server takes at once
        client.log_batch(key, metrics=metrics[i : i + 1000])
    with report_files(analysis) as files:
        for file in files:
            client.log_artifact(key, str(file))
    client.set_terminated(key)
    return f"MLflow run {key} of experiment {name}"
