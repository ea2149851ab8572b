import numpy as np
import pytest

from analyzer.stats.rank import leave_one_out_z, rank_test


def test_z_by_hand():
    z = leave_one_out_z([[1.0], [2.0], [3.0], [10.0]], units=[0.0])
    assert z[3, 0] == pytest.approx((10 - 2) / (1.0 * np.sqrt(1 + 1 / 3)))


def test_ranks():
    null = np.random.default_rng(0).normal(size=(19, 2))
    assert rank_test(null, [0.0, 30.0], units=[0, 0]).p == pytest.approx(1 / 20)
    middle = rank_test(null, null.mean(axis=0), units=[0, 0])
    assert middle.p == pytest.approx(1.0)
    assert middle.p_adjusted == pytest.approx([1.0, 1.0])


def test_divergence_ranks_above_all():
    null = np.random.default_rng(0).normal(size=(18, 2))
    assert rank_test(null, [0.0, 30.0], units=[0, 0], diverged=1).p == pytest.approx(2 / 20)
    assert rank_test(null, [np.nan, 0.0], units=[0, 0], observed_diverged=True).p == pytest.approx(1 / 19)


def test_exact_under_any_exchangeable_distribution():
    """P(p <= k/20) = k/20 for Cauchy rows: binomial over 4,000 draws; a bound of 6 sd fails by chance in < 1e-8."""
    rng = np.random.default_rng(11)
    p = np.array([rank_test(x[1:], x[0], units=[0, 0]).p for x in rng.standard_cauchy((4000, 20, 2))])
    for k in (1, 2, 5, 10):
        share, expected = np.mean(p <= k / 20 + 1e-9), k / 20
        assert abs(share - expected) < 6 * np.sqrt(expected * (1 - expected) / 4000)
