"""Who trains the seeds of an arm: one worker here, several here, or workers on a cluster."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Protocol

from analyzer.domain.replicate import Outcome, Replicate
from analyzer.errors import EngineError
from analyzer.replicates.executors.worker_process import WorkerDied, WorkerProcess
from analyzer.replicates.job import ArmJob

__all__ = ["ATTEMPTS", "Executor", "LocalExecutor", "scratch_folder", "scratch_folders"]

ATTEMPTS = 2  # a worker that dies twice on the same seed will die again


class Executor(Protocol):
    """Trains the seeds of an arm and yields each replicate when it is in the store.

    The contract, tested for every implementation: a seed is taken from the iterable only when a worker is free for it,
    in order; a replicate is yielded when it is finished, so in any order; what an executor yields for a seed is bit for
    bit the same whichever worker trained it; a worker that dies loses no finished replicate.
    """

    def run(self, job: ArmJob, seeds: Iterable[int]) -> Iterator[Replicate]:
        """Train the seeds; closing the iterator early is allowed, a later call takes up what is still being trained.

        Raises
        ------
        EngineError
            The arm cannot be set up, or the worker died twice on the same seed.
        """
        ...

    def close(self) -> None:
        """Stop at once; what is in the store stays."""
        ...


def scratch_folder(study: Path) -> Path:
    """A fresh folder for a worker inside the study; what killed processes left there is removed.

    Parameters
    ----------
    study
        Folder of the study, held by its lock, so no other live driver owns a scratch folder there.
    """
    return scratch_folders(study, 1)[0]


def scratch_folders(study: Path, n: int) -> tuple[Path, ...]:
    """Fresh folders for n workers; as `scratch_folder`."""
    base = study / "scratch"
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    return tuple(Path(tempfile.mkdtemp(dir=base)) for _ in range(n))


class LocalExecutor:
    """One worker process on this machine: the seeds one after the other.

    Parameters
    ----------
    scratch
        Folder for the worker; removed by `close`.
    protected
        Folders that the worker must never write to (the run, the data).
    on_progress
        Called with the fraction of the running epoch that is done.
    """

    module = "analyzer.replicates.worker.main"

    def __init__(self, scratch: Path, protected: tuple[Path, ...], on_progress: Callable[[float], None]) -> None:
        self.worker = WorkerProcess(scratch, protected, on_progress)
        self.worker.module = self.module

    def run(self, job: ArmJob, seeds: Iterable[int]) -> Iterator[Replicate]:
        """Train the seeds in order and yield each replicate.

        Raises
        ------
        EngineError
            Where the arm cannot be set up, or the worker died twice on the same seed.
        """
        for seed in seeds:
            replicate = self._train(job, seed)
            if replicate.outcome is Outcome.FAILED:
                raise EngineError(replicate.message)
            yield replicate

    def _train(self, job: ArmJob, seed: int) -> Replicate:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self.worker.train(job, seed)
            except WorkerDied as e:
                if attempt == ATTEMPTS:
                    log = f"Read {self.worker.log}."
                    raise EngineError(f"{e.what} It died twice on seed {seed}.", log) from None
        raise AssertionError("unreachable")

    def close(self) -> None:
        """Kill the worker and remove its scratch folder."""
        self.worker.close()
