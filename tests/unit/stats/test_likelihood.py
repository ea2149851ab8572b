"""Attribution of a row to arms: against scipy and scikit-learn, and on rows whose origin is known."""

import numpy as np
import pytest
from scipy import stats
from sklearn.covariance import ledoit_wolf

from analyzer.stats.likelihood import HEALTHY, NONE, ArmFit, attribute_row, fit_arms, log_density
from analyzer.stats.shrinkage import shrink, shrunk_correlation


@pytest.mark.parametrize("n", [3, 12, 200])
def test_the_shrunk_covariance_is_that_of_scikit_learn(n):
    x = np.random.default_rng(n).standard_normal((n, 5)) @ np.diag([1, 2, 1, 0.5, 1]) + 0.3
    ours, weight = shrink(x)
    theirs, shrinkage = ledoit_wolf(x, assume_centered=True)
    np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert weight == pytest.approx(shrinkage)


def test_few_rows_give_a_correlation_that_can_be_inverted_and_many_give_the_true_one():
    rng = np.random.default_rng(0)
    few = shrunk_correlation(rng.standard_normal((3, 8)))
    assert np.linalg.eigvalsh(few).min() > 0
    np.testing.assert_allclose(np.diag(few), 1)
    true = np.array([[1, 0.8], [0.8, 1]])
    many = shrunk_correlation(rng.multivariate_normal([0, 0], true, size=20_000))
    np.testing.assert_allclose(many, true, atol=0.02)
    np.testing.assert_allclose(shrunk_correlation(np.zeros((4, 2))), np.eye(2))


def test_the_density_is_that_of_scipy():
    scale = np.array([[2.0, 0.3], [0.3, 1.0]])
    fit = ArmFit(np.array([1.0, -1.0]), scale, 7.0, np.zeros((2, 2)))
    theirs = stats.multivariate_t(fit.mean, scale, df=7).logpdf([0.2, 0.5])
    assert log_density(np.array([0.2, 0.5]), fit) == pytest.approx(theirs)


M = 4
EFFECTS = {"a": np.array([6.0, 6, 0, 0]), "b": np.array([6.0, 6, 3, -3]), "c": np.array([-5.0, 0, 0, 0])}
PRIOR = {HEALTHY: 1.0, NONE: 1.0, **dict.fromkeys(EFFECTS, 1.0)}


def arms(rng, n=5, k=3, effects=EFFECTS):
    """Healthy rows, and twins that follow them seed by seed with correlation 0.5."""
    common = rng.standard_normal((n, M))
    healthy = np.sqrt(0.5) * common + np.sqrt(0.5) * rng.standard_normal((n, M))
    twins = {
        name: effect + np.sqrt(0.5) * common[:k] + np.sqrt(0.5) * rng.standard_normal((k, M))
        for name, effect in effects.items()
    }
    return healthy, twins


def share_of(observed, rng, **options):
    healthy, twins = arms(rng, **options)
    fits = fit_arms(healthy, twins, sd=np.ones(M), df=10)
    return attribute_row(observed, fits, prior={k: v for k, v in PRIOR.items() if k == NONE or k in fits})


@pytest.mark.parametrize("truth", list(EFFECTS))
def test_the_arm_that_the_row_is_of_has_the_largest_share(truth):
    rng = np.random.default_rng(1)
    best = []
    for _ in range(100):
        found = share_of(EFFECTS[truth] + rng.standard_normal(M), rng)
        assert sum(found.shares.values()) == pytest.approx(1)
        best.append(max(found.shares, key=found.shares.__getitem__))
    assert best.count(truth) >= 85


def test_the_tail_is_calibrated_where_the_twin_is_the_fault_itself():
    rng = np.random.default_rng(2)
    tails = [share_of(EFFECTS["c"] + rng.standard_normal(M), rng).tails["c"] for _ in range(400)]
    assert np.mean(np.array(tails) < 0.05) < 0.08  # about 0.05, and 400 draws err by 0.011
    assert np.mean(np.array(tails) < 0.5) < 0.6


def test_a_row_of_a_fault_that_nobody_tried_is_none_of_these():
    rng = np.random.default_rng(3)
    answers = []
    for _ in range(50):
        found = share_of(np.array([0.0, 0, 15, 15]) + rng.standard_normal(M), rng)
        answers.append(max(found.shares, key=found.shares.__getitem__))
        assert max(found.tails.values()) < 0.01
    assert set(answers) == {NONE}


def test_pairs_are_confused_where_their_effects_are_the_same_and_not_where_they_differ():
    rng = np.random.default_rng(4)
    effects = {"a": np.array([9.0, 0, 0, 0]), "same": np.array([9.0, 0, 0, 0]), "c": np.array([-9.0, 0, 0, 0])}
    assert share_of(np.zeros(M), rng, effects=effects, n=8, k=5).confused == (("a", "same"),)


def test_another_strength_of_the_same_fault_is_explained():
    rng = np.random.default_rng(5)
    found = share_of(1.3 * EFFECTS["b"], rng)
    assert found.explained["b"] > 0.9
    assert found.explained["c"] < 0
    assert found.distance > 20


def test_the_healthy_seeds_that_a_twin_lacks_correct_its_mean():
    """A twin that follows its seeds exactly is known as well as the healthy mean."""
    rng = np.random.default_rng(6)
    healthy = rng.standard_normal((40, M))
    fits = fit_arms(healthy, {"a": healthy[:10] + 5}, sd=np.ones(M), df=10)
    off = np.abs(fits["a"].mean - fits[HEALTHY].mean - 5)
    assert (off < 0.5 * np.abs(healthy[:10].mean(axis=0) - healthy.mean(axis=0)) + 0.02).all()
    assert (np.diag(fits["a"].unknown) < 1 / 20).all()


def test_a_lost_seed_is_left_out_with_its_partner():
    rng = np.random.default_rng(8)
    healthy = rng.standard_normal((6, M))
    rows = np.vstack([healthy[0] + 5, np.full(M, np.nan), healthy[2] + 5])
    found = fit_arms(healthy, {"a": rows}, sd=np.ones(M), df=10)["a"]
    order = [0, 2, 1, 3, 4, 5]
    expected = fit_arms(healthy[order], {"a": rows[[0, 2]]}, sd=np.ones(M), df=10)["a"]
    np.testing.assert_allclose(found.mean, expected.mean)
    np.testing.assert_allclose(found.scale, expected.scale)
    assert found.df == expected.df


def test_a_metric_without_a_prior_makes_the_tails_heavier_whatever_the_majority_has():
    """One metric of four whose variance has 2 degrees of freedom, three with 10: the median would say 10."""
    rng = np.random.default_rng(9)
    tails = []
    for _ in range(2000):
        df, healthy = np.array([10.0, 10, 10, 2]), rng.standard_normal((60, M))
        sd = np.sqrt(rng.chisquare(df) / df)
        fits = fit_arms(healthy, {}, sd=sd, df=df)
        tails.append(attribute_row(rng.standard_normal(M), fits, prior={HEALTHY: 1.0}).tails[HEALTHY])
    assert fits[HEALTHY].df == pytest.approx(5.0)
    assert np.mean(np.array(tails) < 0.05) < 0.09  # with 10 it is 0.12
    assert np.mean(np.array(tails) < 0.01) < 0.04  # with 10 it is 0.05


def test_arms_that_differ_are_seldom_called_alike_and_equal_ones_nearly_always():
    """Truth: 6 sd apart, so that 0.1 % of the rows would be exchanged; and 0 apart, one seed each."""
    rng = np.random.default_rng(10)
    apart, equal = 0, 0
    for _ in range(200):
        healthy = rng.standard_normal((5, M))
        at = np.array([6.0, 0, 0, 0])
        twins = {n: (e + rng.standard_normal(M))[None] for n, e in (("a", 0 * at), ("far", at), ("b", 0 * at))}
        fits = fit_arms(healthy, twins, sd=np.ones(M), df=10)
        found = attribute_row(at / 2, fits, prior={HEALTHY: 1.0}).confused  # a row that lies between them
        apart, equal = apart + (("a", "far") in found), equal + (("a", "b") in found)
    assert equal > 150
    assert apart < 80


def test_a_row_that_is_twenty_times_likelier_under_one_of_two_arms_that_overlap_tells_them_apart():
    rng = np.random.default_rng(11)
    effects = {"a": np.array([0.0, 0, 0, 0]), "b": np.array([2.0, 0, 0, 0])}
    healthy, twins = arms(rng, n=40, k=40, effects=effects)
    fits = fit_arms(healthy, twins, sd=np.ones(M), df=40)
    prior = {HEALTHY: 1.0, "a": 1.0, "b": 1.0}
    between = attribute_row(np.array([1.0, 0, 0, 0]), fits, prior=prior).confused
    beyond = attribute_row(np.array([5.0, 0, 0, 0]), fits, prior=prior)
    assert ("a", "b") in between
    assert ("a", "b") not in beyond.confused
    assert beyond.shares["b"] > 20 * beyond.shares["a"]


def test_one_seed_is_enough_to_find_a_fault_that_scatters_far_more_than_healthy_resumes_do():
    """As the reset of a mature average, which moves validation by hundreds of healthy sds and never twice the same."""
    rng = np.random.default_rng(7)
    effect, own = np.array([0.0, 0, 300, 400]), np.array([1.0, 1, 70, 90])
    best = []
    for _ in range(50):
        healthy, twins = arms(rng, k=1)
        twins["far"] = (effect + own * rng.standard_normal(M))[None]
        fits = fit_arms(healthy, twins, sd=np.ones(M), df=10)
        found = attribute_row(effect + own * rng.standard_normal(M), fits, prior={**PRIOR, "far": 1.0})
        best.append(max(found.shares, key=found.shares.__getitem__))
    assert best.count("far") >= 45
