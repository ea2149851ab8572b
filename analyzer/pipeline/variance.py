"""`drift variance`: where the noise comes from, by resumes whose order and augmentation are seeded apart."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from analyzer.domain.metrics import metrics_of
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import HEALTHY, Arm, ArmKind, Outcome, Replicate, matrix
from analyzer.errors import EngineError
from analyzer.pipeline.replicate import read_resumable, run_of
from analyzer.pipeline.request import ReplicateRequest, with_absolute_out
from analyzer.replicates.budget import parse_budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.study import open_study
from analyzer.report.model.variance import MetricVariance, VarianceReport
from analyzer.stats.components import noise_components

__all__ = ["find_variance"]

Array = NDArray[np.float64]


def find_variance(request: ReplicateRequest, repeats: int, progress: Progress) -> VarianceReport:
    """Train what is missing of both designs, and split the variance of each metric.

    Parameters
    ----------
    request
        The checkpoint, and n seeds: n x n pairs and n x ``repeats`` repeats of one resumed epoch each. The first
        repeat of a seed is the healthy replicate of the study.
    repeats
        Of each seed, at least 2.
    progress
        Who is told.

    Raises
    ------
    CheckpointError
        Ultralytics cannot resume from it.
    EngineError
        A resume failed or diverged, or the order cannot be seeded apart.
    """
    request = with_absolute_out(request)
    checkpoint = read_resumable(request)
    study = open_study(checkpoint, run_of(checkpoint), request)
    seeds = replicate_seeds(study.base_seed, request.replicates)
    collector = Collector(study, parse_budget(None), progress)
    with collector.at_work():
        progress.start(
            request.replicates * (request.replicates + repeats),
            f"{request.replicates} x {request.replicates} pairs of seeds, and repeats",
        )
        again = [HEALTHY, *[Arm(ArmKind.REPEAT, label=str(k)) for k in range(2, repeats + 1)]]
        repeated = [_row(collector, arm, seeds) for arm in again]
        crossed = [_row(collector, Arm(ArmKind.ORDER_APART, order_seed=order), seeds) for order in seeds]
    columns = tuple(m.name for m in metrics_of(repeated[0][0].epochs[0].exact))
    by_seed = _values(repeated, columns).transpose(1, 0, 2)  # seeds x repeats x metrics
    by_pair = _values(crossed, columns)
    return VarianceReport(
        study=study.store.path,
        epoch=repeated[0][0].epochs[0].epoch,
        device=study.device.words,
        seeds=seeds,
        repeats=repeats,
        trained=collector.epochs_trained,
        reused=collector.reused,
        identical=bool((by_seed == by_seed[:, :1]).all()),
        metrics=_split(by_pair, by_seed, columns),
    )


def _row(collector: Collector, arm: Arm, seeds: tuple[int, ...]) -> list[Replicate]:
    """One resume a seed under an arm."""
    name = arm.name if arm.order_seed is None else f"order {arm.order_seed}"
    row = collector.several(arm, seeds, 1, name=name)
    lost = next((r.seed for r in row if r.outcome is not Outcome.OK), None)
    if lost is not None:
        raise EngineError(
            f"A healthy resume of {collector.study.checkpoint.path} diverged (seed {lost}).",
            "Variance components need finite values: look at the learning rate with drift audit RUN.",
        )
    return list(row)


def _values(rows: list[list[Replicate]], columns: tuple[str, ...]) -> Array:
    """Full-precision values of the first resumed epoch, shape (rows, seeds, columns)."""
    return np.stack([matrix(tuple(row), columns, exact=True) for row in rows])


def _split(by_pair: Array, by_seed: Array, columns: tuple[str, ...]) -> tuple[MetricVariance, ...]:
    found = []
    for j, metric in enumerate(metrics_of(columns)):
        if not (np.isfinite(by_pair[..., j]).all() and np.isfinite(by_seed[..., j]).all()):
            continue  # never finite in the checkpoint's own row either, else the replicate had diverged
        parts = noise_components(by_pair[..., j], by_seed[..., j])
        sd = float(np.sqrt(sum(c.variance for c in parts)))
        found.append(MetricVariance(metric.name, metric.deciding, float(by_pair[..., j].mean()), sd, parts))
    return tuple(found)
