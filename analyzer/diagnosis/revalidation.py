"""Re-validation: the row that the checkpoint's weights give now against the one that was logged with them.

The two never agree to the last digit: a checkpoint stores the averaged weights in half precision, and the logged row
was computed before that rounding. How much the rounding does is measured (docs/METHOD.md, section 8), and the
tolerances are several times the worst that was seen.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from analyzer.domain.metrics import Group, metric_of

__all__ = ["LOSS_TOLERANCE", "SCORE_FLIPS", "SCORE_TOLERANCE", "Difference", "compare_rows"]

LOSS_TOLERANCE = 0.05  # of the logged loss; the worst measured is 0.0072
SCORE_TOLERANCE = 0.01  # of the scale 0..1, and on top of it
SCORE_FLIPS = 10.0  # a flipped match moves a score by about 1 / instances; on 20 instances 1.1 of them were measured
_UNITS = 1e-4  # ten rounding units of results.csv, for losses near zero


@dataclass(frozen=True, slots=True)
class Difference:
    """One column, logged and now.

    Parameters
    ----------
    name
        The column.
    logged, now
        Values in metric units.
    tolerance
        Largest difference that rounding is allowed; None for what decides nothing: precision and recall, which are read
        at a confidence threshold that itself jumps, and losses whose mean depends on the order of the images.
    """

    name: str
    logged: float
    now: float
    tolerance: float | None

    @property
    def agrees(self) -> bool:
        """Whether rounding explains the difference; a value that is not finite any more is never explained."""
        return self.tolerance is None or abs(self.now - self.logged) <= self.tolerance

    @property
    def share(self) -> float:
        """The difference as a share of its tolerance; 0 where there is none."""
        return abs(self.now - self.logged) / self.tolerance if self.tolerance else 0.0


def compare_rows(
    logged: Mapping[str, float], now: Mapping[str, float], *, instances: int, shuffled: bool = False
) -> tuple[Difference, ...]:
    """Compare the validation columns that both rows have and that were finite when they were logged.

    Parameters
    ----------
    logged
        ``train_metrics`` of the checkpoint.
    now
        The same columns, from the checkpoint's own weights on the data as they are now.
    instances
        Labelled objects in the validation split (classification: images), at least 0.
    shuffled
        Whether images were validated in random order in batches of unequal size, so that the losses, a mean of the
        batches' means, are not those of another order.

    Returns
    -------
    tuple of Difference
        In the order of `logged`; empty where there is nothing to compare.
    """
    found = []
    for name, value in logged.items():
        metric = metric_of(name)
        if metric is None or name not in now or not math.isfinite(value):
            continue
        found.append(Difference(name, value, now[name], _tolerance(metric.group, value, instances, shuffled)))
    return tuple(found)


def _tolerance(group: Group, logged: float, instances: int, shuffled: bool) -> float | None:
    if group is Group.SECONDARY or (shuffled and group is Group.VAL_LOSS):
        return None
    if group is Group.HEADLINE:
        return SCORE_TOLERANCE + SCORE_FLIPS / max(instances, 1)
    return LOSS_TOLERANCE * abs(logged) + _UNITS
