import numpy as np
import pytest

from analyzer.calibration.decide_many import FAULT, INCONCLUSIVE, NEGLIGIBLE, NOISE, decide_auto
from analyzer.calibration.simulate import Cell, draw
from analyzer.stats import Continue, Prior, Stop, StopReason, next_action

NAMES = [*(f"train/{i}" for i in range(3)), *(f"val/{i}" for i in range(5))]


def analyse(null, observed, **options):
    """Ask and obey until it stops."""
    n, asked = 0, []
    while True:
        action = next_action(null[:n], observed, names=NAMES, deciding=[True] * 8, alpha_null=0.04, **options)
        if isinstance(action, Stop):
            return action, asked
        asked.append(action.n_more)
        n += action.n_more


def test_pilot_first():
    action = next_action(np.zeros((2, 8)), np.zeros(8), names=NAMES, deciding=[True] * 8, alpha_null=0.04)
    assert isinstance(action, Continue)
    assert action.n_more == 3


def test_certain_cause_stops():
    null = np.random.default_rng(0).normal(size=(2, 8))
    action = next_action(null, null[0], names=NAMES, deciding=[True] * 8, alpha_null=0.04, certain_cause=True)
    assert action.reason is StopReason.CERTAIN


def test_obvious_fault_stops_at_the_first_look():
    null = np.random.default_rng(0).normal(size=(19, 8))
    stop, asked = analyse(null, np.full(8, 40.0), margins=[4.0] * 8)
    assert (stop.reason, asked) == (StopReason.FAULT, [5])
    assert stop.path[-1].look
    assert stop.path[-1].n == 5


def test_noise_needs_a_replicate_further_out():
    null = np.random.default_rng(0).normal(size=(19, 8))
    stop, asked = analyse(null, null[:5].mean(axis=0), margins=[9.0] * 8)
    assert stop.reason is StopReason.NOISE
    assert asked == [5, 1]
    assert stop.p_noise == 1.0


def test_cap():
    null = np.random.default_rng(0).normal(size=(19, 8))
    stop, _ = analyse(null, np.full(8, 2.0), margins=[0.5] * 8)
    assert stop.reason is StopReason.CAP
    assert stop.comparison.n == 19


def test_no_margin_ends_early():
    null = np.random.default_rng(0).normal(size=(19, 8))
    stop, _ = analyse(null, null[:5].mean(axis=0))
    assert stop.reason is StopReason.NO_MARGIN


def test_simulated_design_is_the_real_one():
    """The vectorised simulation and the state machine give the same verdicts and N, draw by draw."""
    codes = []
    for shift in (0.0, 5.0):
        d = draw(Cell("normal", 19, shift=shift, shifted=(0, 4, 7)), 12, np.random.default_rng(4))
        verdict, used = decide_auto(d, 0.04, 3 * d.step_sd)
        for b in range(12):
            priors = [Prior(s / np.sqrt(2), d.prior_df) for s in d.step_sd[b]]
            stop, _ = analyse(d.null[b], d.observed[b], priors=priors, margins=3 * d.step_sd[b])
            c = stop.comparison
            code = FAULT if c.some_fault else INCONCLUSIVE
            if c.all_inside and code != FAULT:
                code = NEGLIGIBLE if c.omnibus.value == "yes" else NOISE
            assert (code, c.n) == (verdict[b], used[b])
            codes.append(code)
    assert {NOISE, FAULT} <= set(codes)


@pytest.mark.parametrize("cap", [5, 8])
def test_lower_cap(cap):
    null = np.random.default_rng(0).normal(size=(19, 8))
    stop, _ = analyse(null, np.full(8, 2.0), margins=[0.5] * 8, cap=cap)
    assert stop.comparison.n == cap
