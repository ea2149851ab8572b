"""The borrowed null: expected value, error, direction, and what it does without a neighbour."""

import numpy as np
import pytest

from analyzer.domain.evidence import Significance, Size
from analyzer.stats.borrowed import BORROWED_FACTOR, borrowed_tests, expected_row
from analyzer.stats.trend import Prediction, predict_next

NAMES = ("train/box_loss", "metrics/mAP50(B)")
SIGN = (1, -1)
HERE = (Prediction(2.0, 0.2, 8.0, "made", 0.06), Prediction(0.5, 0.2, 8.0, "made", 0.06))


def compare(observed, *, own=(3.0, 0.4), own_sd=(np.nan, np.nan), offset=0.0, **more):
    lent = np.array([[3.0, 0.4]]) + offset + 0.1 * np.array([-1.0, -0.5, 0.0, 0.5, 1.0])[:, None]
    given = {"predicted": HERE, "margins": [0.5, 0.5], **more}
    return borrowed_tests(
        lent, observed, names=NAMES, deciding=[True, True], adverse_sign=SIGN, alpha_null=0.04, own=own, own_sd=own_sd,
        **given,
    )  # fmt: skip


def test_what_resumes_of_the_lender_lose_is_allowed_and_the_error_adds_up():
    found = compare([2.5, 0.6], offset=0.3).metric("train/box_loss")
    s2 = 0.00625  # variance of 0.1 * (-1, -0.5, 0, 0.5, 1)
    assert found.null_mean == pytest.approx(2.3)
    assert found.sd**2 == pytest.approx(0.06**2 + s2 * (1 + 1 / 5 + 1))
    assert found.df == pytest.approx(found.sd**4 / (0.06**4 / 8 + (2.2 * s2) ** 2 / 4))
    predicted = compare([2.5, 0.6], offset=0.3, own_sd=(0.05, 0.05)).metric("train/box_loss")
    assert predicted.sd**2 == pytest.approx(0.06**2 + s2 * (1 + 1 / 5) + 0.05**2)


@pytest.mark.parametrize("own", [(3.0, 0.4), (np.nan, np.nan)])
def test_what_they_gain_and_what_is_not_known_is_left_out(own):
    found = compare([2.5, 0.6], own=own, offset=np.array([-0.3, 0.3])).metrics
    assert [m.null_mean for m in found] == [2.0, 0.5]
    assert [m.sd**2 for m in found] == pytest.approx([0.06**2 + 0.00625] * 2)


def test_only_the_adverse_direction_accuses():
    better = compare([1.1, 1.4])  # the loss fell and mAP rose, by far
    assert [(m.significant, m.size) for m in better.metrics] == [(Significance.NO, Size.INSIDE)] * 2
    worse = compare([2.9, -0.4])
    assert [(m.significant, m.size) for m in worse.metrics] == [(Significance.YES, Size.NOT_INSIDE)] * 2
    assert worse.some_fault and not better.some_fault
    assert (worse.procedure, worse.n) == ("borrowed", 5)
    assert worse.metric("train/box_loss").prediction_interval.low == -np.inf
    assert worse.metric("metrics/mAP50(B)").prediction_interval.high == np.inf


def test_a_metric_without_history_is_not_tested_and_says_why():
    found = compare([9.0, 0.5], predicted=(None, HERE[1]))
    first = found.metric("train/box_loss")
    assert (first.significant, first.p, first.deciding) == (Significance.UNKNOWN, None, False)
    assert "too short" in first.reason
    assert found.family == ("metrics/mAP50(B)",)


def test_the_interval_is_what_the_first_step_of_holm_rejects_outside():
    reach = compare([2.0, 0.5]).metric("train/box_loss").prediction_interval
    for row, expected in ((reach.high + 1e-6, Significance.YES), (reach.high - 1e-6, Significance.NO)):
        assert compare([row, 0.5]).metric("train/box_loss").significant is expected


def test_one_replicate_tells_no_spread():
    found = borrowed_tests(
        [[3.0, 0.4]], [2.0, 0.5], names=NAMES, deciding=[True, True], adverse_sign=SIGN, alpha_null=0.04,
        predicted=HERE, own=(3.0, 0.4), own_sd=(np.nan, np.nan),
    )  # fmt: skip
    assert found.procedure == "none"


def test_expected_row_takes_any_shape():
    zero, nan = np.zeros((3, 2)), np.full((3, 2), np.nan)
    mean, se, df = expected_row(
        5, zero, np.full((3, 2), 0.1), np.full((3, 2), 12.0),
        predicted=zero, level_sd=zero, history_df=8.0, own=nan, own_sd=nan, adverse_sign=SIGN,
    )  # fmt: skip
    assert np.allclose(mean, 0.0) and np.allclose(se, 0.1) and np.allclose(df, 12.0)


def test_level_sd_leaves_the_noise_of_the_epoch_out():
    rng = np.random.default_rng(3)
    flat = predict_next(1 + 0.1 * rng.standard_normal(20))
    walk = predict_next(np.cumsum(rng.standard_normal(20)))
    assert 0 < flat.level_sd < 0.8 * flat.sd
    assert 0.75 * walk.sd < walk.level_sd <= walk.sd  # there the next level is nearly all there is to predict
    assert BORROWED_FACTOR >= 1
