"""Train replicates of a checkpoint through the executor, without the command around it."""

from pathlib import Path

from analyzer.domain.replicate import HEALTHY
from analyzer.replicates.executors.pool import Pool, scratch_folder, scratch_folders
from analyzer.replicates.executors.worker_process import WorkerProcess
from analyzer.replicates.job import ArmJob
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.dataset import resolve_dataset
from tests.support.one_worker import OneWorker


def job(
    checkpoint: Path,
    root: Path,
    *,
    epochs=1,
    workers=None,
    arm=None,
    hashes=True,
    threads=None,
    device="cpu",
) -> tuple[ArmJob, tuple[Path, ...]]:
    """A job in a fresh store, and what its worker must not write to."""
    data = resolve_dataset(read_checkpoint(checkpoint).train_args, run=checkpoint.parent.parent)
    (root / "study").mkdir(parents=True, exist_ok=True)
    made = ArmJob(
        arm=arm or HEALTHY,
        checkpoint=checkpoint,
        data=data.raw,
        device=device,
        epochs=epochs,
        scratch=scratch_folder(root / "study"),
        root=root,
        study="study",
        workers=workers,
        hashes=hashes,
        threads=threads,
    )
    return made, (checkpoint.parent.parent,)


def replicates(checkpoint: Path, root: Path, seeds, *, at_once=1, **settings):
    """Replicates in the order of the seeds; each is read before a later one of the same seed replaces its file."""
    todo, protected = job(checkpoint, root, **settings)
    if at_once > 1:
        folders = scratch_folders(root / "study", at_once)
        lanes = [WorkerProcess(f, protected, device="cpu") for f in folders]
        executor = Pool(lanes, lambda fraction: None, print)
        try:
            return sorted(executor.run(todo, seeds), key=lambda r: list(seeds).index(r.seed))
        finally:
            executor.close()
    executor = OneWorker(todo.scratch, protected, lambda fraction: None)
    try:
        return [next(iter(executor.run(todo, [seed]))) for seed in seeds]
    finally:
        executor.close()
