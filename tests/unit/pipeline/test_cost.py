from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.pipeline import cost
from analyzer.pipeline.fingerprint import MOST_EPOCHS
from analyzer.pipeline.request import AnalyzeRequest


@pytest.mark.parametrize(("replay", "epochs"), [(True, 2 * 5 * 2 + 2 + MOST_EPOCHS), (False, 2 * 5 * 2)])
def test_the_worst_case_counts_replay_and_fingerprint(monkeypatch, replay, epochs):
    monkeypatch.setattr(cost, "epoch_seconds", lambda history: 10.0)
    monkeypatch.setattr(cost, "_detectable", lambda *a, **k: {})
    request = AnalyzeRequest(Path("run"), replicates=5, epochs=2, replay=replay)
    plan = cost.plan_cost(SimpleNamespace(run=SimpleNamespace(history=None)), None, request, arms=2)
    assert plan.worst_seconds == 10.0 * epochs
    assert (plan.replicates, plan.seconds_per_replicate) == (10, 20.0)
