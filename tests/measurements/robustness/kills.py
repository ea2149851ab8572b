"""`make kills`: SIGKILL driver and worker at random instants of a study, and look at what is left.

    python -m tests.measurements.robustness.kills --work work/kills [--kills 200] [--real 12] [--out FILE.json]

Driver, executor, pipe, store and lock are the real ones; the worker makes its replicates up, 10 ms each, so that every
instant matters: start, set-up, half-written files, the moment between two replicates. A part of the kills is done with
the real worker on a tiny training. Goes on where it was stopped.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from analyzer.domain.progress import Progress, Silent
from analyzer.domain.replicate import HEALTHY, Replicate
from analyzer.replicates.budget import Budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.executors.pool import scratch_folder
from analyzer.replicates.job import ArmJob
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.store import Store
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.dataset import resolve_dataset
from tests import ROOT
from tests.support.cheap_worker import made
from tests.support.one_worker import OneWorker
from tests.support.tiny_runs import train_tiny_run

FAULTS = ("lost", "made again", "wrong", "orphan")
SEEDS = 60  # replicates of a study; a finished one is followed by another


class CheapExecutor(OneWorker):
    """The real one with the cheap worker."""

    module = "tests.support.cheap_worker"


@dataclass(frozen=True)
class Kind:
    """A kind of worker: what it trains, what comes out undisturbed, and within how many seconds it is killed."""

    executor: type[OneWorker]
    checkpoint: Path
    data: Mapping[str, Any]
    right: Callable[[int], Replicate]
    seconds: float


CHEAP = Kind(CheapExecutor, Path("last.pt"), {}, made, 2.5)


def real(folder: Path) -> Kind:
    """The real worker on a few images, and what it makes of every seed when nobody kills it."""
    run = folder / "run"
    if not (run / "weights" / "last.pt").exists():
        train_tiny_run(folder, images=8, val=4)
    facts = read_checkpoint(run / "weights" / "last.pt")
    known: dict[int, Replicate] = {}
    kind = Kind(OneWorker, facts.path, resolve_dataset(facts.train_args, run=run).raw, known.__getitem__, 0.0)
    began, note = time.monotonic(), folder / "seconds"
    known.update({r.seed: r for r in drive(folder, "undisturbed", kind=kind)})
    if not note.exists():
        note.write_text(str(time.monotonic() - began))
    return replace(kind, seconds=float(note.read_text()))


def drive(
    root: Path, study: str, n: int = SEEDS, progress: Progress | None = None, kind: Kind = CHEAP
) -> tuple[Replicate, ...]:
    """What a driver does, from the lock to the n-th replicate."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])
    store = Store(root, study)
    facts = SimpleNamespace(store=store, base_seed=0, epochs=1, facts={})
    facts.job = lambda arm, scratch: ArmJob(arm, kind.checkpoint, kind.data, "cpu", 1, scratch, root, study, threads=1)

    def executor(*_: object) -> OneWorker:
        return kind.executor(scratch_folder(store.path), (), lambda fraction: None)

    collector = Collector(facts, Budget(), progress or Silent(), make_executor=executor)
    with collector.at_work():
        return collector.extend(HEALTHY, (), n)


def timeless(replicate: Replicate | None) -> Replicate | None:
    """A replicate without how long it took."""
    return replicate and replace(replicate, epochs=tuple(replace(e, seconds=0.0) for e in replicate.epochs))


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Finished replicates: bytes and time of writing."""
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.glob("[0-9]*.json")}


def worker_of(driver: int) -> int | None:
    """The worker process of a driver, if it has started one."""
    try:
        children = Path(f"/proc/{driver}/task/{driver}/children").read_text().split()
    except OSError:
        return None
    return int(children[0]) if children else None


def gone(pid: int, seconds: float) -> bool:
    """Whether a process ends within that time."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.05)
    return False


def trial(root: Path, study: str, draw: random.Random, kind: Kind) -> dict[str, Any]:
    """Start a driver, kill it or its worker at a random instant, and compare what is there with what was."""
    folder = Store(root, study).path / "replicates" / "healthy"
    before = contents(folder)
    process = multiprocessing.get_context("fork").Process(target=drive, args=(root, study), kwargs={"kind": kind})
    victim, instant = draw.choice(("driver", "worker", "both")), draw.uniform(0.0, kind.seconds)
    process.start()
    assert process.pid is not None
    process.join(instant)
    worker = worker_of(process.pid)
    alive = process.is_alive()
    if victim in ("worker", "both") and worker is not None:
        os.kill(worker, signal.SIGKILL)
    if victim == "worker":
        process.join(draw.uniform(0.0, 0.6 * kind.seconds))  # the driver starts another worker and goes on
        worker = worker_of(process.pid)
    process.kill()
    process.join()
    after = contents(folder)
    seeds = {f"{s:010d}.json": s for s in replicate_seeds(0, SEEDS)}
    store = Store(root, study)
    left = {seeds[name]: timeless(store.get("healthy", seeds[name])) for name in after}
    return {
        "study": study,
        "victim": victim,
        "instant": round(instant, 3),
        "alive": alive,
        "finished": len(after),
        "lost": len(before.keys() - after.keys()),
        "made again": sum(after[k] != v for k, v in before.items() if k in after),
        "wrong": sum(found != timeless(kind.right(seed)) for seed, found in left.items()),
        # A worker that is still being imported sees only then that its driver is gone: seconds, on a busy machine more.
        "orphan": worker is not None and not gone(worker, 60),
    }


def complete(root: Path, study: str, kind: Kind) -> None:
    """Finish a study without a kill; AssertionError where it is not what an undisturbed one would be."""
    found = drive(root, study, kind=kind)
    assert list(map(timeless, found)) == [timeless(kind.right(s)) for s in replicate_seeds(0, SEEDS)]
    path = Store(root, study).path
    left = [p for p in path.rglob("*") if p.suffix in (".tmp", ".damaged")]
    assert not left and not any((path / "scratch").glob("*")), left


def campaign(root: Path, kills: int, seed: int, log: Path | None = None, kind: Kind = CHEAP) -> list[dict[str, Any]]:
    """Trials up to that number; those in the log are not done again, and a full study is finished and checked."""
    done = [json.loads(line) for line in log.read_text().splitlines()] if log is not None and log.exists() else []
    while len(done) < kills:
        number = len(done)
        study = done[-1]["study"] if done else "study000"
        if done and done[-1]["finished"] >= SEEDS - 5:
            complete(root, study, kind)
            study = f"study{int(study[5:]) + 1:03d}"
        done.append(trial(root, study, random.Random(f"{seed}/{number}"), kind))
        if log is not None:
            with log.open("a") as f:
                f.write(json.dumps(done[-1]) + "\n")
    complete(root, done[-1]["study"], kind)
    return done


def summary(done: list[dict[str, Any]]) -> dict[str, Any]:
    """What the trials add up to."""
    faults = {name: sum(t[name] for t in done) for name in FAULTS}
    victims = {v: sum(t["victim"] == v and t["alive"] for t in done) for v in ("driver", "worker", "both")}
    return {"kills": len(done), "alive": victims, "studies": len({t["study"] for t in done}), **faults}


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--real", type=int, default=12)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    work = options.work.absolute()
    (work / "real").mkdir(parents=True, exist_ok=True)
    found = {"cheap": summary(campaign(work, options.kills, 0, work / "trials.jsonl"))}
    if options.real:
        trained = campaign(work / "real", options.real, 0, work / "real" / "trials.jsonl", real(work / "real"))
        found["real"] = summary(trained)
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(any(part[fault] for part in found.values() for fault in FAULTS))


if __name__ == "__main__":
    main()
