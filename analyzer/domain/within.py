"""What an epoch shows while it runs: the running means of its losses after given numbers of batches."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

__all__ = ["FRACTIONS", "Within", "batches_of", "marks"]

FRACTIONS = (0.01, 0.02, 0.05, 0.10, 0.20, 0.50)
"""Of the batches of an epoch: where running losses are kept and compared."""


@dataclass(frozen=True, slots=True)
class Within:
    """One epoch from inside.

    Parameters
    ----------
    batches
        Of the whole epoch.
    after
        Number of batches done to what the trainer showed then: the mean of each train loss over those batches
        (``train/box_loss`` ...), and the learning rates of the last of them (``lr/pg0`` ...).
    """

    batches: int
    after: Mapping[int, Mapping[str, float]]

    def up_to(self, fraction: float) -> Within:
        """The same without what came after that fraction of the batches."""
        last = batches_of(fraction, self.batches)
        return Within(self.batches, {n: row for n, row in self.after.items() if n <= last})


def batches_of(fraction: float, batches: int) -> int:
    """How many batches a fraction of an epoch is, at least one.

    Examples
    --------
    >>> batches_of(0.1, 208), batches_of(0.01, 5), batches_of(0.1, 200)
    (21, 1, 20)
    """
    return max(1, min(batches, math.ceil(fraction * batches - 1e-9)))


def marks(batches: int) -> tuple[int, ...]:
    """Numbers of batches at which an epoch of that many is looked at; fewer than FRACTIONS in a short epoch.

    Examples
    --------
    >>> marks(208), marks(4)
    ((3, 5, 11, 21, 42, 104), (1, 2))
    """
    return tuple(sorted({batches_of(f, batches) for f in FRACTIONS}))
