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

from data.demo_runs import child_environment, edit_checkpoint
from tests.measurements.bench.cases import CASES, killed_run

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


def ours(checkpoint: Path, place: Path, count: int, workers: int) -> float:
    """Wall seconds of one `drift replicate` with so many workers."""
    drift = Path(sys.executable).with_name("drift")
    out = place / f"store{workers}"
    words = ["replicate", checkpoint, "-n", count, "--per-device", workers, "--out", out]
    started = time.perf_counter()
    _run([str(drift), *map(str, words)], place)
    return time.perf_counter() - started


def _run(command: list[str], place: Path) -> None:
    environ = {**os.environ, **child_environment(place)}
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def one_round(checkpoint: Path, place: Path, mine: int, yours: int, turn: int) -> dict[str, float]:
    """Replicates an hour of each way, in an order that turns from round to round."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    ways = {
        "a process a seed": lambda: yours / theirs(checkpoint, place, yours),
        "one worker": lambda: mine / ours(checkpoint, place, mine, 1),
        "two workers": lambda: mine / ours(checkpoint, place, mine, 2),
    }
    names = list(ways)
    return {name: 3600 * ways[name]() for name in names[turn % 3 :] + names[: turn % 3]}


def measure(work: Path, rounds: dict[str, tuple[int, int, int]]) -> dict[str, Any]:
    """For each case: rounds, our replicates a round, their resumes a round."""
    found = {}
    for case, (count, mine, yours) in rounds.items():
        checkpoint = killed_run(CASES[case], work)
        rates = [one_round(checkpoint, work / case / "today", mine, yours, turn) for turn in range(count)]
        today = np.array([r["a process a seed"] for r in rates])
        for way in ("one worker", "two workers"):
            own = np.array([r[way] for r in rates])
            found[f"{case}, {way}"] = {
                "what": f"{CASES[case].what}; {way}",
                "rounds": count,
                "replicates": mine,
                "resumes": yours,
                "ours_per_hour": float(np.median(own)),
                "theirs_per_hour": float(np.median(today)),
                "ratio": float(np.median(own / today)),
                "lowest_ratio": float((own / today).min()),
            }
    return found
