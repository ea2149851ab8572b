"""`make kills`: SIGKILL driver and worker at random instants of a study, and look at what is left.

    python tests/faults/measure_kills.py --work work/kills [--kills 200] [--out tests/faults/kills.json]

Driver, executor, pipe, store and lock are the real ones; the worker makes its replicates up, 10 ms each, so that every
instant matters: start, set-up, half-written files, the moment between two replicates. Goes on where it was stopped.
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
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cheap_worker import made

from analyzer.domain.progress import Progress, Silent
from analyzer.domain.replicate import Arm
from analyzer.pipeline.budget import Budget
from analyzer.pipeline.collect import Collector
from analyzer.replicates.executor import LocalExecutor, scratch_folder
from analyzer.replicates.job import ArmJob
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.store import Store

HERE = Path(__file__).parent
SEEDS = 60  # replicates of a study; a finished one is followed by another


class CheapExecutor(LocalExecutor):
    """The real one with the cheap worker."""

    module = "cheap_worker"


def drive(root: Path, study: str, n: int = SEEDS, progress: Progress | None = None) -> tuple[Any, ...]:
    """What a driver does, from the lock to the n-th replicate."""
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])])
    store = Store(root, study)
    facts = SimpleNamespace(store=store, base_seed=0, epochs=1)
    facts.job = lambda arm, scratch: ArmJob(arm, Path("last.pt"), {}, "cpu", 1, scratch, root, study)

    def executor(collector: Collector) -> CheapExecutor:
        return CheapExecutor(scratch_folder(store.path), (), lambda fraction: None)

    with store.lock():
        collector = Collector(facts, Budget(), progress or Silent(), make_executor=executor)
        try:
            return collector.extend(Arm("healthy"), (), n)
        finally:
            collector.close()


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


def trial(root: Path, study: str, draw: random.Random) -> dict[str, Any]:
    """Start a driver, kill it or its worker at a random instant, and compare what is there with what was."""
    folder = Store(root, study).path / "replicates" / "healthy"
    before = contents(folder)
    process = multiprocessing.get_context("fork").Process(target=drive, args=(root, study))
    victim, instant = draw.choice(("driver", "worker", "both")), draw.uniform(0.0, 2.5)
    process.start()
    assert process.pid is not None
    process.join(instant)
    worker = worker_of(process.pid)
    alive = process.is_alive()
    if victim in ("worker", "both") and worker is not None:
        os.kill(worker, signal.SIGKILL)
    if victim == "worker":
        process.join(draw.uniform(0.0, 1.5))  # the driver starts another worker and goes on
        worker = worker_of(process.pid)
    process.kill()
    process.join()
    after = contents(folder)
    right = {f"{s:010d}.json": s for s in replicate_seeds(0, SEEDS)}
    store = Store(root, study)
    return {
        "study": study,
        "victim": victim,
        "instant": round(instant, 3),
        "alive": alive,
        "finished": len(after),
        "lost": len(before.keys() - after.keys()),
        "made again": sum(after[k] != v for k, v in before.items() if k in after),
        "wrong": sum(store.get("healthy", right[name]) != made(right[name]) for name in after),
        "orphan": worker is not None and not gone(worker, 10),
    }


def complete(root: Path, study: str) -> None:
    """Finish a study without a kill; AssertionError where it is not what an undisturbed one would be."""
    assert drive(root, study) == tuple(made(s) for s in replicate_seeds(0, SEEDS))
    path = Store(root, study).path
    left = [p for p in path.rglob("*") if p.suffix in (".tmp", ".damaged")]
    assert not left and not any((path / "scratch").glob("*")), left


def campaign(root: Path, kills: int, seed: int, log: Path | None = None) -> list[dict[str, Any]]:
    """Trials up to that number; those in the log are not done again, and a full study is finished and checked."""
    done = [json.loads(line) for line in log.read_text().splitlines()] if log is not None and log.exists() else []
    while len(done) < kills:
        number = len(done)
        study = done[-1]["study"] if done else "study000"
        if done and done[-1]["finished"] >= SEEDS - 5:
            complete(root, study)
            study = f"study{int(study[5:]) + 1:03d}"
        done.append(trial(root, study, random.Random(f"{seed}/{number}")))
        if log is not None:
            with log.open("a") as f:
                f.write(json.dumps(done[-1]) + "\n")
    complete(root, done[-1]["study"])
    return done


def summary(done: list[dict[str, Any]]) -> dict[str, Any]:
    """What the trials add up to."""
    faults = {name: sum(t[name] for t in done) for name in ("lost", "made again", "wrong", "orphan")}
    victims = {v: sum(t["victim"] == v and t["alive"] for t in done) for v in ("driver", "worker", "both")}
    return {"kills": len(done), "alive": victims, "studies": len({t["study"] for t in done}), **faults}


def main() -> None:
    """Run, print, write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", 1)[0])
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--out", type=Path)
    options = parser.parse_args()
    options.work.mkdir(parents=True, exist_ok=True)
    found = summary(campaign(options.work.absolute(), options.kills, 0, options.work / "trials.jsonl"))
    print(json.dumps(found, indent=1))
    if options.out:
        options.out.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    sys.exit(bool(found["lost"] or found["made again"] or found["wrong"] or found["orphan"]))


if __name__ == "__main__":
    main()
