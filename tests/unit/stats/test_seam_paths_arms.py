import numpy as np
import pytest
from scipy import stats

from analyzer.domain.evidence import SeamCheck, Size
from analyzer.stats import compare_arms, observed_against_history, path_tests, seam_against_history, shift_tests
from analyzer.stats.trend import predict_next

NAMES = ["train/box_loss", "metrics/mAP50(B)"]


@pytest.fixture(name="history")
def _history():
    rng = np.random.default_rng(2)
    t = np.arange(25)
    return np.column_stack([2 - 0.01 * t, 0.5 + 0.005 * t]) + rng.normal(0, [0.02, 0.01], (25, 2))


@pytest.mark.parametrize(
    ("offset", "expected"),
    [
        ((0, 0), SeamCheck.WITHIN),
        ((0.3, 0), SeamCheck.ADVERSE),
        ((-0.3, 0.2), SeamCheck.WITHIN),
        ((0, -0.2), SeamCheck.ADVERSE),
    ],
)
def test_adverse_only(history, offset, expected):
    mean = np.array([2 - 0.25, 0.5 + 0.125]) + offset
    r = seam_against_history(history, mean, [0.005, 0.002], names=NAMES, adverse_sign=[1, -1], alpha_history=0.01)
    assert r.status is expected
    single = observed_against_history(history, mean, names=NAMES, adverse_sign=[1, -1], alpha=0.05)
    assert single.status is expected


def test_short_history_is_unknown(history):
    r = seam_against_history(history[:7], [9, 9], [0, 0], names=NAMES, adverse_sign=[1, -1], alpha_history=0.01)
    assert r.status is SeamCheck.UNKNOWN
    assert "fewer than" in r.checks[0].note


def test_a_mature_ema_may_set_the_training_back_but_not_below_what_it_looks_back_on(history):
    arguments = {"names": NAMES, "adverse_sign": [1, -1], "alpha_history": 0.01, "setback": 5}
    earlier = history[-5:]
    back = [earlier[:, 0].max(), earlier[:, 1].min()]
    alone = {**arguments, "setback": 0}
    assert seam_against_history(history, back, [0.005, 0.002], **alone).status is SeamCheck.ADVERSE
    allowed = seam_against_history(history, back, [0.005, 0.002], **arguments)
    assert allowed.status is SeamCheck.WITHIN
    assert "set back" in allowed.checks[0].prediction.method
    further = [back[0] + 0.3, back[1]]
    assert seam_against_history(history, further, [0.005, 0.002], **arguments).status is SeamCheck.ADVERSE


def test_closing_mosaic_is_modelled(history):
    arguments = {"names": NAMES, "adverse_sign": [1, -1], "alpha_history": 0.01}
    mean, se = [1.75 + 0.3, 0.625], [0.005, 0.002]
    assert seam_against_history(history, mean, se, **arguments).status is SeamCheck.ADVERSE
    crossing = seam_against_history(history, mean, se, new_regime=True, **arguments)
    assert crossing.status is SeamCheck.WITHIN
    assert "mosaic" in crossing.checks[0].note


def test_prediction_of_an_exact_line():
    p = predict_next(1 + 0.5 * np.arange(20), unit=1e-5)
    assert p.mean == pytest.approx(11.0, abs=1e-3)
    assert p.sd >= 1e-5


def test_prediction_of_a_constant_column():
    p = predict_next(np.full(20, 0.25), unit=1e-5)
    assert p.mean == pytest.approx(0.25)


def test_one_epoch_path_is_the_plain_comparison():
    rng = np.random.default_rng(0)
    null, row = rng.normal(size=(6, 1, 2)), rng.normal(size=(1, 2))
    path = path_tests(null, row, names=NAMES, deciding=[True, True], alpha_null=0.04, margins=[4.0, 4.0])
    plain = shift_tests(null[:, 0], row[0], names=NAMES, deciding=[True, True], alpha_null=0.04, margins=[4.0, 4.0])
    assert [m.p_adjusted for m in path.family.metrics] == [m.p_adjusted for m in plain.metrics]
    assert path.paths[0].word is None


@pytest.mark.parametrize(
    ("row", "word"), [((9, 4.5, 0), "recovering"), ((9, 14, 19), "diverging"), ((9, 9, 9), "staying")]
)
def test_words(row, word):
    null = np.random.default_rng(0).normal(0, 0.3, (8, 3, 1))
    r = path_tests(null, np.array(row, dtype=float)[:, None], names=["val/a"], deciding=[True], alpha_null=0.04)
    assert r.paths[0].word == word
    assert [(epoch, cell.name) for epoch, _, cell in r.by_epoch()] == [(k, f"val/a @ {k + 1}") for k in range(3)]
    assert len(r.family.family) == 3


def test_paired_arms_match_scipy():
    rng = np.random.default_rng(1)
    a = rng.normal(size=(8, 2))
    b = a + 0.5 + rng.normal(0, 0.1, (8, 2))
    paired = compare_arms(a, b, names=NAMES, paired=True, margins=[0.9, np.nan])
    assert paired[0].p == pytest.approx(stats.ttest_rel(b[:, 0], a[:, 0]).pvalue)
    assert paired[0].size is Size.INSIDE
    assert paired[1].size is Size.UNKNOWN
    welch = compare_arms(a, b, names=NAMES, paired=False)
    assert welch[0].p == pytest.approx(stats.ttest_ind(b[:, 0], a[:, 0], equal_var=False).pvalue)


def test_arms_need_two():
    assert compare_arms([[1.0]], [[1.0]], names=["a"], paired=True)[0].difference is None
    with pytest.raises(ValueError, match="equal shapes"):
        compare_arms([[1.0]], [[1.0], [2.0]], names=["a"], paired=True)
