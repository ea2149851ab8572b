"""Real resumes by plain Ultralytics, each analysed with a null of its own.

Four checkpoints (checkpoints.py): 50 healthy resumes each, that differ in their patched seed; on one young and both
mature checkpoints also ten resumes each with the learning rate x3 and x10, with mixup 0.5, and from the weights of an
older epoch. Run directories have random names; the truth lies in a folder that only score.py reads. ``drift analyze``
runs with its defaults but for ``--no-replay`` and ``--no-twins``: a replay would clear or convict most of them by
itself. Resumable, and sharded by ``--shard i/n``; the working folder is kept outside git.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

import analyzer
from analyzer.errors import DriftError
from analyzer.files import write_atomically
from data.demo_runs import copy_run, edit_checkpoint, relocate
from tests.measurements.resumer import Resumer
from tests.measurements.resumes.checkpoints import SEAMS, make

ROUNDS = 50
FAULT_EVERY = 5  # rounds, so ten of each fault
FAULTY_ON = ("young", "mature-sgd")
FAULTS: dict[str, dict[str, Any]] = {"lr-x3": {"lr": 3}, "lr-x10": {"lr": 10}, "mixup": {"mixup": 0.5}, "older": {}}
SEED = 20_000  # of the resumes, one each; the nulls' base seeds start at a million


@dataclass(frozen=True)
class Item:
    """One resume: what only the scorer may know."""

    name: str
    checkpoint: str
    truth: str
    number: int


def items() -> list[Item]:
    """All resumes in the order in which they are made: a part of the list is a balanced part of the whole."""
    rng, found = np.random.default_rng(7), []

    def add(checkpoint: str, truth: str) -> None:
        found.append(Item(rng.bytes(5).hex(), checkpoint, truth, len(found)))

    for number in range(ROUNDS):
        for checkpoint in SEAMS:
            add(checkpoint, "healthy")
        if number % FAULT_EVERY == 0:
            for fault in FAULTS:
                for checkpoint in FAULTY_ON:
                    add(checkpoint, fault)
    for _ in range(ROUNDS // FAULT_EVERY):  # last, so that names and seeds of those above stay what they were
        for fault in ("lr-x3", "lr-x10", "mixup"):  # the twin has no older checkpoint of its own
            add("mature", fault)
    return found


def prepare(item: Item, killed: Path, to: Path) -> Path:
    """A copy of the killed run whose last.pt has the item's seed and fault. Returns that checkpoint."""
    seam = SEAMS[item.checkpoint]
    copy_run(killed, to, weights=("last.pt", f"epoch{seam - 1}.pt"))
    last = to / "weights" / "last.pt"
    changes: dict[str, Any] = {"seed": SEED + item.number}
    if item.truth == "older":
        import torch

        older = torch.load(killed / "weights" / f"epoch{seam - 12}.pt", map_location="cpu", weights_only=False)
        torch.save({**older, "epoch": seam - 1}, last)
    fault = FAULTS.get(item.truth, {})
    if "lr" in fault:
        import torch

        stored = torch.load(last, map_location="cpu", weights_only=False)["train_args"]["lr0"]
        changes["lr0"] = stored * fault["lr"]
    if "mixup" in fault:
        changes["mixup"] = fault["mixup"]
    return edit_checkpoint(relocate(to), last, **changes)


def measure(item: Item, killed: Path, work: Path, resumer: Resumer) -> dict[str, Any]:
    """Resume, analyse, keep the report; the run directory is removed."""
    run = work / "runs" / item.name
    shutil.rmtree(run, ignore_errors=True)
    start = time.monotonic()
    resumer.resume({"checkpoint": str(prepare(item, killed, run)), "way": ""})
    resumed = time.monotonic()
    try:
        report = analyzer.analyze(run, seed=1_000_000 + item.number, replay=False, twins=False).to_dict()
    except DriftError as error:
        report = {"verdict": "ERROR", "reasons": [str(error)], "n_replicates": 0}
    report["seconds"] = {"resume": round(resumed - start, 1), "analyze": round(time.monotonic() - resumed, 1)}
    history = (run / "results.csv").read_text(encoding="utf-8")
    write_atomically(work / "truth" / f"{item.name}.json", json.dumps(asdict(item)))
    write_atomically(work / "outcomes" / f"{item.name}.json", json.dumps({**report, "results_csv": history}))
    shutil.rmtree(run)
    return report


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work") / "resumes")
    parser.add_argument("--shard", default="1/1", help="i/n: this process takes every n-th resume, from the i-th")
    options = parser.parse_args()
    work = options.work.resolve()
    killed = make(work / "checkpoints")
    part, parts = (int(x) for x in options.shard.split("/"))
    todo = [i for i in items() if i.number % parts == part - 1]
    todo = [i for i in todo if not (work / "outcomes" / f"{i.name}.json").exists()]
    todo.sort(key=lambda i: i.truth != "healthy")  # what takes most of them to measure comes first
    resumer = Resumer(work)
    for done, item in enumerate(todo):
        report = measure(item, killed[item.checkpoint], work, resumer)
        words = f"{report['verdict']}, {report['n_replicates']} replicates, {report['seconds']}"
        print(f"{done + 1}/{len(todo)} {item.name}: {words}", flush=True)


if __name__ == "__main__":
    main()
