"""The mixin over a stand-in of Ultralytics' trainer: what it does out of memory and when a loss diverges."""

import math
from types import SimpleNamespace

import pytest

from analyzer.domain.replicate import Outcome
from analyzer.replicates.worker.trainer import ReplicatesDone, make_trainer


class FakeTrainer:
    """The few places of Ultralytics' loop that the mixin hooks into."""

    losses = (1.0, 0.5)
    halve = False

    def __init__(self):
        self.args = SimpleNamespace(batch=16, workers=0)
        self.epoch, self.stop, self.tloss, self.loss_names = 4, False, {"box_loss": 1.0}, ("box_loss",)
        self.train_loader = self.test_loader = [0]
        self.device = SimpleNamespace(type="cpu")
        self.optimizer = SimpleNamespace(param_groups=[{"lr": 0.01}])
        self.validator = SimpleNamespace(loss=None, metrics=SimpleNamespace(results_dict={}), dataloader=[0])

    def run_callbacks(self, event):
        pass

    def _setup_train(self):
        raise AssertionError("a snapshot was given")

    def _build_train_pipeline(self):
        pass

    def _do_train(self):
        self._setup_train()
        self.stop = False
        self.run_callbacks("on_train_start")
        for loss in self.losses:
            self.run_callbacks("on_train_epoch_start")
            for batch in range(len(self.train_loader)):
                self.tloss = {"box_loss": loss + batch}
                self.run_callbacks("on_train_batch_end")
            if self.halve:
                self.args.batch //= 2
                self._build_train_pipeline()
            self.tloss = {"box_loss": loss}
            self.save_metrics({"train/box_loss": loss, "lr/pg0": 0.01})
            assert self.save_model() is False
            self.run_callbacks("on_fit_epoch_end")
            if self.stop:
                break
            self.epoch += 1
        self.final_eval()


def paths(base, seeds=(1, 2), epochs=1, never_finite=(), reseeding=True, fraction=None):
    found = []
    trainer = make_trainer(
        base,
        seeds=iter(seeds),
        finished=found.append,
        progress=lambda fraction: None,
        interventions=(),
        arm="healthy",
        n_epochs=epochs,
        n_workers=None,
        hashing=False,
        reseeding=reseeding,
        fraction=fraction,
        padded=False,
        never_finite=never_finite,
    )()
    trainer._kept = SimpleNamespace(restore=lambda trainer: setattr(trainer, "epoch", 4))
    with pytest.raises(ReplicatesDone):
        trainer.train()
    return found


def test_one_path_a_seed_stopped_after_k_epochs():
    one, two = paths(FakeTrainer), paths(FakeTrainer, epochs=2)
    assert [r.seed for r in one] == [1, 2]
    assert [len(r.epochs) for r in one] == [1, 1]
    assert [e.epoch for e in two[1].epochs] == [5, 6]
    assert two[0].epochs[1].printed == {"train/box_loss": 0.5, "lr/pg0": 0.01}
    assert all(r.outcome is Outcome.OK for r in one + two)


def test_a_divergence_is_an_outcome_and_ends_the_path():
    class Diverging(FakeTrainer):
        losses = (math.nan, 0.5)

    (first, second) = paths(Diverging, epochs=2)
    assert first.outcome is second.outcome is Outcome.DIVERGED
    assert len(first.epochs) == 1
    assert "NaN" in first.message


def test_a_column_that_was_never_finite_is_no_divergence():
    class HalfPrecision(FakeTrainer):
        losses = (math.nan, math.nan)

    found = paths(HalfPrecision, epochs=2, never_finite=("train/box_loss",))
    assert [r.outcome for r in found] == [Outcome.OK, Outcome.OK]
    assert len(found[0].epochs) == 2


def test_a_halved_batch_is_a_failed_replicate_with_a_clear_error():
    class Halving(FakeTrainer):
        halve = True

    found = paths(Halving)
    assert len(found) == 1  # what follows would belong to the same wrong set-up
    assert found[0].outcome is Outcome.FAILED
    assert "batch=16" in found[0].message


def test_the_class_has_no_trainer_in_its_name():
    assert "Trainer" not in make_trainer(FakeTrainer).__name__  # trackers attach to every class that has


def test_running_losses_are_kept_at_the_marks_and_of_a_replay_at_every_batch():
    class Long(FakeTrainer):
        def __init__(self):
            super().__init__()
            self.train_loader = range(40)

    (healthy,) = paths(Long, seeds=(1,))
    within = healthy.epochs[0].within
    assert within.batches == 40
    assert list(within.after) == [1, 2, 4, 8, 20]
    assert within.after[4] == {"train/box_loss": 4.0, "lr/pg0": 0.01}
    (replay,) = paths(Long, seeds=(1,), reseeding=False)
    assert list(replay.epochs[0].within.after) == list(range(1, 41))


def test_a_path_that_leaves_its_epoch_has_no_row_and_diverges_by_its_losses():
    class Long(FakeTrainer):
        losses = (1.0,)

        def __init__(self):
            super().__init__()
            self.train_loader = range(40)

    class Diverging(Long):
        losses = (math.nan,)

    (part,) = paths(Long, seeds=(1,), fraction=0.1)
    assert part.outcome is Outcome.OK
    assert part.epochs[0].printed == {}
    assert list(part.epochs[0].within.after) == [1, 2, 4]
    (diverged,) = paths(Diverging, seeds=(1,), fraction=0.1)
    assert diverged.outcome is Outcome.DIVERGED
