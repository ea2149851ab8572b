from types import SimpleNamespace

import pytest

from analyzer.domain.evidence import Revalidation
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.errors import EngineError
from analyzer.pipeline.analysis.steps.revalidate import revalidate
from analyzer.replicates.devices import Device

LOGGED = {"metrics/mAP50(B)": 0.9, "val/box_loss": 1.0, "fitness": 0.7}
CPU = Device("cpu", "cpu")


def study(logged=LOGGED, version="8.4.190", installed="8.4.190", here=CPU, task="detect", **args):
    args = {"device": "cpu", "batch": 16, "val": True, **args}
    checkpoint = SimpleNamespace(task=task, train_args=args, train_metrics=logged, version=version)
    facts = {"instances": {"val": {0: 200, 1: 100}}, "images": {"val": 300}}
    return SimpleNamespace(checkpoint=checkpoint, versions={"ultralytics": installed}, device=here, data_facts=facts)


class Validations:
    """A collector that validates to a given row."""

    def __init__(self, **changes):
        self.row = {**LOGGED, **changes}

    def validation(self):
        return Replicate("revalidation", 0, Outcome.OK, (EpochRecord(34, self.row, self.row, 1.5),))


class NoValidation:
    def validation(self):
        raise EngineError("The validation ran out of memory.")


BOX = {"val/box_loss": 3.0}


def test_the_logged_row_again_agrees_and_costs_no_epoch():
    outcome, step = revalidate(study(), Validations(**{"val/box_loss": 1.001}))
    assert (outcome, step.outcome, step.epochs) == (Revalidation.AGREES, "agrees", 0)
    assert step.details["seconds"] == 1.5
    assert step.details["columns"]["val/box_loss"]["difference"] == pytest.approx(0.001)


def test_another_row_accuses_data_cache_or_environment():
    outcome, step = revalidate(study(), Validations(**BOX))
    assert (outcome, step.outcome) == (Revalidation.DISAGREES, "disagrees")
    assert step.details["differ"] == ["val/box_loss"]
    assert "box_loss 3 instead of 1" in step.summary


@pytest.mark.parametrize(("batch", "disagrees"), [(16, False), (150, True), (75, True), (200, True), (-1, False)])
def test_losses_of_a_classifier_accuse_only_where_every_batch_is_full_or_there_is_but_one(batch, disagrees):
    """300 images in batches of twice the training's, shuffled: the mean of the batches' means depends on the order."""
    logged = {"metrics/accuracy_top1": 0.9, "val/loss": 1.0}
    now = Validations(**{"metrics/accuracy_top1": 0.9, "val/loss": 1.2})
    outcome, _ = revalidate(study(logged, task="classify", batch=batch), now)
    assert (outcome is Revalidation.DISAGREES) is disagrees
    now = Validations(**{"metrics/accuracy_top1": 0.5, "val/loss": 1.0})
    if batch > 0:  # with AutoBatch nothing accuses
        assert revalidate(study(logged, task="classify", batch=batch), now)[0] is Revalidation.DISAGREES


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"version": "8.4.100"}, "8.4.100"),
        ({"version": None}, "unknown version"),
        ({"here": Device("0", "cuda:0")}, "GPU"),
    ],
)
def test_another_version_or_a_gpu_makes_a_difference_mere_information(facts, words):
    outcome, step = revalidate(study(**facts), Validations(**BOX))
    assert (outcome, step.outcome) == (Revalidation.NOT_RUN, "differs")
    assert words in step.summary
    assert revalidate(study(**facts), Validations())[0] is Revalidation.AGREES


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"device": [0, 1]}, "several GPUs"),
        ({"device": "0,1"}, "several GPUs"),
        ({"device": "0"}, "another device"),
        ({"device": None}, "not known"),
        ({"batch": -1}, "AutoBatch"),
        ({"batch": 0.7}, "AutoBatch"),
    ],
)
def test_so_does_a_run_that_validated_elsewhere(args, words):
    outcome, step = revalidate(study(**args), Validations(**BOX))
    assert outcome is Revalidation.NOT_RUN
    assert words in step.summary


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"logged": {}}, "train_metrics"),
        ({"val": False}, "val=False"),
        ({"logged": {"metrics/mAP50(B)": 0.0, "val/box_loss": 0}}, "never validated"),
    ],
)
def test_without_a_logged_row_the_reason_is_named_and_nothing_is_validated(facts, words):
    outcome, step = revalidate(study(**facts), None)
    assert (outcome, step.outcome) == (Revalidation.NOT_RUN, "not possible")
    assert words in step.summary


def test_a_validation_that_fails_is_not_possible():
    outcome, step = revalidate(study(), NoValidation())
    assert (outcome, step.outcome) == (Revalidation.NOT_RUN, "not possible")
    assert "memory" in step.summary


def test_rows_without_a_common_deciding_column_prove_nothing():
    row = {"metrics/precision(B)": 0.5}
    outcome, step = revalidate(study(logged=row), Validations(**row))
    assert (outcome, step.outcome) == (Revalidation.NOT_RUN, "not possible")
