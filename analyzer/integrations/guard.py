"""The guard of a resume: keeps the seam, judges the first epochs, warns or stops; it never breaks a training.

What is compared lies in `early` (inside the first resumed epoch) and in `check` (the row of an epoch).
"""

from __future__ import annotations

import functools
import json
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from analyzer.errors import DataError, UsageError

if TYPE_CHECKING:
    from analyzer.pipeline.guard.check import EpochCheck
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
            _log(f"it is off for the rest of this training, which goes on: {text}")
            guard.note_error(text)

    return run


def _first_rank() -> bool:
    """Under DDP rank 0 alone has the metrics and writes the checkpoints."""
    return os.environ.get("RANK", "-1") in ("-1", "0")


def _log(text: str) -> None:
    # Ultralytics' logger by its name: its verbosity and its place are the user's choice
    logging.getLogger("ultralytics").warning(f"drift guard: {text}")


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
    run: Path | None = None
    kept: Path | None = None
    first: int = 0
    trained: bool = False
    alarmed: bool = False
    left: bool = False
    spent: float = 0.0  # of alpha, inside the first epoch; the rows of all K epochs have the rest
    running: Running | None = None
    watch: Watch | None = None
    report: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.on_fault not in ON_FAULT:
            raise UsageError(f"on_fault={self.on_fault!r} is unknown.", "Use 'warn' or 'stop'.")
        if self.epochs < 1 or not 0 < self.alpha < 0.5:
            raise UsageError(
                f"epochs={self.epochs}, alpha={self.alpha} make no sense.", "Use epochs >= 1 and 0 < alpha < 0.5."
            )

    def on_pretrain_routine_start(self, trainer: Any) -> None:
        """Keep checkpoint and data manifest, before the resume writes anything; a new training is not guarded."""
        self.off, self.run, self.kept, self.report = not getattr(trainer.args, "resume", None), None, None, {}
        self.alarmed = self.left = False
        self.spent = 0.0
        self.running = self.watch = None
        self._keep(trainer)

    @_harmless
    def _keep(self, trainer: Any) -> None:
        from analyzer.replicates.archive import keep_checkpoint, keep_manifest
        from analyzer.runs.checkpoint import read_checkpoint
        from analyzer.runs.dataset import resolve_dataset

        self.run = Path(trainer.save_dir).absolute()
        # Ultralytics unpickles this very file next; here it is only scanned, so own classes in it do no harm.
        checkpoint = read_checkpoint(Path(str(trainer.args.resume)), trust=True)
        if not checkpoint.resumable:
            self.off = True  # Ultralytics says so itself
            return
        self.first = checkpoint.resumes_at
        self.kept = keep_checkpoint(checkpoint, self.run / "drift")
        self.report = {
            "schema": 1,
            "created": _now(),
            "checkpoint": {"path": str(checkpoint.path), "sha256": checkpoint.sha256, "epoch": checkpoint.csv_epoch},
            "kept": str(self.kept),
            "on_fault": self.on_fault,
            "alpha": self.alpha,
            "epochs": self.epochs,
            "early": [],
            "checks": [],
            "verdict": None,
            "reason": "",
            "stopped": False,
            "error": "",
        }
        try:
            data = resolve_dataset(
                {**checkpoint.train_args, "data": trainer.args.data or checkpoint.train_args.get("data")}, run=self.run
            )
            keep_manifest(checkpoint, data, self.run / "drift")
        except DataError as error:  # the checkpoint is what cannot be had again; the epochs can still be judged
            self.report["error"] = f"no manifest of the data: {error}"
            _log(f"no manifest of the data was kept: {error}")
        self._write()

    @_harmless
    def on_train_epoch_start(self, trainer: Any) -> None:
        """Before the first resumed epoch, and again where it starts anew with a smaller batch: find what is stored."""
        self.running = self.watch = None
        if self.run is None or self.kept is None or int(trainer.epoch) + 1 != self.first:
            return
        from analyzer.pipeline.guard.early import watch_for
        from analyzer.replicates.worker.running_losses import Running

        batches, seed = len(trainer.train_loader), getattr(trainer.args, "seed", None)
        exact = str(getattr(trainer.device, "type", trainer.device)) == "cpu" and not _many(trainer)
        seed = seed if exact and type(seed) is int else None
        alpha = EARLY_SHARE * self.alpha
        self.watch = watch_for(self.run, self.kept, first=self.first, batches=batches, alpha=alpha, seed=seed)
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
        self.report["early"].append(check.as_json())
        fault = check.decision.verdict.value == "FAULT"
        stop = fault and self.on_fault == "stop"
        if fault:
            self.report.update(verdict="FAULT", reason=_reason(check), stopped=stop)
        self._write()
        if not fault:
            return
        self.alarmed, self.left = True, stop
        where = f"after batch {check.batch} of {check.of} of epoch {self.first}"
        _log(f"FAULT {where}: {_reason(check)} {self._what_now(stop)}")
        if stop and not _many(trainer):
            from analyzer.integrations.leave import leave_epoch

            leave_epoch(trainer)

    def _keep_running(self) -> None:
        """Put the running losses beside the checkpoint: replicates of a part of an epoch can be compared with them."""
        from analyzer.replicates.archive import keep_running

        assert self.kept is not None and self.running is not None
        keep_running(self.kept.parent, self.report["checkpoint"]["sha256"], self.first, self.running.within)

    def on_train_epoch_end(self, trainer: Any) -> None:
        """Remember that an epoch was trained: the final evaluation calls on_fit_epoch_end without one."""
        self.trained, self.running = True, None

    @_harmless
    def on_fit_epoch_end(self, trainer: Any) -> None:
        """Judge the row of the epoch that was just trained."""
        trained, self.trained = self.trained, False
        epoch = int(trainer.epoch) + 1
        if not trained or self.run is None or self.kept is None or not self.first <= epoch < self.first + self.epochs:
            return
        if self.left:  # the epoch was left inside; under DDP only now, when all ranks can be told
            trainer.stop = True
            return
        from analyzer.pipeline.guard.check import check_epoch

        left = self.alpha - self.spent
        check = check_epoch(self.run, self.kept, epoch, looks=self.epochs, alpha=left, first=self.first)
        self.report["checks"].append(check.as_json())
        fault = check.decision.verdict.value == "FAULT"
        if fault or self.report["verdict"] != "FAULT":
            self.report["verdict"] = check.decision.verdict.value
        stop = fault and self.on_fault == "stop"
        if fault:
            self.report["reason"] = _reason(check)
            self.report["stopped"] = stop
        self._write()
        if fault:
            _log(self._words(check, stop))
        if stop:
            trainer.stop = True  # Ultralytics ends after this epoch, and broadcasts it to the other ranks

    def _words(self, check: EpochCheck, stop: bool) -> str:
        return f"FAULT at epoch {check.epoch}: {_reason(check)} {self._what_now(stop)}"

    def _what_now(self, stop: bool) -> str:
        what = "training is stopped" if stop else "training goes on"
        return f"The seam's checkpoint is kept: {self.kept}; {what}."

    def note_error(self, text: str) -> None:
        """Leave the error in guard.json where that is still possible."""
        if self.run is None:
            return
        self.report = {**self.report, "error": text}
        try:
            self._write()
        except Exception as error:
            logging.getLogger("ultralytics").debug(f"drift guard: {error}")

    def _write(self) -> None:
        from analyzer.files import write_atomically

        assert self.run is not None
        text = json.dumps(self.report, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(self.run / "drift" / "guard.json", text)


def _many(trainer: Any) -> bool:
    """Several processes train together (DDP)."""
    return int(getattr(trainer, "world_size", 1) or 1) > 1


def _reason(check: EpochCheck | EarlyCheck) -> str:
    from analyzer.domain.evidence import Verdict

    bad = [m for m in check.metrics if m.verdict is Verdict.FAULT]
    null = "history" if check.against == "history" else f"{check.replicates} replicates"
    worst = sorted(bad, key=lambda m: 1.0 if m.p_adjusted is None else m.p_adjusted)[:3]
    numbers = "; ".join(
        f"{m.name} {m.observed:.5g}, expected {m.null_mean:.5g} by {null}, p {m.p_adjusted:.2g}"
        for m in worst
        if m.null_mean is not None and m.p_adjusted is not None
    )
    return " ".join((*check.decision.reasons, *([f"({numbers})"] if numbers else [])))


def _now() -> str:
    return datetime.now(timezone.utc).isoformat(timespec="seconds")
