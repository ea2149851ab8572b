"""Real runs for demo, measurements and tests: trained, killed and resumed with plain Ultralytics in child processes.

A run directory made here is what a user has after a power cut: the training process was ended by SIGKILL after an epoch
was saved, and another process resumed it. Nothing of `analyzer` takes part.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
DATA = HERE / "digits" / "digits.yaml"
MODEL = HERE / "yolov8-demo.yaml"
SEAM = 34  # last epoch before the kill, as results.csv counts
SEAM_FILE = f"epoch{SEAM - 1}.pt"  # Ultralytics numbers its files from 0
LR0 = 0.001

#: Arguments of the demo training. nbs = batch: each of the 52 batches of an epoch is an optimizer step.
TRAIN_ARGS: dict[str, Any] = {
    "imgsz": 96,
    "batch": 4,
    "nbs": 4,
    "epochs": 80,
    "optimizer": "AdamW",
    "lr0": LR0,
    "warmup_epochs": 1.0,
    "fliplr": 0.0,  # a mirrored digit is another sign
    "save_period": 11,
    "device": "cpu",
    "workers": 0,
    "deterministic": True,
    "seed": 0,
    "plots": False,
    "verbose": False,
    "exist_ok": True,
}


#: Trackers that the tools of development bring along (tests use the real libraries). Ultralytics would import them in
#: every training and log it there: a demo is no experiment.
_NO_TRACKERS = {"mlflow": False, "raytune": False, "wandb": False}


class TrainingError(RuntimeError):
    """A training process ended before the epoch that was waited for; the message holds the end of its log."""


def child_environment(scratch: Path) -> dict[str, str]:
    """Environment of a training process: no downloads, no installs, Ultralytics settings of its own below `scratch`."""
    config = scratch / "ultralytics-settings"
    settings = config / "Ultralytics" / "settings.json"
    if not settings.exists():  # Ultralytics adds what is missing
        settings.parent.mkdir(parents=True, exist_ok=True)
        settings.write_text(json.dumps(_NO_TRACKERS), encoding="utf-8")
    return {
        **os.environ,
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        "YOLO_CONFIG_DIR": str(config),
        "PYTHONUNBUFFERED": "1",
    }


def _run_until_killed(mode: str, model: Path, until: int, args: Mapping[str, Any], scratch: Path, log: Path) -> None:
    """Start a training process and SIGKILL it once it says that epoch `until` is saved."""
    order = json.dumps({"model": str(model), "until": until, "args": dict(args)})
    command = [sys.executable, str(HERE / "plain_training.py"), mode, order]
    tail: list[str] = []
    with (
        log.open("a", encoding="utf-8") as sink,
        subprocess.Popen(
            command, env=child_environment(scratch), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                sink.write(line)
                tail = [*tail[-19:], line]
                if line.startswith("saved epoch") and int(line.split()[-1]) == until:
                    return  # the kill is in `finally`
        finally:
            process.send_signal(signal.SIGKILL)
            process.wait()
    raise TrainingError(f"training ended before epoch {until} was saved; log {log}:\n{''.join(tail)}")


def train_and_kill(run: Path, until: int = SEAM, *, model: Path = MODEL, data: Path = DATA, **args: Any) -> Path:
    """Train into the new directory `run` and SIGKILL the process once epoch `until` (as results.csv counts) is saved.

    Keyword arguments override `TRAIN_ARGS`. Returns `run`.
    """
    run = run.resolve()
    if run.exists():
        raise FileExistsError(run)
    run.parent.mkdir(parents=True, exist_ok=True)
    merged = {**TRAIN_ARGS, "data": str(data.resolve()), **args, "project": str(run.parent), "name": run.name}
    _run_until_killed("train", model, until, merged, run.parent, run.parent / f"{run.name}.log")
    return run


def resume_and_kill(run: Path, until: int, *, checkpoint: str = "last.pt", **args: Any) -> Path:
    """Resume `run` with plain Ultralytics in a new process; SIGKILL it once epoch `until` is saved. Returns `run`.

    Keyword arguments go to `train(resume=True, ...)`: Ultralytics accepts few (batch, imgsz, close_mosaic, ...).
    """
    run = run.resolve()
    _run_until_killed("resume", run / "weights" / checkpoint, until, args, run.parent, run.parent / f"{run.name}.log")
    return run


def copy_run(run: Path, to: Path, *, weights: tuple[str, ...] | None = None) -> Path:
    """Copy a run directory without the tool's own ``drift`` folder; only the named weight files where given.

    Checkpoints in the copy still name the old directory: resume it only after `relocate`.
    """
    shutil.copytree(run, to, ignore=shutil.ignore_patterns("drift", "weights" if weights is not None else ""))
    for name in weights or ():
        (to / "weights").mkdir(exist_ok=True)
        shutil.copy2(run / "weights" / name, to / "weights" / name)
    return to.resolve()


def edit_checkpoint(source: Path, target: Path, *, updates: int | None = None, **train_args: Any) -> Path:
    """Write a copy of a checkpoint with other training arguments and, where given, another EMA update counter.

    `ema.args` holds a second copy of the arguments: both are changed. The file is unpickled, so only checkpoints of
    one's own may be given.
    """
    import torch

    checkpoint = torch.load(source, map_location="cpu", weights_only=False)
    checkpoint["train_args"] = {**checkpoint["train_args"], **train_args}
    inner = checkpoint["ema"].args
    if isinstance(inner, dict):
        inner.update(train_args)
    else:
        for key, value in train_args.items():
            setattr(inner, key, value)
    if updates is not None:
        checkpoint["updates"] = int(updates)
    torch.save(checkpoint, target)
    return target


def relocate(run: Path, *, checkpoint: str = "last.pt", **train_args: Any) -> Path:
    """Make a checkpoint of a copied run belong to the copy, with other training arguments where given. Returns it."""
    run = run.resolve()
    path = run / "weights" / checkpoint
    place = {"save_dir": str(run), "project": str(run.parent), "name": run.name}
    return edit_checkpoint(path, path, **place, **train_args)


def mature_twin(source: Path, target: Path, updates: int = 20_000) -> Path:
    """Write the mature twin of a checkpoint: the same with as many EMA updates as a usual run has.

    The EMA decay is 0.9999 (1 - exp(-updates / 2000)), so from about 20,000 on the validated weights hardly move
    in one epoch.
    """
    if updates < 20_000:
        raise ValueError(f"a mature twin has at least 20000 updates, not {updates}")
    return edit_checkpoint(source, target, updates=updates)


def mature_run(killed: Path, to: Path, updates: int = 20_000) -> Path:
    """Copy a killed run into `to` and make its last.pt and its seam checkpoint mature twins. Returns `to`.

    Its history is that of the young run; only what follows the seam is mature.
    """
    names = ("last.pt", _newest_periodic(killed))
    copy_run(killed, to, weights=names)
    for name in names:
        relocate(to, checkpoint=name)
        mature_twin(to / "weights" / name, to / "weights" / name, updates)
    return to.resolve()


def resumed_copy(killed: Path, to: Path, *, epochs: int = 1, **train_args: Any) -> Path:
    """Copy a killed run, edit `train_args` in its last.pt (seed, lr0, ...), resume for `epochs` epochs. Returns `to`.

    The periodic checkpoint of the seam (``epochN.pt``) stays as it was: it is what the resume is judged against.
    """
    copy_run(killed, to, weights=("last.pt", _newest_periodic(killed)))
    relocate(to, **train_args)
    last = int((to / "results.csv").read_text(encoding="utf-8").strip().splitlines()[-1].split(",")[0])
    return resume_and_kill(to, last + epochs)


def _newest_periodic(run: Path) -> str:
    """Name of the newest ``epochN.pt``."""
    return max(run.glob("weights/epoch*.pt"), key=lambda p: int(p.stem.removeprefix("epoch"))).name
