import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from analyzer.diagnosis.audit.schedule import decay, logged_rates, repeated_warmup_rates
from analyzer.diagnosis.audit.steps import Loop, loops, optimizer_steps


def by_the_letter(loop, first, last, starts=()):
    """BaseTrainer._do_train of Ultralytics 8.4.190, every iteration."""
    steps, last_opt_step, accumulate = 0, -1, loop.accumulate
    for epoch in range(first, last + 1):
        if epoch in starts:
            last_opt_step, accumulate = -1, loop.accumulate
        for i in range(loop.batches):
            ni = i + loop.batches * epoch
            if loop.warmup and ni <= loop.warmup:
                accumulate = max(1, int(np.interp(ni, [0, loop.warmup], [1, loop.ramp]).round()))
            if ni - last_opt_step >= accumulate:
                steps, last_opt_step = steps + 1, ni
    return steps


@given(
    batches=st.integers(1, 40),
    accumulate=st.integers(1, 20),
    warmup=st.integers(0, 120),
    first=st.integers(0, 6),
    length=st.integers(0, 6),
    starts=st.sets(st.integers(0, 12), max_size=3),
)
def test_steps_are_those_of_the_loop(batches, accumulate, warmup, first, length, starts):
    loop = Loop(batches, accumulate, float(accumulate), warmup)
    assert optimizer_steps(loop, first, first + length, starts=starts) == by_the_letter(
        loop, first, first + length, starts
    )


def test_a_resume_makes_a_step_after_its_first_batch():
    loop = Loop(batches=8, accumulate=4, ramp=4.0, warmup=0)
    assert optimizer_steps(loop, 0, 3) == 8
    assert optimizer_steps(loop, 2, 3) == 2 * 2 + 0  # after batches 1, 5 of the first and of the second epoch
    assert optimizer_steps(loop, 0, 3, starts={2}) == 8


def test_accumulation_by_arguments():
    newest = loops({"epochs": 10, "batch": 4, "nbs": 64, "warmup_epochs": 0.0}, 2)[0]
    assert newest == Loop(2, 16, 16.0, 0)
    assert loops({"epochs": 3, "batch": 4, "nbs": 64, "warmup_epochs": 0.0}, 2)[0].accumulate == 6  # capped
    assert loops({"batch": -1}, 10) == ()


def test_linear_and_cosine_ends():
    for cos in (False, True):
        args = {"epochs": 50, "lrf": 0.1, "cos_lr": cos}
        assert decay(args, 0) == pytest.approx(1.0)
        assert decay(args, 50) == pytest.approx(0.1)
        assert all(decay(args, e) >= decay(args, e + 1) for e in range(50))


def test_rates_of_a_real_run():
    # data/demo_runs.py: AdamW, lr0 0.002, 52 batches, one epoch of warmup, 80 epochs
    args = {"epochs": 80, "lrf": 0.01, "warmup_bias_lr": 0.1}
    loop = (Loop(52, 1, 1.0, 52),)
    first = logged_rates(args, 0.002, 0, loop)
    assert any(np.isclose(r, 0.00196154, rtol=1e-5) for r in first)
    assert any(np.isclose(r, 0.00388462, rtol=1e-5) for r in first)
    assert logged_rates(args, 0.002, 34, loop) == pytest.approx((0.0011585,))


def test_repeated_warmup_is_only_looked_for_while_it_lasts():
    args, loop = {"epochs": 80, "lrf": 0.01, "warmup_bias_lr": 0.1}, (Loop(10, 1, 1.0, 30),)
    rates = repeated_warmup_rates(args, 0.01, 40, 40, loop)
    assert any(np.isclose(r, 0.01 * decay(args, 40) * 9 / 30) for r in rates)
    assert repeated_warmup_rates(args, 0.01, 43, 40, loop) == ()
