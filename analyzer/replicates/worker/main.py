"""The child process that trains replicates: one JSON message a line in, one out, everything else into a log.

It sets an arm up once and stays alive over all replicates of it. It writes each finished replicate into the store
itself, so that a driver that is killed loses none.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from analyzer.domain.replicate import Replicate
from analyzer.errors import DriftError
from analyzer.faults.fault import Fault
from analyzer.faults.registry import make
from analyzer.replicates.job import ArmJob
from analyzer.replicates.store import Store
from analyzer.replicates.worker import ddp as ranks
from analyzer.replicates.worker.checkpoint_copy import fresh_args, prepare_copy
from analyzer.replicates.worker.image_cache import keep_images
from analyzer.replicates.worker.sandbox import guard_loads, guard_writes, quiet_settings, redirect_caches, spare_images

__all__ = ["Worker", "main"]


class Worker:
    """Reads jobs, trains, reports.

    Parameters
    ----------
    incoming
        Iterator over messages of the driver: an arm (``{"op": "arm", ...}``), then any number of seeds
        (``{"op": "seed", "seed": s}``), then perhaps another arm.
    outgoing
        Stream for events.
    others
        Processes of the other ranks of a job on several devices.
    """

    def __init__(
        self, incoming: Iterator[dict[str, Any]], outgoing: TextIO, others: list[subprocess.Popen[str]] | None = None
    ) -> None:
        self.incoming = incoming
        self.outgoing = outgoing
        self.others = others or []
        self.pending: dict[str, Any] | None = None
        self.last_progress = 0.0

    def run(self) -> None:
        """Work until the driver closes the pipe."""
        while (message := self._next()) is not None:
            if message["op"] != "arm":
                continue  # seeds of an arm that could not be set up
            try:
                self._arm(ArmJob.load(message["job"]))
            except DriftError as e:
                self._failed(e.what, e.hint, type(e).__name__)
            except Exception as e:
                import traceback

                traceback.print_exc()
                what = f"{type(e).__name__}: {e}".strip(" .") + "."
                self._failed(what, "", "EngineError", perhaps_another=True)
            gc.unfreeze()
            gc.collect()

    def _next(self) -> dict[str, Any] | None:
        if self.pending is not None:
            message, self.pending = self.pending, None
            return message
        return next(self.incoming, None)

    def _seeds(self) -> Iterator[int]:
        """Seeds of the arm that is set up, until another message comes."""
        self.send("ready")
        while (message := self._next()) is not None:
            if message["op"] != "seed":
                self.pending = message
                return
            self.last_progress = 0.0
            yield int(message["seed"])

    def _arm(self, job: ArmJob) -> None:
        from ultralytics import YOLO

        from analyzer.replicates.worker.trainer import ReplicatesDone
        from analyzer.runs.checkpoint import load_payload

        if job.threads:
            _take_threads(job.threads)
        if rank := ranks.rank():
            job = replace(job, scratch=job.scratch / f"rank{rank}")  # a copy of the checkpoint for each
        interventions = tuple(make(i, p) for i, p in job.arm.interventions)
        payload = load_payload(job.checkpoint, trust=job.trust, sha256=job.sha256)
        copy = prepare_copy(payload, job, interventions)
        model = YOLO(str(copy))
        trainer = self._trainer(model._smart_load("trainer"), job, interventions)
        with contextlib.suppress(ReplicatesDone):
            # Ultralytics' own way from `resume=True` to a trainer; the replicates run where it would train.
            if job.arm.kind.new_training:
                model.train(trainer=trainer, **fresh_args(copy))
            else:
                model.train(trainer=trainer, resume=True)

    def _trainer(self, base: type, job: ArmJob, interventions: tuple[Fault, ...]) -> type:
        """Ultralytics' trainer of the task, as the arm wants it."""
        from ultralytics import __version__

        from analyzer.replicates.worker.trainer import make_trainer
        from analyzer.runs.versions import has_feature

        return make_trainer(
            base,
            seeds=self._seeds(),
            finished=self._keeper(job),
            progress=self._progress,
            interventions=interventions,
            arm=job.arm.folder,
            order_seed=job.arm.order_seed,
            n_epochs=job.epochs,
            n_workers=job.workers,
            hashing=job.hashes,
            reseeding=not job.arm.kind.repeats_the_run,
            validating=not job.arm.kind.trains,
            never_finite=job.never_finite,
            fraction=job.arm.fraction,
            between=job.between,
            padded=has_feature("plain-csv", __version__) is False,
        )

    def _keeper(self, job: ArmJob) -> Callable[[Replicate], None]:
        store = Store(job.root, job.study)

        def finished(replicate: Replicate) -> None:
            if ranks.rank():
                return  # losses and metrics of all are the first one's to know
            store.put(replicate)
            self.send("done", arm=replicate.arm, seed=replicate.seed, outcome=replicate.outcome.value)

        return finished

    def _failed(self, what: str, hint: str, kind: str, *, perhaps_another: bool = False) -> None:
        """Say what went wrong; where it may only be what another rank's error looks like from here, say that one."""
        ranks.end_as_others(self.others)
        words = ranks.error_of_others(self.others) if perhaps_another else None
        self.send("error", **(words or {"what": what, "hint": hint, "kind": kind}))
        if ranks.rank():
            os._exit(1)  # the first one may be waiting for it

    def _progress(self, fraction: float) -> None:
        now = time.monotonic()
        if now - self.last_progress >= 0.25 or fraction >= 1:
            self.last_progress = now
            self.send("progress", fraction=fraction)

    def send(self, event: str, **facts: Any) -> None:
        """Tell the driver; another rank than the first tells that one, and nothing but an error."""
        if ranks.rank() and event != "error":
            return
        try:
            self.outgoing.write(json.dumps({"event": event, **facts}) + "\n")
            self.outgoing.flush()
        except BrokenPipeError:
            os._exit(1)  # the driver is gone, and what is finished is in the store


def _take_threads(n: int) -> None:
    import torch
    from ultralytics.utils import torch_utils

    torch.set_num_threads(n)
    torch_utils.NUM_THREADS = n  # `select_device` sets torch to this number once more


def _end_with(parent: int) -> None:
    """Leave when the driver is gone: a worker that trains on would hold the device for nobody."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    """Entry of ``python -m analyzer.replicates.worker.main SCRATCH LOG PROTECTED...``."""
    scratch, log, *protected = (Path(a) for a in sys.argv[1:])
    _end_with(os.getppid())
    outgoing = os.fdopen(os.dup(1), "w", encoding="utf-8")  # a pipe of its own: Ultralytics prints to stdout
    with log.open("ab") as f:
        os.dup2(f.fileno(), 1)
        os.dup2(f.fileno(), 2)
    os.chdir(scratch)
    guard_loads(scratch)
    if not ranks.rank():
        quiet_settings(scratch)  # of one file, which the others read when they start
    others = ranks.other_ranks(sys.argv[1:], log)
    redirect_caches(scratch)
    spare_images(tuple(protected))
    keep_images()
    root = scratch.parent.parent
    guard_writes(tuple(protected), (root,))
    worker = Worker(map(json.loads, ranks.passed_on(sys.stdin, others)), outgoing, others)
    ranks.watch(others, partial(worker.send, "error"))
    worker.run()


if __name__ == "__main__":
    main()
