"""The short waits: help, the audit of a 100 MB checkpoint, the statistics of a large null, a long results.csv."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.runs.results import read_history
from analyzer.stats import shift_tests
from data.demo_runs import child_environment
from tests.measurements.bench.cases import CASES, killed_run

REPEATS = 7
LIMITS = {
    "drift --help": 0.4,
    "audit of 100 MB": 5.0,
    "statistics of 1000 x 10": 1.0,
    "results.csv of 10,000 rows": 0.3,
}


def _timed(act: Callable[[], Any], repeats: int = REPEATS) -> float:
    """Median wall seconds after one run that warms caches up."""
    seconds = []
    for _ in range(repeats + 1):
        started = time.perf_counter()
        act()
        seconds.append(time.perf_counter() - started)
    return float(np.median(seconds[1:]))


def _drift(work: Path, *arguments: str) -> Callable[[], Any]:
    command = [str(Path(sys.executable).with_name("drift")), *arguments]
    return lambda: subprocess.run(command, env=child_environment(work), check=False, capture_output=True)


def large_run(work: Path) -> Path:
    """The demo's killed run with a checkpoint of about 100 MB: tensors of noise beside what it holds."""
    import torch

    run = work / "large"
    if not (run / "done").exists():
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(killed_run(CASES["demo"], work).parent.parent, run)
        path = run / "weights" / "last.pt"
        checkpoint = torch.load(path, weights_only=False)
        state = checkpoint["optimizer"]["state"]
        per = (100_000_000 - path.stat().st_size) // 4 // len(state)
        for entry in state.values():
            entry["ballast"] = torch.rand(per)
        torch.save(checkpoint, path)
        (run / "done").touch()
    return run


def long_csv(work: Path, rows: int = 10_000) -> Path:
    """A results.csv as Ultralytics writes it, `rows` epochs long."""
    first = (killed_run(CASES["demo"], work).parent.parent / "results.csv").read_text(encoding="utf-8").splitlines()
    path = work / "long.csv"
    values = first[1].split(",", 2)[2]
    path.write_text("\n".join([first[0], *(f"{i},{3.0 * i},{values}" for i in range(1, rows + 1))]) + "\n")
    return path


def measure(work: Path) -> dict[str, Any]:
    """Median wall seconds of each wait beside its limit."""
    rng = np.random.default_rng(1)
    null, seen, margins = rng.normal(size=(1000, 10)), rng.normal(size=10), np.full(10, 3.0)
    names = [f"m{j}" for j in range(10)]
    csv, run = long_csv(work), large_run(work)
    acts = {
        "drift --help": _drift(work, "--help"),
        "audit of 100 MB": _drift(work, "audit", str(run)),
        "statistics of 1000 x 10": lambda: shift_tests(
            null, seen, names=names, deciding=np.ones(10, bool), alpha_null=0.04, margins=margins
        ),
        "results.csv of 10,000 rows": lambda: read_history(csv),
    }
    return {name: {"seconds": _timed(act), "limit": LIMITS[name]} for name, act in acts.items()}
