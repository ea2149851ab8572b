import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.regression.mixed_linear_model import MixedLM
from statsmodels.stats.power import TTestPower

from analyzer.stats.components import crossed_components, nested_components, noise_components
from analyzer.stats.power import detectable_multiple, plan, two_sided_power
from analyzer.stats.screen import FIRST, residual_scores, screen_run


@pytest.mark.parametrize(("multiple", "n"), [(1.0, 5), (2.5, 8), (4.0, 20)])
def test_power_is_that_of_statsmodels(multiple, n):
    """A one-sample t test of effect d with n values has noncentrality d sqrt(n) and n - 1 df."""
    mine = two_sided_power(multiple, n - 1, stats.t.isf(0.025, n - 1))
    assert mine == pytest.approx(TTestPower().power(multiple / np.sqrt(n), n, 0.05, alternative="two-sided"), abs=1e-6)


@pytest.mark.parametrize(("df", "critical"), [(2, 14.0), (2, 60.0), (9.6, 5.0), (200, 3.0)])
def test_detectable_multiple_has_its_power(df, critical):
    assert two_sided_power(detectable_multiple(df, critical), df, critical) == pytest.approx(0.8, abs=1e-4)


def test_plan():
    made = plan(8.0, family=8, alpha_null=0.04)
    powers = [p.power for p in made.points]
    assert powers == sorted(powers)
    assert made.enough == next(p.n for p in made.points if p.power >= 0.8)
    assert not made.out_of_reach
    lent = plan(8.0, family=8, alpha_null=0.04, prior_df=7.6)
    assert lent.points[0].power > made.points[0].power
    small = plan(2.0, family=8, alpha_null=0.04)
    assert small.out_of_reach
    assert small.enough is None


def test_nested_by_hand():
    seed, repeat = nested_components([[1.0, 3.0], [5.0, 7.0], [9.0, 11.0]])
    # MSW = 2, MSB = 2 * var(2, 6, 10) = 32 -> between 15
    assert (seed.variance, repeat.variance) == (15.0, 2.0)
    assert seed.share == pytest.approx(15 / 17)
    assert seed.p == pytest.approx(stats.f.sf(16, 2, 3))
    assert repeat.interval.low == pytest.approx(3 * 2 / stats.chi2.isf(0.025, 3))


def test_crossed_by_hand():
    order, augmentation, rest = crossed_components([[1.0, 2.0], [5.0, 6.0]])
    # purely additive: MSR = 2 * var(1.5, 5.5) = 16, MSC = 2 * var(3, 4) = 1, MSE = 0
    assert (order.variance, augmentation.variance, rest.variance) == (8.0, 0.5, 0.0)


def test_intervals_cover():
    """95 % intervals of both components over 2,000 data sets: a bound of 6 binomial sd fails by chance in < 1e-8."""
    rng = np.random.default_rng(7)
    hits = np.zeros(2)
    for _ in range(2000):
        x = rng.normal(0, 2, (6, 1)) + rng.normal(0, 1, (6, 3))
        a, b = nested_components(x)
        hits += [a.interval.low <= 4 <= a.interval.high, b.interval.low <= 1 <= b.interval.high]
    assert (np.abs(hits / 2000 - 0.95) < 6 * np.sqrt(0.95 * 0.05 / 2000)).all()


def test_nested_is_the_published_dyestuff():
    """Davies (1972), six batches of five yields; REML printed in Bates, lme4: 1764.05 and 2451.25."""
    yields = [
        [1545, 1440, 1440, 1520, 1580],
        [1540, 1555, 1490, 1560, 1495],
        [1595, 1550, 1605, 1510, 1560],
        [1445, 1440, 1595, 1465, 1545],
        [1595, 1630, 1515, 1635, 1625],
        [1520, 1455, 1450, 1480, 1445],
    ]
    batch, rest = nested_components(yields)
    assert batch.variance == pytest.approx(1764.05, abs=0.005)
    assert rest.variance == pytest.approx(2451.25, abs=0.005)


def test_crossed_is_the_reml_of_statsmodels():
    rng = np.random.default_rng(4)
    x = rng.normal(0, 2, (6, 1)) + rng.normal(0, 1, (1, 5)) + rng.normal(0, 0.5, (6, 5))
    rows, columns = np.indices(x.shape)
    frame = pd.DataFrame({"y": x.ravel(), "a": rows.ravel(), "b": columns.ravel(), "all": 1})
    model = MixedLM.from_formula(
        "y ~ 1", groups="all", re_formula="0", vc_formula={"a": "0 + C(a)", "b": "0 + C(b)"}, data=frame
    )
    fit = model.fit(reml=True)
    mine = [c.variance for c in crossed_components(x)]
    assert mine == pytest.approx([*fit.vcomp, fit.scale], rel=1e-3)


def test_noise_components_take_the_repeats_out_of_the_rest():
    crossed = [[1.0, 2.0, 4.0], [5.0, 7.0, 6.0]]
    order, augmentation, both, again = noise_components(crossed, [[1.0, 1.2], [5.0, 5.2]])
    _, _, rest = crossed_components(crossed)
    assert again.variance == pytest.approx(0.02)  # MSW: two pairs 0.2 apart
    assert both.variance == pytest.approx(rest.variance - 0.02)
    assert sum(c.share for c in (order, augmentation, both, again)) == pytest.approx(1)
    *_, exact = noise_components(crossed, [[1.0, 1.0], [5.0, 5.0]])
    assert (exact.variance, exact.share, exact.interval.high) == (0, 0, 0)
    constant = noise_components([[1.0, 1.0], [1.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]])
    assert all(np.isnan(c.share) for c in constant)


def test_intervals_of_noise_components_cover():
    """95 % intervals of order, augmentation and repeats over 1,000 sets: 6 binomial sd below fails in < 1e-8."""
    rng = np.random.default_rng(8)
    hits = np.zeros(4)
    truth = (4.0, 1.0, 0.25, 0.09)
    for _ in range(1000):
        x = rng.normal(0, 2, (5, 1)) + rng.normal(0, 1, (1, 5)) + rng.normal(0, np.sqrt(0.34), (5, 5))
        again = rng.normal(0, 2, (5, 1)) + rng.normal(0, 0.3, (5, 3))
        found = noise_components(x, again)
        hits += [c.interval.low <= v <= c.interval.high for c, v in zip(found, truth, strict=True)]
    assert (hits / 1000 > 0.95 - 6 * np.sqrt(0.95 * 0.05 / 1000)).all()


def test_components_refuse_too_little():
    with pytest.raises(ValueError, match="2 seeds"):
        nested_components([[1.0, 2.0]])
    with pytest.raises(ValueError, match="2 x 2"):
        crossed_components([[1.0, np.nan], [2.0, 3.0]])


def _run(length=80):
    rng = np.random.default_rng(3)
    t = np.arange(length)
    return np.column_stack([2 * np.exp(-t / 40), 0.6 - 0.5 * np.exp(-t / 30)]) + rng.normal(0, 0.01, (length, 2))


def _screen(values, **options):
    return screen_run(
        values, names=["train/a", "metrics/mAP50(B)"], adverse_sign=[1, -1], alpha=0.05, units=[1e-5, 1e-5], **options
    )


def test_quiet_run_has_no_alarm_and_a_spike_has():
    values = _run()
    assert _screen(values).alarms == ()
    values[60, 0] += 1.0
    found = _screen(values)
    assert found.alarms[0].row == 60
    assert found.alarms[0].adverse
    assert found.alarms[0].p_run <= 0.05


def test_closing_step_is_taken_out():
    values = _run()
    values[50:, 0] -= 1.0
    assert _screen(values).alarms
    assert _screen(values, starts=[50]).alarms == ()


def test_saturated_columns_are_not_judged():
    x = np.full(60, 0.995)
    x[40] = 0.98
    assert np.isnan(residual_scores(x, unit=1e-5)[0]).all()
    assert np.isnan(residual_scores(_run()[:FIRST, 0])[0]).all()


def test_many_short_sessions_leave_later_epochs_judged_by_real_residuals():
    """A restart's step is taken out; the zero that this leaves in its row says nothing of the spread."""
    x = _run()[:, 0]
    restarts = range(30, 42)
    scores = residual_scores(x, starts=restarts, unit=1e-5)[0]
    assert np.isnan(scores[list(restarts)]).all()
    later = scores[42:]
    assert np.isfinite(later).any()
    assert np.nanmax(np.abs(later)) < 10
