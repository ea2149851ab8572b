"""Faults of the learning rate: another one, a second warmup, no resume at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Any

import numpy as np

from analyzer.domain.evidence import Severity
from analyzer.domain.rows import is_rate
from analyzer.errors import UsageError
from analyzer.faults.clues import Clues, Hypothesis
from analyzer.faults.fault import Attempt, Family, Fault, Situation

__all__ = ["LrJump", "NotAResume", "WarmupRepeated", "rate_ratios", "simplest"]


class LrJump(Fault):
    """Every learning rate of the schedule is multiplied.

    Parameters
    ----------
    factors
        One number for all parameter groups, or one for each.
    """

    id = "lr-jump"
    family = Family.RATES
    row = "The rate columns leave the schedule; train losses rise and come back within epochs, mAP slowly."
    audit = "The logged rate against the recomputed schedule; lr0 against the stored optimizer."
    searched = "The logged rate over that of the replay, per parameter group."
    remedy = (
        "Resume again from the unedited checkpoint with plain `resume=True`, without setting a learning rate yourself."
    )
    severity = Severity.HARD
    seen = "The logged learning rate of a resumed epoch leaves the schedule of the earlier epochs, or lr0 differs."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """The logged rate over the scheduled one."""
        return (Attempt(cls._logged, {Situation.RATES_ALIKE: 1, Situation.RATES_APART: 2}),)

    @classmethod
    def _logged(cls, clues: Clues) -> Iterator[Hypothesis]:
        factors = [simplest(r) for r in rate_ratios(clues)]
        parameter = factors[0] if len(set(factors)) == 1 else factors
        listed = ", ".join(f"{f:g}" for f in dict.fromkeys(factors))
        yield Hypothesis(
            ((cls.id, {"factors": parameter}),), f"the logged learning rate is {listed} times the scheduled one"
        )

    def __init__(self, factors: float | Sequence[float]) -> None:
        self.factors = factors

    def at_start(self, trainer: Any) -> None:
        """Multiply what scheduler and warmup start from."""
        groups = trainer.optimizer.param_groups
        factors = [float(f) for f in np.atleast_1d(self.factors)]
        factors = factors * len(groups) if len(factors) == 1 else factors
        if len(factors) != len(groups):
            raise UsageError(f"lr-jump has {len(factors)} factors, the optimizer has {len(groups)} groups.")
        trainer.scheduler.base_lrs = [b * f for b, f in zip(trainer.scheduler.base_lrs, factors, strict=True)]
        for group, factor in zip(groups, factors, strict=True):
            group["initial_lr"] *= factor


class WarmupRepeated(Fault):
    """Warmup runs again from the first resumed batch: learning rates, momentum and accumulation.

    Written from Ultralytics' loop, which has no switch for it: ``engine/trainer.py``, "Warmup".
    """

    id = "warmup-repeated"
    family = Family.RATES
    row = "The rate columns ramp; val losses rise."
    audit = "The logged rates of a ramp that begins at the seam."
    searched = "Where the rate columns differ."
    remedy = "Resume with `resume=True` instead of a new training, or set warmup_epochs=0 in the continuation."
    severity = Severity.HARD
    seen = "The logged learning rates after the seam are those of a warmup that began again."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """A ramp: the groups' rates leave the schedule differently."""
        return (Attempt(cls._ramp, {Situation.RATES_APART: 1, Situation.RATES_ALIKE: 2}),)

    @classmethod
    def _ramp(cls, clues: Clues) -> Iterator[Hypothesis]:
        yield Hypothesis(((cls.id, {}),), "the learning rates of the groups left the schedule differently")

    def at_start(self, trainer: Any) -> None:
        """Count batches from here."""
        self._batch = 0
        self._nominal = trainer.accumulate

    def at_batch(self, trainer: Any) -> None:
        """Set what the next batch uses, where the checkpoint's own warmup is over."""
        done, self._batch = self._batch, self._batch + 1
        newest = hasattr(trainer, "_get_warmup_iterations")  # 8.4.190; earlier ones warm up for 100 batches at least
        batches = len(trainer.train_loader)
        wanted = float(trainer.args.warmup_epochs)
        warmup = trainer._get_warmup_iterations(batches) if newest else max(round(wanted * batches), 100)
        if not warmup or wanted <= 0 or done > warmup:
            return
        span = [0, warmup]
        steps = self._nominal if newest else trainer.args.nbs / trainer.batch_size
        trainer.accumulate = max(1, int(np.interp(done, span, [1, steps]).round()))
        for i, group in enumerate(trainer.optimizer.param_groups):
            biases = group["param_group"] == "bias" if "param_group" in group else i == 0
            target = group["initial_lr"] * trainer.lf(trainer.epoch)
            start = trainer.args.warmup_bias_lr if biases else 0.0
            group["lr"] = float(np.interp(done, span, [start, target]))
            if "momentum" in group:
                group["momentum"] = float(np.interp(done, span, [trainer.args.warmup_momentum, trainer.args.momentum]))


class NotAResume(Fault):
    """A new training from the checkpoint's weights: first epoch, warmup, no optimizer state, a young EMA."""

    id = "not-a-resume"
    family = Family.RATES
    row = "Epoch numbers, learning rate and warmup begin again."
    audit = "Epoch numbers that start again, epoch -1, no optimizer."
    searched = "Where the rate columns differ."
    remedy = "Call `YOLO('RUN/weights/last.pt').train(resume=True)` on a checkpoint that still has its optimizer."
    severity = Severity.HARD
    seen = "Epoch numbers start again, the checkpoint is stripped (epoch -1), or args.yaml says resume: false."

    @classmethod
    def attempts(cls) -> Sequence[Attempt]:
        """Where the rates left the schedule."""
        return (Attempt(cls._anew, {Situation.RATES_ALIKE: 3, Situation.RATES_APART: 3}),)

    @classmethod
    def _anew(cls, clues: Clues) -> Iterator[Hypothesis]:
        yield Hypothesis(((cls.id, {}),), "the learning rate left its schedule")

    def at_start(self, trainer: Any) -> None:
        """Put everything but the weights back to the beginning."""
        trainer.start_epoch = 0
        trainer.scheduler.last_epoch = -1
        trainer.optimizer.state.clear()
        if trainer.ema is not None:  # on several GPUs older versions keep one on the first rank alone
            trainer.ema.updates = 0


def rate_ratios(clues: Clues) -> list[float]:
    """Each logged rate over the scheduled one; NaN where one is missing or 0."""
    columns = [c for c in clues.replayed if is_rate(c)]
    return [clues.observed.get(c, np.nan) / clues.replayed[c] if clues.replayed[c] else np.nan for c in columns]


def simplest(ratio: float) -> float:
    """The simplest number that prints like the ratio of two rates of six digits.

    Examples
    --------
    >>> simplest(10.00001), simplest(0.333333), simplest(3.0000021)
    (10.0, 0.3333333333333333, 3.0)
    """
    for bound in (1, 2, 3, 4, 5, 8, 10, 100, 1000):
        simple = Fraction(ratio).limit_denominator(bound)
        if simple and abs(float(simple) - ratio) <= 3e-6 * abs(ratio):
            return float(simple)
    return ratio
