"""Get the replicates of an arm: those in the store, then new ones, within the budget."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain, islice
from pathlib import Path

import numpy as np

from analyzer.domain.metrics import is_train_loss
from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm, ArmKind, EpochRecord, Outcome, Replicate
from analyzer.errors import DegenerateNullError, DriftError, EngineError, StoreError
from analyzer.replicates.budget import Budget
from analyzer.replicates.executors.pool import Executor
from analyzer.replicates.other_version import explained
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.study import Study
from analyzer.replicates.workers import executor_for

__all__ = ["Collector", "refuse_degenerate"]

_ROOM = 2**20  # bytes; a disk with less is full for a worker, whose checkpoint copy is larger


@dataclass(slots=True)
class Collector:
    """Hands out replicates of a study one by one; workers are started only when one is missing.

    Parameters
    ----------
    study
        The study, whose lock is held while replicates are made (`at_work`).
    budget
        What may be spent.
    progress
        Who is told.
    make_executor
        Builds the executor; a fake in tests.
    """

    study: Study
    budget: Budget
    progress: Progress
    make_executor: Callable[[Study, Progress], Executor] | None = None
    pace: float | None = None
    epochs_trained: int = 0
    reused: int = 0
    trained_seconds: list[float] = field(default_factory=list)
    exhausted: bool = False
    _executor: Executor | None = None
    _begun: set[tuple[str, int]] = field(default_factory=set)  # arm and seed: handed to a worker, not counted yet

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Hold the study's lock and have it described; the workers are stopped at the end."""
        with self.study.store.lock():
            self.study.store.describe(self.study.facts)
            try:
                yield
            finally:
                self.close()

    def extend(
        self, arm: Arm, have: tuple[Replicate, ...], n: int, *, at_most: int | None = None
    ) -> tuple[Replicate, ...]:
        """Replicates 0 .. n - 1 of an arm, in the order of their seeds; fewer where the budget ends.

        Which worker trained a replicate, and which one was finished first, has no influence on what is returned.

        Parameters
        ----------
        arm
            Which arm.
        have
            Replicates already handed out.
        n
            How many there shall be.
        at_most
            How many may follow at further looks: workers that have nothing else to do begin with them.

        Raises
        ------
        DegenerateNullError
            Two seeds gave the same row in every column.
        EngineError
            A replicate could not be trained.
        """
        seeds = replicate_seeds(self.study.base_seed, max(n, at_most or n) - len(have), first=len(have))
        wanted, later = seeds[: n - len(have)], seeds[n - len(have) :]
        if self.budget.epochs is not None:
            later = ()  # epochs that were counted must not go to a path that nobody may ask for
        made = self.several(arm, wanted, self.study.epochs, later=later, name=arm.name, first=len(have))
        refuse_degenerate((*have, *made))
        return (*have, *made)

    def several(
        self,
        arm: Arm,
        seeds: tuple[int, ...],
        epochs: int,
        *,
        later: tuple[int, ...] = (),
        name: str = "",
        first: int = 0,
    ) -> tuple[Replicate, ...]:
        """Paths of an arm, in the order of the seeds, up to the first for which the budget did not reach.

        Parameters
        ----------
        arm, seeds, epochs
            Which paths.
        later
            Seeds that idle workers may begin; they are not waited for.
        name, first
            Under which name each path is told of, and how many were before; nothing is told without a name.
        """
        found: dict[int, Replicate] = {}

        def take(replicate: Replicate) -> None:
            found[replicate.seed] = replicate
            reused = not self._count(arm, replicate)
            self.reused += reused
            seconds = sum(e.seconds for e in replicate.epochs)
            if name:
                self.progress.finished_replicate(name, first + len(found), seconds, reused)

        missing = self._upcoming(arm, seeds, later, found, epochs, take)
        begin = list(islice(missing, 1))  # no worker is started where nothing is missing
        begun = begin or any((arm.folder, seed) in self._begun for seed in seeds)
        for replicate in self._run(arm, chain(begin, missing), epochs) if begun else ():
            if replicate.seed in seeds and replicate.seed not in found:
                take(replicate)
            if len(found) == len(seeds):
                break
        until = next((i for i, seed in enumerate(seeds) if seed not in found), len(seeds))
        return tuple(found[seed] for seed in seeds[:until])

    def _upcoming(
        self,
        arm: Arm,
        seeds: tuple[int, ...],
        later: tuple[int, ...],
        found: dict[int, Replicate],
        epochs: int,
        take: Callable[[Replicate], None],
    ) -> Iterator[int]:
        """Seeds still to be trained, each within the budget at the moment at which a worker is free for it.

        Those in the store are taken on the way.
        """
        for seed in (*seeds, *later):
            key = (arm.folder, seed)
            if seed in later and len(found) == len(seeds):
                return
            stored = None if seed in found else self._stored(arm, seed, epochs)
            if stored is not None and seed in seeds:
                take(stored)
            if seed in found or stored is not None or key in self._begun:
                continue
            if not self.budget.allows(epochs, self.epochs_trained + epochs * len(self._begun), self.pace):
                self.exhausted = self.exhausted or seed in seeds
                return
            self._begun.add(key)
            yield seed

    def _count(self, arm: Arm, replicate: Replicate) -> bool:
        """Count what a replicate cost; False for one that this process did not begin."""
        key = (arm.folder, replicate.seed)
        if key not in self._begun:
            return False
        self._begun.discard(key)
        self.epochs_trained += len(replicate.epochs)
        self.trained_seconds += [e.seconds for e in replicate.epochs]
        self._correct_pace()
        return True

    def one(self, arm: Arm, seed: int, *, epochs: int | None = None) -> Replicate | None:
        """The single path of an arm that is no part of a null (a replay); None where the budget ends before it.

        Parameters
        ----------
        arm, seed
            Which path.
        epochs
            Its length; None: that of the study.
        """
        length = epochs or self.study.epochs
        stored = self._stored(arm, seed, length)
        if stored is None and not self.budget.allows(length, self.epochs_trained, self.pace):
            return None
        return self.several(arm, (seed,), length)[0]

    def validation(self) -> Replicate:
        """The row of the checkpoint's own weights, from the store or now; it trains nothing and costs no epoch."""
        arm = Arm(ArmKind.REVALIDATION)
        return self.study.store.get(arm.folder, 0) or next(self._run(arm, [0], epochs=1))

    def _stored(self, arm: Arm, seed: int, epochs: int) -> Replicate | None:
        replicate = self.study.store.get(arm.folder, seed)
        if replicate is None or replicate.outcome is Outcome.FAILED:
            return None
        enough = len(replicate.epochs) >= epochs or replicate.outcome is Outcome.DIVERGED
        return replicate if enough else None

    @property
    def executor(self) -> Executor:
        """Who trains, started when it is first asked for."""
        if self._executor is None:
            self._executor = (self.make_executor or executor_for)(self.study, self.progress)
        return self._executor

    def _run(self, arm: Arm, seeds: Iterable[int], epochs: int) -> Iterator[Replicate]:
        job = self.study.job(arm, scratch=self.study.store.path)  # each worker takes a folder of its own
        try:
            yield from self.executor.run(replace(job, epochs=epochs), seeds)
        except DriftError as e:
            self._begun.clear()  # whoever goes on may ask for the same seed again
            _refuse_full_disk(e, self.study.store.root)
            if self.epochs_trained:
                raise
            raise explained(e, self.study.checkpoint, self.study.versions) from e

    def _correct_pace(self) -> None:
        """Trained epochs know better than the run's times; the first one says so where it is far off."""
        if not self.trained_seconds:
            return
        expected, self.pace = self.pace, float(np.median(self.trained_seconds))
        if len(self.trained_seconds) == 1 and expected and not 2 / 3 < self.pace / expected < 3 / 2:
            self.progress.message(f"An epoch takes {self.pace:.1f} s here, where the run's times say {expected:.1f} s.")

    def close(self) -> None:
        """Stop the worker; what is in the store stays."""
        if self._executor is not None:
            self._executor.close()
            self._executor = None


def _refuse_full_disk(error: DriftError, folder: Path) -> None:
    """Raise for a worker that had no room: torch then names anything but that, and no log could be written."""
    if isinstance(error, EngineError) and shutil.disk_usage(folder).free < _ROOM:
        what = f"No space is left on the disk of {folder}."
        raise StoreError(what, "Free space there, or choose a folder with --out.") from error


def _inside(record: EpochRecord) -> dict[str, float]:
    """The last running losses of an epoch that has no row."""
    after = record.within.after if record.within is not None else {}
    return {k: v for k, v in after[max(after)].items() if is_train_loss(k)} if after else {}


def refuse_degenerate(replicates: tuple[Replicate, ...]) -> None:
    """Stop where two seeds agree in every column of every epoch: such a null has no variance.

    Learning rates follow the schedule and agree by nature; they do not count.
    """
    rows: dict[tuple[tuple[str, float], ...], int] = {}
    for replicate in replicates:
        if replicate.outcome is not Outcome.OK:
            continue
        key = tuple((k, v) for e in replicate.epochs for k, v in sorted((e.exact or _inside(e)).items()))
        first = rows.setdefault(key, replicate.seed)
        if first != replicate.seed:
            raise DegenerateNullError(
                f"Seeds {first} and {replicate.seed} of the arm {replicate.arm} gave the same row in every column: the "
                "seed does not reach the training, and a null without variance would call everything a fault.",
                "Look for a constant generator (data loader, custom trainer or callback), or for training with frozen "
                "weights, then run again.",
            )
