"""Faults of the optimizer and of the batch that it sees."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from analyzer.domain.evidence import Severity
from analyzer.faults.clues import Clues, Hypothesis
from analyzer.faults.fault import TRAINING, Attempt, Family, Fault, Situation, in_training

__all__ = ["BatchChanged", "OptimizerChanged", "OptimizerLost"]


class OptimizerLost(Fault):
    """The optimizer starts without its state; its parameter groups are as they were."""

    id = "optimizer-lost"
    family = Family.OPTIMIZER
    row = "Train losses differ a little, often inside the noise of one epoch."
    audit = "An empty state, Adam's step counters. SGD has no counter: only the row can tell."
    searched = "An optimizer without state."
    remedy = "Resume from a checkpoint that holds its optimizer (weights/last.pt or epochN.pt, never a stripped one)."
    severity = Severity.HARD
    seen = "There is no optimizer state, or Adam's step counters count only the steps since the seam."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """No state, unless the counters after the resume show that it was kept."""
        return (Attempt(cls._lost, in_training(30, 10, 10, 30)),)

    @classmethod
    def _lost(cls, clues: Clues) -> Iterator[Hypothesis]:
        if not clues.state_kept:
            yield Hypothesis(((cls.id, {}),), "training differs at the scheduled learning rate")

    def edit_checkpoint(self, payload: dict[str, Any]) -> None:
        """Empty the state. Without any optimizer Ultralytics would not resume at all."""
        payload["optimizer"] = {**payload["optimizer"], "state": {}}


class OptimizerChanged(Fault):
    """Another optimizer goes on, without state, from the same learning rate.

    Parameters
    ----------
    optimizer
        Its name as Ultralytics takes it, e.g. "SGD".
    """

    id = "optimizer-changed"
    family = Family.OPTIMIZER
    row = "Train losses differ; the rate columns may too."
    audit = "The keys of the stored groups, the class before and after the seam."
    remedy = "Resume with the optimizer named in the checkpoint's train_args, set explicitly instead of optimizer=auto."
    severity = Severity.HARD
    seen = "The optimizer's class or its parameter groups are not those of the arguments or of the checkpoint before."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """The other of AdamW and SGD; no exact repeat would look for it."""
        return (Attempt(cls._other, {Situation.SIMULATED: 10}),)

    @classmethod
    def _other(cls, clues: Clues) -> Iterator[Hypothesis]:
        used = str(clues.args.get("optimizer", "auto")).lower()
        other = "AdamW" if used == "sgd" else "SGD"
        yield Hypothesis(((cls.id, {"optimizer": other}),), f"{other} may have gone on without state")

    def __init__(self, optimizer: str) -> None:
        self.optimizer = optimizer

    def at_start(self, trainer: Any) -> None:
        """Build it as `_build_train_pipeline` does, with a scheduler of its own at the same epoch."""
        args = trainer.args
        trainer.optimizer = trainer.build_optimizer(
            model=trainer.model,
            name=self.optimizer,
            lr=args.lr0,
            momentum=args.momentum,
            decay=args.weight_decay * trainer.batch_size * trainer.accumulate / args.nbs,
        )
        trainer._setup_scheduler()
        trainer.scheduler.last_epoch = trainer.start_epoch - 1


class BatchChanged(Fault):
    """Another batch or image size.

    Parameters
    ----------
    batch, imgsz
        None: as it was.
    """

    id = "batch-changed"
    family = Family.OPTIMIZER
    row = "The train losses shift a little."
    audit = "The arguments; the number of EMA updates since the seam."
    searched = "What a checkpoint after the seam says; half the batch."
    remedy = "Resume with the batch and imgsz of the checkpoint, on a device with enough free memory."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """What a later checkpoint says, which all else would lack; else half the batch."""
        later = {Situation.BATCH_KNOWN: 1, **dict.fromkeys(TRAINING, 1)}
        return (Attempt(cls._later, later), Attempt(cls._halved, in_training(20, 20, 20, 50)))

    @classmethod
    def _later(cls, clues: Clues) -> Iterator[Hypothesis]:
        later = {k: v for k, v in clues.later_args.items() if k in {"batch", "imgsz"} and isinstance(v, int)}
        if later:
            yield Hypothesis(((cls.id, later),), "a checkpoint after the seam says so")

    @classmethod
    def _halved(cls, clues: Clues) -> Iterator[Hypothesis]:
        batch = clues.args.get("batch")
        if isinstance(batch, int) and batch > 1 and clues.updates is None and not clues.read_splits:
            yield Hypothesis(((cls.id, {"batch": batch // 2}),), "Ultralytics halves the batch when out of memory")

    def __init__(self, batch: int | None = None, imgsz: int | None = None) -> None:
        self.values = {k: v for k, v in (("batch", batch), ("imgsz", imgsz)) if v is not None}

    def edit_args(self, args: dict[str, Any]) -> None:
        """Write them over the checkpoint's."""
        args.update(self.values)
