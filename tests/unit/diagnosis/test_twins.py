"""Which faults get twins, and what is made of their shares."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.diagnosis.suspects import suspects
from analyzer.diagnosis.twins import Twin, answer_of, suspected
from analyzer.domain.evidence import Certainty, Finding, Severity
from analyzer.domain.rows import differing_columns
from analyzer.faults.clues import Clues, Hypothesis, OtherFile
from analyzer.faults.registry import make

ROW = {"train/box_loss": 1.0, "metrics/mAP50(B)": 0.5, "val/box_loss": 1.5, "lr/pg0": 0.01}
ARGS = {"epochs": 80, "close_mosaic": 10, "mosaic": 1.0, "batch": 8, "mixup": 0.0, "optimizer": "SGD"}
NAMES = {0: "zero", 1: "one", 2: "two"}
SPLITS = {"train": ("/d/train",), "val": ("/d/val",)}
FILES = tuple(OtherFile(Path(f"/run/{n}.pt"), n, e) for n, e in (("epoch11", 12), ("epoch22", 23), ("best", 30)))


def clues(**observed):
    seen = {**ROW, **observed}
    _, differ = differing_columns([seen], [ROW], lambda name: 1e-5)
    return Clues(seen, ROW, differ, ARGS, 40, files=FILES, splits=SPLITS, names=NAMES)


SEEN = clues(**{"train/box_loss": 1.2, "val/box_loss": 1.7})
BOTH = frozenset({"train/box_loss", "val/box_loss"})


def faults(families):
    return [h.ids[0] for family in families for h in family]


def test_every_suspect_can_be_made_and_each_family_is_whole():
    families = suspects(SEEN, BOTH)
    for h in (h for family in families for h in family):
        for fault, parameters in h.interventions:
            assert make(fault, parameters).id == fault
    assert {"optimizer-changed", "head-rebuilt", "ema-reset", "optimizer-lost"} <= set(faults(families))
    files = [h for family in families for h in family if "path" in h.interventions[0][1]]
    assert len(files) == 6  # two files as checkpoint, as weights, and as trained weights alone


def test_learning_rates_that_differ_leave_only_faults_of_the_schedule():
    families = suspects(clues(**{"lr/pg0": 0.1}), BOTH)
    assert set(faults(families)) == {"lr-jump", "warmup-repeated", "not-a-resume"}


@pytest.mark.parametrize(
    ("train", "moved", "first"),
    [
        (1.2, BOTH, "wrong-checkpoint"),
        (0.8, BOTH, "mosaic-state"),
        (1.01, BOTH, "optimizer-lost"),
        (1.01, frozenset({"val/box_loss"}), "ema-reset"),
    ],
)
def test_what_moved_sets_the_first_family(train, moved, first):
    found = suspects(clues(**{"train/box_loss": train, "val/box_loss": 1.7}), moved)
    assert first in {h.ids[0] for h in found[0]}


def test_a_family_that_the_audit_warns_of_goes_first():
    warned = replace(SEEN, findings=(Finding("steps-off", Severity.WARNING, "208", "look", "batch-changed"),))
    assert "batch-changed" in {h.ids[0] for h in suspects(warned, BOTH)[0]}


def test_classes_are_put_in_alphabetical_order_as_an_exporter_does():
    h = next(h for family in suspects(SEEN, BOTH) for h in family if "order" in h.interventions[0][1])
    assert h.interventions[0][1]["order"] == [2, 0, 1]  # one, two, zero


def twin(fault, share, tail=0.5, explained=0.9, out="", **parameters):
    return Twin(Hypothesis(((fault, parameters),), ""), 3, share, tail, explained, out)


def test_a_fault_with_most_of_the_likelihood_is_likely_and_the_next_is_possible():
    twins = [twin("mosaic-state", 0.85), twin("optimizer-lost", 0.1), twin("ema-reset", 0.01)]
    answer = answer_of(twins, none=0.03, healthy=0.01)
    found = [(c.id, c.certainty) for c in suspected(twins, answer, 5)]
    assert answer == "mosaic-state"
    assert found == [("mosaic-state", Certainty.LIKELY), ("optimizer-lost", Certainty.POSSIBLE)]


def test_one_seed_of_a_screen_that_the_budget_ended_is_no_more_than_possible():
    single = replace(twin("mosaic-state", 0.95), n=1)
    (cause,) = suspected([single], answer_of([single], none=0.03, healthy=0.01), 5)
    assert (cause.id, cause.certainty) == ("mosaic-state", Certainty.POSSIBLE)


def test_twins_of_one_fault_share_its_likelihood():
    twins = [twin("wrong-checkpoint", 0.3, path="a"), twin("wrong-checkpoint", 0.3, path="b"), twin("ema-reset", 0.35)]
    assert answer_of(twins, 0.05, 0.0) == "wrong-checkpoint"


def test_none_of_these_and_healthy_are_answers():
    far = [twin("mosaic-state", 0.9, tail=0.001, explained=0.2)]
    assert answer_of(far, none=0.1, healthy=0.0) == "none of these"
    assert list(suspected(far, "none of these", 5)) == []
    assert answer_of([twin("mosaic-state", 0.2)], none=0.7, healthy=0.1) == "none of these"
    assert answer_of([twin("mosaic-state", 0.2)], none=0.1, healthy=0.7) == "healthy"
    assert list(suspected([twin("mosaic-state", 0.2)], "healthy", 5)) == []


def test_a_twin_of_another_strength_is_named_as_possible_where_none_fits():
    near = [twin("augmentation-changed", 0.9, tail=0.001, explained=0.85, mixup=0.5)]
    (cause,) = suspected(near, answer_of(near, 0.05, 0.0), 5)
    assert (cause.id, cause.certainty) == ("augmentation-changed", Certainty.POSSIBLE)
    assert "No twin gives such a row" in cause.evidence[0]


def test_what_is_ruled_out_has_no_part_in_it():
    twins = [twin("lr-jump", 0.0, out="diverged"), twin("ema-reset", 0.9)]
    assert answer_of(twins, 0.1, 0.0) == "ema-reset"
    assert [c.id for c in suspected(twins, "ema-reset", 5)] == ["ema-reset"]
