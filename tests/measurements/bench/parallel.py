"""Two single-threaded workers on two cores against one worker with two threads: the same seeds, in turn."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.domain.replicate import Replicate
from analyzer.replicates.executors.pool import Executor, Pool, scratch_folders
from analyzer.replicates.executors.worker_process import WorkerProcess
from analyzer.replicates.job import ArmJob
from tests.measurements.bench.cases import CASES, killed_run
from tests.measurements.bench.floor import arm_job
from tests.support.one_worker import OneWorker

WARM_UP = 2  # seeds that are not timed: each worker has set its arm up before


def _ignore(_: object) -> None:
    pass


def two(job: ArmJob, protected: tuple[Path, ...]) -> Executor:
    """Two workers on the CPU."""
    folders = scratch_folders(job.root / job.study, 2)
    return Pool([WorkerProcess(f, protected, device="cpu") for f in folders], _ignore, _ignore)


def one(job: ArmJob, protected: tuple[Path, ...]) -> Executor:
    """One worker on the CPU."""
    return OneWorker(job.scratch, protected, _ignore)


def seconds(executor: Executor, job: ArmJob, count: int) -> float:
    """Wall seconds of `count` replicates by workers that are already warm."""
    try:
        _all(executor.run(job, iter(range(WARM_UP))))
        started = time.perf_counter()
        _all(executor.run(job, iter(range(WARM_UP, WARM_UP + count))))
        return time.perf_counter() - started
    finally:
        executor.close()


def _all(replicates: Iterator[Replicate]) -> None:
    for _ in replicates:
        pass


def measure(work: Path, rounds: int, count: int) -> dict[str, Any]:
    """Throughput of two workers over that of one with two threads."""
    checkpoint = killed_run(CASES["demo"], work)
    ratios = []
    for number in range(rounds):
        took = {}
        order = ((two, 1), (one, 2)) if number % 2 else ((one, 2), (two, 1))
        for make, threads in order:
            place = work / "demo" / "parallel"
            shutil.rmtree(place, ignore_errors=True)
            job, protected = arm_job(checkpoint, place, threads=threads)
            took[make] = seconds(make(job, protected), job, count)
        ratios.append(took[one] / took[two])
        sys.stderr.write(f"\rparallel: round {number + 1} of {rounds}")
    sys.stderr.write("\n")
    return {
        "demo": {
            "what": CASES["demo"].what,
            "rounds": rounds,
            "replicates": count,
            "ratio": float(np.median(ratios)),
            "lowest_ratio": min(ratios),
        }
    }
