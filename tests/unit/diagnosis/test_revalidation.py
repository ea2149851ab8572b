import math

import pytest

from analyzer.diagnosis.revalidation import compare_rows

ROW = {
    "metrics/precision(B)": 0.8,
    "metrics/mAP50(B)": 0.9,
    "val/box_loss": 1.0,
    "fitness": 0.7,
}


def differing(now, logged=ROW, instances=300):
    return [c.name for c in compare_rows(logged, {**logged, **now}, instances=instances) if not c.agrees]


def test_the_same_row_agrees_and_only_metric_columns_are_compared():
    columns = compare_rows(ROW, ROW, instances=300)
    assert [c.name for c in columns] == ["metrics/precision(B)", "metrics/mAP50(B)", "val/box_loss"]
    assert all(c.agrees for c in columns)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ({"val/box_loss": 1.04}, []),
        ({"val/box_loss": 0.96}, []),
        ({"val/box_loss": 1.06}, ["val/box_loss"]),
        ({"val/box_loss": 0.94}, ["val/box_loss"]),
        ({"metrics/mAP50(B)": 0.86}, []),
        ({"metrics/mAP50(B)": 0.85}, ["metrics/mAP50(B)"]),
        ({"metrics/precision(B)": 0.1}, []),  # its threshold jumps: it accuses nothing
        ({"val/box_loss": math.nan}, ["val/box_loss"]),
        ({"val/box_loss": math.inf}, ["val/box_loss"]),
    ],
)
def test_a_column_differs_beyond_its_tolerance_only(now, expected):
    assert differing(now) == expected


def test_few_instances_widen_the_tolerance_of_scores_and_not_of_losses():
    changed = {"metrics/mAP50(B)": 0.6, "val/box_loss": 1.06}
    assert differing(changed, instances=20) == ["val/box_loss"]
    assert differing(changed, instances=0) == ["val/box_loss"]
    assert differing(changed, instances=10_000) == ["metrics/mAP50(B)", "val/box_loss"]


def test_what_was_not_finite_when_it_was_logged_says_nothing():
    assert differing({"val/box_loss": 1.0}, logged={"val/box_loss": math.nan}) == []


def test_a_loss_of_zero_may_move_by_rounding_units():
    assert differing({"val/box_loss": 5e-5}, logged={"val/box_loss": 0.0}) == []
    assert differing({"val/box_loss": 5e-4}, logged={"val/box_loss": 0.0}) == ["val/box_loss"]


def test_the_largest_share_of_a_tolerance_is_the_worst():
    worst = max(compare_rows(ROW, {**ROW, "val/box_loss": 1.5}, instances=300), key=lambda c: c.share)
    assert worst.name == "val/box_loss"
    assert worst.share == pytest.approx(0.5 / 0.0501)
