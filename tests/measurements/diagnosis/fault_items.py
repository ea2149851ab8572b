"""Which resumes the diagnosis is measured on: what only the scorer may know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

CHECKPOINTS = ("young", "mature-sgd")  # AdamW with an EMA that follows closely; SGD with one that hardly moves
HEALTHY = 20  # of each checkpoint
SEED = 40_000  # of the resumes, one each; the nulls' base seeds start at a million

#: Fault to the ways of making it: three on the young checkpoint, three on the mature one. "files": the checkpoint, the
#: arguments or the data are edited before the resume (inject_files.py); "runtime": the script that trains does it
#: (inject_runtime.py). Half and half where both exist.
WAYS: dict[str, tuple[tuple[str, str, str], tuple[str, str, str]]] = {
    "not-a-resume": (
        ("files:not-resumed", "runtime:state-not-loaded", "files:stripped"),
        ("runtime:state-not-loaded", "files:not-resumed", "runtime:state-not-loaded"),
    ),
    "weights-replaced": (
        ("files:weights-of-older", "runtime:pretrained", "files:weights-of-best"),
        ("runtime:weights-of-older", "files:weights-of-another", "runtime:pretrained"),
    ),
    "wrong-checkpoint": (
        ("files:older-file", "runtime:older-state", "files:older-renumbered"),
        ("runtime:older-state", "files:older-file", "runtime:older-state"),
    ),
    "optimizer-lost": (
        ("files:state-empty", "runtime:state-cleared", "files:moments-zero"),
        ("runtime:state-cleared", "files:state-empty", "runtime:optimizer-rebuilt"),
    ),
    "optimizer-changed": (
        ("files:optimizer-SGD", "runtime:optimizer-SGD", "files:optimizer-Adam"),
        ("runtime:optimizer-AdamW", "files:optimizer-AdamW", "runtime:optimizer-RMSProp"),
    ),
    "lr-jump": (
        ("files:lr-3", "runtime:lr-10", "files:lr-10"),
        ("runtime:lr-3", "files:lr-10", "runtime:schedule-restart"),
    ),
    "warmup-repeated": (
        ("runtime:warmup-1", "runtime:warmup-3", "runtime:warmup-1"),
        ("runtime:warmup-1", "runtime:warmup-3", "runtime:warmup-1"),
    ),
    "ema-reset": (
        ("files:updates-0", "runtime:ema-new", "files:updates-100"),
        ("runtime:ema-new", "files:updates-0", "runtime:ema-raw"),
    ),
    "mosaic-state": (
        ("files:mosaic-0", "runtime:mosaic-closed", "files:close-mosaic"),
        ("runtime:mosaic-closed", "files:close-mosaic", "runtime:mosaic-off"),
    ),
    "augmentation-changed": (
        ("files:mixup", "runtime:no-augmentation", "files:flip"),
        ("runtime:default-augmentation", "files:no-colour", "runtime:mixup"),
    ),
    "wrong-data": (
        ("files:other-train", "runtime:val-reads-train", "files:classes-permuted"),
        ("runtime:labels-permuted", "files:other-val", "runtime:train-reads-val"),
    ),
    "batch-changed": (
        ("files:batch-2", "runtime:out-of-memory", "files:imgsz-64"),
        ("runtime:out-of-memory", "files:batch-8", "runtime:out-of-memory"),
    ),
    "head-rebuilt": (
        ("files:head-random", "runtime:head-random", "files:classes-random"),
        ("runtime:head-random", "files:head-random", "runtime:classes-random"),
    ),
}
ROUNDS = 3


@dataclass(frozen=True)
class Item:
    """One resume."""

    name: str
    checkpoint: str
    truth: str
    way: str
    number: int


def items() -> list[Item]:
    """All resumes in the order in which they are made: a part of the list is a balanced part of the whole."""
    rng = np.random.default_rng(11)
    found: list[Item] = []
    for turn in range(ROUNDS):
        healthy = [c for c in CHECKPOINTS for _ in range(HEALTHY * turn // ROUNDS, HEALTHY * (turn + 1) // ROUNDS)]
        faulty = [(c, f, ways[k][turn]) for f, ways in WAYS.items() for k, c in enumerate(CHECKPOINTS)]
        all_ = [*((c, "healthy", "") for c in healthy), *faulty]
        made = [Item(rng.bytes(5).hex(), *all_[i], len(found) + k) for k, i in enumerate(rng.permutation(len(all_)))]
        found += sorted(made, key=lambda item: item.truth == "healthy")  # what is dear comes last
    return found
