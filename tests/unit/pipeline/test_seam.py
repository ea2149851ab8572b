"""What `drift seam` says of differences that do not vary."""

import pytest

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.pipeline.resume_effect import _compared

BASE = {"train/loss": 1.23457, "val/loss": 2.5, "metrics/accuracy_top1": 0.75, "metrics/accuracy_top5": 1.0}


def epoch(number, **changes):
    exact = {**BASE, **changes}
    return EpochRecord(number, {k: float(f"{v:.6g}") for k, v in exact.items()}, exact, 1.0)


def pairs(n, **changes):
    """n seeds whose resumed epoch differs from the one in memory by the same amount each."""
    for seed in range(n):
        first = Replicate("uninterrupted", seed, Outcome.OK, (epoch(4), epoch(5)))
        yield first, Replicate("through-checkpoint", seed, Outcome.OK, (epoch(5, **changes),))


def differences(n=5, validated=None, **changes):
    return {m.name: m.difference for m in _compared(list(pairs(n, **changes)), validated)}


def test_a_constant_difference_of_one_printed_digit_is_not_certain():
    d = differences(**{"train/loss": 1.23458})["train/loss"]
    assert d.se == pytest.approx(1e-5 / 5**0.5)
    assert d.p > 0.05
    assert d.interval.low < 0 < d.interval.high


def test_a_constant_difference_of_many_units_is_seen_with_an_interval_that_is_not_empty():
    d = differences(**{"val/loss": 2.6})["val/loss"]
    assert 0 < d.p < 1e-6
    assert d.interval.low < d.difference < d.interval.high


def test_an_accuracy_cannot_be_known_better_than_by_one_image():
    one = differences(validated=12, **{"metrics/accuracy_top1": 0.75 - 1 / 12})["metrics/accuracy_top1"]
    assert one.se == pytest.approx(1 / 12 / 5**0.5)
    assert one.p > 0.05
    assert differences(validated=None, **{"metrics/accuracy_top1": 0.7})["metrics/accuracy_top1"].p < 1e-6
