"""A mixin over the task's own trainer: sets up once, then trains one resumed path per seed.

Nothing of the training loop is written again here: each replicate is Ultralytics' own `_do_train`, started from the
state that its own set-up left, and stopped after K epochs by its own stop flag.
"""

from __future__ import annotations

import contextlib
import gc
import inspect
import os
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.domain.within import batches_of
from analyzer.faults.fault import Fault
from analyzer.files import write_atomically
from analyzer.replicates.seeds import second_seed
from analyzer.replicates.worker.ddp import rank
from analyzer.replicates.worker.rows import exact_row, is_finite, printed_row
from analyzer.replicates.worker.running_losses import Running
from analyzer.replicates.worker.seeding import hash_state, reseed
from analyzer.replicates.worker.snapshot import Snapshot
from analyzer.replicates.worker.validation import Validated, validate_stored

__all__ = ["BatchHalvedError", "ReplicatesDone", "make_trainer"]


class ReplicatesDone(BaseException):
    """Every requested replicate of this arm has been trained."""


class BatchHalvedError(RuntimeError):
    """Ultralytics halved the batch for lack of memory: the replicate would belong to another distribution."""


class _Left(BaseException):
    """The path has reached its fraction of the epoch."""


class _Path:
    """What is recorded along one resumed path."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.epochs: list[EpochRecord] = []
        self.hashes: list[dict[str, str]] = []
        self.printed: dict[str, float] = {}
        self.started = time.perf_counter()


class _Replicates:
    """The mixin. `seeds`, `finished`, `progress`, ... are set on the subclass by `make_trainer`."""

    seeds: Iterator[int]
    finished: Callable[[Replicate], None]
    progress: Callable[[float], None]
    interventions: tuple[Fault, ...]
    arm: str
    order_seed: int | None = None
    n_epochs: int
    n_workers: int | None
    hashing: bool
    reseeding: bool
    validating: bool = False
    never_finite: tuple[str, ...] = ()
    fraction: float | None = None
    between: Path | None = None
    padded: bool
    _kept: Snapshot | None = None
    _path: _Path
    _running: Running

    def train(self) -> None:
        """Train one path per seed; called by ``YOLO.train`` where it would train."""
        for seed in self.seeds:
            self._path = _Path(seed)
            try:
                with contextlib.suppress(Validated, _Left):
                    self._do_train(*_world(self._do_train))  # type: ignore[attr-defined]
            except BatchHalvedError as e:
                self.finished(Replicate(self.arm, seed, Outcome.FAILED, (), str(e)))
                raise ReplicatesDone from e
            path = self._path
            good = all(self._is_finite(row) for e in path.epochs for row in _rows(e))
            outcome, why = (Outcome.OK, "") if good else (Outcome.DIVERGED, "a loss or metric is NaN or infinite")
            self.finished(Replicate(self.arm, seed, outcome, tuple(path.epochs), why, tuple(path.hashes)))
        raise ReplicatesDone

    def _is_finite(self, row: Mapping[str, float]) -> bool:
        return is_finite({k: v for k, v in row.items() if k not in self.never_finite})

    def _setup_ddp(self, *args: Any) -> None:
        if self._kept is None:  # the ranks stay together over all replicates
            super()._setup_ddp(*args)  # type: ignore[misc]

    def _setup_train(self, *args: Any) -> None:
        if self._kept is None:
            if self.n_workers is not None:
                self.args.workers = self.n_workers  # type: ignore[attr-defined]
            super()._setup_train(*args)  # type: ignore[misc]
            self._kept = Snapshot(self)
            gc.collect()
            gc.freeze()  # Ultralytics collects after each training: what lives for the whole arm is not searched
        else:
            self._kept.restore(self)

    def _build_train_pipeline(self, *args: Any) -> None:
        if self._kept is not None:
            raise BatchHalvedError(
                f"Out of memory with batch={self.args.batch * 2}: Ultralytics halved the batch. "  # type: ignore[attr-defined]
                "Free the device, or run the replicates on a larger one."
            )
        super()._build_train_pipeline(*args)  # type: ignore[misc]

    def run_callbacks(self, event: str) -> None:
        """Run Ultralytics' callbacks, then ours at the same places."""
        super().run_callbacks(event)  # type: ignore[misc]
        hook = getattr(self, f"_at_{event}", None)
        if hook is not None:
            hook()

    def _at_on_train_start(self) -> None:
        if self.validating:
            self._path.epochs.append(validate_stored(self, padded=self.padded))
            raise Validated
        if self.reseeding:
            reseed(self, self._path.seed, self.order_seed)
        for intervention in self.interventions:
            intervention.at_start(self)
        self._path.started = time.perf_counter()

    def _at_on_train_epoch_start(self) -> None:
        if self.between is not None and self._path.epochs:
            reseed(self, second_seed(self._path.seed))
        every = not self.reseeding and self.device.type == "cpu"  # type: ignore[attr-defined]  # a replay can be exact
        self._running = Running(len(self.train_loader), every=every)  # type: ignore[attr-defined]

    def _at_on_train_batch_start(self) -> None:
        for intervention in self.interventions:
            intervention.at_batch(self)

    def _at_on_train_batch_end(self) -> None:
        running = self._running
        running.batch_done(self)
        wanted = running.batches if self.fraction is None else batches_of(self.fraction, running.batches)
        self.progress(running.done / max(wanted, 1))
        if self.fraction is not None and running.done >= wanted:
            self._leave_epoch()

    def _leave_epoch(self) -> None:
        """End the path inside its epoch. What would follow in Ultralytics' loop (validation, row) is not wanted."""
        path, epoch = self._path, int(self.epoch) + 1  # type: ignore[attr-defined]
        path.epochs.append(EpochRecord(epoch, {}, {}, time.perf_counter() - path.started, self._running.within))
        raise _Left

    def _at_on_fit_epoch_end(self) -> None:
        path = self._path
        now = time.perf_counter()
        exact = (
            {k: v for k, v in exact_row(self).items() if k in path.printed} if path.printed else {}
        )  # another rank's
        epoch = int(self.epoch) + 1  # type: ignore[attr-defined]
        path.epochs.append(EpochRecord(epoch, path.printed, exact, now - path.started, self._running.within))
        if self.hashing and not rank():
            path.hashes.append(hash_state(self))
        path.started = now
        if len(path.epochs) >= self.n_epochs or not self._is_finite(path.printed):
            self.stop = True

    def save_metrics(self, metrics: dict[str, Any]) -> None:
        """Keep the row in memory instead of appending it to a CSV."""
        self._path.printed = printed_row(metrics, padded=self.padded)

    def save_model(self) -> bool:
        """A replicate leaves no checkpoint, but for the one between its two epochs where that is kept."""
        if self.between is None or self.epoch != self.start_epoch:  # type: ignore[attr-defined]
            return False
        super().save_model()  # type: ignore[misc]
        write_atomically(self.between / f"{self._path.seed:010d}.pt", Path(self.last).read_bytes())  # type: ignore[attr-defined]
        return False

    def final_eval(self) -> None:
        """A replicate ends after its K epochs, without the closing validation of best.pt."""

    def plot_metrics(self, *args: Any) -> None:
        """A replicate draws nothing."""

    def plot_training_labels(self) -> None:
        """A replicate draws nothing."""

    def _handle_nan_recovery(self, epoch: int) -> bool:
        """Divergence is a recorded outcome, so nothing is reloaded."""
        return False


def _rows(record: EpochRecord) -> tuple[Mapping[str, float], ...]:
    """What of an epoch tells a divergence: its row, or, where it was left before its end, the last running losses."""
    inside = record.within.after if record.within is not None else {}
    return (record.printed,) if record.printed or not inside else (inside[max(inside)],)


def _world(do_train: Callable[..., None]) -> tuple[int, ...]:
    """What Ultralytics' `train` gives its `_do_train`: the number of ranks, up to 8.3.200 or so."""
    ranks = int(os.environ.get("WORLD_SIZE", "1"))
    return (ranks,) if ranks > 1 and "world_size" in inspect.signature(do_train).parameters else ()


def make_trainer(base: type, **settings: Any) -> type:
    """Subclass the task's trainer.

    Its name holds no "Trainer": Ultralytics attaches trackers (MLflow, ClearML, Comet ...) to every class that does,
    and N replicates would open N runs in the user's tracker.

    Parameters
    ----------
    base
        Ultralytics' trainer class of the task.
    **settings
        Class attributes of the mixin.
    """
    wrapped = {
        k: (staticmethod(v) if callable(v) and k in ("finished", "progress") else v) for k, v in settings.items()
    }
    return type("ResumedPath", (_Replicates, base), wrapped)
