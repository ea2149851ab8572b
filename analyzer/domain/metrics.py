"""The registry of metrics: which columns of results.csv are metrics, which way is better, and which of them decide.

One table for every task and version: a column is known by its name alone, since a run may come without its arguments.
A test holds it against what the installed Ultralytics logs (tests/unit/domain/test_metrics.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum

__all__ = ["LOSSES", "SCORES", "Group", "Metric", "is_train_loss", "metric_of", "metrics_of"]


class Group(str, Enum):
    """What a column measures."""

    TRAIN_LOSS = "train loss"
    VAL_LOSS = "val loss"
    HEADLINE = "headline"  # the metrics by which the task is judged
    SECONDARY = "secondary"  # shown, never deciding: read at a threshold that itself jumps, or no aim of the task


#: Losses as they follow ``train/`` and ``val/``, and whose they are. All are better when lower.
LOSSES: Mapping[str, str] = {
    "box_loss": "detect, segment, pose, obb",
    "cls_loss": "detect, segment, pose, obb, RT-DETR",
    "dfl_loss": "detect, segment, pose, obb (YOLOv8, YOLO11)",
    "l1_loss": "detect, segment, pose, obb (YOLO26), RT-DETR",
    "giou_loss": "RT-DETR",
    "seg_loss": "segment",
    "sem_loss": "segment (YOLO26; 0 in others)",
    "pose_loss": "pose",
    "kobj_loss": "pose",
    "rle_loss": "pose (YOLO26)",
    "angle_loss": "obb",
    "loss": "classify",
    "ce_loss": "semantic",
    "dice_loss": "semantic",
    "aux_loss": "semantic",
    "dlog_loss": "depth",
    "dgrad_loss": "depth",
    "dis_loss": "distillation",
    **dict.fromkeys(("box", "cls", "dfl", "l1", "seg"), "YOLOE visual prompts"),
}

#: Scores as they follow ``metrics/`` without the letter of the head, ``(B)``, ``(M)``, ``(P)``: group, and +1 where
#: higher is better. Headline is what Ultralytics' own fitness of the task is made of, and its nearest relative.
SCORES: Mapping[str, tuple[Group, int]] = {
    "mAP50": (Group.HEADLINE, 1),  # detect, segment, pose, obb
    "mAP50-95": (Group.HEADLINE, 1),
    "mAP_0.5": (Group.HEADLINE, 1),  # older spellings
    "mAP_0.5:0.95": (Group.HEADLINE, 1),
    "precision": (Group.SECONDARY, 1),
    "recall": (Group.SECONDARY, 1),
    "accuracy_top1": (Group.HEADLINE, 1),  # classify
    "accuracy_top5": (Group.HEADLINE, 1),
    "mIoU": (Group.HEADLINE, 1),  # semantic
    "pixel_acc": (Group.HEADLINE, 1),
    "delta1": (Group.HEADLINE, 1),  # depth
    "delta2": (Group.SECONDARY, 1),
    "delta3": (Group.SECONDARY, 1),
    "abs_rel": (Group.HEADLINE, -1),
    "rmse": (Group.SECONDARY, -1),
    "silog": (Group.SECONDARY, -1),
}
_SHARES = frozenset({"metrics/accuracy_top1", "metrics/accuracy_top5"})
_HEAD = re.compile(r"\([A-Z]\)$")


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
    def known(self) -> bool:
        """Whether the registry holds the column; another one is taken by its folder, and its score never decides."""
        folder, _, name = self.name.partition("/")
        return (_HEAD.sub("", name) in SCORES) if folder == "metrics" else name in LOSSES

    @property
    def share_of_images(self) -> bool:
        """Whether it can only be k / n of n validation images, so that one image moves it by 1 / n."""
        return self.name in _SHARES

    @property
    def higher_is_better(self) -> bool:
        """True for most scores, False for losses and errors."""
        return self.adverse_sign < 0

    @property
    def deciding(self) -> bool:
        """Whether the metric belongs to the family that decides the verdict."""
        return self.group is not Group.SECONDARY

    @property
    def adverse_sign(self) -> int:
        """+1 where a rise is bad (losses, errors), -1 where a fall is bad (scores)."""
        return 1 if self.group in (Group.TRAIN_LOSS, Group.VAL_LOSS) else -_score(self.name)[1]


def _score(column: str) -> tuple[Group, int]:
    return SCORES.get(_HEAD.sub("", column.removeprefix("metrics/")), (Group.SECONDARY, 1))


def metric_of(column: str) -> Metric | None:
    """Read a column name; None where it is no metric (``epoch``, ``time``, ``lr/pg0``, columns of trackers).

    Examples
    --------
    >>> metric_of("metrics/mAP50(B)").group.value, metric_of("train/box_loss").higher_is_better
    ('headline', False)
    >>> metric_of("metrics/recall(B)").deciding, metric_of("metrics/abs_rel").adverse_sign, metric_of("lr/pg0")
    (False, 1, None)
    """
    if column.startswith("train/"):
        return Metric(column, Group.TRAIN_LOSS)
    if column.startswith("val/"):
        return Metric(column, Group.VAL_LOSS)
    if column.startswith("metrics/"):
        return Metric(column, _score(column)[0])
    return None


def is_train_loss(column: str) -> bool:
    """Whether a column is a loss of the training, which needs no validation."""
    metric = metric_of(column)
    return metric is not None and metric.group is Group.TRAIN_LOSS


def metrics_of(columns: Iterable[str]) -> tuple[Metric, ...]:
    """All metrics among the columns, in their order."""
    return tuple(m for m in map(metric_of, columns) if m is not None)
