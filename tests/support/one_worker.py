"""One worker process without a command around it."""

from collections.abc import Callable
from pathlib import Path

from analyzer.replicates.executors.pool import Pool
from analyzer.replicates.executors.worker_process import WorkerProcess


class OneWorker(Pool):
    """A pool of one worker; `module` is what it runs."""

    module = WorkerProcess.module

    def __init__(self, scratch: Path, protected: tuple[Path, ...], on_progress: Callable[[float], None]) -> None:
        self.worker = WorkerProcess(scratch, protected)
        self.worker.module = self.module
        super().__init__([self.worker], on_progress, print)
