"""The registry of metrics against what the installed Ultralytics logs."""

import importlib.util
import re
from pathlib import Path

import numpy as np
import pytest

import analyzer
from analyzer.domain.evidence import Verdict
from analyzer.domain.metrics import LOSSES, SCORES, Group, metric_of, metrics_of

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


def test_a_new_metric_is_one_line_of_the_table(tmp_path, monkeypatch):
    """From there on it is judged: the recipe in CONTRIBUTING.md."""
    rng = np.random.default_rng(0)
    quality = 0.5 + 0.002 * np.arange(30) + rng.normal(0, 0.002, 30)
    quality[25:] -= 0.3  # the score falls at the resume of epoch 26
    loss = 1 - 0.004 * np.arange(30) + rng.normal(0, 0.003, 30)
    time = [10 * (i + 1) if i < 25 else 10 * (i - 24) for i in range(30)]
    rows = [f"{i + 1},{time[i]},{loss[i]:.5f},{quality[i]:.5f}" for i in range(30)]
    (tmp_path / "results.csv").write_text("\n".join(["epoch,time,train/box_loss,metrics/PQ(B)", *rows]) + "\n")
    (tmp_path / "args.yaml").write_text("epochs: 100\nwarmup_epochs: 3\n")
    assert analyzer.analyze(tmp_path, history_only=True).verdict is not Verdict.FAULT
    monkeypatch.setitem(SCORES, "PQ", (Group.HEADLINE, 1))
    judged = analyzer.analyze(tmp_path, history_only=True)
    assert judged.verdict is Verdict.FAULT
    assert "metrics/PQ(B)" in judged.decision.reasons[0]
