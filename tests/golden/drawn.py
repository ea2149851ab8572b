"""Histories, replicates and evidence of the synthetic analyses, drawn once from a fixed generator."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from analyzer.domain.evidence import Interval, MetricEvidence, Significance, Size
from analyzer.domain.metrics import metrics_of
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.domain.run import History
from analyzer.verdict import metric_verdict

COLUMNS = (
    "train/box_loss", "train/cls_loss", "train/dfl_loss", "metrics/precision(B)", "metrics/recall(B)",
    "metrics/mAP50(B)", "metrics/mAP50-95(B)", "val/box_loss", "val/cls_loss", "val/dfl_loss",
)  # fmt: skip
START = np.array([2.1, 3.4, 1.9, 0.31, 0.28, 0.22, 0.11, 2.0, 3.1, 1.8])
END = np.array([1.12, 0.98, 1.21, 0.81, 0.77, 0.8412, 0.5623, 1.09, 0.91, 1.17])
NOISE = np.array([0.012, 0.014, 0.006, 0.018, 0.02, 0.008, 0.007, 0.01, 0.013, 0.006])
SHIFT = np.array([0.19, 0.22, 0.08, -0.2, -0.18, -0.16, -0.14, 0.17, 0.25, 0.06])
SEAM_EPOCH = 15


def history(shift: float) -> History:
    rng = np.random.default_rng(20)
    epochs = np.arange(1, SEAM_EPOCH + 3)
    fade = np.exp(-epochs / 5)[:, None]
    values = END + (START - END) * fade + rng.normal(size=(len(epochs), len(COLUMNS))) * NOISE
    values[SEAM_EPOCH - 1] += shift * SHIFT
    values[SEAM_EPOCH] += shift * SHIFT * 0.6
    values[SEAM_EPOCH + 1] += shift * SHIFT * 0.3
    time = np.where(epochs < SEAM_EPOCH, epochs, epochs - SEAM_EPOCH + 1) * 3.1
    return History(
        path=Path("runs/detect/train/results.csv"),
        epochs=epochs,
        time=np.round(time, 3),
        columns=COLUMNS,
        values=np.round(values, 5),
        units=np.full(len(COLUMNS), 1e-5),
    )


def replicates(past: History, n: int, arm: str = "healthy") -> tuple[Replicate, ...]:
    rng = np.random.default_rng(21)
    centre = END + (START - END) * np.exp(-SEAM_EPOCH / 5) + 0.1 * NOISE
    rows = np.round(centre + rng.normal(size=(n, len(COLUMNS))) * NOISE, 5)
    made = []
    for i, row in enumerate(rows):
        cells = {c: float(v) for c, v in zip(COLUMNS, row, strict=True)}
        record = EpochRecord(SEAM_EPOCH, {**cells, "lr/pg0": 0.0024}, cells, 3.2)
        made.append(Replicate(arm, 1_000_003 + i, Outcome.OK, (record,)))
    return tuple(made)


def evidence(past: History, made: tuple[Replicate, ...]) -> tuple[MetricEvidence, ...]:
    rows = np.array([[r.epochs[0].printed[c] for c in COLUMNS] for r in made])
    n = len(rows)
    out = []
    for k, metric in enumerate(metrics_of(COLUMNS)):
        before, observed = past.values[SEAM_EPOCH - 2, k], past.values[SEAM_EPOCH - 1, k]
        mean, sd = rows[:, k].mean(), rows[:, k].std(ddof=1)
        shift, se, margin = observed - mean, sd * (1 + 1 / n) ** 0.5, 4 * NOISE[k]
        ratio = abs(shift) / se
        p = 0.0004 if ratio > 4 else 0.43
        significant = Significance.YES if p < 0.04 else Significance.NO
        size = Size.INSIDE if abs(shift) + 0.9 * se <= margin else Size.NOT_INSIDE
        out.append(
            MetricEvidence(
                name=metric.name,
                deciding=metric.deciding,
                before=float(before),
                observed=float(observed),
                jump=float(observed - before),
                null_mean=float(mean),
                null_sd=float(sd),
                sd=float(sd),
                df=n - 1.0,
                expected_seam=float(mean - before),
                expected_seam_interval=Interval(
                    float(mean - before - se), float(mean - before + se), 0.95, "confidence"
                ),
                changed_arguments=None,
                changed_arguments_interval=None,
                unexplained_shift=float(shift),
                shift_interval=Interval(float(shift - 3 * se), float(shift + 3 * se), 0.95, "confidence"),
                prediction_interval=Interval(float(mean - 3 * se), float(mean + 3 * se), 0.95, "prediction"),
                p=p / 8 if metric.deciding else None,
                p_adjusted=p if metric.deciding else None,
                margin=float(margin) if metric.deciding else None,
                margin_source="auto" if metric.deciding else "",
                minimum_detectable_jump=float(3.4 * se),
                significant=significant if metric.deciding else Significance.UNKNOWN,
                size=size if metric.deciding else Size.UNKNOWN,
                verdict=metric_verdict(significant, size) if metric.deciding else None,
                reason="The shift is compared with that of healthy resumes.",
            )
        )
    return tuple(sorted(out, key=lambda m: not m.deciding))
