"""Running losses inside an epoch: the pooled spread, and the rate of false alarms over all looks."""

import numpy as np
import pytest

from analyzer.domain.evidence import Significance
from analyzer.domain.within import marks
from analyzer.stats.early import early_look, pooled_priors

BATCHES = 200
LOOKS = marks(BATCHES)
NAMES = ("train/box_loss", "train/cls_loss", "train/dfl_loss")
SCALE = np.array([0.3, 0.5, 0.1])  # sd of one batch


def epochs(rng, n, heavy=False):
    """Running means at the looks, shape (n, L, 3)."""
    noise = rng.gamma(1.0, 1.0, (n, BATCHES, 3)) - 1.0 if heavy else rng.normal(0, 1, (n, BATCHES, 3))
    means = np.cumsum(1.0 + SCALE * noise, axis=1) / np.arange(1, BATCHES + 1)[:, None]
    return means[:, [k - 1 for k in LOOKS]]


def alarm(null, row):
    """The first look that accuses, from 0; None for none."""
    for j in range(len(LOOKS)):
        found = early_look(null, row[j], LOOKS, j, names=NAMES, alpha=0.025 / len(LOOKS))
        if any(m.significant is Significance.YES for m in found.deciding):
            return j
    return None


@pytest.mark.parametrize("look", range(len(LOOKS)))
def test_the_other_parts_of_the_epoch_tell_the_spread_at_a_look(look):
    priors = pooled_priors(epochs(np.random.default_rng(0), 400), LOOKS, look)
    for prior, scale in zip(priors, SCALE, strict=True):
        assert prior.sd == pytest.approx(scale / np.sqrt(LOOKS[look]), rel=0.1)
        assert prior.df == 8


def test_a_single_look_has_no_other_part_and_one_replicate_no_spread():
    rng = np.random.default_rng(0)
    assert pooled_priors(epochs(rng, 5)[:, :1], LOOKS[:1], 0) == [None] * 3
    assert pooled_priors(epochs(rng, 1), LOOKS, 0) == [None] * 3


@pytest.mark.parametrize("heavy", [False, True])
@pytest.mark.parametrize("n", [3, 5, 10])
def test_healthy_epochs_are_accused_at_most_at_the_rate_over_all_looks(n, heavy):
    """400 draws at 0.025: more than 20 happen by chance once in 1,000 times where the rate is kept."""
    rng = np.random.default_rng(n)
    false = sum(alarm(null[:-1], null[-1]) is not None for null in (epochs(rng, n + 1, heavy) for _ in range(400)))
    assert false <= 20


def test_a_fault_of_three_spreads_of_a_batch_is_seen_in_the_first_tenth():
    rng = np.random.default_rng(0)
    seen = 0
    for _ in range(50):
        both = epochs(rng, 6)
        row = both[-1] + 3 * SCALE[0] * np.array([1.0, 0.0, 0.0])
        found = alarm(both[:-1], row)
        seen += found is not None and LOOKS[found] <= BATCHES // 10
    assert seen >= 48
