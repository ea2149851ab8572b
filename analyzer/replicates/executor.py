"""Runs replicates in one child process that stays alive over all of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from analyzer import errors
from analyzer.domain.replicate import Outcome, Replicate
from analyzer.errors import EngineError
from analyzer.replicates.job import ArmJob, dump
from analyzer.replicates.sandbox import environment
from analyzer.replicates.store import Store

__all__ = ["Executor", "LocalExecutor", "scratch_folder"]


class Executor(Protocol):
    """Trains the seeds of an arm and yields each replicate when it is in the store."""

    def run(self, job: ArmJob, seeds: Iterable[int]) -> Iterator[Replicate]:
        """Train the seeds in order; closing the iterator early is allowed."""
        ...

    def close(self) -> None:
        """Stop at once; what is in the store stays."""
        ...


def scratch_folder(study: Path) -> Path:
    """A fresh folder for a worker inside the study; what killed processes left there is removed.

    Parameters
    ----------
    study
        Folder of the study, held by its lock, so no other live driver owns a scratch folder there.
    """
    base = study / "scratch"
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    return Path(tempfile.mkdtemp(dir=base))


class LocalExecutor:
    """One worker process on this machine.

    Parameters
    ----------
    scratch
        Folder for the worker; removed by `close`.
    protected
        Folders that the worker must never write to (the run, the data).
    on_progress
        Called with the fraction of the running epoch that is done.
    """

    module = "analyzer.replicates.worker"

    def __init__(self, scratch: Path, protected: tuple[Path, ...], on_progress: Callable[[float], None]) -> None:
        self.scratch = scratch
        self.protected = protected
        self.on_progress = on_progress
        self.log = scratch.parent.parent / "worker.log"
        self.process: subprocess.Popen[str] | None = None
        self.current: ArmJob | None = None  # the arm that the worker has set up

    def run(self, job: ArmJob, seeds: Iterable[int]) -> Iterator[Replicate]:
        """Train the seeds in order and yield each replicate.

        Raises
        ------
        EngineError
            Where the arm cannot be set up, or the worker died twice on the same seed.
        """
        store = Store(job.root, job.study)
        for seed in seeds:
            for attempt in (1, 2):
                try:
                    if self.current != job:
                        self._start(job)
                    self._send({"op": "seed", "seed": seed})
                    self._wait_for("done")
                    break
                except _WorkerDied as e:
                    self.current = None
                    if attempt == 2:
                        raise EngineError(f"{e} It died twice on seed {seed}.", f"Read {self.log}.") from None
            replicate = store.get(job.arm.name, seed)
            if replicate is None:
                raise EngineError(f"The replicate of seed {seed} is not in the store.", f"Read {self.log}.")
            if replicate.outcome is Outcome.FAILED:
                self.current = None
                raise EngineError(replicate.message)
            yield replicate

    def _start(self, job: ArmJob) -> None:
        self.current = None  # an arm that cannot be set up leaves the worker with none
        if self.process is None or self.process.poll() is not None:
            environ = environment(self.scratch, os.environ, trust=job.trust)
            places = (p.absolute() for p in (self.scratch, self.log, *self.protected))
            command = [sys.executable, "-m", self.module, *places]
            self.process = subprocess.Popen(
                [str(c) for c in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environ,
                # `-m` imports from the working directory first, and that may be a stranger's run directory.
                cwd=None if job.trust else self.scratch,
                start_new_session=True,  # Ctrl-C reaches the driver alone, which then decides
            )  # fmt: skip
        self._send({"op": "arm", "job": dump(job)})
        self._wait_for("ready")
        self.current = job

    def _send(self, message: dict[str, Any]) -> None:
        assert self.process is not None and self.process.stdin is not None
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            raise _WorkerDied(self._obituary()) from None

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
        raise _WorkerDied(self._obituary())

    def _obituary(self) -> str:
        assert self.process is not None
        code = self.process.wait()
        how = f"was killed by signal {-code}" if code < 0 else f"ended with code {code}"
        memory = " (often: out of memory)" if code == -9 else ""
        return f"The worker process {how}{memory}."

    def close(self) -> None:
        """Kill the worker and remove its scratch folder."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                if stream is not None:
                    stream.close()
            self.process = None
        shutil.rmtree(self.scratch, ignore_errors=True)


class _WorkerDied(Exception):  # noqa: N818 - an event, caught in this file
    """The worker process is gone."""
