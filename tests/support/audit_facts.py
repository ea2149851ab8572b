"""Facts made by hand: a healthy resume of 10 epochs, 5 of them before the seam, that a test spoils."""

from dataclasses import replace
from pathlib import Path

import numpy as np

from analyzer.diagnosis.audit import AuditFacts, Side
from analyzer.diagnosis.audit.facts import DataFacts
from analyzer.diagnosis.audit.schedule import decay
from analyzer.domain.checkpoint import Checkpoint
from analyzer.domain.run import History, Run, Seam, SeamSign
from analyzer.runs.tensors import GroupFacts, MomentFacts, OptimizerFacts, TensorFacts

ARGS = {
    "epochs": 20, "batch": 4, "nbs": 4, "optimizer": "AdamW", "lr0": 0.01, "lrf": 0.01, "warmup_epochs": 0.0,
    "close_mosaic": 2, "device": "cpu", "amp": True, "resume": False, "cos_lr": False, "workers": 0,
    "warmup_bias_lr": 0.1, "mosaic": 1.0,
}  # fmt: skip
SEAM, N, BATCHES = 6, 10, 5
NAMES = {0: "cat", 1: "dog", 2: "cow"}
ADAMW = {"betas": (0.9, 0.999), "amsgrad": False, "decoupled_weight_decay": True, "initial_lr": 0.01}


def history(**columns):
    epochs = np.arange(1, N + 1)
    rate = np.array([0.01 * decay(ARGS, int(e) - 1) for e in epochs])
    held = {"train/box_loss": 2.0 / epochs, "val/box_loss": 3.0 / epochs, "lr/pg0": rate, "lr/pg1": rate, **columns}
    values = np.column_stack([np.round(v, 8) for v in held.values()])
    return History(Path("/run/results.csv"), epochs, None, tuple(held), values, np.full(len(held), 1e-5))


def seam(**changes):
    return replace(Seam(SEAM, SEAM - 1, SEAM - 2, SeamSign.TIME_FALLS, "time falls."), **changes)


def tensors(steps, options=ADAMW, states=2, vanished=0.0, formats=("float32",), **changes):
    groups = tuple(GroupFacts(name, 2, options) for name in ("weight", "bias"))
    moments = {"exp_avg": MomentFacts(formats, 10, 0.0, True), "exp_avg_sq": MomentFacts(formats, 10, vanished, True)}
    held = OptimizerFacts(groups, states, (float(steps),), moments, vanished)
    return replace(TensorFacts(4, (), held, {}, True), **changes)


def checkpoint(at, **changes):
    """Of the epoch that results.csv counts as `at`."""
    whole = Checkpoint(
        path=Path(f"/run/weights/epoch{at - 1}.pt"),
        sha256="0" * 64,
        epoch=at - 1,
        updates=at * BATCHES,
        version="8.4.190",
        date="2026-01-02T00:00:00+00:00",
        task="detect",
        train_args=ARGS,
        train_metrics={"val/box_loss": round(3.0 / at, 5)},
        has_optimizer=True,
        optimizer_kind="Adam-like",
        names=NAMES,
    )
    return replace(whole, **changes)


def facts(**changes):
    args = {**ARGS, "resume": "/run/weights/last.pt"}
    run = Run(Path("/run"), history(), args, ())
    before = Side(checkpoint(SEAM - 1), tensors((SEAM - 1) * BATCHES))
    after = Side(checkpoint(SEAM), tensors(SEAM * BATCHES))
    data = DataFacts(names=NAMES, images={"train": 4 * BATCHES, "val": 4}, labels={"train": 20, "val": 4})
    return replace(AuditFacts(run, seam(), (seam(),), before, after, data), **changes)


def with_history(**columns):
    whole = facts()
    return replace(whole, run=replace(whole.run, history=history(**columns)))


def with_after(**changes):
    whole = facts()
    return replace(whole, after=Side(checkpoint(SEAM, **changes), whole.after.tensors))


def with_before(**changes):
    whole = facts()
    return replace(whole, before=Side(checkpoint(SEAM - 1, **changes), whole.before.tensors))
