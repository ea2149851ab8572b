import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hn
from statsmodels.stats.multitest import multipletests

from analyzer.stats import Prior, moderate, shift_tests
from analyzer.stats.critical import inflation
from analyzer.stats.multiplicity import holm
from analyzer.stats.rank import rank_test

probabilities = st.lists(st.floats(0, 1), min_size=1, max_size=20)
matrices = hn.arrays(np.float64, st.tuples(st.integers(3, 9), st.just(3)), elements=st.floats(-100, 100))
rows = hn.arrays(np.float64, 3, elements=st.floats(-100, 100))
NAMES = ["train/a", "val/b", "metrics/mAP50(B)"]


def compare(null, observed, **options):
    return shift_tests(null, observed, names=NAMES, deciding=[True] * 3, alpha_null=0.04, units=[1e-3] * 3, **options)


@given(probabilities)
@settings(max_examples=25)
def test_holm_is_that_of_statsmodels(p):
    assert holm(p) == pytest.approx(multipletests(p, method="holm")[1])


@given(st.floats(1e-3, 1e3), st.integers(1, 40), st.floats(1e-3, 1e3), st.floats(0.5, 20))
def test_moderated_sd_lies_between(sd, df, prior, d0):
    moderated, total = moderate(sd, df, Prior(prior, d0))
    assert min(sd, prior) * (1 - 1e-9) <= moderated <= max(sd, prior) * (1 + 1e-9)
    assert total == df + d0


@given(matrices, rows)
@settings(max_examples=60)
def test_jump_splits_into_seam_and_shift(null, observed):
    for m in compare(null, observed, before=[1.0, 2.0, 3.0]).metrics:
        assert m.jump == pytest.approx(m.expected_seam + m.unexplained_shift, abs=1e-9)


@given(matrices, rows, st.floats(0.01, 100), st.floats(-50, 50))
@settings(max_examples=60)
def test_decision_does_not_depend_on_units_of_measurement(null, observed, scale, offset):
    null, observed = np.round(null, 6), np.round(observed, 6)  # as printed; the offset would swallow 1e-278
    a = compare(null, observed)
    b = shift_tests(
        null * scale + offset,
        observed * scale + offset,
        names=NAMES,
        deciding=[True] * 3,
        alpha_null=0.04,
        units=[1e-3 * scale] * 3,
    )
    for x, y in zip(a.metrics, b.metrics, strict=True):
        assert x.p == pytest.approx(y.p, rel=1e-3, abs=1e-9)


@given(matrices, st.floats(0, 50), st.floats(0.1, 50))
@settings(max_examples=60)
def test_a_larger_shift_is_never_less_significant(null, shift, more):
    mean = null.mean(axis=0)
    near, far = compare(null, mean + shift), compare(null, mean + shift + more)
    if near.family and near.family == far.family:  # a constant column joins it beyond ten rounding units only
        assert far.omnibus_p <= near.omnibus_p + 1e-12


@given(matrices, rows, st.randoms())
@settings(max_examples=60)
def test_order_of_replicates_does_not_matter(null, observed, random):
    order = list(range(len(null)))
    random.shuffle(order)
    a, b = compare(null, observed), compare(null[order], observed)
    assert [m.p for m in a.metrics] == pytest.approx([m.p for m in b.metrics], rel=1e-6)


@given(matrices, rows, st.integers(0, 3))
@settings(max_examples=60)
def test_rank_p_is_a_rank(null, observed, diverged):
    r = rank_test(null, observed, units=[1e-3] * 3, diverged=diverged)
    total = len(null) + diverged + 1
    assert (1 + diverged) / total <= r.p + 1e-12
    assert r.p * total == pytest.approx(round(r.p * total))
    assert r.p_adjusted.min() == pytest.approx(r.p)
    assert (r.p_metric <= r.p_adjusted + 1e-12).all()


@given(st.integers(2, 200), st.floats(0.008, 0.3), st.integers(1, 24), st.booleans(), st.booleans())
def test_factors_only_make_it_harder(n, alpha, family, moderated, sequential):
    f = inflation(n, alpha, family=family, moderated=moderated, sequential=sequential)
    assert f.factor >= 1
    assert f.calibrated
    assert f.alpha <= alpha * (1 + 1e-9)
    assert f.factor <= inflation(n, alpha, family=24, moderated=moderated, sequential=True).factor
