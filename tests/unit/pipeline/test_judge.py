import numpy as np

from analyzer.domain.evidence import SeamCheck, Significance, Size, Verdict
from analyzer.domain.metrics import metrics_of
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.pipeline.analysis.evidence import (
    Observed,
    arm_differences,
    changed_size,
    compare,
    family_evidence,
    history_check,
    later_verdicts,
    lost_columns,
)
from analyzer.pipeline.analysis.regime import Regime

NAMES = ("train/box_loss", "metrics/mAP50(B)")
LEVEL = np.array([1.0, 0.5])


def past(rng):
    values = LEVEL + 0.01 * rng.standard_normal((20, 2))
    return Regime(
        metrics_of(NAMES), values, (None, None), (None, None), np.array([0.1, 0.1]), ("given", "given"),
        np.array([1e-5, 1e-5]), False,
    )  # fmt: skip


def arm(rng, n=12, k=1, lost=0, shift=0.0, without=()):
    made = []
    for i in range(n):
        rows = [dict(zip(NAMES, LEVEL + shift + 0.01 * rng.standard_normal(2), strict=True)) for _ in range(k)]
        rows = [{c: v for c, v in row.items() if c not in without} for row in rows]
        if i < lost:
            rows = [dict.fromkeys(NAMES, float("nan"))]
        outcome = Outcome.DIVERGED if i < lost else Outcome.OK
        made.append(Replicate("healthy", i, outcome, tuple(EpochRecord(5 + j, r, r, 1.0) for j, r in enumerate(rows))))
    return tuple(made)


def observed(*rows):
    return Observed(np.array(rows, dtype=float), LEVEL)


def test_a_metric_that_one_side_lacks_is_unknown_not_left_out():
    rng = np.random.default_rng(0)
    history, null = past(rng), arm(rng, without=("metrics/mAP50(B)",))
    row = observed([1.0, 0.0])  # mAP fell to zero, and no replicate has the column
    family, names = family_evidence(compare(null, history, row, 0.05, sequential=True), history, row)
    assert dict(zip(names, family, strict=True))["metrics/mAP50(B)"] == (Significance.UNKNOWN, Size.UNKNOWN)


def test_nan_in_the_row_is_a_loss_where_the_replicates_are_finite_whatever_came_before():
    rng = np.random.default_rng(0)
    history, null = past(rng), arm(rng)
    row = Observed(np.array([[np.nan, 0.5]]), np.array([np.nan, np.nan]))
    assert lost_columns(compare(null, history, row, 0.05, sequential=True), history, row)
    whole = observed([1.0, 0.5])
    assert not lost_columns(compare(null, history, whole, 0.05, sequential=True), history, whole)


def test_most_resumes_diverging_is_adverse_and_few_are_not():
    rng = np.random.default_rng(0)
    history = past(rng)
    assert history_check(arm(rng, lost=8), history, 0.05).status is SeamCheck.ADVERSE
    assert history_check(arm(rng, lost=1), history, 0.05).status is SeamCheck.WITHIN


def test_changed_arguments_that_make_replicates_diverge_are_not_inside():
    rng = np.random.default_rng(0)
    history, healthy = past(rng), arm(rng)
    for lost, expected in ((0, Size.INSIDE), (2, Size.UNKNOWN), (9, Size.NOT_INSIDE)):
        configured = arm(rng, lost=lost)
        differences = arm_differences(healthy, configured, history, 0.05)
        assert changed_size(differences, history, healthy, configured) is expected


def test_a_ruined_second_epoch_shows_in_the_row_of_its_metric():
    rng = np.random.default_rng(0)
    history, null = past(rng), arm(rng, k=2)
    rows = observed([1.0, 0.5], [9.0, 0.01])
    comparison = compare(null, history, rows, 0.05, sequential=True)
    later = later_verdicts(comparison, history, rows)
    assert later["train/box_loss"] == ((2, Verdict.FAULT),)
