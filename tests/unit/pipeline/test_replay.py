import math
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.domain.evidence import Replay
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.pipeline.analysis.steps.replay import NotPossible, replay_outcome, why_not
from analyzer.replicates.devices import Device


def scene(**args):
    history = SimpleNamespace(unit=lambda name: 1e-5)
    run = SimpleNamespace(args=args, history=history, path=Path("run"))
    return SimpleNamespace(run=run, observed_rows=lambda k: [{}])


def seen(*rows):
    place = scene()
    place.observed_rows = lambda k: list(rows[:k])
    return place


def study(version="8.4.190", installed="8.4.190", device=None, epochs=1):
    checkpoint = SimpleNamespace(train_args={"device": "cpu", "batch": 16}, version=version)
    return SimpleNamespace(
        checkpoint=checkpoint, versions={"ultralytics": installed}, device=device or Device("cpu", "cpu"), epochs=epochs
    )


def test_possible_where_nothing_stands_against_it():
    assert why_not(scene(), study()) is None


@pytest.mark.parametrize(
    ("args", "facts", "words"),
    [
        ({}, {"version": "8.3.0"}, "8.3.0"),
        ({}, {"device": Device("0", "cuda:0", "The run used 2 GPUs.")}, "2 GPUs"),
        ({"time": 2.0}, {}, "time="),
        ({"batch": -1}, {}, "AutoBatch"),
        ({"batch": 0.7}, {}, "AutoBatch"),
    ],
)
def test_the_reason_is_named(args, facts, words):
    assert words in (why_not(scene(**args), study(**facts)) or "")


def replayed(**printed):
    return Replicate("replay", 0, Outcome.OK, (EpochRecord(5, printed, printed, 1.0),))


@pytest.mark.parametrize(
    ("observed", "printed", "expected"),
    [
        ({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.0}, Replay.SAME),
        ({"a": 1.0, "b": 2.0}, {"a": 1.0, "b": 2.00001}, Replay.OTHER),
        ({"a": math.nan}, {"a": math.nan}, Replay.SAME),
        ({"a": math.nan}, {"a": 1.0}, Replay.OTHER),
        ({"a": 1.0}, {}, Replay.OTHER),  # nothing to compare proves nothing
    ],
)
def test_rows_are_compared_digit_by_digit(observed, printed, expected):
    place = seen(observed)
    assert replay_outcome(place, study(), replayed(**printed))[0] is expected


def test_another_row_on_a_gpu_proves_nothing():
    place = seen({"a": 1.0})
    outcome, step = replay_outcome(place, study(device=Device("0", "cuda:0")), replayed(a=2.0))
    assert outcome is Replay.NOT_POSSIBLE
    assert "GPU" in step.summary


def test_a_reason_is_carried_into_the_report():
    outcome, step = replay_outcome(scene(), study(), NotPossible("time= makes the schedule depend on the clock"))
    assert outcome is Replay.NOT_POSSIBLE
    assert "time=" in step.summary


@pytest.mark.parametrize(
    ("second", "expected"), [({"a": 2.0}, Replay.SAME), ({"a": 9.0}, Replay.OTHER), (None, Replay.OTHER)]
)
def test_every_judged_epoch_must_come_again(second, expected):
    rows = [{"a": 1.0}, {"a": 2.0}]
    epochs = [EpochRecord(5, {"a": 1.0}, {}, 1.0)]
    epochs += [EpochRecord(6, second, {}, 1.0)] if second else []  # None: the path ended early
    found = Replicate("replay", 0, Outcome.OK, tuple(epochs))
    assert replay_outcome(seen(*rows), study(epochs=2), found)[0] is expected
