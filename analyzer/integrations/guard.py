"""The guard of a resume: keeps the seam, judges the first epochs, warns or stops; it never breaks a training."""

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
    from analyzer.integrations.check import EpochCheck

__all__ = ["EVENTS", "Guard"]

EVENTS = ("on_pretrain_routine_start", "on_train_epoch_end", "on_fit_epoch_end")
ON_FAULT = ("warn", "stop")


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
        "warn", or "stop": end the training cleanly after the epoch.
    alpha
        Rate of false alarms over all K epochs, in (0, 0.5).
    """

    epochs: int = 3
    on_fault: str = "warn"
    alpha: float = 0.05
    off: bool = True
    run: Path | None = None
    kept: Path | None = None
    first: int = 0
    trained: bool = False
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
        self._keep(trainer)

    @_harmless
    def _keep(self, trainer: Any) -> None:
        from analyzer.replicates.keep import keep_checkpoint, keep_manifest
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

    def on_train_epoch_end(self, trainer: Any) -> None:
        """Remember that an epoch was trained: the final evaluation calls on_fit_epoch_end without one."""
        self.trained = True

    @_harmless
    def on_fit_epoch_end(self, trainer: Any) -> None:
        """Judge the row of the epoch that was just trained."""
        trained, self.trained = self.trained, False
        epoch = int(trainer.epoch) + 1
        if not trained or self.run is None or self.kept is None or not self.first <= epoch < self.first + self.epochs:
            return
        from analyzer.integrations.check import check_epoch

        check = check_epoch(self.run, self.kept, epoch, looks=self.epochs, alpha=self.alpha, first=self.first)
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
        what = "training is stopped" if stop else "training goes on"
        return f"FAULT at epoch {check.epoch}: {_reason(check)} The seam's checkpoint is kept: {self.kept}; {what}."

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
        from analyzer.replicates.store import write_atomically

        assert self.run is not None
        text = json.dumps(self.report, indent=1, ensure_ascii=False, allow_nan=False)
        write_atomically(self.run / "drift" / "guard.json", text.encode())


def _reason(check: EpochCheck) -> str:
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
