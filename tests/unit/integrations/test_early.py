"""The alarm inside the first resumed epoch: what it compares, when it stops, and what it leaves untouched."""

import json

import numpy as np
import pytest
import torch

from analyzer.domain.evidence import Verdict
from analyzer.domain.replicate import Arm, ArmKind, EpochRecord, Outcome, Replicate
from analyzer.domain.within import Within, marks
from analyzer.integrations.callback import add_drift_callback
from analyzer.integrations.guard import EARLY_SHARE
from analyzer.pipeline.guard.early import watch_with
from analyzer.replicates.store import Store
from analyzer.runs.checkpoint import read_checkpoint
from analyzer.runs.versions import installed_versions

GOOD = np.array([0.999, 0.502, 1.199])
ROW = dict(zip(("train/box_loss", "metrics/mAP50(B)", "val/box_loss"), GOOD.tolist(), strict=True))
BATCHES = 40
LOOKS = marks(BATCHES)


def running_means(rng, mean=1.0, sd=0.1):
    return np.cumsum(rng.normal(mean, sd, BATCHES)) / np.arange(1, BATCHES + 1)


def within(means, at=LOOKS, batches=BATCHES):
    return Within(batches, {n: {"train/box_loss": float(means[n - 1]), "lr/pg0": 0.01} for n in at})


def store(run, **facts):
    kept = Store(run.path / "drift", "seam31-abc")
    versions = {k: v for k, v in installed_versions().items() if k in ("ultralytics", "torch")}
    kept.describe({"checkpoint": read_checkpoint(run.last).sha256, "epoch": 29, "versions": versions, **facts})
    return kept


def store_null(run, n=8, *, folder="healthy", at=LOOKS, batches=BATCHES, first_seed=0):
    rng, kept = np.random.default_rng(1), store(run)
    for seed in range(first_seed, first_seed + n):
        row = {k: v + rng.normal(0, 0.01) for k, v in ROW.items()} if folder == "healthy" else {}
        record = EpochRecord(31, row, row, 1.0, within(running_means(rng), at, batches))
        kept.put(Replicate(folder, seed, Outcome.OK, (record,)))


def test_without_its_rates_a_watch_still_judges_the_losses():
    rng = np.random.default_rng(1)
    null = tuple(Replicate("healthy", s, Outcome.OK, (EpochRecord(31, ROW, ROW, 1.0, within(running_means(rng))),))
                 for s in range(8))  # fmt: skip
    watch = watch_with(null, BATCHES, study="s", margins={"train/box_loss": 0.0}, alpha=0.05)
    healthy, fast = {"train/box_loss": 1.0, "lr/pg0": 0.01}, {"train/box_loss": 1.0, "lr/pg0": 0.1}
    done = LOOKS[-1]
    assert watch.look(done, healthy).decision.verdict is not Verdict.FAULT
    assert watch.look(done, fast).decision.rule == "certain-cause"
    assert watch.losses_alone().look(done, fast).decision.verdict is not Verdict.FAULT
    assert watch.losses_alone().look(done, {**fast, "train/box_loss": 2.0}).decision.verdict is Verdict.FAULT


def guard_json(run):
    return json.loads((run.path / "drift" / "guard.json").read_text(encoding="utf-8"))


def faulty(rng):
    """Healthy for the first four batches, then three times the loss."""
    means = running_means(rng) * np.arange(1, BATCHES + 1)
    return (means + 2.0 * np.maximum(np.arange(1, BATCHES + 1) - 4, 0)) / np.arange(1, BATCHES + 1)


def test_a_healthy_epoch_goes_on_and_leaves_its_running_losses_beside_the_checkpoint(run, make_trainer):
    store_null(run)
    trainer = make_trainer()
    trainer.inside = running_means(np.random.default_rng(2))
    add_drift_callback(trainer, on_fault="stop").train(GOOD)
    report = guard_json(run)
    assert [c["batch"] for c in report["early"]] == list(LOOKS)
    assert {c["verdict"] for c in report["early"]} == {None}
    assert sum(c["alpha"] for c in report["early"]) == pytest.approx(EARLY_SHARE * 0.05)
    assert report["checks"][0]["alpha"] == pytest.approx((1 - EARLY_SHARE) * 0.05 / 3)
    assert (report["stopped"], report["error"][:7]) == (False, "no mani")
    (kept,) = (run.path / "drift" / "seams").glob("epoch30-*/running.json")
    facts = json.loads(kept.read_text())
    assert (facts["epoch"], facts["within"]["batches"]) == (31, BATCHES)
    assert [int(n) for n in facts["within"]["after"]] == list(LOOKS)


def test_all_looks_together_spend_alpha_once(run, make_trainer):
    store_null(run)
    trainer = make_trainer()
    trainer.inside = running_means(np.random.default_rng(2))
    add_drift_callback(trainer).train(GOOD, GOOD, GOOD)
    report = guard_json(run)
    assert (len(report["early"]), len(report["checks"])) == (len(LOOKS), 3)
    assert sum(c["alpha"] for c in (*report["early"], *report["checks"])) == pytest.approx(0.05)


def test_a_faulty_epoch_is_left_at_once_and_nothing_is_overwritten(run, make_trainer):
    store_null(run)
    last, rows = run.last.read_bytes(), (run.path / "results.csv").read_bytes()
    trainer = make_trainer()
    trainer.inside = faulty(np.random.default_rng(2))
    add_drift_callback(trainer, on_fault="stop").train(GOOD, GOOD)
    report = guard_json(run)
    assert trainer.stop
    assert trainer.batch == 8  # the first look after the fault, at 20 % of the batches
    assert (report["verdict"], report["stopped"], report["checks"]) == ("FAULT", True, [])
    assert report["early"][-1]["rule"] == "significant-not-inside"
    assert "train/box_loss" in report["reason"]
    assert run.last.read_bytes() == last
    assert (run.path / "results.csv").read_bytes() == rows


def test_on_fault_warn_says_it_once_and_the_row_is_judged_too(run, make_trainer):
    store_null(run)
    trainer = make_trainer()
    trainer.inside = faulty(np.random.default_rng(2))
    add_drift_callback(trainer).train(GOOD)
    report = guard_json(run)
    assert [c["verdict"] for c in report["early"]].count("FAULT") == 1
    assert len(report["checks"]) == 1
    assert report["verdict"] == "FAULT"
    assert run.last.read_bytes() == b"overwritten"


def test_under_ddp_it_stops_after_the_epoch_since_the_other_ranks_would_wait(run, make_trainer):
    store_null(run)
    trainer = make_trainer()
    trainer.world_size = 2
    trainer.inside = faulty(np.random.default_rng(2))
    add_drift_callback(trainer, on_fault="stop").train(GOOD, GOOD)
    assert (trainer.batch, trainer.epoch, trainer.stop) == (BATCHES, 31, True)


def test_another_learning_rate_needs_no_statistics(run, make_trainer):
    store_null(run)
    trainer = make_trainer()
    trainer.inside = running_means(np.random.default_rng(2))
    trainer.optimizer.param_groups[0]["lr"] = 0.1
    add_drift_callback(trainer, on_fault="stop").train(GOOD)
    report = guard_json(run)
    assert (trainer.batch, report["early"][0]["rule"]) == (1, "certain-cause")
    assert "lr/pg0 is 0.1 after batch 1" in report["reason"]


def test_a_loss_that_is_no_number_any_more_is_a_fault_at_the_next_look(run, make_trainer):
    store_null(run)
    trainer = make_trainer()
    trainer.inside = running_means(np.random.default_rng(2))
    trainer.inside[2:] = np.nan
    add_drift_callback(trainer, on_fault="stop").train(GOOD)
    assert (trainer.batch, guard_json(run)["early"][-1]["rule"]) == (4, "diverged")


def test_a_loss_that_is_missing_is_no_divergence(run, make_trainer):
    rng, kept = np.random.default_rng(1), store(run)
    for seed in range(8):
        inside = within(running_means(rng))
        more = {n: {**losses, "train/cls_loss": 2 * losses["train/box_loss"]} for n, losses in inside.after.items()}
        kept.put(Replicate("healthy", seed, Outcome.OK, (EpochRecord(31, ROW, ROW, 1.0, Within(BATCHES, more)),)))
    trainer = make_trainer()
    trainer.inside = running_means(np.random.default_rng(2))
    add_drift_callback(trainer, on_fault="stop").train(GOOD)
    early = guard_json(run)["early"]
    assert {loss["name"] for loss in early[0]["losses"]} >= {"train/box_loss", "train/cls_loss"}
    assert {check["verdict"] for check in early} == {None}


def test_a_level_below_the_simulated_ones_is_said(run, make_trainer):
    store_null(run)
    trainer = make_trainer()
    trainer.inside = running_means(np.random.default_rng(2))
    add_drift_callback(trainer, on_fault="stop").train(GOOD)
    report = guard_json(run)
    for check in (*report["early"], report["checks"][0]):  # 0.0042 a look, 0.0067 the row; simulated from 0.008 on
        assert any("were not simulated" in note for note in check["notes"]), check


@pytest.mark.parametrize("other", ["batches", "none"])
def test_without_a_null_of_such_an_epoch_nothing_is_looked_at_and_alpha_is_kept(run, make_trainer, other):
    if other == "batches":
        store_null(run, batches=BATCHES + 1)
    trainer = make_trainer()
    trainer.inside = faulty(np.random.default_rng(2))
    add_drift_callback(trainer, on_fault="stop").train(GOOD)
    report = guard_json(run)
    assert report["early"] == []
    assert report["checks"][0]["alpha"] == pytest.approx(0.05 / 3)


def test_paths_that_left_their_epoch_early_serve_as_far_as_they_go(run, make_trainer):
    store_null(run, n=3)
    store_null(run, n=5, folder="healthy-first0.1", at=(1, 2, 4), first_seed=2)
    trainer = make_trainer()
    trainer.inside = running_means(np.random.default_rng(2))
    add_drift_callback(trainer).train(GOOD)
    report = guard_json(run)
    assert [c["batch"] for c in report["early"]] == [1, 2, 4]
    assert {c["replicates"] for c in report["early"]} == {7}  # seed 2 is in both
    assert report["checks"][0]["replicates"] == 3  # a part of an epoch is no row


class TestReplay:
    """The run's own resume is stored, batch by batch."""

    @pytest.fixture
    def seeded(self, run, make_trainer, monkeypatch):
        means = running_means(np.random.default_rng(3))
        trainer = make_trainer()
        trainer.args.seed = 7
        trainer.inside = means.copy()

        def make(more_threads=0):
            own = torch.get_num_threads() + more_threads
            monkeypatch.setattr("analyzer.pipeline.guard.stored.ultralytics_threads", lambda: own)
            arm = Arm(ArmKind.REPLAY, {"seed": 7}).folder
            record = EpochRecord(31, ROW, ROW, 1.0, within(means, range(1, BATCHES + 1)))
            store(run).put(Replicate(arm, 7, Outcome.OK, (record,)))
            return add_drift_callback(trainer, on_fault="stop")

        return make

    def test_the_same_losses_go_on_whatever_the_null_says(self, seeded, run):
        store_null(run)
        trainer = seeded()
        trainer.train(GOOD)
        report = guard_json(run)
        assert (report["early"], report["stopped"], trainer.batch) == ([], False, BATCHES)

    def test_the_batch_at_which_it_left_is_named(self, seeded, run):
        trainer = seeded()
        trainer.inside[12:] += 0.001
        trainer.train(GOOD)
        report = guard_json(run)
        assert trainer.batch == 13
        assert report["early"][0]["rule"] == "replay-left"
        assert f"Batch 13 of {BATCHES} left the stored replay" in report["reason"]

    def test_with_other_threads_the_digits_prove_nothing(self, seeded, run):
        trainer = seeded(more_threads=1)
        trainer.inside[12:] += 0.001
        trainer.train(GOOD)
        assert guard_json(run)["early"] == []

    def test_on_a_gpu_the_digits_prove_nothing(self, seeded, run):
        trainer = seeded()
        trainer.device.type = "cuda"
        trainer.inside[12:] += 0.001
        trainer.train(GOOD)
        assert guard_json(run)["early"] == []
