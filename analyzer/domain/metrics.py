"""Which columns of results.csv are metrics, which way is better, and which of them decide."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum

__all__ = ["Group", "Metric", "metric_of", "metrics_of"]


class Group(str, Enum):
    """What a column measures."""

    TRAIN_LOSS = "train loss"
    VAL_LOSS = "val loss"
    HEADLINE = "headline"  # the metrics by which the task is judged
    SECONDARY = "secondary"  # read at a confidence threshold that itself jumps: shown, never deciding


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric column.

    Parameters
    ----------
    name
        The column as Ultralytics writes it, e.g. ``metrics/mAP50-95(B)``.
    group
        What it measures.
    """

    name: str
    group: Group

    @property
    def higher_is_better(self) -> bool:
        """True for scores, False for losses."""
        return self.group in (Group.HEADLINE, Group.SECONDARY)

    @property
    def deciding(self) -> bool:
        """Whether the metric belongs to the family that decides the verdict."""
        return self.group is not Group.SECONDARY

    @property
    def adverse_sign(self) -> int:
        """+1 where a rise is bad (losses), -1 where a fall is bad (scores)."""
        return -1 if self.higher_is_better else 1


_HEADLINE = re.compile(
    r"metrics/(mAP50(-95)?\([A-Z]\)|mAP_0\.5(:0\.95)?|mAP50(-95)?|accuracy_top[15]|mIoU|pixel_acc)$", re.IGNORECASE
)


def metric_of(column: str) -> Metric | None:
    """Read a column name; None where it is no metric (``epoch``, ``time``, ``lr/pg0``, columns of trackers).

    Examples
    --------
    >>> metric_of("metrics/mAP50(B)").group.value, metric_of("train/box_loss").higher_is_better
    ('headline', False)
    >>> metric_of("metrics/recall(B)").deciding, metric_of("lr/pg0")
    (False, None)
    """
    if column.startswith("train/"):
        return Metric(column, Group.TRAIN_LOSS)
    if column.startswith("val/"):
        return Metric(column, Group.VAL_LOSS)
    if column.startswith("metrics/"):
        return Metric(column, Group.HEADLINE if _HEADLINE.match(column) else Group.SECONDARY)
    return None


def metrics_of(columns: Iterable[str]) -> tuple[Metric, ...]:
    """All metrics among the columns, in their order."""
    return tuple(m for m in map(metric_of, columns) if m is not None)
