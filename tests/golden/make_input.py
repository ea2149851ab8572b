"""Train the runs that the golden reports judge, analyze them once, and keep what a later analysis reads.

``python -m tests.golden.make_input`` trains a detector of some 10,000 parameters on 16 pictures for minutes on one
CPU core. It is needed only where the input itself must change: another basis, another store format. The reports alone
are written again by ``python -m tests.golden.write``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from analyzer.domain.progress import Silent
from analyzer.pipeline import analyze
from analyzer.runs.versions import installed_versions
from data import demo_runs
from tests.golden.pipeline import BASES, INPUT, request_of
from tests.support.tiny_runs import make_tiny_data

HERE = Path(__file__).parent
KILLED, LAST = 11, 13  # epochs; Ultralytics counts from 0 and keeps each multiple of save_period
LOCAL = ("cache", "lock", "log")  # endings of what an analysis leaves beside its store


def train(root: Path) -> None:
    """Every run of `BASES` below `root`: killed, resumed, resumed under the guard, and a new training."""
    make_tiny_data(root / "data")
    given = {"imgsz": 32, "epochs": LAST, "warmup_epochs": 0.0, "close_mosaic": 0, "save_period": KILLED - 1}
    given |= {"optimizer": "AdamW", "lr0": 0.001, "workers": 0, "project": str(root)}
    plain = {**demo_runs.TRAIN_ARGS, **given, "data": "data/tiny.yaml"}  # relative: the input is unpacked elsewhere

    def until(model: Path, name: str, epoch: int, **more: object) -> Path:
        demo_runs._run_until_killed("train", model, epoch, {**plain, **more, "name": name}, root, root / f"{name}.log")
        return root / name

    killed = until(HERE / "tiny.yaml", "killed", KILLED)
    noise = demo_runs.resumed_copy(killed, root / "noise")
    demo_runs.resumed_copy(killed, root / "fault", lr0=0.05)
    demo_runs.copy_run(noise, root / "borrowed", weights=("last.pt",))
    demo_runs.copy_run(noise, root / "history", weights=())
    until(killed / "weights" / "last.pt", "continuation", 1, mosaic=0.0, lr0=0.004)
    guarded = demo_runs.copy_run(killed, root / "part", weights=("last.pt",))
    last = demo_runs.relocate(guarded)
    command = [sys.executable, "-m", "analyzer.integrations.yolo", "--epochs", "1", "train", "resume", f"model={last}"]
    subprocess.run(command, env=demo_runs.child_environment(root), check=True, stdout=subprocess.DEVNULL)


def keep(root: Path) -> None:
    """Pack the runs, their stores and the versions that trained them; reports are made again, not kept."""
    used = {name for basis in BASES.values() for name in (basis["run"], basis.get("before")) if name}
    left = [p for n in ("data", *used) for p in sorted((root / n).rglob("*")) if p.is_file()]
    unused = {root / name / "weights" / "best.pt" for name in used}
    with tarfile.open(INPUT, "w:xz") as packed:
        for file in left:
            made = file.name.startswith("report.") or file.suffix.lstrip(".") in LOCAL
            if not made and file not in unused and file.suffix != ".jpg.npy":
                packed.add(file, file.relative_to(root))


def main() -> None:
    os.environ["OMP_NUM_THREADS"] = "1"
    root = Path(tempfile.mkdtemp(prefix="golden"))
    os.chdir(root)
    train(root)
    for basis in BASES:
        analysis = analyze(request_of(basis), Silent())
        print(basis, analysis.decision.verdict.value, analysis.n_replicates, flush=True)
    versions = json.dumps(installed_versions(), indent=1)
    (root / "data" / "versions.json").write_text(versions, encoding="utf-8")
    keep(root)
    print(root, INPUT.stat().st_size)


if __name__ == "__main__":
    main()
