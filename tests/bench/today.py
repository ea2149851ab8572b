"""Replicates an hour: `drift replicate` against what users do today, one process of plain Ultralytics a seed.

Theirs: the seed is patched into a copy of the checkpoint, a new process imports Ultralytics, resumes, and is ended as
soon as the first resumed epoch is saved (without the closing validation: the friendly reading). Both are timed by the
clock, one after the other in rounds, start-up included.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from cases import CASES, killed_run
from demo_runs import child_environment, edit_checkpoint

RESUME = (
    "import os, sys; from ultralytics import YOLO; model = YOLO(sys.argv[1]); "
    "model.add_callback('on_model_save', lambda trainer: os._exit(0)); model.train(resume=True)"
)


def theirs(checkpoint: Path, place: Path, count: int) -> float:
    """Wall seconds for `count` resumes in a process each; the copies of the checkpoint are made before the clock."""
    copies = []
    for seed in range(count):
        run = place / f"seed{seed}"
        (run / "weights").mkdir(parents=True)
        own = {"save_dir": str(run), "project": str(place), "name": run.name, "seed": seed}
        copies.append(edit_checkpoint(checkpoint, run / "weights" / "last.pt", **own))
    started = time.perf_counter()
    for copy in copies:
        _run([sys.executable, "-c", RESUME, str(copy)], place)
    return time.perf_counter() - started


def ours(checkpoint: Path, place: Path, count: int) -> float:
    """Wall seconds of one `drift replicate`."""
    drift = Path(sys.executable).with_name("drift")
    started = time.perf_counter()
    _run([str(drift), "replicate", str(checkpoint), "-n", str(count), "--out", str(place / "store")], place)
    return time.perf_counter() - started


def _run(command: list[str], place: Path) -> None:
    environ = {**os.environ, **child_environment(place)}
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def measure(work: Path, rounds: dict[str, tuple[int, int, int]]) -> dict[str, Any]:
    """For each case: rounds, our replicates a round, their resumes a round."""
    found = {}
    for name, (count, mine, yours) in rounds.items():
        checkpoint = killed_run(CASES[name], work)
        rates = []
        for number in range(count):
            place = work / name / "today"
            shutil.rmtree(place, ignore_errors=True)
            place.mkdir(parents=True)
            first, second = (ours, mine), (theirs, yours)
            order = (first, second) if number % 2 else (second, first)
            rate = {act: n * 3600 / act(checkpoint, place, n) for act, n in order}
            rates.append((rate[ours], rate[theirs]))
            sys.stderr.write(f"\r{name}: round {number + 1} of {count}")
        sys.stderr.write("\n")
        table = np.array(rates)
        ratios = table[:, 0] / table[:, 1]
        found[name] = {
            "what": CASES[name].what,
            "rounds": count,
            "replicates": mine,
            "resumes": yours,
            "ours_per_hour": float(np.median(table[:, 0])),
            "theirs_per_hour": float(np.median(table[:, 1])),
            "ratio": float(np.median(ratios)),
            "lowest_ratio": float(ratios.min()),
        }
    return found
