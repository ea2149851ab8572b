"""``--fraction``: a part of an epoch can accuse, and never acquit."""

from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.domain.evidence import Verdict
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.domain.within import Within
from analyzer.errors import RunError, UsageError
from analyzer.pipeline import fraction
from analyzer.pipeline.collect import refuse_degenerate
from analyzer.pipeline.request import AnalyzeRequest

MARKS = (2, 4, 10, 20)
PAST = SimpleNamespace(names=("train/box_loss",), margins=np.array([0.5]))


def within(rng, shift=0.0, batches=200):
    means = np.cumsum(rng.normal(1.0 + shift, 0.1, 20)) / np.arange(1, 21)
    return Within(batches, {n: {"train/box_loss": float(means[n - 1]), "lr/pg0": 0.01} for n in MARKS})


@pytest.fixture
def null():
    rng = np.random.default_rng(0)
    return tuple(
        Replicate("healthy-first0.1", s, Outcome.OK, (EpochRecord(5, {}, {}, 1.0, within(rng)),)) for s in range(6)
    )


def decide(null, logged, run):
    part = fraction._compare(null, logged, PAST, AnalyzeRequest(run=run, fraction=0.1))
    return part, fraction._decide(part, None)


@pytest.mark.parametrize(("shift", "rule"), [(0.0, "fraction-only"), (3.0, "significant-not-inside")])
def test_the_verdict_says_what_it_is_based_on(null, tmp_path, shift, rule):
    part, decision = decide(null, within(np.random.default_rng(9), shift), tmp_path)
    assert part.done == 20
    assert decision.rule == rule
    assert decision.verdict is (Verdict.FAULT if shift else Verdict.INCONCLUSIVE)
    assert "first 20 of 200 batches and 6 replicates" in decision.reasons[-1]
    assert "mAP were not looked at" in decision.reasons[-1]


@pytest.mark.parametrize(("loss", "verdict"), [(float("nan"), Verdict.FAULT), (None, Verdict.INCONCLUSIVE)])
def test_no_number_is_a_divergence_and_a_missing_column_is_none(null, tmp_path, loss, verdict):
    row = {"lr/pg0": 0.01} if loss is None else {"train/box_loss": loss, "lr/pg0": 0.01}
    _, decision = decide(null, Within(200, dict.fromkeys(MARKS, row)), tmp_path)
    assert decision.verdict is verdict


def test_epochs_of_another_length_and_logs_that_are_too_short_are_refused(null, tmp_path):
    with pytest.raises(RunError, match="100 batches, a replicate's 200"):
        decide(null, within(np.random.default_rng(9), batches=100), tmp_path)
    with pytest.raises(RunError, match="Nothing was logged within that part"):
        decide(null, Within(200, {}), tmp_path)


@pytest.mark.parametrize("other", [{"epochs": 2}, {"history_only": True}, {"dry_run": True}])
def test_options_that_need_whole_epochs_are_refused(tmp_path, other):
    with pytest.raises(UsageError, match="does not go with --fraction"):
        fraction._refuse(AnalyzeRequest(run=tmp_path, fraction=0.1, **other))


def test_parts_without_a_row_are_no_twins_of_each_other(null):
    refuse_degenerate(null)
