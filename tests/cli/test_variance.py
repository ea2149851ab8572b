"""`drift variance` over a stand-in of the trainer: what is trained, what is kept, what is said."""

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.pipeline import variance as module
from analyzer.replicates import collector
from analyzer.replicates.job import ArmJob
from analyzer.replicates.store import Store

runner = CliRunner()


def effect(seed):
    return float(np.random.default_rng(seed).normal())


class Trainer:
    """Loss: 10, the order adds 2 x its effect, everything else 1 x, and the repeat `hardware` x."""

    def __init__(self, root, hardware):
        self.root, self.hardware, self.trained = root, hardware, []
        self.outcome = Outcome.OK

    def run(self, job, seeds):
        for seed in seeds:
            self.trained.append((job.arm.folder, seed))
            order = seed if job.arm.order_seed is None else job.arm.order_seed
            loss = 10 + 2 * effect(order) + effect(seed + 1) + self.hardware * effect(len(self.trained))
            row = {"train/box_loss": loss, "metrics/recall(B)": loss}
            made = Replicate(job.arm.folder, seed, self.outcome, (EpochRecord(9, row, row, 1.0),))
            Store(job.root, job.study).put(made)
            yield made

    def close(self):
        pass


@pytest.fixture
def drift(tmp_path, monkeypatch):
    trainer = Trainer(tmp_path, 0.0)

    def job(arm, scratch):
        return ArmJob(arm, Path("x"), {}, "cpu", 1, scratch, tmp_path, "seam9-0")

    study = SimpleNamespace(
        store=Store(tmp_path, "seam9-0"),
        base_seed=0,
        epochs=1,
        facts={},
        device=SimpleNamespace(words="cpu"),
        checkpoint=SimpleNamespace(path="x.pt"),
        job=job,
    )
    monkeypatch.setattr(module, "read_resumable", lambda request: None)
    monkeypatch.setattr(module, "run_of", lambda checkpoint: tmp_path)
    monkeypatch.setattr(module, "open_study", lambda *args: study)
    monkeypatch.setattr(collector, "executor_for", lambda *_: trainer)

    def run(*arguments):
        return runner.invoke(app, ["variance", "x.pt", *arguments], env={"COLUMNS": "80", "TERM": "dumb"})

    run.trainer = trainer
    return run


def test_components_are_those_put_in_and_the_second_call_trains_nothing(drift):
    done = drift("-n", "12", "--json")
    assert done.exit_code == 0, done.stderr
    found = json.loads(done.stdout)
    assert len(drift.trainer.trained) == found["trained"] == 12 * 12 + 12 * 2
    assert found["identical"]
    order, augmentation, both, again = found["metrics"][0]["components"]
    assert order["interval"]["low"] <= 4 <= order["interval"]["high"]
    assert augmentation["interval"]["low"] <= 1 <= augmentation["interval"]["high"]
    assert both["variance"] == pytest.approx(0, abs=1e-12)
    assert again["variance"] == 0
    second = json.loads(drift("-n", "12", "--json").stdout)
    assert (second["trained"], second["reused"]) == (0, 168)
    assert second["metrics"] == found["metrics"]


def test_table(drift):
    shown = " ".join(drift("-n", "4").stdout.split())
    assert "batch order" in shown
    assert "same seed again 0%" in shown
    assert "to the last bit: cpu and its libraries add nothing" in shown
    assert "recall(B) *" in shown
    assert "…" not in shown


def test_a_device_that_repeats_nothing_is_named(drift):
    drift.trainer.hardware = 1.0
    shown = " ".join(drift("-n", "4", "--repeats", "3").stdout.split())
    assert "The same seed gave other rows" in shown
    assert "same seed again 0%" not in shown


def test_a_divergence_is_said_in_a_sentence(drift):
    drift.trainer.outcome = Outcome.DIVERGED
    done = drift()
    assert done.exit_code == 12
    assert "diverged" in done.stderr


def test_options_that_make_no_sense(drift):
    assert drift("-n", "1").exit_code == 2
    assert drift("--repeats", "1").exit_code == 2
