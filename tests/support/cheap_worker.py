"""The worker process without Ultralytics: same pipe, same store, same end with its driver; an epoch takes 10 ms."""

import json
import os
import sys
import time

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.replicates.job import ArmJob
from analyzer.replicates.store import Store
from analyzer.replicates.worker import main as worker


def made(seed: int) -> Replicate:
    """The replicate of a seed, with a file large enough to be caught half-written."""
    row = {f"val/{i}": float(seed) / (i + 1) for i in range(int(os.environ.get("CHEAP_COLUMNS", "300")))}
    return Replicate("healthy", seed, Outcome.OK, (EpochRecord(1, row, row, 0.01),))


class CheapWorker(worker.Worker):
    """Makes up its replicates."""

    def _arm(self, job: ArmJob) -> None:
        store = Store(job.root, job.study)
        for seed in self._seeds():
            (job.scratch / "half").write_bytes(b"what a trainer leaves behind when it is killed")
            time.sleep(0.01)
            store.put(made(seed))
            self.send("done", arm="healthy", seed=seed, outcome="ok")


if __name__ == "__main__":
    worker._end_with(os.getppid())
    CheapWorker(map(json.loads, sys.stdin), sys.stdout).run()
