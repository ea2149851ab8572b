"""Open the study of a checkpoint: its data, its device, its store and its jobs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.replicate import Arm, ArmKind
from analyzer.domain.run import DataSet
from analyzer.errors import DriftError
from analyzer.replicates.devices import Device
from analyzer.replicates.identity import StudyFacts
from analyzer.replicates.job import ArmJob
from analyzer.replicates.options import TrainingOptions
from analyzer.replicates.other_version import refuse_other_groups
from analyzer.replicates.placement import Placement, place, ultralytics_threads
from analyzer.replicates.store import Store
from analyzer.runs.dataset import fingerprint_dataset, resolve_dataset
from analyzer.runs.results import read_history
from analyzer.runs.same_value import is_automatic_device
from analyzer.runs.seams import epoch_seconds
from analyzer.runs.versions import installed_versions

__all__ = ["Study", "open_study", "pace_of", "trained_on"]

_TRAINING_PACKAGES = ("ultralytics", "torch", "torchvision", "numpy", "opencv-python", "albumentations", "pillow")


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """A checkpoint's study.

    Parameters
    ----------
    checkpoint, run
        The seam checkpoint and its run directory.
    data
        The data set that the checkpoint was trained on.
    data_facts
        Its fingerprint and counts, as JSON.
    device
        Where replicates are trained.
    store
        Where they are kept.
    placement
        The workers that train there.
    base_seed, epochs, workers, trust
        As asked for.
    versions
        Of the packages that train.
    facts
        What the study's name stands for.
    other_data, other_sha256
        The data set that arms train on where it was changed, and its fingerprint; None where it was not.
    """

    checkpoint: Checkpoint
    run: Path
    data: DataSet
    data_facts: Mapping[str, Any]
    device: Device
    placement: Placement
    store: Store
    base_seed: int
    epochs: int
    workers: int | None
    trust: bool
    versions: Mapping[str, str]
    facts: Mapping[str, Any]
    other_data: DataSet | None = None
    other_sha256: str = ""

    def with_data(self, changes: Mapping[str, Any]) -> Study:
        """Take a changed data set along: its folders are protected too, and its content names the arms."""
        if "data" not in changes:
            return self
        data = resolve_dataset({"data": changes["data"], "task": self.checkpoint.task}, run=self.run)
        return replace(self, other_data=data, other_sha256=fingerprint_dataset(data).sha256)

    def arm(self, kind: ArmKind, changes: Mapping[str, Any], **more: Any) -> Arm:
        """An arm of changed arguments, on the data set that was taken along where they name one."""
        return Arm(kind, changes, data_sha256=self.other_sha256, **more)

    def job(self, arm: Arm, scratch: Path) -> ArmJob:
        """What the worker needs for an arm.

        Raises
        ------
        EngineError
            The installed Ultralytics cannot load the checkpoint's optimizer.
        """
        if not arm.kind.new_training:
            refuse_other_groups(self.checkpoint, self.versions)
        data = self.data
        if "data" in arm.changes:
            data = resolve_dataset({"data": arm.changes["data"], "task": self.checkpoint.task}, run=self.run)
        raw = dict(data.raw) if data.yaml.is_file() else {"path": str(data.yaml)}
        threads = self.placement.run_threads if arm.kind.repeats_the_run else self.placement.threads
        return ArmJob(
            arm=arm,
            checkpoint=self.checkpoint.path,
            data=raw,
            device=self.device.argument,
            epochs=self.epochs,
            scratch=scratch,
            root=self.store.root,
            study=self.store.study,
            workers=self.workers,
            threads=threads,
            trust=self.trust,
            between=self.between if arm.kind.keeps_checkpoint else None,
            sha256=self.checkpoint.sha256,
            never_finite=tuple(k for k, v in self.checkpoint.train_metrics.items() if not math.isfinite(v)),
        )

    @property
    def between(self) -> Path:
        """Where checkpoints between two epochs of one process lie."""
        return self.store.path / "between"

    @property
    def protected(self) -> tuple[Path, ...]:
        """What a worker must never write to: the run, the images, and the labels beside them."""
        places = {self.run}
        splits = [split for data in (self.data, self.other_data) if data for split in data.splits.values()]
        for folder in (p if p.is_dir() else p.parent for split in splits for p in split):
            labels = Path(*("labels" if part == "images" else part for part in folder.parts))
            places |= {folder, labels}
        return tuple(sorted(places))


def open_study(
    checkpoint: Checkpoint, run: Path, options: TrainingOptions, judged: Mapping[str, Any] | None = None
) -> Study:
    """Resolve data and device, and name the study by all that its replicates depend on.

    Parameters
    ----------
    checkpoint, run, options
        Of the study, and what was asked for.
    judged
        Arguments of the run whose row is judged; None where there is none yet.

    Raises
    ------
    DataError
        The data set cannot be found.
    """
    data = resolve_dataset(checkpoint.train_args, run=run, override=options.data)
    fingerprint = fingerprint_dataset(data)
    versions = {k: v for k, v in installed_versions().items() if v and k in _TRAINING_PACKAGES}
    facts = StudyFacts(checkpoint, fingerprint.sha256, versions, options.workers, options.seed or 0)
    root = options.out or run / "drift"

    def is_there(threads: int) -> bool:
        return (root / replace(facts, threads=threads).name / "replicates").is_dir()

    single = is_there(1) and not is_there(ultralytics_threads())
    pace = pace_of(run)
    seconds = None if pace is None else pace * options.epochs * (options.fraction or 1.0)
    device, placement = place(options, trained_on(checkpoint, judged), seconds, single_threaded=single)
    facts = replace(facts, device=device.hardware, threads=placement.threads)
    return Study(
        checkpoint=checkpoint,
        run=run,
        data=data,
        data_facts=asdict(fingerprint),
        device=device,
        placement=placement,
        store=Store(root, facts.name),
        base_seed=facts.base_seed,
        epochs=options.epochs,
        workers=options.workers,
        trust=options.trust_checkpoint,
        versions=versions,
        facts=facts.to_dict(),
    )


def trained_on(checkpoint: Checkpoint, judged: Mapping[str, Any] | None) -> Any:
    """Device of the judged run, else of the checkpoint's; a resume may take other ones than the checkpoint had."""
    there = (judged or {}).get("device")
    return checkpoint.train_args.get("device") if is_automatic_device(there) else there


def pace_of(run: Path) -> float | None:
    """Seconds that an epoch of the run took; None where nothing tells."""
    try:
        return epoch_seconds(read_history(run / "results.csv"))
    except DriftError:
        return None
