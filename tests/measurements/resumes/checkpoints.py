"""The killed runs that the measurements resume; what is in the folder is kept.

    python -m tests.measurements.resumes.checkpoints FOLDER

Four checkpoints, each the periodic checkpoint at the seam of a run that plain Ultralytics trained and SIGKILL ended:

- ``young``: the demo's own run (AdamW), 34 epochs;
- ``mature``: its twin with 20,000 EMA updates, seam at the same epoch, so with the history of a young run;
- ``young-sgd``: another seed, SGD;
- ``mature-sgd``: the twin of that one, trained on for 11 epochs, so with a mature history of its own.
"""

from __future__ import annotations

import argparse
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from data.demo_runs import SEAM, mature_run, resume_and_kill, train_and_kill

SGD = {"optimizer": "SGD", "lr0": 0.01, "seed": 5}
MATURE_SEAM = SEAM + 11  # the next epoch whose checkpoint save_period keeps
SEAMS = {"young": SEAM, "mature": SEAM, "young-sgd": SEAM, "mature-sgd": MATURE_SEAM}


def make(folder: Path) -> dict[str, Path]:
    """Train what is missing; name of the checkpoint to its killed run."""
    folder.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        young = pool.submit(_once, folder / "young", train_and_kill)
        sgd = pool.submit(_once, folder / "young-sgd", lambda to: train_and_kill(to, **SGD))
        young.result(), sgd.result()
    _once(folder / "mature", lambda to: mature_run(folder / "young", to))
    _once(folder / "mature-sgd", lambda to: resume_and_kill(mature_run(folder / "young-sgd", to), MATURE_SEAM))
    return {name: folder / name for name in SEAMS}


def _once(target: Path, make_run) -> None:
    done = target.with_name(f"{target.name}.done")
    if not done.exists():
        shutil.rmtree(target, ignore_errors=True)
        make_run(target)
        done.touch()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    made = make(parser.parse_args().folder)
    sys.stdout.write("".join(f"{name}: {path}\n" for name, path in made.items()))
