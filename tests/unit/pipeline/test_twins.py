"""The search for twins over a stand-in of the trainer: seeds, stop, budget, what is ruled out and what is said."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from analyzer.diagnosis.audit import Audited, AuditFacts
from analyzer.domain.evidence import Significance
from analyzer.domain.metrics import metrics_of
from analyzer.domain.progress import Silent
from analyzer.domain.replicate import Arm, ArmKind, EpochRecord, Outcome, Replicate
from analyzer.errors import EngineError
from analyzer.pipeline.analysis.causes import twins_in
from analyzer.pipeline.analysis.regime import Regime
from analyzer.pipeline.analysis.steps.simulated_faults import MOST_TWIN_EPOCHS, search_twins, why_no_twins
from analyzer.runs.args import ArgsDiff

NAMES = ("train/box_loss", "train/cls_loss", "val/box_loss", "val/cls_loss")
LEVEL, SD = np.array([1.0, 2.0, 1.5, 2.5]), 0.01
ARGS = {"epochs": 80, "close_mosaic": 10, "mosaic": 1.0, "batch": 8, "mixup": 0.0, "optimizer": "SGD"}
EFFECTS = {
    "mosaic-state": np.array([-0.2, -0.3, 0, 0]),
    "optimizer-lost": np.array([0.01, 0.01, 0.005, 0]),
    "batch-changed": np.array([0.02, 0.05, 0, 0]),
    "optimizer-changed": np.array([0.3, 0.6, 0.2, 0.2]),
    "head-rebuilt": np.array([2.0, 3.0, 2.0, 2.0]),
    "ema-reset": np.array([0, 0, 0.08, 0.1]),
    "augmentation-changed": np.array([-0.4, -0.3, 0.02, 0]),
    "wrong-data": np.array([0.0, 0.9, 0.05, 0.4]),
}
UNSEEN = np.array([0.0, -0.5, 0.0, 0.5])


def row_of(seed, effect, rate=0.01):
    x = LEVEL + effect + SD * np.random.default_rng(seed).standard_normal(4)
    return {**dict(zip(NAMES, map(float, x), strict=True)), "lr/pg0": rate}


def replicate(arm, seed, row, outcome=Outcome.OK):
    return Replicate(arm, seed, outcome, (EpochRecord(5, row, row, 1.0),))


class FakeCollector:
    def __init__(self, budget=99, special=None):
        self.budget, self.special, self.epochs_trained, self.reused = budget, special or {}, 0, 0
        self.asked, self.progress = [], Silent()

    def one(self, arm, seed, *, epochs):
        if self.epochs_trained + epochs > self.budget:
            return None
        fault = arm.interventions[0][0]
        assert (arm.name, dict(arm.changes), epochs) == (f"twin-{fault}", {"batch": 8}, 1)
        self.epochs_trained += 1
        self.asked.append((fault, seed))
        special = self.special.get(fault)
        if isinstance(special, Exception):
            raise special
        return special(seed) if special else replicate(arm.name, seed, row_of(seed, EFFECTS.get(fault, 0 * LEVEL)))


def searched(effect, *, budget=99, special=None, rate=0.01):
    observed = row_of(1234, effect, rate)
    run = SimpleNamespace(history=SimpleNamespace(unit=lambda name: 1e-5), checkpoints=(), args={})
    scene = SimpleNamespace(run=run, observed=observed, diff=ArgsDiff(()), seam=SimpleNamespace(epoch=5))
    data = SimpleNamespace(splits={"train": (Path("/d/train"),), "val": (Path("/d/val"),)}, names={0: "b", 1: "a"})
    checkpoint = SimpleNamespace(train_args=ARGS, sha256="0", csv_epoch=4)
    study = SimpleNamespace(checkpoint=checkpoint, data=data, other_data=None, trust=False)
    audited = Audited(AuditFacts(None, None, (), None, None), ())
    null = [replicate("healthy", seed, row_of(seed, 0 * LEVEL)) for seed in range(5)]
    past = Regime(metrics_of(NAMES), np.empty((0, 4)), (None,) * 4, (None,) * 4, np.full(4, 0.1), ("given",) * 4,
                np.full(4, 1e-5), False)  # fmt: skip
    metrics = [SimpleNamespace(sd=SD, df=8.0, significant=Significance.YES) for _ in NAMES]
    collector = FakeCollector(budget, special)
    arm = Arm(ArmKind.AS_CONFIGURED, {"batch": 8})
    comparison = SimpleNamespace(metrics=metrics)
    collector.study = study
    case = SimpleNamespace(point=scene, regime=past, audited=audited)
    found = search_twins(case, collector, arm, null, comparison)
    return found, collector


def shown(found):
    return twins_in(found)


@pytest.mark.parametrize("truth", ["mosaic-state", "batch-changed", "ema-reset", "head-rebuilt", "wrong-data"])
def test_the_fault_that_made_the_row_is_the_answer(truth):
    found, collector = searched(EFFECTS[truth])
    assert found.answer == truth
    assert found.epochs == collector.epochs_trained <= MOST_TWIN_EPOCHS
    best = max(found.twins, key=lambda t: t.share)
    assert best.n >= 3  # a contender gets more seeds than the one that it was found with
    assert {seed for _, seed in collector.asked} <= set(range(5))  # seeds of the healthy arm, the first ones first


def test_a_far_shift_that_a_family_explains_ends_the_search():
    near, _ = searched(EFFECTS["batch-changed"])
    far, _ = searched(EFFECTS["mosaic-state"])
    assert not near.untried
    assert far.untried
    assert far.epochs < near.epochs


def test_a_row_of_no_tried_fault_is_none_of_these():
    found, _ = searched(UNSEEN)
    assert found.answer == "none of these"
    report = shown(found)
    assert report.summary.startswith("None of these faults gives such a row")
    assert report.none > 0.5


def test_other_learning_rates_rule_out_the_healthy_arm_and_every_twin_that_lacks_them():
    def fast(seed):
        return replicate("twin", seed, row_of(seed, UNSEEN, rate=0.1))

    found, _ = searched(UNSEEN, rate=0.1, special={"lr-jump": fast})
    assert found.answer == "lr-jump"
    assert {t.hypothesis.ids[0]: t.ruled_out for t in found.twins if t.ruled_out} == dict.fromkeys(
        ("warmup-repeated", "not-a-resume"), "its learning rates are not those of the row"
    )
    assert shown(found).healthy == 0


def test_a_twin_that_diverges_or_cannot_be_trained_is_ruled_out_and_the_search_goes_on():
    def lost(seed):
        return replicate("twin", seed, dict.fromkeys(NAMES, float("nan")), Outcome.DIVERGED)

    found, _ = searched(
        EFFECTS["ema-reset"], special={"head-rebuilt": lost, "optimizer-lost": EngineError("no memory")}
    )
    assert found.answer == "ema-reset"
    out = {t.hypothesis.ids[0]: t.ruled_out for t in found.twins if t.ruled_out}
    assert out == {
        "head-rebuilt": "diverged with every seed, the row did not",
        "optimizer-lost": "could not be trained: no memory",
    }
    assert [(t.n, t.diverged) for t in found.twins if t.hypothesis.ids == ("head-rebuilt",)] == [(0, 2)]


@pytest.mark.parametrize("which", [0, 1])
def test_a_fault_that_diverges_with_one_seed_is_still_named_and_says_so(which):
    def now_and_then(seed):
        if seed == which:
            return replicate("twin", seed, dict.fromkeys(NAMES, float("nan")), Outcome.DIVERGED)
        return replicate("twin", seed, row_of(seed, EFFECTS["head-rebuilt"]))

    found, collector = searched(EFFECTS["head-rebuilt"], special={"head-rebuilt": now_and_then})
    assert found.answer == "head-rebuilt"
    assert found.epochs == collector.epochs_trained <= MOST_TWIN_EPOCHS
    best = max(shown(found).arms, key=lambda a: a.share)
    assert best.diverged == 1
    assert best.seeds >= 2
    assert best.effects["train/box_loss"].effect == pytest.approx(2.0)  # still paired with its own seeds


def test_what_diverges_now_and_then_has_less_of_the_likelihood():
    def always(seed):
        return replicate("twin", seed, row_of(seed, EFFECTS["wrong-data"]))

    def seldom(seed):
        lost = replicate("twin", seed, dict.fromkeys(NAMES, float("nan")), Outcome.DIVERGED)
        return lost if seed == 0 else always(seed)

    def odds(special):
        found, _ = searched(EFFECTS["wrong-data"], special={"head-rebuilt": special, "wrong-data": always})
        share = {t.hypothesis.ids[0]: t.share for t in found.twins if not t.ruled_out}
        return share["head-rebuilt"]

    assert 0 < odds(seldom) < odds(always)


def test_the_budget_ends_it():
    assert searched(EFFECTS["ema-reset"], budget=0)[0].reason == "the budget ended before them"
    found, collector = searched(EFFECTS["ema-reset"], budget=3)
    assert (len(found.twins), collector.epochs_trained) == (3, 3)
    assert found.untried


def test_effects_are_paired_by_seed():
    arm = next(a for a in shown(searched(EFFECTS["mosaic-state"])[0]).arms if a.id == "mosaic-state")
    effect = arm.effects["train/box_loss"]
    assert effect.effect == pytest.approx(-0.2)  # the noise of a seed is the same in both arms
    assert effect.low == pytest.approx(effect.high)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ({}, ""),
        ({"certain": True}, "a certain cause"),
        ({"same": True}, "the same row"),
        ({"diverged": True}, "not finite"),
        ({"wanted": False}, "--no-twins"),
        ({"significant": Significance.NO}, "no shift is more than noise"),
    ],
)
def test_why_there_are_none(options, why):
    significant = options.pop("significant", Significance.YES)
    comparison = SimpleNamespace(deciding=[SimpleNamespace(significant=significant)])
    said = why_no_twins(comparison, **{"wanted": True, "certain": False, "same": False, "diverged": False, **options})
    assert (why in said) if why else not said
