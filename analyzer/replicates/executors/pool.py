"""Workers at once, one or many: seeds are handed out in order, replicates come back as they are finished."""

from __future__ import annotations

import queue
import shutil
import tempfile
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from analyzer.domain.replicate import Outcome, Replicate
from analyzer.errors import DriftError, EngineError
from analyzer.replicates.executors.worker_process import WorkerDied
from analyzer.replicates.job import ArmJob

__all__ = ["Executor", "Lane", "LaneLost", "Pool", "scratch_folder", "scratch_folders"]

_DEATHS = 2  # a worker that dies twice on the same seed will die again
_LOSSES = 10  # machines that may go down under one seed before it is given up
_PATIENCE = 10.0  # seconds that a stopped lane may take to come back


class Executor(Protocol):
    """Trains the seeds of an arm and yields each replicate when it is in the store.

    The contract, tested for every implementation: a seed is taken from the iterable only when a worker is free for it,
    in order; a replicate is yielded when it is finished, so in any order; what an executor yields for a seed is bit for
    bit the same whichever worker trained it; a worker that dies loses no finished replicate.
    """

    def run(self, job: ArmJob, seeds: Iterable[int]) -> Iterator[Replicate]:
        """Train the seeds; closing the iterator early is allowed, a later call takes up what is still being trained.

        Raises
        ------
        EngineError
            The arm cannot be set up, or the worker died twice on the same seed.
        """
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
    return scratch_folders(study, 1)[0]


def scratch_folders(study: Path, n: int) -> tuple[Path, ...]:
    """Fresh folders for n workers; as `scratch_folder`."""
    base = study / "scratch"
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    return tuple(Path(tempfile.mkdtemp(dir=base)) for _ in range(n))


class LaneLost(Exception):  # noqa: N818 - an event, handled in this file
    """The place of a worker is gone (its machine, say); the seed had no part in it."""


class Lane(Protocol):
    """A place where one replicate at a time is trained; its methods but `kill` are called from a thread of its own.

    `on_progress` is set by the pool, and called with the fraction of the running epoch that is done where the lane
    knows it.
    """

    on_progress: Callable[[float], None]

    @property
    def device(self) -> str | None:
        """Where it trains; lanes of one device share its memory."""
        ...

    @property
    def log(self) -> Path | str:
        """Where to read what its worker printed."""
        ...

    def open(self) -> None:
        """Wait until replicates can be trained there; called again after every loss."""
        ...

    def train(self, job: ArmJob, seed: int) -> Replicate:
        """Train one seed and put the replicate into the driver's store.

        Raises
        ------
        WorkerDied, LaneLost, DriftError
        """
        ...

    def kill(self) -> None:
        """Stop at once, from any thread: what waits in `open` or `train` comes back with an exception."""
        ...

    def close(self) -> None:
        """Clean up after `kill`."""
        ...


@dataclass(frozen=True, slots=True)
class _Event:
    lane: int
    task: tuple[ArmJob, int] | None = None  # None: the lane is open
    result: Replicate | BaseException | None = None
    fraction: float | None = None


class Pool:
    """Lanes that train at the same time; the caller's thread alone hands out seeds, yields and tells.

    A worker that dies is started again, and its seed goes to whoever is free. Where it died as a lack of memory looks
    and others work on the same device, it stays away: more replicates than the memory holds were asked for.

    Parameters
    ----------
    lanes
        Where to train.
    on_progress
        Called with the epochs that are running, in fractions summed over the lanes.
    say
        Called with one sentence where a worker stays away.
    """

    def __init__(self, lanes: Sequence[Lane], on_progress: Callable[[float], None], say: Callable[[str], None]) -> None:
        self.on_progress = on_progress
        self.say = say
        self.lanes: list[Lane] = []
        self.tasks: list[queue.SimpleQueue[tuple[ArmJob, int] | None]] = []
        self.threads: list[threading.Thread] = []
        self.events: queue.SimpleQueue[_Event] = queue.SimpleQueue()
        self.idle: deque[int] = deque()
        self.in_training: dict[int, tuple[ArmJob, int]] = {}
        self.fractions: dict[int, float] = {}
        self.given_up: set[int] = set()
        self.again: deque[tuple[ArmJob, int]] = deque()
        self.deaths: Counter[tuple[str, int]] = Counter()
        self.losses: Counter[tuple[str, int]] = Counter()
        for lane in lanes:
            self.add(lane)

    def add(self, lane: Lane) -> None:
        """Take one more lane, also in the middle of the work."""
        index = len(self.lanes)
        self.lanes.append(lane)
        self.tasks.append(queue.SimpleQueue())
        lane.on_progress = lambda fraction: self.events.put(_Event(index, fraction=fraction))
        thread = threading.Thread(target=self._work, args=(index, lane, self.tasks[index]), daemon=True)
        self.threads.append(thread)
        thread.start()

    def _work(self, index: int, lane: Lane, tasks: queue.SimpleQueue[tuple[ArmJob, int] | None]) -> None:
        """Body of a lane's thread."""
        while True:
            try:
                lane.open()
            except BaseException as e:
                self.events.put(_Event(index, result=e))
                return
            self.events.put(_Event(index))
            task = tasks.get()
            if task is None:
                return
            result: Replicate | BaseException
            try:
                result = lane.train(*task)
            except BaseException as e:
                result = e
            self.events.put(_Event(index, task, result))

    def run(self, job: ArmJob, seeds: Iterable[int]) -> Iterator[Replicate]:
        """Train the seeds and yield each replicate when it is finished; see the contract of `Executor`.

        Raises
        ------
        EngineError
            The arm cannot be set up, a worker died twice on the same seed, or no worker is left.
        """
        waiting, more = iter(seeds), True
        while True:
            while self.idle and (retry := next((task for task in self.again if task[0] == job), None)):
                self.again.remove(retry)
                self._assign(*retry)
            while self.idle and more:
                more = self._hand_out(job, waiting)
            if not more and not any(j == job for j, _ in (*self.in_training.values(), *self.again)):
                return
            replicate = self._take_in(self._next_event(), job)
            if replicate is not None:
                yield replicate

    def _hand_out(self, job: ArmJob, seeds: Iterator[int]) -> bool:
        """Give the next seed to an idle lane; False where there is none."""
        seed = next(seeds, None)
        if seed is None:
            return False
        if (job, seed) not in self.in_training.values() and (job, seed) not in self.again:
            self._assign(job, seed)
        return True

    def _assign(self, job: ArmJob, seed: int) -> None:
        index = self.idle.popleft()
        self.in_training[index] = (job, seed)
        self.tasks[index].put((job, seed))

    def _next_event(self) -> _Event:
        while True:
            self.tick()
            try:
                return self.events.get(timeout=1.0)  # a wait without end would not notice Ctrl-C everywhere
            except queue.Empty:
                continue

    def tick(self) -> None:
        """Look after the lanes about once a second; a place for those that come and go."""

    def _take_in(self, event: _Event, job: ArmJob) -> Replicate | None:
        """Take an event in; the replicate where it brought one of this job."""
        if event.fraction is not None:
            if event.lane in self.in_training:
                self.fractions[event.lane] = event.fraction
                self.on_progress(sum(self.fractions.values()))
            return None
        self.fractions.pop(event.lane, None)
        if event.task is None:
            self._opened(event)
            return None
        self.in_training.pop(event.lane, None)
        if isinstance(event.result, Replicate) and event.result.outcome is not Outcome.FAILED:
            return event.result if event.task[0] == job else None
        self._failed(event)
        return None

    def _opened(self, event: _Event) -> None:
        if isinstance(event.result, BaseException):
            self.given_up.add(event.lane)
            if len(self.given_up) == len(self.lanes):
                raise event.result if isinstance(event.result, DriftError) else EngineError(str(event.result))
            self.say(f"A worker less: {event.result}")
        elif event.lane not in self.given_up:
            self.idle.append(event.lane)

    def _failed(self, event: _Event) -> None:
        """A seed came back without a replicate: try it again, or give up."""
        assert event.task is not None
        task, error = event.task, event.result
        key = (task[0].arm.folder, task[1])
        no_memory = isinstance(error, Replicate) or (isinstance(error, WorkerDied) and error.memory)
        if no_memory and self._do_without(event.lane):
            pass
        elif isinstance(error, LaneLost):
            self.losses[key] += 1
            if self.losses[key] > _LOSSES:
                raise EngineError(f"{error} Seed {key[1]} lost its machine {_LOSSES} times.", "Look at the cluster.")
        elif isinstance(error, WorkerDied):
            self.deaths[key] += 1
            if self.deaths[key] >= _DEATHS:
                log = self.lanes[event.lane].log
                raise EngineError(f"{error.what} It died twice on seed {key[1]}.", f"Read {log}.")
        elif isinstance(error, Replicate):
            raise EngineError(error.message)
        elif error is not None:
            raise error
        self.again.append(task)

    def _do_without(self, index: int) -> bool:
        """Do without a lane for lack of memory; False where it is the last one of its device."""
        device, gone = self.lanes[index].device, {index, *self.given_up}
        left = [i for i, lane in enumerate(self.lanes) if lane.device == device and i not in gone]
        if not left:
            return False
        self.given_up.add(index)
        if index in self.idle:
            self.idle.remove(index)
        self.tasks[index].put(None)
        self.lanes[index].kill()
        self.say(f"A worker on {device} lacked memory or was killed: {len(left)} of them go on there.")
        return True

    def close(self) -> None:
        """Stop every lane at once; what is in the store stays."""
        for lane, tasks in zip(self.lanes, self.tasks, strict=True):
            lane.kill()
            tasks.put(None)
        for lane, thread in zip(self.lanes, self.threads, strict=True):
            thread.join(_PATIENCE)
            lane.close()
