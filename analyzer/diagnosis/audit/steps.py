"""How many optimizer steps a training makes: Ultralytics' loop without the training."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from analyzer.runs.schedule import Schedule

__all__ = ["Loop", "loops", "optimizer_steps"]


@dataclass(frozen=True, slots=True)
class Loop:
    """What decides when the optimizer steps.

    Parameters
    ----------
    batches
        Batches an epoch (``nb``), at least 1.
    accumulate
        Batches an optimizer step outside warmup (``nbs / batch``, rounded, at least 1).
    ramp
        What `accumulate` rises to during warmup: the same number, or ``nbs / batch`` itself in older versions.
    warmup
        Iterations of warmup (``nw``), 0 where there is none.
    """

    batches: int
    accumulate: int
    ramp: float
    warmup: int


def loops(args: Mapping[str, Any], batches: int) -> tuple[Loop, ...]:
    """The loops that Ultralytics versions make of the same arguments.

    8.4.190 caps warmup at ``epochs - 1`` epochs (`_get_warmup_iterations`) and ramps to the rounded `accumulate`;
    earlier ones warm up for at least 100 iterations and ramp to ``nbs / batch``.

    Parameters
    ----------
    args
        ``epochs``, ``batch``, ``nbs``, ``warmup_epochs``; defaults of Ultralytics where one is missing.
    batches
        Batches an epoch, at least 1.

    Returns
    -------
    tuple of Loop
        Newest first, without repetition; empty where ``batch`` is not a number of images (AutoBatch).

    Examples
    --------
    >>> [loop.warmup for loop in loops({"epochs": 80, "batch": 4, "nbs": 4, "warmup_epochs": 1.0}, 52)]
    [52, 100]
    """
    batch, nbs = float(args.get("batch") or 16), float(args.get("nbs") or 64)
    epochs, wanted = int(args.get("epochs") or 100), Schedule.of(args).warmup
    if batch < 1 or batches < 1:
        return ()
    nominal = max(round(nbs / batch), 1)
    capped = min(nominal, batches * epochs)
    newest = round(min(wanted, max(epochs - 1, 0)) * batches)
    older = max(round(wanted * batches), 100) if wanted > 0 else 0
    return tuple(
        dict.fromkeys(
            (
                Loop(batches, capped, float(capped), newest),
                Loop(batches, nominal, nbs / batch, newest),
                Loop(batches, nominal, nbs / batch, older),
            )
        )
    )


def optimizer_steps(loop: Loop, first: int, last: int, *, starts: Collection[int] = ()) -> int:
    """Optimizer steps (and so EMA updates) of the epochs from `first` to `last`, both included.

    The loop is that of ``BaseTrainer._do_train``: a step at iteration ``ni = i + nb * epoch`` where
    ``ni - last_opt_step >= accumulate``; a process starts with ``last_opt_step = -1``, so that the first batch after a
    resume makes a step by itself.

    Parameters
    ----------
    loop
        What decides when the optimizer steps.
    first, last
        Epochs counted from 0. A process starts at `first`.
    starts
        Further epochs at which a new process starts (seams in between).

    Returns
    -------
    int
        Number of steps; 0 where `last` is before `first`.

    Examples
    --------
    >>> optimizer_steps(Loop(batches=10, accumulate=4, ramp=4.0, warmup=0), 0, 0)  # after batches 4 and 8
    2
    >>> optimizer_steps(Loop(batches=10, accumulate=4, ramp=4.0, warmup=0), 5, 5)  # after batches 1, 5 and 9
    3
    """
    steps, before = 0, -1
    accumulate = loop.accumulate
    for epoch in range(first, last + 1):
        begin, end = epoch * loop.batches, (epoch + 1) * loop.batches
        if epoch in starts:
            before, accumulate = -1, loop.accumulate
        ni = begin
        while ni < end and loop.warmup and ni <= loop.warmup:
            accumulate = max(1, int(np.interp(ni, [0, loop.warmup], [1, loop.ramp]).round()))
            if ni - before >= accumulate:
                steps, before = steps + 1, ni
            ni += 1
        if ni < end:  # no warmup any more: a step every `accumulate` batches
            at = max(ni, before + accumulate)
            made = max(0, (end - 1 - at) // accumulate + 1)
            steps, before = steps + made, at + (made - 1) * accumulate if made else before
    return steps
