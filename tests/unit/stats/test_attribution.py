import numpy as np
import pytest
from scipy import stats

from analyzer.stats.attribution import INTERACTION, RESTART, RESUME, UNEXPLAINED, attribute

RNG = np.random.default_rng(4)
N, M = 6, 3
BEFORE, OBSERVED = np.array([1.0, 2.0, 0.5]), np.array([1.4, 2.1, 0.4])
BASE = RNG.normal([1.1, 2.0, 0.5], 0.02, (N, M))


def arms(interaction=0.0):
    """a adds 0.2 to the first metric, b 0.1 to each; together they add `interaction` more."""
    a, b = np.add(BASE, [0.2, 0, 0]), BASE + 0.1
    return {"alone": {"a": a, "b": b}, "without": {"a": b, "b": a}}, np.add(BASE, [0.3, 0.1, 0.1]) + interaction


def shares_of(metric, **arguments):
    both, full = arms(**arguments)
    return {s.part: s for s in attribute(BEFORE, OBSERVED, BASE, full, **both)[metric]}


@pytest.mark.parametrize("interaction", [0.0, 0.06])
def test_the_parts_add_up_to_the_jump(interaction):
    for j in range(M):
        shares = shares_of(j, interaction=interaction)
        assert list(shares) == [RESTART, "a", "b", UNEXPLAINED]
        assert sum(s.effect for s in shares.values()) == pytest.approx(OBSERVED[j] - BEFORE[j])


def test_effects_are_found_and_an_interaction_is_shared_by_halves():
    shares = shares_of(0, interaction=0.06)
    assert shares["a"].effect == pytest.approx(0.2 + 0.03)
    assert shares["b"].effect == pytest.approx(0.1 + 0.03)


def test_three_arguments_leave_an_interaction():
    """Three arguments that work only all together: each left out takes all away, each alone does nothing."""
    names = ("a", "b", "c")
    alone, without = dict.fromkeys(names, BASE), dict.fromkeys(names, BASE)
    for j, metric in enumerate(attribute(BEFORE, OBSERVED, BASE, BASE + 0.6, alone=alone, without=without)):
        shares = {s.part: s for s in metric}
        assert shares["a"].effect == pytest.approx(0.3)
        assert shares[INTERACTION].effect == pytest.approx(0.6 - 3 * 0.3)
        assert sum(s.effect for s in metric) == pytest.approx(OBSERVED[j] - BEFORE[j])


def test_intervals_are_those_of_scipy():
    shares = shares_of(1)
    low, high = stats.t.interval(0.95, N - 1, BASE[:, 1].mean() - 2.0, stats.sem(BASE[:, 1]))
    assert (shares[RESTART].interval.low, shares[RESTART].interval.high) == pytest.approx((low, high))
    width = stats.t.isf(0.025, N - 1) * BASE[:, 1].std(ddof=1) * np.sqrt(1 + 1 / N)
    assert shares[UNEXPLAINED].interval.high - shares[UNEXPLAINED].effect == pytest.approx(width)


def test_one_argument_is_the_whole_difference():
    full = np.add(BASE, [0.3, 0.1, 0.1])
    (first, *_) = attribute(BEFORE, OBSERVED, BASE, full, alone={"lr0": full}, without={})
    assert [s.part for s in first] == [RESTART, "lr0", UNEXPLAINED]
    assert first[1].effect == pytest.approx(0.3)


def test_one_replicate_has_no_interval_and_unpaired_arms_are_refused():
    (first, *_) = attribute(BEFORE, OBSERVED, BASE[:1], BASE[:1], alone={}, without={})
    assert all(s.interval is None for s in first)
    with pytest.raises(ValueError, match="paired"):
        attribute(BEFORE, OBSERVED, BASE[:2], BASE, alone={}, without={})


def test_coverage_of_an_argument():
    rng, hits = np.random.default_rng(1), 0
    for _ in range(400):
        base = rng.normal(0, 1, (5, 1))
        alone, without = base + rng.normal(0.5, 0.3, (5, 1)), base + rng.normal(0.2, 0.3, (5, 1))
        full = without + rng.normal(0.5, 0.3, (5, 1))
        ((_, share, *_),) = attribute([0], [1], base, full, alone={"a": alone}, without={"a": without})
        hits += share.interval.low <= 0.5 <= share.interval.high
    assert stats.binomtest(hits, 400, 0.95).pvalue > 1e-6


def test_a_plain_resume_splits_what_the_new_training_does():
    resumed = BASE - [0.05, 0.0, 0.0]
    full = np.add(BASE, [0.3, 0.1, 0.1])
    metrics = attribute(BEFORE, OBSERVED, BASE, full, alone={"lr0": full}, without={}, resumed=resumed)
    for j, metric in enumerate(metrics):
        shares = {s.part: s for s in metric}
        assert list(shares) == [RESUME, RESTART, "lr0", UNEXPLAINED]
        assert sum(s.effect for s in metric) == pytest.approx(OBSERVED[j] - BEFORE[j])
    first = {s.part: s for s in metrics[0]}
    assert first[RESTART].effect == pytest.approx(0.05)  # paired by seed, so without spread
    assert first[RESTART].interval.high - first[RESTART].interval.low == pytest.approx(0.0, abs=1e-12)
    assert first[RESUME].effect == pytest.approx(resumed[:, 0].mean() - 1.0)
