"""`make memory`: resident memory of driver and worker over many replicates, and its slope.

    python -m tests.measurements.robustness.memory [--driver 1000] [--worker 1000] [--out FILE.json]

Driver: the real one with a worker that makes its replicates up, rows of 13 columns as detection has. Worker: the real
one on a tiny training (8 images), one epoch a replicate. The first tenth is left out (imports, allocator); the rest is
averaged in 15 blocks, and the slope is that of the least-squares line through them with its 95 % t interval.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from scipy import stats

from tests.support.tiny_runs import train_tiny_run

BLOCKS = 15


def resident(pid: int | str = "self") -> float:
    """Resident memory of a process in kB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1024


def slope(kilobytes: list[float]) -> dict[str, Any]:
    """Growth a replicate in kB, with its 95 % interval."""
    late = np.array(kilobytes[len(kilobytes) // 10 :])
    blocks = [b.mean() for b in np.array_split(late, BLOCKS)]
    places = [b.mean() for b in np.array_split(np.arange(len(late)), BLOCKS)]
    line = stats.linregress(places, blocks)
    half = stats.t.ppf(0.975, BLOCKS - 2) * line.stderr
    return {
        "replicates": len(kilobytes),
        "MB at the start of the fit": round(float(late[0]) / 1024, 1),
        "MB at the end": round(float(late[-1]) / 1024, 1),
        "kB a replicate": round(float(line.slope), 3),
        "95 %": [round(float(line.slope - half), 3), round(float(line.slope + half), 3)],
    }


def driver(n: int, folder: Path) -> list[float]:
    """Memory of the driver after each of n replicates."""
    os.environ["CHEAP_COLUMNS"] = "13"
    from analyzer.domain.progress import Silent
    from tests.measurements.robustness.kills import drive

    class Watch(Silent):
        """Notes the memory whenever a replicate is finished."""

        def finished_replicate(self, *args: Any) -> None:
            seen.append(resident())

    seen: list[float] = []
    drive(folder, "study", n, Watch())
    return seen


def worker(n: int, folder: Path) -> list[float]:
    """Memory of the worker after each of n real replicates."""
    run = train_tiny_run(folder, images=8, val=4)
    from analyzer.domain.replicate import HEALTHY
    from analyzer.replicates.executors.pool import scratch_folder
    from analyzer.replicates.job import ArmJob
    from analyzer.runs.checkpoint import read_checkpoint
    from analyzer.runs.dataset import resolve_dataset
    from tests.support.one_worker import OneWorker

    facts = read_checkpoint(run / "weights" / "last.pt")
    raw = resolve_dataset(facts.train_args, run=run).raw
    (folder / "drift" / "study").mkdir(parents=True)
    scratch = scratch_folder(folder / "drift" / "study")
    executor = OneWorker(scratch, (run,), lambda fraction: None)
    job = ArmJob(HEALTHY, facts.path, raw, "cpu", 1, scratch, folder / "drift", "study", threads=1)
    seen = []
    try:
        for _ in executor.run(job, range(n)):
            assert executor.worker.process is not None
            seen.append(resident(executor.worker.process.pid))
    finally:
        executor.close()
    return seen


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--driver", type=int, default=1000)
    parser.add_argument("--worker", type=int, default=1000)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    found: dict[str, Any] = {}
    parts: tuple[tuple[str, Callable[[int, Path], list[float]], int], ...] = (
        ("driver", driver, options.driver),
        ("worker", worker, options.worker),
    )
    for name, measure, n in parts:
        with tempfile.TemporaryDirectory() as folder:
            found[name] = slope(measure(n, Path(folder).resolve()))
        print(name, json.dumps(found[name]), flush=True)
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
