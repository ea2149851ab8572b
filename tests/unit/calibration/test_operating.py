"""A fast subset of the grid in docs/METHOD.md.

Each bound lies at least 6 binomial sd above what the full grid measures, or above the required rate itself, so that
this file fails
by chance in less than 1e-6 of runs (one-sided normal tail at 6 sd: 1e-9 a check, under 100 checks).
"""

import numpy as np
import pytest

from analyzer.calibration.operating import shares
from analyzer.calibration.simulate import SHAPES, Cell, draw, draw_rows

DRAWS = 4_000
ALPHA_NULL = 0.04
TOTAL = 0.05


def above(rate):
    return rate + 6 * np.sqrt(rate * (1 - rate) / DRAWS)


def below(rate):
    return rate - 6 * np.sqrt(rate * (1 - rate) / DRAWS)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("n", [3, 8, 19, "auto"])
def test_healthy_resumes_are_not_accused(shape, n):
    auto = n == "auto"
    cell = Cell(shape, 19 if auto else n, shifted=())
    s = shares(cell, DRAWS, np.random.default_rng([1, SHAPES.index(shape)]), alpha_null=ALPHA_NULL, auto=auto)
    assert s.fault <= above(TOTAL)
    if auto:
        assert s.noise >= below(0.8)
        assert s.mean_replicates <= 10.2
    elif n == 19:
        assert s.inconclusive <= above(0.2)
    if not auto:
        assert s.simultaneous_coverage >= below(1 - TOTAL)


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("ratio", [0.5, 0.7071, 2.0])
def test_a_prior_that_is_off_does_not_accuse(shape, ratio):
    cell = Cell(shape, 5, prior_ratio=ratio, shifted=())
    assert shares(cell, DRAWS, np.random.default_rng(2), alpha_null=ALPHA_NULL).fault <= above(TOTAL)


@pytest.mark.parametrize(("n", "shift", "shifted"), [(8, 8.0, (0,)), (12, 6.0, (0,)), (5, 6.0, (0, 4, 7))])
def test_faults_are_found(n, shift, shifted):
    s = shares(Cell("normal", n, shift=shift, shifted=shifted), DRAWS, np.random.default_rng(3), alpha_null=ALPHA_NULL)
    assert s.fault >= below(0.8)


def test_auto_finds_them_with_few():
    cell = Cell("normal", 19, shift=8.0)
    s = shares(cell, DRAWS, np.random.default_rng(4), alpha_null=ALPHA_NULL, auto=True)
    assert s.fault >= below(0.95)
    assert s.mean_replicates < 9


def test_rank_region():
    s = shares(Cell("t5-independent", 39, shifted=()), 2_000, np.random.default_rng(5), alpha_null=ALPHA_NULL)
    assert s.fault <= 0.04 + 6 * np.sqrt(0.04 * 0.96 / 2_000)


def test_recorded_rows_are_resampled_without_replacement():
    rows = draw_rows("normal", (60,), np.eye(3), np.random.default_rng(0))
    d = draw(Cell("rows", 5), 500, np.random.default_rng(1), rows=rows)
    both = np.concatenate([d.observed[:, None], d.null], axis=1)[:, :, 0]
    assert all(len(np.unique(b)) == 6 for b in both)
    with pytest.raises(ValueError, match="too few"):
        draw(Cell("rows", 80), 10, np.random.default_rng(1), rows=rows)
