import numpy as np
import pytest

from analyzer.stats.history import auto_margin, history_noise, prior_df_of


def test_noise_of_white_epochs_is_recovered():
    values = np.random.default_rng(1).normal(0, 0.3, 4000) - 0.01 * np.arange(4000)
    noise = history_noise(values, last=4000)
    assert noise.epoch_sd == pytest.approx(0.3, rel=0.06)
    assert noise.step_sd == pytest.approx(0.3 * np.sqrt(2), rel=0.06)
    assert noise.trend == pytest.approx(-0.01, abs=0.02)


def test_by_hand():
    # steps 1 1 1 4 1 -2 1: median 1, deviations 0 0 0 3 0 3 0 -> MAD 0, so the rounding unit stands in
    values = np.cumsum([0, 1, 1, 1, 4, 1, -2, 1])
    noise = history_noise(values, unit=0.5)
    assert (noise.step_sd, noise.floored, noise.trend, noise.n_steps) == (0.5, True, 1.0, 7)
    assert noise.prior is None
    # steps 0 2 0 2 0 2 0 2 1: median 1, deviations 1 x 8 and 0 -> MAD 1
    noise = history_noise(np.cumsum([0, 0, 2, 0, 2, 0, 2, 0, 2, 1]))
    assert noise.step_sd == pytest.approx(1.4826022 * 9 / 8.2)
    assert auto_margin(noise) == pytest.approx(3 * 1.4826022 * 9 / 8.2)
    assert noise.prior.df == prior_df_of(9) == pytest.approx(3.6)


def test_too_short_and_holes():
    assert history_noise(np.arange(7.0)) is None
    assert auto_margin(None) is None
    values = np.random.default_rng(0).normal(size=20)
    values[5] = np.nan
    noise = history_noise(values)
    assert (noise.n_epochs, noise.n_steps) == (19, 17)  # both steps that touch the hole are gone
