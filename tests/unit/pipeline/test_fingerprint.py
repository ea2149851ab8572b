"""The search over a stand-in of the trainer: order, stop, budget, and what is said."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from analyzer.diagnosis.audit import Audited, AuditFacts
from analyzer.domain.evidence import Replay
from analyzer.domain.replicate import Arm, EpochRecord, Outcome, Replicate
from analyzer.errors import EngineError
from analyzer.pipeline.analysis.steps.fault_search import MOST_EPOCHS, search, skipped
from analyzer.report.model.analysis import StepResult
from analyzer.runs.args import ArgsDiff

REPLAYED = {"train/box_loss": 1.0, "val/box_loss": 2.0, "lr/pg0": 0.01}
OBSERVED = {"train/box_loss": 1.01, "val/box_loss": 2.1, "lr/pg0": 0.01}
ARGS = {"epochs": 80, "close_mosaic": 10, "batch": 8, "mixup": 0.0}


def replicate(row, seed=3):
    return Replicate("fingerprint", seed, Outcome.OK, (EpochRecord(5, row, row, 1.0),))


class FakeCollector:
    """Gives the row that was written down for a fault; the replay's own row for every other."""

    def __init__(self, rows, budget=99):
        self.rows, self.budget, self.epochs_trained, self.tried = rows, budget, 0, []

    def one(self, arm, seed, *, epochs):
        if self.epochs_trained + epochs > self.budget:
            return None
        assert (arm.name, seed, arm.changes["seed"], epochs) == ("fingerprint", 3, 3, 1)
        self.epochs_trained += epochs
        fault = "+".join(i for i, _ in arm.interventions)
        self.tried.append(fault)
        row = self.rows.get(fault, REPLAYED)
        if isinstance(row, Exception):
            raise row
        return replicate(row)


def found(rows, *, observed=OBSERVED, budget=99):
    history = SimpleNamespace(unit=lambda name: 1e-5)
    run = SimpleNamespace(history=history, checkpoints=(), args={"seed": 3})
    scene = SimpleNamespace(
        run=run, observed=observed, observed_rows=lambda k: [observed], diff=ArgsDiff(()), seam=SimpleNamespace(epoch=5)
    )
    data = SimpleNamespace(names={}, splits={"train": (Path("/d/train"),), "val": (Path("/d/val"),)})
    checkpoint = SimpleNamespace(train_args=ARGS, sha256="0", csv_epoch=4)
    study = SimpleNamespace(checkpoint=checkpoint, data=data, other_data=None, trust=False, arm=Arm)
    audited = Audited(AuditFacts(None, None, (), None, None), ())
    collector = FakeCollector(rows, budget)
    said = []
    collector.study, collector.progress = study, SimpleNamespace(message=said.append)
    case = SimpleNamespace(point=scene, audited=audited)
    return search(case, collector, replicate(REPLAYED)), collector, said


def test_the_search_stops_at_the_hit():
    result, collector, said = found({"batch-changed": OBSERVED})
    assert result.hit
    assert collector.tried == ["optimizer-lost", "batch-changed"]
    assert (result.step.outcome, result.step.epochs) == ("batch-changed", 2)
    assert "all 3 columns" in result.step.summary
    assert said[-1] == "Fingerprint: batch-changed (batch 4): gives the row."


def test_none_of_these_is_an_answer_and_costs_no_more_than_the_limit():
    result, collector, _ = found({})
    assert not result.hit
    assert result.step.outcome == "none of these"
    assert collector.epochs_trained == result.step.epochs == len(result.trials) <= MOST_EPOCHS
    assert result.step.summary.startswith("None of these faults gives the row: optimizer-lost: 2 of 3 columns differ")


def test_training_columns_alone_lead_to_a_pair():
    half = {**OBSERVED, "val/box_loss": 9.0}
    result, collector, _ = found({"optimizer-lost": half, "optimizer-lost+ema-reset": OBSERVED})
    assert collector.tried == ["optimizer-lost", "optimizer-lost+ema-reset"]
    assert result.hit


def test_a_hypothesis_that_cannot_be_trained_does_not_end_the_search():
    result, collector, _ = found({"optimizer-lost": EngineError("out of memory"), "batch-changed": OBSERVED})
    assert result.trials[0].failed == "out of memory"
    assert result.hit
    assert collector.tried[:2] == ["optimizer-lost", "batch-changed"]


def test_the_budget_ends_it():
    result, _, _ = found({}, budget=1)
    assert len(result.trials) == 1
    assert "further ones were not tried" in result.step.summary
    assert found({}, budget=0)[0].reason == "the budget ended before it"


def test_only_validation_columns_differ():
    seen = {**REPLAYED, "val/box_loss": 2.1}
    result, collector, _ = found({"ema-reset": seen}, observed=seen)
    assert collector.tried == ["ema-reset"]
    assert result.hit


@pytest.mark.parametrize(
    ("replay", "why", "words"),
    [
        (Replay.NOT_RUN, "--no-replay", "--no-replay"),
        (Replay.SAME, "", "the same row"),
        (Replay.NOT_POSSIBLE, "", "needs an exact replay. Not possible: GPU"),
    ],
)
def test_the_reason_for_no_search_is_named(replay, why, words):
    assert words in skipped(replay, StepResult("x", "Not possible: GPU"), why)


def test_another_row_leaves_no_reason():
    assert skipped(Replay.OTHER, None, "") == ""
