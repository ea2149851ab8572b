"""The learning rate that Ultralytics logs for an epoch, recomputed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from analyzer.diagnosis.audit.steps import Loop

__all__ = ["decay", "logged_rates", "repeated_warmup_rates"]


def decay(args: Mapping[str, Any], epoch: int) -> float:
    """The factor of the schedule, 1 at epoch 0: linear, or a cosine with ``cos_lr`` (``one_cycle(1, lrf, epochs)``).

    Parameters
    ----------
    args
        ``epochs``, ``lrf``, ``cos_lr``.
    epoch
        Counted from 0.

    Examples
    --------
    >>> round(decay({"epochs": 80, "lrf": 0.01}, 34), 6), decay({"epochs": 10, "lrf": 0.01, "cos_lr": True}, 0)
    (0.57925, 1.0)
    """
    epochs, lrf = int(args.get("epochs") or 100), float(args.get("lrf", 0.01))
    if args.get("cos_lr"):
        return max((1 - math.cos(epoch * math.pi / epochs)) / 2, 0.0) * (lrf - 1) + 1
    return max(1 - epoch / epochs, 0.0) * (1.0 - lrf) + lrf


def logged_rates(args: Mapping[str, Any], base: float, epoch: int, loops: Sequence[Loop]) -> tuple[float, ...]:
    """Every rate that a healthy epoch may log: that of its last batch.

    Parameters
    ----------
    args
        Arguments of the training.
    base
        ``initial_lr`` of the parameter group.
    epoch
        Counted from 0.
    loops
        From :func:`analyzer.diagnosis.audit.steps.loops`; empty where the number of batches is unknown, then warmup
        is left out.

    Returns
    -------
    tuple of float
        One value after warmup; in warmup one for weights and one for biases, by version.

    Examples
    --------
    >>> args = {"epochs": 80, "lrf": 0.01, "warmup_bias_lr": 0.1}
    >>> [round(r, 8) for r in logged_rates(args, 0.002, 0, [Loop(52, 1, 1.0, 52)])]
    [0.00196154, 0.00388462]
    """
    target = base * decay(args, epoch)
    found = [r for loop in loops for r in _ramp(args, target, (epoch + 1) * loop.batches - 1, loop.warmup)]
    return tuple(dict.fromkeys(found)) if found else (target,)


def repeated_warmup_rates(
    args: Mapping[str, Any], base: float, epoch: int, since: int, loops: Sequence[Loop]
) -> tuple[float, ...]:
    """Rates that an epoch logs where warmup began again at epoch `since`, whether the schedule did so too or not.

    Parameters
    ----------
    args, base, epoch, loops
        As in :func:`logged_rates`.
    since
        First resumed epoch, counted from 0.

    Returns
    -------
    tuple of float
        Empty where that warmup would be over.
    """
    found = []
    for loop in loops:
        ni = (epoch - since + 1) * loop.batches - 1
        if loop.warmup and ni < loop.warmup:
            targets = (base * decay(args, epoch), base * decay(args, epoch - since))
            found += [r for target in targets for r in _ramp(args, target, ni, loop.warmup)]
    return tuple(dict.fromkeys(found))


def _ramp(args: Mapping[str, Any], target: float, ni: int, warmup: int) -> tuple[float, ...]:
    """The rate at iteration `ni`: of weights, and of biases where it differs."""
    if not warmup or ni >= warmup:
        return (target,)
    biases = (float(args.get("warmup_bias_lr", 0.1) or 0.0), 0.0)  # optimizer=auto starts biases at zero
    return tuple(dict.fromkeys(float(np.interp(ni, [0, warmup], [start, target])) for start in (0.0, *biases)))
