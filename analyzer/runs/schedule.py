"""What the arguments plan for an epoch: whether it warms up, whether mosaic is closed, where a regime begins."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil, isfinite
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from analyzer.runs.versions import TRAIN_DEFAULTS

__all__ = ["Schedule", "has_mosaic"]

_WITHOUT_MOSAIC = frozenset({"classify", "depth"})  # tasks whose data sets have none, whatever the arguments say


def has_mosaic(args: Mapping[str, Any]) -> bool:
    """Whether the task can train with mosaic; classification and depth have none.

    Examples
    --------
    >>> has_mosaic({"task": "segment"}), has_mosaic({"task": "classify", "mosaic": 1.0})
    (True, False)
    """
    return str(args.get("task")) not in _WITHOUT_MOSAIC


@dataclass(frozen=True, slots=True)
class Schedule:
    """Epochs count from 1.

    Parameters
    ----------
    warmup
        Epochs during which the learning rate rises; a part of an epoch counts as a whole one.
    closed_from
        First epoch that trains without mosaic; None where it is never closed.
    """

    warmup: float
    closed_from: int | None

    @classmethod
    def of(cls, args: Mapping[str, Any]) -> Schedule:
        """The schedule that Ultralytics makes of these arguments, with its defaults for those that are missing."""
        return cls.told({**{k: TRAIN_DEFAULTS[k] for k in ("warmup_epochs", "close_mosaic")}, **args})

    @classmethod
    def told(cls, args: Mapping[str, Any]) -> Schedule:
        """What the arguments themselves say; of one that is missing, or was edited into no number, nothing.

        Ultralytics closes mosaic at the start of its zero-based epoch ``epochs - close_mosaic`` (8.4.190
        ``engine/trainer.py``).

        Examples
        --------
        >>> Schedule.told({"epochs": 100, "close_mosaic": 10, "warmup_epochs": 3})
        Schedule(warmup=3.0, closed_from=91)
        """
        epochs, closing = _number(args.get("epochs")), _number(args.get("close_mosaic"))
        never = not has_mosaic(args) or epochs is None or closing is None or closing <= 0
        return cls(
            warmup=_number(args.get("warmup_epochs")) or 0.0,
            closed_from=None if never or epochs is None or closing is None else max(int(epochs) - int(closing), 0) + 1,
        )

    def closed_at(self, epoch: int) -> bool:
        """Whether an epoch trains without mosaic because it was closed."""
        return self.closed_from is not None and epoch >= self.closed_from

    def closes_between(self, before: int, after: int) -> bool:
        """Whether mosaic closes after one epoch and not after a later one."""
        return self.closed_at(after) and not self.closed_at(before)

    def regime_start(self, epochs: ArrayLike, *, cuts: Sequence[int] = ()) -> int:
        """Index of the first row of the regime that ends with the last row given.

        A regime is cut after warmup (learning rate rising), where mosaic closes, and where epoch numbers stop rising by
        one (rows lost or repeated).

        Parameters
        ----------
        epochs
            Shape (T,), T >= 1.
        cuts
            Indices of rows with which another regime begins: the first ones of earlier resumes.

        Returns
        -------
        int
            Between 0 and T - 1.

        Examples
        --------
        >>> Schedule(3, 91).regime_start(range(1, 96)), Schedule(3, 91).regime_start(range(1, 51), cuts=[20])
        (90, 20)
        """
        number = np.asarray(list(epochs) if isinstance(epochs, range) else epochs, dtype=np.int64)
        last = len(number) - 1
        found = [0, *(s for s in cuts if 0 <= s <= last), *(int(i) + 1 for i in np.flatnonzero(np.diff(number) != 1))]
        for boundary in (ceil(self.warmup) + 1, self.closed_from):
            if boundary is not None and number[last] >= boundary:
                rows = np.flatnonzero(number < boundary)
                found.append(int(rows[-1]) + 1 if len(rows) else 0)
        return max(found)


def _number(value: object) -> float | None:
    """What args.yaml says, where it says a number: it may have been edited by hand."""
    usable = isinstance(value, (int, float)) and not isinstance(value, bool) and isfinite(value)
    return float(value) if usable else None  # type: ignore[arg-type]
