"""Numbers from outside: published tables and R output (reference.R), none of them made with this project."""

import numpy as np
import pytest
from scipy import stats

from analyzer.stats import shift_tests
from analyzer.stats.components import nested_components
from analyzer.stats.critical import rank_test_from
from analyzer.stats.history import robust_step_sd
from analyzer.stats.moderation import Prior, moderate
from analyzer.stats.multiplicity import holm
from analyzer.stats.power import detectable_multiple, two_sided_power


@pytest.mark.parametrize(("n", "factor"), [(4, 3.558), (5, 3.041), (10, 2.373), (20, 2.145)])
def test_prediction_factors(n, factor):
    """95 % two-sided prediction of one value, t(0.975, n - 1) sqrt(1 + 1/n): Hahn and Meeker (1991), table A.13."""
    null = np.random.default_rng(n).normal(size=(n, 1))
    interval = shift_tests(null, [0.0], names=["val/a"], deciding=[True], alpha_null=0.04).metrics[0].single_interval
    assert (interval.high - interval.low) / 2 / null.std(ddof=1) == pytest.approx(factor, abs=6e-4)


@pytest.mark.parametrize(("df", "value"), [(2, 4.303), (4, 2.776), (9, 2.262), (30, 2.042)])
def test_student_table(df, value):
    """t(0.975): any table, e.g. Fisher and Yates (1963), table III."""
    assert float(stats.t.isf(0.025, df)) == pytest.approx(value, abs=5e-4)
    assert two_sided_power(0.0, df, value) == pytest.approx(0.05, abs=1e-4)


def test_holm_in_r():
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])


def test_power_in_r():
    """Example of ?power.t.test: 0.8689528 (it leaves out the far tail, 1e-7 here)."""
    assert two_sided_power(np.sqrt(10), 38, float(stats.t.isf(0.025, 38))) == pytest.approx(0.8689528, abs=1e-6)


def test_sample_size_in_r():
    n = 22.02110
    df = 2 * (n - 1)
    assert detectable_multiple(df, float(stats.t.isf(0.025, df)), 0.9) == pytest.approx(np.sqrt(n / 2), abs=1e-4)


def test_mad_in_r():
    """mad(c(1, 2, 3, 4, 100)) = 1.4826; these are the steps, and n / (n - 0.8) is ours."""
    values = np.cumsum([0, 1, 2, 3, 4, 100])[:, None]
    assert robust_step_sd(values)[0] == pytest.approx(1.4826 * 5 / 4.2, rel=1e-4)


def test_dyestuff():
    """Davies (1947): REML of lme4 gives 1764 between batches and 2451 within (doi 10.18637/jss.v067.i01)."""
    yields = [
        [1545, 1440, 1440, 1520, 1580],
        [1540, 1555, 1490, 1560, 1495],
        [1595, 1550, 1605, 1510, 1560],
        [1445, 1440, 1595, 1465, 1545],
        [1595, 1630, 1515, 1635, 1625],
        [1520, 1455, 1450, 1480, 1445],
    ]
    batch, rest = nested_components(yields)
    assert batch.variance == pytest.approx(1764, abs=0.5)
    assert rest.variance == pytest.approx(2451, abs=0.5)


def test_moderation_by_hand():
    """Smyth (2004): d0 = 4, s0^2 = 0.05, d = 2, s^2 = 0.2 give (4 x 0.05 + 2 x 0.2) / 6 = 0.1 on 6 df."""
    sd, df = moderate(np.sqrt(0.2), 2, Prior(np.sqrt(0.05), 4))
    assert (sd**2, df) == pytest.approx((0.1, 6))


def test_smallest_n_of_an_exact_test():
    assert [rank_test_from(a) for a in (0.05, 0.04, 0.01, 0.008)] == [19, 24, 99, 124]
