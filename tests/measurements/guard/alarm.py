"""The guard's alarm inside the epoch, on real resumes of an epoch of 200 batches: ``make measure-guard``.

A run of plain Ultralytics is killed after 12 epochs (400 images of digits, batch 2, AdamW). Its checkpoint is resumed
40 times with other seeds, healthy, and 20 times with every learning rate times ten, each time guarded with
``on_fault="stop"``, K = 1, and with one of 18 nulls of five replicates each that share none. A learning rate is seen
at the first look without statistics, so the faulty resumes are made twice: as the guard is, and with its check of the
rates off, which leaves the losses. Resumable; the working folder is kept outside git.

The second part draws nulls and a resume at random from all replicates, again and again: the rate of false alarms of the
looks inside the epoch, with more draws than there are real resumes (the draws share replicates).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.domain.evidence import Verdict
from analyzer.integrations.callback import add_drift_callback
from analyzer.pipeline.guard import early
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.store import Store
from data import make_digits
from data.demo_runs import child_environment, train_and_kill
from tests import ROOT

ARGS: dict[str, Any] = {"epochs": 60, "save_period": 1, "seed": 3, "imgsz": 96, "batch": 2, "nbs": 2}
MODEL = ROOT / "data" / "yolov8-shallow.yaml"
KILLED, IMAGES = 12, {"train": 400, "val": 64}
HEALTHY, FAULTY = 40, 20  # resumes
NULLS, EACH = 18, 5  # nulls, replicates of each; a null serves at most three resumes of a kind
SEED = 900_000  # of the live resumes; those of replicates are drawn by the tool
ALPHA, FACTOR = 0.05, 10.0
KINDS = ("healthy", "faulty", "faulty, losses alone")
OUT = Path(__file__).with_name("alarm.json")


def make_run(work: Path) -> tuple[Path, Path]:
    """The killed run, and an untouched copy of it: each resume starts from the same path, so from the same bytes."""
    run, pristine = work / "young", work / "young.killed"
    if not pristine.exists():
        make_digits.IMAGES.update(IMAGES)
        make_digits.make(work / "digits400")
        shutil.rmtree(run, ignore_errors=True)
        train_and_kill(run, KILLED, model=MODEL, data=work / "digits400" / "digits.yaml", **ARGS)
        shutil.copytree(run, work / "young.partial")
        (work / "young.partial").rename(pristine)
    return run, pristine


def make_pool(work: Path, run: Path, n: int) -> Path:
    """At least n replicates of the checkpoint by ``drift replicate``; the study folder. Goes on where it stopped."""
    command = [sys.executable, "-m", "analyzer", "replicate", str(run / "weights" / "last.pt"), "-n", str(n)]
    command += ["--out", str(work / "pool")]
    done = subprocess.run(command, env=child_environment(work), stdout=subprocess.PIPE, text=True, check=True)
    return Path(done.stdout.strip().splitlines()[-1])


def items() -> Iterator[tuple[str, int]]:
    """Kind and number of each resume: the number names its seed and its null."""
    for number in range(HEALTHY):
        yield "healthy", number
        if number < FAULTY:
            yield from (("faulty", number), ("faulty, losses alone", number))


def resume(kind: str, number: int, run: Path) -> None:
    """One guarded resume in this (forked) process, which ends with it."""
    from ultralytics import YOLO

    from analyzer.faults.rates import LrJump
    from analyzer.replicates.worker.seeding import reseed

    log = os.open(run.parent / f"{kind}-{number}.log", os.O_CREAT | os.O_WRONLY | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    if kind == "faulty, losses alone":
        whole = early.watch_for
        early.watch_for = lambda *a, **k: w.losses_alone() if (w := whole(*a, **k)) is not None else None

    def start(trainer: Any) -> None:
        reseed(trainer, SEED + number)
        if kind != "healthy":
            LrJump(FACTOR).at_start(trainer)

    try:
        model = add_drift_callback(YOLO(str(run / "weights" / "last.pt")), epochs=1, on_fault="stop", alpha=ALPHA)
        model.add_callback("on_train_start", start)
        model.add_callback("on_fit_epoch_end", lambda trainer: None if trainer.stop else os._exit(0))
        model.train(resume=True)
        os._exit(0)
    except BaseException:
        traceback.print_exc()
        os._exit(1)


def give_null(pool: Path, run: Path, number: int) -> None:
    """Put the null of that number into the run, as ``drift replicate`` would have: no replicate is in two of them."""
    target = run / "drift" / pool.name
    (target / "replicates" / "healthy").mkdir(parents=True)
    shutil.copy2(pool / "study.json", target)
    for seed in replicate_seeds(0, EACH, first=EACH * (number % NULLS)):
        shutil.copy2(Store(pool.parent, pool.name).file_of("healthy", seed), target / "replicates" / "healthy")


def measure(work: Path, pool: Path) -> None:
    """Every resume that has no outcome yet."""
    import torch
    import ultralytics.models  # noqa: F401  (before the fork, so that each resume need not)

    import analyzer.pipeline.guard.check  # noqa: F401

    torch.set_num_threads(1)
    run, pristine = make_run(work)
    (work / "outcomes").mkdir(exist_ok=True)
    for kind, number in items():
        outcome = work / "outcomes" / f"{kind}-{number}.json"
        if outcome.exists():
            continue
        shutil.rmtree(run, ignore_errors=True)
        shutil.copytree(pristine, run)
        give_null(pool, run, number)
        before, started = (run / "weights" / "last.pt").read_bytes(), time.monotonic()
        child = os.fork()
        if child == 0:
            resume(kind, number, run)
        if os.waitpid(child, 0)[1] != 0:
            raise RuntimeError((run.parent / f"{kind}-{number}.log").read_text(errors="replace")[-2000:])
        report = json.loads((run / "drift" / "guard.json").read_text(encoding="utf-8"))
        report["last_untouched"] = (run / "weights" / "last.pt").read_bytes() == before
        report["seconds"] = round(time.monotonic() - started, 1)
        outcome.write_text(json.dumps(report), encoding="utf-8")
        last = report["early"][-1]["batch"]
        print(f"{kind} {number}: {report['verdict']}, stopped {report['stopped']}, last look {last}", flush=True)


def summary(work: Path) -> dict[str, Any]:
    """What the real resumes gave, kind by kind."""
    found: dict[str, Any] = {}
    for kind in KINDS:
        files = sorted((work / "outcomes").glob(f"{kind}-[0-9]*.json"))
        reports = [json.loads(p.read_text(encoding="utf-8")) for p in files]
        alarms = [next((c for c in r["early"] if c["verdict"] == "FAULT"), None) for r in reports]
        batches = [a["batch"] for a in alarms if a]
        stopped = [r for r, a in zip(reports, alarms, strict=True) if a]
        found[kind] = {
            "resumes": len(reports),
            "batches an epoch": reports[0]["early"][0]["of"],
            "FAULT inside the epoch": len(batches),
            "within 10 % of the batches": sum(10 * a["batch"] <= a["of"] for a in alarms if a),
            "FAULT after the epoch": sum(c["verdict"] == "FAULT" for r in reports for c in r["checks"]),
            "at batch": {str(b): batches.count(b) for b in sorted(set(batches))},
            "last.pt untouched where stopped inside": sum(r["last_untouched"] for r in stopped),
            "errors": sum(bool(r["error"]) for r in reports),
        }
    return found


def drawn(pool: Path, draws: int) -> list[dict[str, Any]]:
    """False alarms of the looks inside the epoch, nulls and resume drawn from all replicates."""
    whole = Store(pool.parent, pool.name).all("healthy")
    batches, rows = whole[0].epochs[0].within.batches, []
    for n in (3, 5, 10):
        rng, false = np.random.default_rng(n), 0
        for _ in range(draws):
            chosen = [whole[int(k)] for k in rng.permutation(len(whole))[: n + 1]]
            small = dict.fromkeys(chosen[0].epochs[0].printed, 0.0)  # margins: nothing counts as small
            watch = early.watch_with(tuple(chosen[:-1]), batches, study="pool", margins=small, alpha=ALPHA / 2)
            after = chosen[-1].epochs[0].within.after
            checks = [watch.look(done, after[done]) for done in watch.marks]
            false += any(c.decision.verdict is Verdict.FAULT for c in checks)
        rows.append({"replicates": n, "draws": draws, "alpha": ALPHA / 2, "false alarms": false})
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--work", type=Path, default=Path("work") / "alarm")
    parser.add_argument("--draws", type=int, default=2000)
    options = parser.parse_args()
    work = options.work.resolve()
    work.mkdir(parents=True, exist_ok=True)
    run, pristine = make_run(work)
    shutil.rmtree(run, ignore_errors=True)  # the last resume has written into it
    shutil.copytree(pristine, run)
    pool = make_pool(work, run, NULLS * EACH)
    measure(work, pool)
    document = {"made_by": "make measure-guard", "real resumes": summary(work), "drawn": drawn(pool, options.draws)}
    OUT.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    print(json.dumps(document, indent=1))


if __name__ == "__main__":
    main()
