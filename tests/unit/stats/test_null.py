import numpy as np
import pytest
from scipy import stats
from scipy.special import digamma

from analyzer.domain.evidence import Significance, Size
from analyzer.stats import Prior, moderate, shift_tests
from analyzer.stats.critical import inflation
from analyzer.stats.moderation import moderate_family

NAMES = ["train/box_loss", "val/box_loss", "metrics/mAP50(B)"]


def compare(null, observed, **options):
    arguments = {
        "names": NAMES[: np.shape(null)[1]],
        "deciding": [True] * np.shape(null)[1],
        "alpha_null": 0.04,
    } | options
    return shift_tests(null, observed, **arguments)


def test_split_and_t_by_hand():
    null = np.array([[1.0], [2.0], [3.0], [4.0], [5.0]])
    r = compare(null, [9.0], before=[2.0], margins=[20.0])
    m = r.metrics[0]
    assert (m.null_mean, m.jump, m.expected_seam, m.unexplained_shift) == (3.0, 7.0, 1.0, 6.0)
    se = np.sqrt(2.5) * np.sqrt(1.2)
    factor = inflation(5, 0.04, family=1, moderated=False).factor
    assert m.p == pytest.approx(2 * stats.t.sf(6 / se / factor, 4))
    assert m.shift_interval.high - m.unexplained_shift == pytest.approx(stats.t.ppf(0.975, 4) * se)
    assert m.expected_seam_interval.high - 1.0 == pytest.approx(stats.t.ppf(0.975, 4) * np.sqrt(2.5 / 5))
    assert m.equivalence_bound == pytest.approx(6 + stats.t.ppf(0.8, 4) * se)
    assert m.size is Size.INSIDE
    assert r.procedure == "t"
    assert r.p_min == pytest.approx(1 / 6)


def test_outside_the_simultaneous_interval_is_what_holm_rejects_first():
    rng = np.random.default_rng(3)
    for _ in range(200):
        r = compare(rng.normal(size=(6, 3)), rng.normal(size=3) * 4)
        outside = any(not m.prediction_interval.low <= m.observed <= m.prediction_interval.high for m in r.metrics)
        assert outside == (r.omnibus is Significance.YES)


def test_rank_takes_over_where_it_can_reject():
    rng = np.random.default_rng(0)
    null = rng.normal(size=(24, 2))
    far = compare(null, [9.0, 0.0])
    assert far.procedure == "rank"
    assert far.omnibus_p == pytest.approx(1 / 25)
    assert far.some_fault
    assert far.metrics[1].significant is Significance.NO
    assert compare(null[:23], [9.0, 0.0]).procedure == "t"


def test_missing_metrics_are_dropped_with_a_reason():
    null = np.random.default_rng(0).normal(size=(6, 3))
    null[:, 0] = np.nan
    r = compare(null, [0.0, np.nan, 0.0])
    assert r.family == (NAMES[2],)
    assert [m.significant for m in r.metrics[:2]] == [Significance.UNKNOWN] * 2
    assert [m.reason for m in r.metrics[:2]] == ["no replicate has this metric", "the observed row lacks this metric"]


def test_diverged_replicates_are_outcomes():
    null = np.random.default_rng(0).normal(size=(8, 3))
    null[3, 0] = np.nan
    r = compare(null, [50.0, 0.0, 0.0])
    assert r.n == 8
    assert r.n_diverged == 1
    assert r.metrics[0].p >= 2 / 9  # a healthy replicate went further than any number
    assert r.omnibus is Significance.NO
    assert any("diverged" in note for note in r.notes)


def test_observed_divergence():
    null = np.random.default_rng(0).normal(size=(8, 2))
    few = compare(null, [np.nan, 0.0], observed_diverged=True)
    assert few.omnibus_p == pytest.approx(1 / 9)
    many = compare(np.random.default_rng(0).normal(size=(30, 2)), [np.nan, 0.0], observed_diverged=True)
    assert many.omnibus_p == pytest.approx(1 / 31)
    assert many.some_fault


def test_constant_columns():
    null = np.column_stack([np.full(5, 0.1), np.random.default_rng(0).normal(size=5)])
    units = [1e-5, 1e-5]
    near = compare(null, [0.1001, 0.0], units=units)
    assert near.family == (NAMES[1],)
    assert near.metrics[0].reason.startswith("constant")
    far = compare(null, [0.2, 0.0], units=units)
    assert far.metrics[0].significant is Significance.YES


def test_too_few():
    r = compare(np.zeros((1, 2)), [0.0, 0.0])
    assert r.procedure == "none"
    assert r.omnibus is Significance.UNKNOWN
    assert compare(np.zeros((0, 2)), [0.0, 0.0]).procedure == "none"


def test_prior_lends_power():
    null = np.random.default_rng(5).normal(size=(3, 3))
    plain = compare(null, [7.0, 0, 0])
    lent = compare(null, [7.0, 0, 0], priors=[Prior(1.0, 7.6)] * 3)
    assert lent.metrics[0].df == pytest.approx(9.6)
    assert lent.metrics[0].p < plain.metrics[0].p
    assert lent.metrics[0].minimum_detectable_jump < plain.metrics[0].minimum_detectable_jump


def test_moderate_fallback_and_floor():
    assert moderate(0.5, 2, None) == (0.5, 2)
    assert moderate(0.0, 4, None, unit=1e-5)[0] == 1e-5
    assert moderate(1.0, 4, Prior(np.nan, 8)) == (1.0, 4)


def test_family_agrees_with_single_where_nothing_is_doubted():
    r = moderate_family([0.9, 1.0], 4, [1.0, 1.1], [8.0, 6.0], [0.0, 0.0])
    assert r.scale == pytest.approx(1)
    assert (r.sd[0], r.df[0]) == pytest.approx(moderate(0.9, 4, Prior(1.0, 8.0)))


def test_contradicted_priors():
    apart = moderate_family([1.0, 1.0, 1.0], 11, [100.0, 1.0, 1.0], [8.0] * 3, [0.0] * 3)
    assert list(apart.used) == [False, True, True]
    assert (apart.sd[0], apart.df[0]) == (1.0, 11)
    small = moderate_family([4.0, 4.0, 4.0], 4, [1.0] * 3, [8.0] * 3, [0.0] * 3)
    bias = digamma(2) - np.log(2) - digamma(4) + np.log(4)  # mean of log F(4, 8)
    assert small.scale[0] == pytest.approx(4 * np.exp(-bias / 2))
    assert small.sd[0] == pytest.approx(4, rel=0.06)
