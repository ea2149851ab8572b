"""``--fraction``: a part of an epoch can accuse, and never acquit."""

import os
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.domain.evidence import Verdict
from analyzer.domain.progress import Silent
from analyzer.domain.replicate import Arm, ArmKind, EpochRecord, Outcome, Replicate
from analyzer.domain.within import Within
from analyzer.errors import RunError, UsageError
from analyzer.pipeline.analysis import cost
from analyzer.pipeline.analysis.bases import part as fraction
from analyzer.pipeline.analysis.basis import Trained, Work
from analyzer.pipeline.analysis.case import Case
from analyzer.pipeline.request import AnalyzeRequest
from analyzer.replicates.archive import keep_running
from analyzer.replicates.budget import parse_budget
from analyzer.replicates.collector import refuse_degenerate
from analyzer.verdict import decide

MARKS = (2, 4, 10, 20)
PAST = SimpleNamespace(names=("train/box_loss",), margins=np.array([0.5]), sources=("given",))


def within(rng, shift=0.0, batches=200):
    means = np.cumsum(rng.normal(1.0 + shift, 0.1, 20)) / np.arange(1, 21)
    return Within(batches, {n: {"train/box_loss": float(means[n - 1]), "lr/pg0": 0.01} for n in MARKS})


@pytest.fixture
def null():
    rng = np.random.default_rng(0)
    return tuple(
        Replicate("healthy-first0.1", s, Outcome.OK, (EpochRecord(5, {}, {}, 1.0, within(rng)),)) for s in range(6)
    )


def case_of(run, **options):
    request = AnalyzeRequest(run=run, fraction=0.1, **options)
    return Case(request, SimpleNamespace(notes=()), PAST, None, None, 0.0)


def judged(null, logged, run):
    """The evidence and the decision of a log against replicates that are there already."""
    basis, case = fraction.PartBasis(logged, 0.1), case_of(run)
    arm = Arm(ArmKind.HEALTHY, fraction=0.1)
    work = Work(None, (arm,), None)
    evidence = basis.judge(case, Trained(work, None, {arm.folder: null}))
    return evidence, basis.explained(case, evidence, decide(evidence.evidence, names=evidence.names))


@pytest.mark.parametrize(("shift", "rule"), [(0.0, "fraction-only"), (3.0, "significant-not-inside")])
def test_the_verdict_says_what_it_is_based_on(null, tmp_path, shift, rule):
    _, decision = judged(null, within(np.random.default_rng(9), shift), tmp_path)
    assert decision.rule == rule
    assert decision.verdict is (Verdict.FAULT if shift else Verdict.INCONCLUSIVE)
    assert "first 20 of 200 batches and 6 replicates" in decision.reasons[-1]
    assert "mAP were not looked at" in decision.reasons[-1]


@pytest.mark.parametrize(("loss", "verdict"), [(float("nan"), Verdict.FAULT), (None, Verdict.INCONCLUSIVE)])
def test_no_number_is_a_divergence_and_a_missing_column_is_none(null, tmp_path, loss, verdict):
    row = {"lr/pg0": 0.01} if loss is None else {"train/box_loss": loss, "lr/pg0": 0.01}
    _, decision = judged(null, Within(200, dict.fromkeys(MARKS, row)), tmp_path)
    assert decision.verdict is verdict


def test_epochs_of_another_length_and_logs_that_are_too_short_are_refused(null, tmp_path):
    with pytest.raises(RunError, match="100 batches, a replicate's 200"):
        judged(null, within(np.random.default_rng(9), batches=100), tmp_path)
    with pytest.raises(RunError, match="Nothing was logged within that part"):
        judged(null, Within(200, {}), tmp_path)


@pytest.mark.parametrize("other", [{"epochs": 2}, {"history_only": True}, {"checkpoint": Path("a.pt")}])
def test_options_that_need_whole_epochs_are_refused(tmp_path, other):
    with pytest.raises(UsageError, match="does not go with --fraction"):
        fraction._refuse(AnalyzeRequest(run=tmp_path, fraction=0.1, **other))


def test_parts_without_a_row_are_no_twins_of_each_other(null):
    refuse_degenerate(null)


@pytest.mark.parametrize(("budget", "trained"), [(None, 5), ("1epochs", 4), ("2epochs", 5)])
def test_parts_of_an_epoch_are_counted_as_such(null, tmp_path, monkeypatch, budget, trained):
    asked = []

    class Parts:
        def __init__(self, budget):
            self.budget, self.epochs_trained, self.reused, self.progress = budget, 0, 0, Silent()

        def extend(self, arm, have, n):
            while len(asked) < n and self.budget.allows(1, self.epochs_trained, None):
                asked.append(null[len(asked)])
                self.epochs_trained += 1
            return tuple(asked)

    monkeypatch.setattr(cost, "epoch_seconds", lambda history: 40.0)
    scene = SimpleNamespace(run=SimpleNamespace(history=None))
    plan = cost.plan_part(scene, AnalyzeRequest(run=tmp_path, fraction=0.2), 0.25, at_once=2.0)
    assert (plan.replicates, plan.seconds_per_replicate, plan.worst_seconds) == (5, 10.0, 30.0)
    basis = fraction.PartBasis(within(np.random.default_rng(9)), 0.1)
    basis.share = 0.25
    case, work = case_of(tmp_path), Work(None, (Arm(ArmKind.HEALTHY, fraction=0.1),), plan)
    done = basis.train(case, work, Parts(basis.budget(parse_budget(budget))))
    spent = basis.fields(case, basis.judge(case, done))["cost"]
    assert spent.epochs_trained == spent.by_step["null"] == 0.25 * trained


def test_the_newest_log_is_that_which_says_so(tmp_path, monkeypatch):
    monkeypatch.setattr(fraction, "run_directory", lambda path: path)
    monkeypatch.setattr(
        fraction, "running_resume_point", lambda run, checkpoint, epoch: (checkpoint.parent.name, epoch)
    )
    for folder, epoch in (("epoch4-a", 5), ("epoch9-b", 10), ("epoch6-c", 7)):
        seam = tmp_path / "drift" / "seams" / folder
        seam.mkdir(parents=True)
        (seam / "checkpoint.pt").write_bytes(b"")
        keep_running(seam, "sha", epoch, within(np.random.default_rng(epoch)))
    for seam in (tmp_path / "drift" / "seams").iterdir():  # a copy of the run has other file times
        os.utime(seam / "running.json", None if seam.name == "epoch9-b" else (1, 1))
    assert fraction._logged(AnalyzeRequest(run=tmp_path))[0] == ("epoch6-c", 7)
    assert fraction._logged(AnalyzeRequest(run=tmp_path, seam=10))[0] == ("epoch9-b", 10)
