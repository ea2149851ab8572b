"""`drift seam`: what save and resume do to the next epoch, against the same epoch in an uninterrupted process."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.metrics import metrics_of
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm, ArmKind, Outcome, Replicate, matrix
from analyzer.errors import CheckpointError, EngineError
from analyzer.pipeline.analysis.resume_point import validated_images
from analyzer.pipeline.replicate import read_resumable, run_of
from analyzer.pipeline.request import ReplicateRequest, with_absolute_out
from analyzer.replicates.budget import parse_budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.executors.pool import Executor
from analyzer.replicates.seeds import replicate_seeds, second_seed
from analyzer.replicates.study import Study, open_study
from analyzer.report.model.resume_effect import MetricEffect, ResumeEffect
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.rounding import rounding_units
from analyzer.stats.arms import compare_arms

__all__ = ["measure_seam"]

_IN_MEMORY, _RESUMED = Arm(ArmKind.UNINTERRUPTED), Arm(ArmKind.THROUGH_CHECKPOINT)


def measure_seam(request: ReplicateRequest, progress: Progress) -> ResumeEffect:
    """Train what is missing: two epochs in one process, and the second one again through save and resume.

    The second epoch starts with the same seeds in both, so that nothing differs but what a checkpoint does not keep:
    the trained weights (it holds the average, in half precision), exact momenta, the images that mosaic draws from.

    Parameters
    ----------
    request
        The checkpoint, and n replicates, here seeds, at least 2; three epochs each.
    progress
        Who is told.

    Raises
    ------
    CheckpointError
        Ultralytics cannot resume from it, or there are no two epochs left to train.
    EngineError
        An epoch diverged or left no checkpoint.
    """
    request = replace(with_absolute_out(request), epochs=2, per_device=1)  # path after path: a second worker would wait
    checkpoint = read_resumable(request)
    _two_epochs_left(checkpoint)
    study = open_study(checkpoint, run_of(checkpoint), request)
    seeds = replicate_seeds(study.base_seed, request.replicates)
    collector = Collector(study, parse_budget(None), progress)
    with collector.at_work():
        progress.start(
            3 * request.replicates, f"{request.replicates} seeds: two epochs in memory, the second one resumed"
        )
        pairs, trained, reused = _pairs(collector, seeds)
    return ResumeEffect(
        study=study.store.path,
        checkpoint=checkpoint.path,
        epoch=pairs[0][0].epochs[1].epoch,
        version=study.versions.get("ultralytics"),
        device=study.device.words,
        seeds=seeds,
        trained=trained,
        reused=reused,
        metrics=_compared(pairs, validated_images(checkpoint.train_args, study.run, request.data)),
    )


def _two_epochs_left(checkpoint: Checkpoint) -> None:
    total = checkpoint.train_args.get("epochs")
    if isinstance(total, int) and checkpoint.csv_epoch + 2 > total:
        raise CheckpointError(
            f"{checkpoint.path} is of epoch {checkpoint.csv_epoch} of {total}: two more epochs are needed.",
            "Give an earlier checkpoint, e.g. RUN/weights/epochN.pt.",
        )


def _pairs(collector: Collector, seeds: tuple[int, ...]) -> tuple[list[tuple[Replicate, Replicate]], int, int]:
    """One pair a seed, the epochs trained, and the paths reused; both collectors drive the same worker."""
    study, progress = collector.study, collector.progress
    pairs, trained, reused = [], 0, 0
    firsts = [_trained(_first(collector, seed), seed) for seed in seeds]
    for index, (first, seed) in enumerate(zip(firsts, seeds, strict=True)):
        kept = study.between / f"{seed:010d}.pt"
        second = Collector(_after(study, kept), collector.budget, progress, make_executor=_same_worker(collector))
        resumed = _trained(second.one(_RESUMED, second_seed(seed), epochs=1), seed)
        progress.finished_replicate("resumed", index + 1, resumed.epochs[0].seconds, bool(second.reused))
        pairs.append((first, resumed))
        trained, reused = trained + second.epochs_trained, reused + second.reused
        kept.unlink(missing_ok=True)  # as large as a checkpoint, and not needed any more
    return pairs, trained + collector.epochs_trained, reused + collector.reused


def _first(collector: Collector, seed: int) -> Replicate | None:
    """Two epochs in one process; again where its checkpoint was lost before it could be resumed."""
    store = collector.study.store
    kept = collector.study.between / f"{seed:010d}.pt"
    unfinished = store.get(_IN_MEMORY.name, seed) is not None and store.get(_RESUMED.name, second_seed(seed)) is None
    if unfinished and not kept.is_file():
        store.file_of(_IN_MEMORY.name, seed).unlink()
    before = collector.reused
    found = collector.one(_IN_MEMORY, seed, epochs=2)
    if found is not None and found.epochs:
        seconds = sum(e.seconds for e in found.epochs)
        collector.progress.finished_replicate("in memory", collector.study.epochs, seconds, collector.reused > before)
    return found


def _after(study: Study, kept: Path) -> Study:
    """The study with the checkpoint between the epochs in place of its own; as it is where that is not needed."""
    return replace(study, checkpoint=read_checkpoint(kept, trust=study.trust)) if kept.is_file() else study


def _same_worker(collector: Collector) -> Callable[[Study, Progress], Executor]:
    return lambda *_: collector.executor


def _trained(found: Replicate | None, seed: int) -> Replicate:
    if found is None or found.outcome is not Outcome.OK:
        raise EngineError(
            f"An epoch of seed {seed} diverged, so the seam cannot be measured.",
            "Look at the learning rate with drift audit RUN.",
        )
    return found


def _compared(pairs: list[tuple[Replicate, Replicate]], validated: int | None) -> tuple[MetricEffect, ...]:
    """Compared at full precision; no spread is believed below the step that a column shows, or one image of a share."""
    metrics = metrics_of(pairs[0][1].epochs[0].exact)
    columns = tuple(m.name for m in metrics)
    shown = matrix(tuple(b for _, b in pairs), columns)
    units = rounding_units(columns, shown, [[repr(float(v)) for v in column] for column in shown.T], padded=False)
    steps = np.array([1 / validated if m.share_of_images and validated else 0.0 for m in metrics])
    memory = matrix(tuple(a for a, _ in pairs), columns, step=1, exact=True)
    resumed = matrix(tuple(b for _, b in pairs), columns, exact=True)
    differences = compare_arms(memory, resumed, names=columns, paired=True, units=np.maximum(units, steps))
    return tuple(
        MetricEffect(m.name, m.deciding, float(memory[:, j].mean()), float(resumed[:, j].mean()),
                   float(memory[:, j].std(ddof=1)), differences[j])
        for j, m in enumerate(metrics)
        if np.isfinite(memory[:, j]).all() and np.isfinite(resumed[:, j]).all()
    )  # fmt: skip
