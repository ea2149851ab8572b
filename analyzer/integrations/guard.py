"""The guard of a resume: keeps the seam, judges the first epochs, warns or stops; it never breaks a training.

It holds where the resume stands. What is compared lies in `pipeline.guard`: `early` (inside the first resumed epoch)
and `check` (the row of an epoch); what is noted and said lies in `guard_record`.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import DataError, UsageError
from analyzer.integrations.guard_record import GuardRecord, is_fault, log, reason_of

if TYPE_CHECKING:
    from analyzer.pipeline.guard.early import EarlyCheck, Watch
    from analyzer.replicates.worker.running_losses import Running

__all__ = ["EVENTS", "Guard"]

EVENTS = (
    "on_pretrain_routine_start",
    "on_train_epoch_start",
    "on_train_batch_end",
    "on_train_epoch_end",
    "on_fit_epoch_end",
)
ON_FAULT = ("warn", "stop")
EARLY_SHARE = 0.5  # of alpha, for the looks inside the epoch, where there is a null for them


def _harmless(callback: Callable[[Guard, Any], None]) -> Callable[[Guard, Any], None]:
    """Turn any error of the guard's own into one warning, after which this guard is off."""

    @functools.wraps(callback)
    def run(guard: Guard, trainer: Any) -> None:
        if guard.off or not _first_rank():
            return
        try:
            callback(guard, trainer)
        except Exception as error:  # whatever it is: the user's training goes on
            guard.off = True
            text = f"{type(error).__name__}: {error}"
            log(f"it is off for the rest of this training, which goes on: {text}")
            if guard.record is not None:
                guard.record.error(text)

    return run


def _first_rank() -> bool:
    """Under DDP rank 0 alone has the metrics and writes the checkpoints."""
    return os.environ.get("RANK", "-1") in ("-1", "0")


@dataclass(eq=False)
class Guard:
    """Callbacks of one trainer; travels to the workers of a DDP training by pickle, so it holds plain values only.

    Parameters
    ----------
    epochs
        K, how many resumed epochs are judged.
    on_fault
        "warn", or "stop": end the training cleanly, at once inside the first resumed epoch, later after the epoch.
    alpha
        Rate of false alarms over all looks, those inside the first epoch and those after each of the K, in (0, 0.5).
    """

    epochs: int = 3
    on_fault: str = "warn"
    alpha: float = 0.05
    off: bool = True
    record: GuardRecord | None = None
    kept: Path | None = None
    first: int = 0
    trained: bool = False
    alarmed: bool = False
    left: bool = False
    spent: float = 0.0  # of alpha, inside the first epoch; the rows of all K epochs have the rest
    running: Running | None = None
    watch: Watch | None = None

    def __post_init__(self) -> None:
        if self.on_fault not in ON_FAULT:
            raise UsageError(f"on_fault={self.on_fault!r} is unknown.", "Use 'warn' or 'stop'.")
        if self.epochs < 1 or not 0 < self.alpha < 0.5:
            raise UsageError(
                f"epochs={self.epochs}, alpha={self.alpha} make no sense.", "Use epochs >= 1 and 0 < alpha < 0.5."
            )

    def on_pretrain_routine_start(self, trainer: Any) -> None:
        """Keep checkpoint and data manifest, before the resume writes anything; a new training is not guarded."""
        self.off, self.record, self.kept = not getattr(trainer.args, "resume", None), None, None
        self.alarmed = self.left = False
        self.spent = 0.0
        self.running = self.watch = None
        self._keep(trainer)

    @_harmless
    def _keep(self, trainer: Any) -> None:
        from analyzer.replicates.archive import keep_checkpoint, keep_manifest
        from analyzer.runs.checkpoint import read_checkpoint
        from analyzer.runs.dataset import resolve_dataset

        self.record = record = GuardRecord(Path(trainer.save_dir).absolute())
        # Ultralytics unpickles this very file next; here it is only scanned, so own classes in it do no harm.
        checkpoint = read_checkpoint(Path(str(trainer.args.resume)), trust=True)
        if not checkpoint.resumable:
            self.off = True  # Ultralytics says so itself
            return
        self.first = checkpoint.resumes_at
        self.kept = keep_checkpoint(checkpoint, record.run / "drift")
        record.begin(checkpoint, self.kept, on_fault=self.on_fault, alpha=self.alpha, epochs=self.epochs)
        try:
            named = trainer.args.data or checkpoint.train_args.get("data")
            data = resolve_dataset({**checkpoint.train_args, "data": named}, run=record.run)
            keep_manifest(checkpoint, data, record.run / "drift")
        except DataError as error:  # the checkpoint is what cannot be had again; the epochs can still be judged
            record.values["error"] = f"no manifest of the data: {error}"
            log(f"no manifest of the data was kept: {error}")
        record.write()

    @_harmless
    def on_train_epoch_start(self, trainer: Any) -> None:
        """Before the first resumed epoch, and again where it starts anew with a smaller batch: find what is stored."""
        self.running = self.watch = None
        if self.record is None or self.kept is None or int(trainer.epoch) + 1 != self.first:
            return
        from analyzer.pipeline.guard.early import watch_for
        from analyzer.replicates.worker.running_losses import Running

        batches, seed = len(trainer.train_loader), getattr(trainer.args, "seed", None)
        exact = str(getattr(trainer.device, "type", trainer.device)) == "cpu" and not _many(trainer)
        seed = seed if exact and type(seed) is int else None
        alpha = EARLY_SHARE * self.alpha
        self.watch = watch_for(self.record.run, self.kept, first=self.first, batches=batches, alpha=alpha, seed=seed)
        if self.watch is not None and self.watch.has_null:
            self.spent = alpha
        self.running = Running(batches, every=self.watch is not None and self.watch.replay is not None)

    @_harmless
    def on_train_batch_end(self, trainer: Any) -> None:
        """Read the running losses at the marks, at every batch where there is a replay, and compare."""
        if self.running is None or self.left:
            return
        row = self.running.batch_done(trainer)
        if row is None:
            return
        marked = self.running.done in self.running.looks
        if marked:
            self._keep_running()
        if self.watch is None or self.alarmed:  # said once; the row will tell how much it matters
            return
        check = self.watch.batch(self.running.done, row)
        if check is None and self.watch.replay is None and marked:
            check = self.watch.look(self.running.done, row)
        if check is not None:
            self._early(trainer, check)

    def _early(self, trainer: Any, check: EarlyCheck) -> None:
        """Note a look inside the epoch; on FAULT warn, or leave the epoch."""
        assert self.record is not None
        stop = is_fault(check) and self.on_fault == "stop"
        self.record.early(check, stop=stop)
        if not is_fault(check):
            return
        self.alarmed, self.left = True, stop
        where = f"after batch {check.batch} of {check.of} of epoch {self.first}"
        log(f"FAULT {where}: {reason_of(check)} {self._what_now(stop)}")
        if stop and not _many(trainer):
            from analyzer.integrations.leave import leave_epoch

            leave_epoch(trainer)

    def _keep_running(self) -> None:
        """Put the running losses beside the checkpoint: replicates of a part of an epoch can be compared with them."""
        from analyzer.replicates.archive import keep_running

        assert self.record is not None and self.kept is not None and self.running is not None
        sha256 = self.record.values["checkpoint"]["sha256"]
        keep_running(self.kept.parent, sha256, self.first, self.running.within)

    def on_train_epoch_end(self, trainer: Any) -> None:
        """Remember that an epoch was trained: the final evaluation calls on_fit_epoch_end without one."""
        self.trained, self.running = True, None

    @_harmless
    def on_fit_epoch_end(self, trainer: Any) -> None:
        """Judge the row of the epoch that was just trained."""
        trained, self.trained = self.trained, False
        epoch = int(trainer.epoch) + 1
        if not trained or self.record is None or self.kept is None:
            return
        if not self.first <= epoch < self.first + self.epochs:
            return
        if self.left:  # the epoch was left inside; under DDP only now, when all ranks can be told
            trainer.stop = True
            return
        from analyzer.pipeline.guard.check import check_epoch

        left = self.alpha - self.spent
        check = check_epoch(self.record.run, self.kept, epoch, looks=self.epochs, alpha=left, first=self.first)
        stop = is_fault(check) and self.on_fault == "stop"
        self.record.row(check, stop=stop)
        if is_fault(check):
            log(f"FAULT at epoch {epoch}: {reason_of(check)} {self._what_now(stop)}")
        if stop:
            trainer.stop = True  # Ultralytics ends after this epoch, and broadcasts it to the other ranks

    def _what_now(self, stop: bool) -> str:
        what = "training is stopped" if stop else "training goes on"
        return f"The seam's checkpoint is kept: {self.kept}; {what}."


def _many(trainer: Any) -> bool:
    """Several processes train together (DDP)."""
    return int(getattr(trainer, "world_size", 1) or 1) > 1
