"""The registry of metrics against what the installed Ultralytics logs."""

import importlib.util
import re
from pathlib import Path

import pytest

from analyzer.domain.metrics import LOSSES, Group, metric_of, metrics_of

ULTRALYTICS = Path(importlib.util.find_spec("ultralytics").origin).parent


def source(*folders):
    return "\n".join(file.read_text() for folder in folders for file in sorted((ULTRALYTICS / folder).rglob("*.py")))


def test_every_loss_that_ultralytics_names_is_known():
    """Each task's names stand as strings in the criterion, up to 8.4.100 in the task's trainer."""
    found = set(
        re.findall(r"[\"'](\w+_loss)[\"']", source("models", "engine") + (ULTRALYTICS / "utils/loss.py").read_text())
    )
    assert {"box_loss", "cls_loss", "dfl_loss", "seg_loss", "pose_loss", "kobj_loss"} <= found
    assert found <= set(LOSSES)


def test_every_score_that_ultralytics_logs_is_known():
    found = set(re.findall(r"[\"'](metrics/[\w.:()-]+)[\"']", (ULTRALYTICS / "utils/metrics.py").read_text()))
    assert {"metrics/mAP50(B)", "metrics/mAP50(M)", "metrics/mAP50(P)", "metrics/accuracy_top1"} <= found
    assert [m.name for m in metrics_of(sorted(found)) if not m.known] == []


@pytest.mark.parametrize(
    ("columns", "deciding"),
    [
        ("metrics/precision(M) metrics/mAP50(B) metrics/mAP50-95(M) val/seg_loss", "(B) (M) val/seg_loss"),
        ("metrics/recall(P) metrics/mAP50-95(P) train/rle_loss", "(P) train/rle_loss"),
        ("metrics/accuracy_top1 metrics/accuracy_top5 train/loss", "top1 top5 train/loss"),
        ("metrics/mIoU metrics/pixel_acc", "mIoU pixel_acc"),
        ("metrics/delta1 metrics/delta2 metrics/abs_rel metrics/rmse", "delta1 abs_rel"),
    ],
)
def test_what_each_task_is_judged_by_decides(columns, deciding):
    found = [m.name for m in metrics_of(columns.split()) if m.deciding]
    wanted = deciding.split()
    assert len(found) == len(wanted) and all(end in name for name, end in zip(found, wanted, strict=True))


def test_errors_fall_and_scores_rise_where_it_goes_well():
    lower = ("train/loss", "val/angle_loss", "metrics/abs_rel", "metrics/rmse", "metrics/silog")
    assert [metric_of(name).adverse_sign for name in lower] == [1] * 5
    assert [metric_of(name).adverse_sign for name in ("metrics/delta1", "metrics/mIoU", "metrics/mAP50(M)")] == [-1] * 3


def test_an_unknown_column_is_taken_by_its_folder_and_an_unknown_score_never_decides():
    mine, loss = metric_of("metrics/my_score"), metric_of("val/my_term")
    assert (mine.known, mine.group, mine.deciding) == (False, Group.SECONDARY, False)
    assert (loss.known, loss.group, loss.adverse_sign) == (False, Group.VAL_LOSS, 1)
    assert metric_of("lr/pg0") is None and metric_of("model/parameters") is None
