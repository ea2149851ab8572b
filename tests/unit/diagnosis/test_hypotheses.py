"""The order of hypotheses, and parameters that are read from the evidence."""

from dataclasses import replace
from pathlib import Path

import pytest

from analyzer.diagnosis.hypotheses import completions, hypotheses
from analyzer.domain.evidence import Finding, Severity
from analyzer.domain.rows import differing_columns
from analyzer.faults.clues import Clues, OtherFile

ROW = {"train/box_loss": 1.0, "train/cls_loss": 2.0, "metrics/mAP50(B)": 0.5, "val/box_loss": 1.5, "lr/pg0": 0.01}
ARGS = {"epochs": 80, "close_mosaic": 10, "mosaic": 1.0, "batch": 8, "mixup": 0.0, "fliplr": 0.0, "hsv_s": 0.7}
SPLITS = {"train": ("/d/train",), "val": ("/d/val",)}


def clues(epoch=40, args=None, **observed):
    seen = {**ROW, **observed}
    _, differ = differing_columns([seen], [ROW], lambda name: 1e-5)
    return Clues(seen, ROW, differ, {**ARGS, **(args or {})}, epoch, splits=SPLITS)


def training(shift, **more):
    return clues(**{"train/box_loss": 1.0 + shift, "train/cls_loss": 2.0 * (1 + shift), "val/box_loss": 1.6}, **more)


def ids(found):
    return [h.ids for h in found]


def test_only_validation_differs_so_no_fault_of_training_is_tried():
    found = hypotheses(clues(**{"val/box_loss": 1.7, "metrics/mAP50(B)": 0.4}))
    assert ids(found) == [("ema-reset",), ("ema-reset",), ("wrong-data",)]
    assert found[-1].interventions[0][1] == {"val": ["/d/train"]}


@pytest.mark.parametrize(
    ("shift", "first"), [(0.01, "optimizer-lost"), (-0.02, "optimizer-lost"), (-0.2, "mosaic-state")]
)
def test_the_level_of_the_train_losses_sets_the_order(shift, first):
    assert hypotheses(training(shift))[0].ids == (first,)


def test_higher_losses_point_to_another_checkpoint_best_pt_first_then_the_newest():
    files = tuple(
        OtherFile(Path(f"/run/weights/{n}.pt"), n, e) for n, e in (("epoch11", 12), ("epoch22", 23), ("best", 5))
    )
    found = hypotheses(replace(training(0.2), files=files))
    assert [Path(h.interventions[0][1]["path"]).name for h in found[:3]] == ["best.pt", "epoch22.pt", "epoch11.pt"]
    assert {h.ids for h in found[:3]} == {("wrong-checkpoint",)}
    assert sum(h.ids == ("weights-replaced",) for h in found) == 3


def test_the_file_that_pretrained_names_is_tried_before_the_others():
    files = (OtherFile(Path("/run/weights/best.pt"), "a", 5), OtherFile(Path("/x/yolo.pt"), "b", 0))
    first = hypotheses(replace(training(0.01), files=files))[0]
    assert first.interventions == (("weights-replaced", {"path": "/x/yolo.pt", "sha256": "b", "raw_only": True}),)


def test_the_factor_of_a_jump_is_read_from_the_rate_columns():
    found = hypotheses(clues(**{"lr/pg0": 0.1, "train/box_loss": 3.0}))
    assert found[0].interventions == (("lr-jump", {"factors": 10.0}),)
    assert found[0].words == "lr-jump (factors 10)"


def test_every_group_has_a_factor_of_its_own():
    both = {**ROW, "lr/pg1": 0.02}
    seen = {**both, "lr/pg0": 0.1, "lr/pg1": 0.02}
    found = hypotheses(Clues(seen, both, ("lr/pg0",), ARGS, 40))
    assert [h.ids[0] for h in found] == ["warmup-repeated", "lr-jump", "not-a-resume"]
    assert found[1].interventions[0][1] == {"factors": [10.0, 1.0]}


def test_a_rate_of_zero_has_no_factor():
    assert hypotheses(Clues({"lr/pg0": 0.1}, {"lr/pg0": 0.0}, ("lr/pg0",), ARGS, 40)) == ()


def test_mosaic_is_tried_the_other_way_round_where_it_is_closed():
    states = [h.interventions[0][1]["state"] for h in hypotheses(training(0.2, epoch=75)) if h.ids == ("mosaic-state",)]
    assert states == ["open"]
    states = [h.interventions[0][1]["state"] for h in hypotheses(training(-0.2)) if h.ids == ("mosaic-state",)]
    assert states == ["closed"]


def test_lost_augmentation_arguments_come_back_as_defaults():
    lost = [h.interventions[0][1] for h in hypotheses(training(0.2)) if h.ids == ("augmentation-changed",)]
    assert {"fliplr": 0.5} in lost


def warning(name, fault=""):
    return Finding(name, Severity.WARNING, "seen", "do", fault)


def test_what_the_audit_names_comes_first():
    found = hypotheses(replace(training(0.01), findings=(warning("steps-off", "batch-changed"),)))
    assert found[0].interventions == (("batch-changed", {"batch": 4}),)
    assert found[1].ids == ("optimizer-lost",)


def test_two_names_of_the_audit_are_tried_as_a_pair_first():
    found = hypotheses(
        replace(training(0.01), findings=(warning("steps-off", "batch-changed"), warning("mosaic-state")))
    )
    assert set(found[0].ids) == {"batch-changed", "mosaic-state"}
    assert [len(h.ids) for h in found[1:3]] == [1, 1]


def test_a_batch_that_a_later_checkpoint_names_is_taken_from_there():
    found = hypotheses(replace(training(0.01), later_args={"batch": 2, "mosaic": 0.0}))
    assert [h.interventions for h in found] == [(("batch-changed", {"batch": 2}),)]  # anything else would lack it


def test_half_a_row_is_completed_by_the_faults_of_validation():
    known = training(0.01)
    tried = hypotheses(known)[0]
    assert next(h.ids for h in completions(tried, "training", known)) == ("optimizer-lost", "ema-reset")
    assert completions(tried, "validation", known) == ()
    assert completions(completions(tried, "training", known)[0], "training", known) == ()  # never three


@pytest.mark.parametrize(("shift", "third"), [(-0.01, "mosaic-state"), (0.01, "wrong-checkpoint")])
def test_a_small_shift_is_ordered_by_its_sign_after_the_optimizer(shift, third):
    files = (OtherFile(Path("/run/weights/best.pt"), "a", 5),)
    found = hypotheses(replace(training(shift), files=files))
    assert [h.ids[0] for h in found[:3]] == ["optimizer-lost", "batch-changed", third]


def test_counters_that_ran_on_rule_out_what_they_would_show():
    older = OtherFile(Path("/run/weights/epoch3.pt"), "a", 4, updates=200)
    known = replace(training(0.01), files=(older,), updates=2000, state_kept=True)
    assert not {"wrong-checkpoint", "batch-changed", "optimizer-lost"} & {i for h in hypotheses(known) for i in h.ids}
    open_ = {i for h in hypotheses(replace(known, updates=None, state_kept=False)) for i in h.ids}
    assert {"wrong-checkpoint", "batch-changed", "optimizer-lost"} <= open_


def test_weights_near_those_of_a_file_are_tried_first_with_and_without_its_average():
    files = (OtherFile(Path("/run/weights/best.pt"), "a", 5, near=1.4), OtherFile(Path("/r/e3.pt"), "b", 4, near=0.2))
    first, second = hypotheses(replace(training(0.3), files=files))[:2]
    assert first.interventions == (("weights-replaced", {"path": "/r/e3.pt", "sha256": "b", "raw_only": False}),)
    assert second.interventions[0][1]["raw_only"] is True
    assert first.words == "weights-replaced (path e3.pt)"


def test_weights_that_cannot_be_told_from_those_of_a_file_are_tried_where_the_losses_hardly_move():
    files = (OtherFile(Path("/r/e3.pt"), "b", 4, near=1.03), OtherFile(Path("/r/e1.pt"), "c", 2, near=4.0))
    found = [h for h in hypotheses(replace(training(0.01), files=files)) if h.ids == ("weights-replaced",)]
    assert [h.interventions[0][1]["path"] for h in found] == ["/r/e3.pt", "/r/e3.pt"]


def test_the_split_that_the_counter_points_to_is_tried_first():
    first = hypotheses(replace(training(0.01), read_splits=("val",)))[0]
    assert first.interventions == (("wrong-data", {"train": ["/d/val"]}),)


def test_a_jump_of_the_class_loss_alone_points_to_the_order_of_the_classes():
    jumped = clues(**{"train/box_loss": 1.001, "train/cls_loss": 5.0})
    orders = [h.interventions[0][1]["order"] for h in hypotheses(replace(jumped, names={0: "b", 1: "a", 2: "c"}))[:3]]
    assert orders == [[1, 0, 2], [1, 2, 2], [0, 0, 1]]
    assert "wrong-data" not in {hypotheses(training(0.01))[0].ids[0]}


def test_a_task_without_mosaic_gets_no_hypothesis_of_mosaic():
    for shift in (-0.2, 0.2):
        found = hypotheses(training(shift, args={"task": "classify"}))
        assert found and not any("mosaic-state" in h.ids for h in found)
