"""Real faulty resumes by plain Ultralytics, each diagnosed with and without a replay: ``make diagnose-bench``.

Thirteen faults, six resumes each, and 40 healthy ones, on a young and a mature checkpoint (fault_items.py). Run
directories have random names; the truth lies in a folder that only score.py reads. Every resume is made once
and kept; each analysis works on a copy of it. The replicates of a checkpoint are shared by its resumes, as where
``drift replicate`` was run before the resume: they say how large a shift is, and the same ones serve every resume.
Resumable, sharded by ``--shard i/n``; ``--again`` measures anew what was measured before.
"""

from __future__ import annotations

import argparse
import json
import shutil
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import analyzer
import analyzer.replicates.collector
from analyzer.errors import DriftError
from analyzer.files import write_atomically
from analyzer.replicates.executors.pool import scratch_folder
from analyzer.runs.directory import read_run
from analyzer.runs.seams import find_seams
from data.demo_runs import copy_run, edit_checkpoint, relocate
from tests.measurements.diagnosis.fault_items import SEED, Item, items
from tests.measurements.diagnosis.inject_files import ResumePoint, make_files
from tests.measurements.resumer import Resumer
from tests.measurements.resumes.checkpoints import SEAMS, make
from tests.support.one_worker import OneWorker

ANOTHER = {"young": "young-sgd", "mature-sgd": "young"}  # whose best.pt are the weights of another training
PASSES = ("replay", "no-replay")
REPLICATES = 5  # the first look of the default design; the cause does not depend on how far it goes on


class WarmWorker(OneWorker):
    """One worker for all analyses: importing torch takes longer than an epoch here."""

    def close(self) -> None:
        """Keep it."""


def make_resume(item: Item, killed: dict[str, Path], work: Path, resumer: Resumer | None) -> Path:
    """The resumed run directory of an item, made once; not at all without a resumer."""
    run = work / "resumed" / item.name
    done = run.with_name(f"{item.name}.done")
    if done.exists():
        return run
    if resumer is None:
        raise RuntimeError("not made yet")
    shutil.rmtree(run, ignore_errors=True)
    order = {"way": "", **prepare(item, killed, run)}
    resumer.resume({**order, "checkpoint": str(run / "weights" / "last.pt")})
    write_atomically(work / "truth" / f"{item.name}.json", json.dumps(asdict(item)))
    done.touch()
    return run


def prepare(item: Item, killed: dict[str, Path], run: Path) -> dict[str, Any]:
    """A copy of the killed run with the item's seed and the faults of its files; what the training process is told."""
    copy_run(killed[item.checkpoint], run)
    relocate(run, seed=SEED + item.number)
    seam = SEAMS[item.checkpoint]
    older = max(int(p.stem[5:]) for p in run.glob("weights/epoch*.pt") if int(p.stem[5:]) < seam - 1)
    another = run.parent.parent / "weights" / f"{ANOTHER[item.checkpoint]}.pt"
    scene = ResumePoint(run, f"epoch{seam - 1}.pt", f"epoch{older}.pt", another)
    place, _, way = item.way.partition(":")
    if place == "files":
        return make_files(way, scene)
    if way == "pretrained":  # the training was started from that file, and the resume loads it once more
        for name in (scene.seam, "last.pt"):
            path = run / "weights" / name
            edit_checkpoint(path, path, pretrained=str(another))
    return {"way": way, "file": str(another if way == "pretrained" else run / "weights" / scene.older)}


def analyse(item: Item, resumed: Path, work: Path, kind: str, shard: str) -> dict[str, Any]:
    """Analyse a copy of the run; the report goes to the outcomes of that pass."""
    run = work / "runs" / kind / item.name
    shutil.rmtree(run, ignore_errors=True)
    shutil.copytree(resumed, run)
    start = time.monotonic()
    try:
        studies = work / "studies" / shard
        asked = {"seed": 1_000_000, "replicates": REPLICATES, "out": studies}
        how = {"replay": kind == "replay", "twins": kind != "replay"}  # what a replay leaves open, the other pass tells
        report = analyzer.analyze(run, seam=hidden_seam(run), **asked, **how).to_dict()
    except DriftError as error:
        report = {"verdict": "ERROR", "reasons": [str(error)], "diagnosis": {"causes": []}}
    report["seconds"] = round(time.monotonic() - start, 1)
    write_atomically(work / "outcomes" / kind / f"{item.name}.json", json.dumps(report))
    shutil.rmtree(run)
    return report


def hidden_seam(run: Path) -> int | None:
    """First resumed epoch, for ``--seam``, where `time` does not show it: on a busy machine it need not fall."""
    held = read_run(run)
    seams = find_seams(held.history, held.args)
    last = len(held.history) - 1
    return None if seams and seams[-1].row == last else int(held.history.epochs[last])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work") / "diagnosis")
    parser.add_argument("--shard", default="1/1", help="i/n: this process takes every n-th resume, from the i-th")
    parser.add_argument("--passes", nargs="*", choices=PASSES, default=PASSES)
    parser.add_argument("--only", nargs="*", help="these faults (or healthy) only")
    parser.add_argument("--made", action="store_true", help="only resumes that another process has made")
    parser.add_argument("--again", action="store_true", help="also what was measured before")
    options = parser.parse_args()
    work = options.work.resolve()
    killed = make(work / "checkpoints")
    for name in ANOTHER.values():
        (work / "weights").mkdir(exist_ok=True)
        shutil.copy2(killed[name] / "weights" / "best.pt", work / "weights" / f"{name}.pt")
    part, parts = (int(x) for x in options.shard.split("/"))
    mine = [i for i in items() if i.number % parts == part - 1 and (not options.only or i.truth in options.only)]
    worker = WarmWorker(scratch_folder(work / "worker" / str(part)), (), lambda fraction: None)
    analyzer.replicates.collector.executor_for = lambda *_: worker
    resumer = None if options.made else Resumer(work)
    for kind in options.passes or ("",):
        for item in mine:
            outcome = work / "outcomes" / kind / f"{item.name}.json"
            if kind and not options.again and outcome.exists():
                continue
            try:
                run = make_resume(item, killed, work, resumer)
            except RuntimeError as error:
                print(f"{item.name}: {error}", flush=True)
                continue
            if not kind:
                continue
            report = analyse(item, run, work, kind, str(part))
            named = [cause["id"] for cause in report["diagnosis"]["causes"]]
            print(f"{kind} {item.name}: {report['verdict']}, {named}, {report['seconds']} s", flush=True)


if __name__ == "__main__":
    main()
