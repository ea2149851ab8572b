"""The rival rules against the libraries and the words that they stand for."""

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats

from tests.measurements.resumes.rules import (
    RULES,
    Seen,
    deepcrime,
    megatron,
    mlperf_rcp,
    otava,
    rule_of_thumb,
    three_sigma,
)


def seen(seed=0, shift=0.0, m=3):
    rng = np.random.default_rng(seed)
    observed = rng.standard_normal(m) + shift
    return Seen(
        rng.standard_normal((20, m)),
        rng.standard_normal((7, m)),
        observed,
        np.array([1, 1, -1]),
        np.array([1, 1, 0]) > 0,
    )


@pytest.mark.parametrize("seed", range(5))
def test_t_rules_agree_with_scipy(seed):
    s = seen(seed, shift=2)
    p = [stats.ttest_ind(s.history[:, j], [s.observed[j]]).pvalue for j in range(3)]
    assert (otava(s, 0.05) > 1) == (min(p) < 0.05)
    one_sided = [
        stats.ttest_ind(s.null[:, j], [s.observed[j]], alternative="less" if s.sign[j] > 0 else "greater").pvalue
        for j in range(3)
    ]
    assert (mlperf_rcp(s) > 1) == (min(one_sided) < 0.05)


@pytest.mark.parametrize("seed", range(5))
def test_deepcrime_agrees_with_the_glm(seed):
    s = seen(seed, shift=1.5)
    accused = False
    for j in range(3):
        y, group = np.append(s.null[:, j], s.observed[j]), np.append(np.zeros(7), 1)
        p = sm.GLM(y, sm.add_constant(group)).fit().pvalues[1]
        d = abs(s.observed[j] - s.null[:, j].mean()) / s.null[:, j].std(ddof=1)
        accused |= bool(p < 0.05 and d >= 0.5)
    assert (deepcrime(s) > 1) == accused


def test_thumb_sigma_and_largest_deviation():
    flat = Seen(
        np.array([[1.0, 0.5]] * 9 + [[1.2, 0.5]]), np.array([[1.0, 0.5], [1.2, 0.52], [1.1, 0.48]]),
        np.array([1.29, 0.45]), np.array([1, -1]), np.array([True, False]),
    )  # fmt: skip
    assert rule_of_thumb(flat) == pytest.approx(0.05 / 0.03)  # mAP down by 0.05; the loss rose by 0.09 of 0.1
    assert three_sigma(flat) > 1
    assert megatron(flat) == pytest.approx(0.05 / (1.5 * 0.02))


def test_every_rule_accuses_more_when_the_row_is_further_off():
    for rule in RULES.values():
        assert rule(seen(3, shift=np.array([9.0, 9.0, -9.0]))) > 1 > 0
