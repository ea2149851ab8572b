"""One worker process on this machine, as whoever sends it seeds sees it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from analyzer import errors
from analyzer.domain.replicate import Outcome, Replicate
from analyzer.errors import DriftError, EngineError
from analyzer.replicates.devices import count
from analyzer.replicates.executors.environment import as_ultralytics_names, first_rank, worker_environment
from analyzer.replicates.job import ArmJob, dump
from analyzer.replicates.store import Store
from analyzer.runs.versions import installed_versions

__all__ = ["WorkerDied", "WorkerProcess"]


class WorkerDied(Exception):  # noqa: N818 - an event, handled by the executors
    """The worker process is gone.

    Parameters
    ----------
    what
        How it ended, in one sentence.
    memory
        Whether that is how a lack of memory looks.
    """

    def __init__(self, what: str, *, memory: bool = False) -> None:
        super().__init__(what, memory)
        self.what = what
        self.memory = memory


class WorkerProcess:
    """A child process that stays alive over replicates and arms, started when it is needed.

    Parameters
    ----------
    scratch
        Its folder, ``<study>/scratch/<any>``; removed by `close`.
    protected
        Folders that it must never write to (the run, the data).
    device
        Where it trains, as Ultralytics takes it; None: as the job says.
    """

    module = "analyzer.replicates.worker.main"

    def __init__(self, scratch: Path, protected: tuple[Path, ...], *, device: str | None = None) -> None:
        self.scratch = scratch
        self.protected = protected
        self.on_progress: Callable[[float], None] = lambda fraction: None  # set by whoever wants to know
        self.device = device
        self.log = scratch.parent.parent / "worker.log"
        self.process: subprocess.Popen[str] | None = None
        self.current: ArmJob | None = None  # the arm that the worker has set up
        self.stopped = False

    def open(self) -> None:
        """Nothing to wait for: the process is started with the first seed."""

    def train(self, job: ArmJob, seed: int) -> Replicate:
        """Train one seed; the worker itself writes the replicate into the store.

        Raises
        ------
        WorkerDied
            It is gone; the next call starts another one.
        EngineError
            The arm cannot be set up.
        """
        job = replace(job, scratch=self.scratch, device=self.device or job.device)
        try:
            if self.current != job:
                self._start(job)
            self._send({"op": "seed", "seed": seed})
            self._wait_for("done")
        except (WorkerDied, DriftError):
            self.current = None  # its trainer has ended, too: further seeds would wait for ever
            raise
        replicate = Store(job.root, job.study).get(job.arm.folder, seed)
        if replicate is None:
            raise EngineError(f"The replicate of seed {seed} is not in the store.", f"Read {self.log}.")
        if replicate.outcome is Outcome.FAILED:
            self.current = None
        return replicate

    def _start(self, job: ArmJob) -> None:
        self.current = None  # an arm that cannot be set up leaves the worker with none
        if self.stopped:
            raise WorkerDied("The worker process was stopped.")
        if count(job.device) > 1:
            self._end()  # one process group a process: torch binds its port once
        if self.process is None or self.process.poll() is not None:
            environ = first_rank(job.device, worker_environment(self.scratch, os.environ, trust=job.trust))
            places = (p.absolute() for p in (self.scratch, self.log, *self.protected))
            command = [sys.executable, "-m", self.module, *places]
            self.process = subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ,
                # `-m` imports from the working directory first, and that may be a stranger's run directory.
                cwd=None if job.trust else self.scratch,
                start_new_session=True,  # Ctrl-C reaches the driver alone, which then decides
            )  # fmt: skip
        device = as_ultralytics_names(job.device, os.environ, installed_versions().get("ultralytics"))
        self._send({"op": "arm", "job": dump(replace(job, device=device))})
        self._wait_for("ready")
        self.current = job

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process is not None and self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise self._ended() from None

    def _wait_for(self, wanted: str) -> None:
        assert self.process is not None and self.process.stdout is not None
        for line in self.process.stdout:
            message = json.loads(line)
            if message["event"] == "progress":
                self.on_progress(message["fraction"])
            elif message["event"] == "error":
                kind = getattr(errors, message["kind"], EngineError)
                raise kind(message["what"], message["hint"] or f"The worker's log is {self.log}.")
            elif message["event"] == wanted:
                return
        raise self._ended()

    def _ended(self) -> WorkerDied:
        assert self.process is not None
        code = self.process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        memory = " (often: out of memory)" if code == -9 else ""
        return WorkerDied(f"The worker process {how}{memory}.", memory=code == -9)

    def kill(self) -> None:
        """Stop it at once and for good, from any thread; a `train` that waits for it raises `WorkerDied`."""
        self.stopped = True
        self._kill()

    def close(self) -> None:
        """Stop it and remove its scratch folder; no other thread may be waiting for it."""
        self.kill()
        self._end()
        shutil.rmtree(self.scratch, ignore_errors=True)

    def _kill(self) -> None:
        """With its other ranks and its loader processes: they are in the session that it leads."""
        if self.process is not None and self.process.poll() is None:
            with contextlib.suppress(OSError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()

    def _end(self) -> None:
        self._kill()
        if self.process is not None:
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    stream.close()
            self.process = None
