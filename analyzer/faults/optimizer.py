"""Faults of optimizer, learning rate and EMA."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from analyzer.errors import UsageError
from analyzer.faults.base import Intervention

__all__ = ["EmaReset", "LrJump", "OptimizerChanged", "OptimizerLost", "WarmupRepeated"]


class OptimizerLost(Intervention):
    """The optimizer starts without its state; its parameter groups are as they were."""

    id: ClassVar[str] = "optimizer-lost"

    def edit_checkpoint(self, payload: dict[str, Any]) -> None:
        """Empty the state. Without any optimizer Ultralytics would not resume at all."""
        payload["optimizer"] = {**payload["optimizer"], "state": {}}


class OptimizerChanged(Intervention):
    """Another optimizer goes on, without state, from the same learning rate.

    Parameters
    ----------
    optimizer
        Its name as Ultralytics takes it, e.g. "SGD".
    """

    id: ClassVar[str] = "optimizer-changed"

    def __init__(self, optimizer: str) -> None:
        self.optimizer = optimizer

    def at_start(self, trainer: Any) -> None:
        """Build it as `_build_train_pipeline` does, with a scheduler of its own at the same epoch."""
        args = trainer.args
        trainer.optimizer = trainer.build_optimizer(
            model=trainer.model,
            name=self.optimizer,
            lr=args.lr0,
            momentum=args.momentum,
            decay=args.weight_decay * trainer.batch_size * trainer.accumulate / args.nbs,
        )
        trainer._setup_scheduler()
        trainer.scheduler.last_epoch = trainer.start_epoch - 1


class LrJump(Intervention):
    """Every learning rate of the schedule is multiplied.

    Parameters
    ----------
    factors
        One number for all parameter groups, or one for each.
    """

    id: ClassVar[str] = "lr-jump"

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


class WarmupRepeated(Intervention):
    """Warmup runs again from the first resumed batch: learning rates, momentum and accumulation.

    Written from Ultralytics' loop, which has no switch for it: ``engine/trainer.py``, "Warmup".
    """

    id: ClassVar[str] = "warmup-repeated"

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


class EmaReset(Intervention):
    """The EMA's update counter is set back, so that it follows the trained weights closely again.

    Parameters
    ----------
    updates
        What the counter says at the first resumed batch.
    raw
        True: the EMA is a plain copy of the trained weights after every step, and its counter runs on.
    """

    id: ClassVar[str] = "ema-reset"

    def __init__(self, updates: int = 0, raw: bool = False) -> None:
        self.updates = updates
        self.raw = raw

    def at_start(self, trainer: Any) -> None:
        """Set counter or decay; the EMA's weights are the trained ones at every resume."""
        if trainer.ema is None:
            return  # on several GPUs older versions keep one on the first rank alone
        if self.raw:
            trainer.ema.decay = lambda updates: 0.0
        else:
            trainer.ema.updates = self.updates
