import pytest
from scipy import stats

from analyzer.domain.evidence import Significance, Size
from analyzer.domain.levels import NULL_SHARE, SEAM_SHARE
from analyzer.stats.entries import significance
from analyzer.stats.equivalence import size_within, upper_bound


def test_alpha_is_spent_once():
    assert pytest.approx(1.0) == NULL_SHARE + SEAM_SHARE
    assert significance(0.04, NULL_SHARE * 0.05) is Significance.YES
    assert significance(0.0401, NULL_SHARE * 0.05) is Significance.NO
    assert significance(None, NULL_SHARE * 0.05) is Significance.UNKNOWN


def test_margin_is_inclusive_and_unknown_stays_unknown():
    assert size_within(0.03, 0.03) is Size.INSIDE
    assert size_within(0.03001, 0.03) is Size.NOT_INSIDE
    assert size_within(None, 0.03) is Size.NOT_INSIDE
    assert size_within(0.01, None) is Size.UNKNOWN


def test_the_true_shift_lies_above_the_bound_with_the_stated_risk():
    assert upper_bound(-2.0, 0.5, 9) == pytest.approx(2.0 + 0.5 * stats.t.ppf(0.8, 9))
