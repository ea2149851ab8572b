"""Get the replicates of an arm: those in the store, then new ones, within the budget."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np

from analyzer.domain.progress import Progress
from analyzer.domain.replicate import Arm, Outcome, Replicate
from analyzer.errors import DegenerateNullError
from analyzer.pipeline.budget import Budget
from analyzer.pipeline.study import REVALIDATION, Study
from analyzer.replicates.executor import Executor, LocalExecutor, scratch_folder
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.study import arm_folder

__all__ = ["Collector", "refuse_degenerate"]


@dataclass(slots=True)
class Collector:
    """Hands out replicates of a study one by one; the worker is started only when one is missing.

    Parameters
    ----------
    study
        The study, whose lock the caller holds.
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
    make_executor: Callable[[Collector], Executor] | None = None
    pace: float | None = None
    epochs_trained: int = 0
    reused: int = 0
    trained_seconds: list[float] = field(default_factory=list)
    exhausted: bool = False
    _executor: Executor | None = None

    def extend(self, arm: Arm, have: tuple[Replicate, ...], n: int) -> tuple[Replicate, ...]:
        """Replicates 0 .. n - 1 of an arm, given those already handed out; fewer where the budget ends.

        Raises
        ------
        DegenerateNullError
            Two seeds gave the same row in every column.
        EngineError
            A replicate could not be trained.
        """
        found = list(have)
        seeds = replicate_seeds(self.study.base_seed, n - len(have), first=len(have))
        for seed in seeds:
            stored = self._stored(arm, seed, self.study.epochs)
            if stored is None and not self.budget.allows(self.study.epochs, self.epochs_trained, self.pace):
                self.exhausted = True
                break
            replicate = stored or self._train(arm, seed, self.study.epochs)
            self.reused += stored is not None
            found.append(replicate)
            seconds = sum(e.seconds for e in replicate.epochs)
            self.progress.finished_replicate(arm.name, len(found), seconds, stored is not None)
        refuse_degenerate(tuple(found))
        return tuple(found)

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
        self.reused += stored is not None
        return stored or self._train(arm, seed, length)

    def validation(self) -> Replicate:
        """The row of the checkpoint's own weights, from the store or now; it trains nothing and costs no epoch."""
        arm = Arm(REVALIDATION)
        return self.study.store.get(arm_folder(arm), 0) or self._run(arm, 0, epochs=1)

    def _stored(self, arm: Arm, seed: int, epochs: int) -> Replicate | None:
        replicate = self.study.store.get(arm_folder(arm), seed)
        if replicate is None or replicate.outcome is Outcome.FAILED:
            return None
        enough = len(replicate.epochs) >= epochs or replicate.outcome is Outcome.DIVERGED
        return replicate if enough else None

    @property
    def executor(self) -> Executor:
        """The worker, started when it is first asked for."""
        if self._executor is None:
            self._executor = (self.make_executor or _local)(self)
        return self._executor

    def _run(self, arm: Arm, seed: int, epochs: int) -> Replicate:
        executor = self.executor
        job = self.study.job(arm, scratch=getattr(executor, "scratch", self.study.store.path))
        return next(iter(executor.run(replace(job, epochs=epochs), [seed])))

    def _train(self, arm: Arm, seed: int, epochs: int) -> Replicate:
        replicate = self._run(arm, seed, epochs)
        self.epochs_trained += len(replicate.epochs)
        self.trained_seconds += [e.seconds for e in replicate.epochs]
        self._correct_pace()
        return replicate

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


def _local(collector: Collector) -> Executor:
    def moved(fraction: float) -> None:
        collector.progress.epoch_fraction(round(1000 * fraction), 1000)

    return LocalExecutor(scratch_folder(collector.study.store.path), collector.study.protected, moved)


def refuse_degenerate(replicates: tuple[Replicate, ...]) -> None:
    """Stop where two seeds agree in every column of every epoch: such a null has no variance.

    Learning rates follow the schedule and agree by nature; they do not count.
    """
    rows: dict[tuple[tuple[str, float], ...], int] = {}
    for replicate in replicates:
        if replicate.outcome is not Outcome.OK:
            continue
        key = tuple((k, v) for e in replicate.epochs for k, v in sorted(e.exact.items()))
        twin = rows.setdefault(key, replicate.seed)
        if twin != replicate.seed:
            raise DegenerateNullError(
                f"Seeds {twin} and {replicate.seed} of the arm {replicate.arm} gave the same row in every column: the "
                "seed does not reach the training, and a null without variance would call everything a fault.",
                "Look for a constant generator (data loader, custom trainer or callback), or for training with frozen "
                "weights, then run again.",
            )
