"""CPU time of a replicate over that of the same epoch inside one uninterrupted Ultralytics run, in alternating pairs.

A replicate counts from the moment its seed is sent until its row is in the store: restoring the state, loader restart,
training, validation, storing. The uninterrupted epoch counts training and validation only, so the ratio is on the hard
side. Both processes use one thread; the order inside a pair alternates.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from analyzer.domain.replicate import HEALTHY
from analyzer.replicates.executors.pool import scratch_folder
from analyzer.replicates.job import ArmJob
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.dataset import resolve_dataset
from data.demo_runs import child_environment, relocate
from tests.measurements.bench.cases import CASES, Case, killed_run
from tests.support.one_worker import OneWorker

WARM_UP = 2  # pairs that are not counted


class Uninterrupted:
    """The plain run, an epoch at a time."""

    def __init__(self, checkpoint: Path) -> None:
        command = [sys.executable, str(Path(__file__).with_name("uninterrupted.py")), str(checkpoint)]
        environ = {**child_environment(checkpoint.parent), "OMP_NUM_THREADS": "1"}
        self.process = subprocess.Popen(
            command, env=environ, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._read()

    def _read(self) -> Any:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError("the uninterrupted run ended")
        return json.loads(line)

    def epoch(self) -> float:
        """Train one epoch; CPU seconds of its training and validation. Returns when the process waits again."""
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seconds = self._read()
        self._read()
        return float(seconds)


def cpu_seconds(pid: int) -> float:
    """CPU seconds of another process, all its threads (Linux: clock_getcpuclockid)."""
    return time.clock_gettime((~pid << 3) | 2)


def arm_job(checkpoint: Path, root: Path, *, threads: int) -> tuple[ArmJob, tuple[Path, ...]]:
    """Healthy replicates of a checkpoint in a fresh store, and what the worker must not write to."""
    study = root / "study"
    study.mkdir(parents=True)
    run = checkpoint.parent.parent
    data = resolve_dataset(read_checkpoint(checkpoint).train_args, run=run).raw
    job = ArmJob(HEALTHY, checkpoint, data, "cpu", 1, scratch_folder(study), root, "study", threads=threads)
    return job, (run,)


def pairs(case: Case, work: Path, count: int) -> list[tuple[float, float]]:
    """CPU seconds of (replicate, uninterrupted epoch), one pair after the other."""
    checkpoint = killed_run(case, work)
    place = work / case.name / "floor"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(checkpoint.parent.parent, place / "run")
    plain = Uninterrupted(relocate(place / "run"))
    job, protected = arm_job(checkpoint, place / "store", threads=1)
    executor = OneWorker(job.scratch, protected, lambda fraction: None)
    epochs, replicates, before = [], [], 0.0

    def seeds() -> Iterator[int]:
        nonlocal before
        for number in range(count + WARM_UP):
            if number % 2:
                epochs.append(plain.epoch())
            before = cpu_seconds(executor.worker.process.pid) if executor.worker.process else 0.0
            yield number
            if not number % 2:
                epochs.append(plain.epoch())

    try:
        for _ in executor.run(job, seeds()):
            assert executor.worker.process is not None
            replicates.append(cpu_seconds(executor.worker.process.pid) - before)
            sys.stderr.write(f"\r{case.name}: pair {len(replicates)} of {count + WARM_UP}")
    finally:
        executor.close()
        plain.process.kill()
    sys.stderr.write("\n")
    return list(zip(replicates, epochs, strict=True))[WARM_UP:]


def summary(ratios: np.ndarray) -> dict[str, Any]:
    """Median and its distribution-free 95 % interval (order statistics)."""
    interval = stats.quantile_test(ratios, q=1.0, p=0.5).confidence_interval(0.95)
    return {"pairs": len(ratios), "median": float(np.median(ratios)), "low": interval.low, "high": interval.high}


def measure(work: Path, counts: dict[str, int]) -> dict[str, Any]:
    """The benchmark over the cases named in `counts`, with that many pairs each."""
    found = {}
    for name, count in counts.items():
        seconds = np.array(pairs(CASES[name], work, count))
        found[name] = {
            "what": CASES[name].what,
            **summary(seconds[:, 0] / seconds[:, 1]),
            "replicate_cpu_s": float(np.median(seconds[:, 0])),
            "epoch_cpu_s": float(np.median(seconds[:, 1])),
        }
    return found
