"""Train replicates of a checkpoint through the executor, without the command around it."""

from pathlib import Path

from analyzer.domain.replicate import Arm
from analyzer.replicates.executor import LocalExecutor, scratch_folder
from analyzer.replicates.job import ArmJob
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.dataset import resolve_dataset


def replicates(checkpoint: Path, root: Path, seeds, *, epochs=1, workers=None, arm=None, hashes=True, fresh=False):
    """Replicates in the order of the seeds; each is read before a later one of the same seed replaces its file."""
    facts = read_checkpoint(checkpoint)
    data = resolve_dataset(facts.train_args, run=checkpoint.parent.parent)
    (root / "study").mkdir(parents=True, exist_ok=True)
    scratch = scratch_folder(root / "study")
    job = ArmJob(
        arm=arm or Arm("healthy"),
        checkpoint=checkpoint,
        data=data.raw,
        device="cpu",
        epochs=epochs,
        scratch=scratch,
        root=root,
        study="study",
        workers=workers,
        hashes=hashes,
        fresh=fresh,
    )
    executor = LocalExecutor(scratch, (checkpoint.parent.parent,), lambda fraction: None)
    try:
        return [next(iter(executor.run(job, [seed]))) for seed in seeds]
    finally:
        executor.close()
