"""Where the CPU time of a replicate goes: Ultralytics' own training and validation, and what this tool adds.

Measured inside one warm worker (``python shares.py CHECKPOINT FOLDER COUNT`` prints JSON), between marks at the
boundaries of Ultralytics' own methods. Every second replicate decodes all images anew: what it is worth to keep them is
the ratio within the pairs. The first pair, which follows the set-up, is left out.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.replicates.job import dump
from analyzer.replicates.worker import main as worker
from analyzer.replicates.worker import trainer
from analyzer.replicates.worker.image_cache import keep_images
from analyzer.replicates.worker.sandbox import quiet_settings, redirect_caches
from data.demo_runs import child_environment
from tests.measurements.bench.cases import CASES, killed_run
from tests.measurements.bench.floor import arm_job, summary

PARTS = {
    "restoring the state": ("seed", "restored"),
    "training (Ultralytics)": ("epoch", "trained"),
    "validation (Ultralytics)": ("validate", "validated"),
    "storing the row": ("row", "seed"),
}


class Marks:
    """CPU seconds of this process at named instants."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []

    def put(self, name: str) -> None:
        self.seen.append((name, time.process_time()))

    def around(self, owner: Any, method: str, before: str, after: str) -> None:
        """Mark both ends of a method."""
        inner: Callable[..., Any] = getattr(owner, method)

        def marked(*args: Any, **kwargs: Any) -> Any:
            self.put(before)
            result = inner(*args, **kwargs)
            self.put(after)
            return result

        setattr(owner, method, marked)

    def shares(self) -> dict[str, list[float]]:
        """Seconds of each part and of the whole replicate, in the order of the seeds."""
        spans: dict[str, list[float]] = defaultdict(list)
        at: dict[str, float] = {}
        for name, seconds in self.seen:
            if name == "seed" and "seed" in at:
                spans["replicate"].append(seconds - at["seed"])
            for part, (start, end) in PARTS.items():
                if name == end and start in at:
                    spans[part].append(seconds - at[start])
            at[name] = seconds
        return dict(spans)


def inside(checkpoint: Path, place: Path, pairs: int) -> dict[str, list[float]]:
    """Train replicates in this process, with images kept and without in turn, and return the seconds of each."""
    from ultralytics.data import base
    from ultralytics.engine.trainer import BaseTrainer

    job, _ = arm_job(checkpoint, place, threads=1)
    os.chdir(job.scratch)
    quiet_settings(job.scratch)
    redirect_caches(job.scratch)
    decoding = base.imread
    keep_images()
    keeping = base.imread
    marks = Marks()
    marks.around(trainer._Replicates, "_setup_train", "set up", "restored")
    marks.around(trainer._Replicates, "_at_on_train_epoch_start", "starting", "epoch")
    marks.around(BaseTrainer, "validate", "validate", "validated")
    marks.around(trainer._Replicates, "_at_on_fit_epoch_end", "row", "recorded")
    trainer._Replicates._at_on_train_epoch_end = lambda self: marks.put("trained")  # type: ignore[attr-defined]

    def messages() -> Iterator[dict[str, Any]]:
        yield {"op": "arm", "job": dump(job)}
        for seed in range(2 * pairs):
            base.imread = decoding if seed % 2 else keeping
            marks.put("seed")
            yield {"op": "seed", "seed": seed}
        marks.put("seed")

    with Path(os.devnull).open("w", encoding="utf-8") as nowhere:
        worker.Worker(messages(), nowhere).run()
    return marks.shares()


def measure(work: Path, pairs: int) -> dict[str, Any]:
    """The demo's shares, in a process of their own."""
    case = CASES["demo"]
    checkpoint, place = killed_run(case, work), work / case.name / "shares"
    shutil.rmtree(place, ignore_errors=True)
    command = [sys.executable, "-m", __spec__.name, str(checkpoint), str(place), str(pairs + 1)]
    environ = {**child_environment(work), "OMP_NUM_THREADS": "1"}
    out = subprocess.run(command, env=environ, check=True, stdout=subprocess.PIPE, text=True).stdout
    seconds = {part: np.array(all_).reshape(-1, 2)[1:] for part, all_ in json.loads(out.splitlines()[-1]).items()}
    whole = seconds["replicate"]
    return {
        "what": case.what,
        "seconds": {part: float(np.median(all_[:, 0])) for part, all_ in seconds.items()},
        "kept_over_decoded": summary(whole[:, 0] / whole[:, 1]),
    }


if __name__ == "__main__":
    print(json.dumps(inside(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
