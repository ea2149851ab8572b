import contextlib
from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.errors import RunError
from analyzer.pipeline.analysis import cost
from analyzer.pipeline.analysis.steps.fault_search import MOST_EPOCHS
from analyzer.pipeline.analysis.steps.simulated_faults import MOST_TWIN_EPOCHS
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.report.formatting import duration

WORK = 2 * 5 * 2  # two arms of five replicates of two epochs
CASES = [
    (True, False, WORK + 2 + MOST_EPOCHS),
    (False, False, WORK),
    (False, True, WORK + MOST_TWIN_EPOCHS),
]


@pytest.mark.parametrize(("replay", "twins", "epochs"), CASES)
def test_the_worst_case_counts_replay_fingerprint_and_twins(monkeypatch, replay, twins, epochs):
    monkeypatch.setattr(cost, "epoch_seconds", lambda history: 10.0)
    monkeypatch.setattr(cost, "_detectable", lambda *a, **k: {})
    request = AnalyzeRequest(Path("run"), replicates=5, epochs=2, replay=replay, twins=twins)
    plan = cost.plan_cost(SimpleNamespace(run=SimpleNamespace(history=None)), None, request, arms=2, at_once=1.0)
    assert plan.worst_seconds == 10.0 * epochs
    assert (plan.replicates, plan.seconds_per_replicate) == (10, 20.0)


@pytest.mark.parametrize(("at_once", "rounds"), [(1.0, 5), (2.0, 3), (3.0, 2), (0.5, 10)])
def test_replicates_that_are_trained_at_once_take_rounds_and_the_other_steps_one_by_one(monkeypatch, at_once, rounds):
    monkeypatch.setattr(cost, "epoch_seconds", lambda history: 10.0)
    monkeypatch.setattr(cost, "_detectable", lambda *a, **k: {})
    request = AnalyzeRequest(Path("run"), replicates=5, replay=True, twins=True)
    scene = SimpleNamespace(run=SimpleNamespace(history=None))
    plan = cost.plan_cost(scene, None, request, arms=2, at_once=at_once)
    assert plan.worst_seconds == 10.0 * (2 * rounds + 1 + MOST_EPOCHS + MOST_TWIN_EPOCHS)
    assert cost.replicate_words(5, 10.0, at_once).endswith(f"5 of them, {duration(10.0 * rounds)} at most.")


@pytest.mark.parametrize(
    ("asked", "devices", "refused"),
    [
        ({}, ("0",), True),
        ({"device": "0"}, ("0",), True),
        ({"device": "1"}, ("1",), False),
        ({"device": "1,2"}, ("1,2",), False),
        ({"device": "0,2"}, ("0,2",), True),  # one of the two is busy
        ({"workers_on": "1,2"}, ("1", "2"), False),
        ({"workers_on": "2,0"}, ("2", "0"), True),
        ({"share_device": True}, ("0",), False),
    ],
)
def test_the_device_of_a_running_training_is_refused_unless_it_is_shared(monkeypatch, asked, devices, refused):
    monkeypatch.setattr(cost, "is_training", lambda run: "Process 7 has results.csv open.")
    scene = SimpleNamespace(run=SimpleNamespace(path=Path("run"), args={"device": 0}))
    study = SimpleNamespace(placement=SimpleNamespace(devices=devices))
    with pytest.raises(RunError, match="Process 7") if refused else contextlib.nullcontext():
        cost.refuse_busy_device(scene, study, AnalyzeRequest(Path("run"), **asked))
