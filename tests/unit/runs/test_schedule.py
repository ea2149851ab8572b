"""What the arguments plan for an epoch."""

import numpy as np
import pytest

from analyzer.runs.schedule import Schedule

ARGS = {"epochs": 100, "close_mosaic": 10, "warmup_epochs": 3}


@pytest.mark.parametrize(
    ("epochs", "options", "cuts", "expected"),
    [
        (range(1, 51), {}, [], 3),  # warmup of 3 epochs is cut
        (range(1, 3), {}, [], 0),  # all of it is warmup
        (range(1, 96), {}, [], 90),  # mosaic closed at epoch 91
        (range(1, 91), {}, [], 3),  # not closed yet
        (range(1, 51), {}, [20, 30], 30),
        ([1, 2, 3, 4, 5, 6, 5, 6, 7, 8], {}, [], 6),  # epoch 5 was repeated
        (range(1, 51), {"warmup_epochs": 3.5}, [], 4),
        (range(1, 96), {"close_mosaic": 0}, [], 3),
        (range(1, 96), {"task": "classify"}, [], 3),
    ],
)
def test_a_regime_starts_after_the_last_change(epochs, options, cuts, expected):
    assert Schedule.told(ARGS | options).regime_start(np.array(list(epochs)), cuts=cuts) == expected


def test_mosaic_closes_once():
    schedule = Schedule.told(ARGS)
    assert schedule.closes_between(90, 91)
    assert not schedule.closes_between(91, 92)
    assert not Schedule.told(ARGS | {"close_mosaic": 0}).closes_between(90, 91)


def test_defaults_are_those_of_ultralytics_and_nothing_is_made_of_an_edited_value():
    assert Schedule.of({"epochs": 100}) == Schedule(3.0, 91)
    assert Schedule.told({"epochs": 100}) == Schedule(0.0, None)
    assert Schedule.told({"epochs": "many", "close_mosaic": True, "warmup_epochs": float("nan")}) == Schedule(0.0, None)
