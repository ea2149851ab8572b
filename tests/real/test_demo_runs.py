"""The fixtures are what they say: really killed, really resumed, and copies that leave the original alone."""

import csv
import hashlib
import subprocess
import sys

import pytest


def rows(run):
    with (run / "results.csv").open(encoding="utf-8") as file:
        return list(csv.DictReader(file))


def digests(folder):
    return {p: hashlib.sha256(p.read_bytes()).hexdigest() for p in folder.rglob("*") if p.is_file()}


def load(path):
    import torch

    return torch.load(path, map_location="cpu", weights_only=False)


def test_a_killed_run_ends_with_the_epoch_that_was_saved(killed_run):
    assert [row["epoch"] for row in rows(killed_run)] == ["1", "2", "3"]
    for name in ("last.pt", "epoch2.pt"):
        checkpoint = load(killed_run / "weights" / name)
        assert checkpoint["epoch"] == 2
        assert checkpoint["optimizer"] is not None
    assert checkpoint["updates"] == 12  # 16 images in batches of 4, nbs = batch, three epochs


def test_a_resumed_run_has_one_more_row_from_a_new_process(killed_run, resumed_run):
    before, after = rows(killed_run), rows(resumed_run)
    assert after[:3] == before
    assert [row["epoch"] for row in after] == ["1", "2", "3", "4"]
    assert float(after[3]["time"]) < float(after[2]["time"])
    assert load(resumed_run / "weights" / "last.pt")["epoch"] == 3


def test_another_seed_and_another_learning_rate_reach_the_resume(
    killed_run, resumed_run, resume_run, demo_runs, tmp_path
):
    original = digests(killed_run)
    other = resume_run(killed_run, tmp_path / "seed", seed=7)
    faulty = resume_run(killed_run, tmp_path / "lr", lr0=10 * demo_runs.LR0)
    assert digests(killed_run) == original
    assert rows(other)[3]["train/box_loss"] != rows(resumed_run)[3]["train/box_loss"]
    healthy_lr = float(rows(resumed_run)[3]["lr/pg0"])
    assert float(rows(other)[3]["lr/pg0"]) == healthy_lr
    assert float(rows(faulty)[3]["lr/pg0"]) == pytest.approx(10 * healthy_lr, rel=1e-3)
    assert (
        load(faulty / "weights" / "epoch2.pt")["train_args"]["lr0"] == demo_runs.LR0
    )  # the seam's own checkpoint is as it was


def test_a_mature_twin_differs_in_its_counter_only(killed_run, demo_runs, tmp_path):
    import torch

    source = killed_run / "weights" / "last.pt"
    young, mature = load(source), load(demo_runs.mature_twin(source, tmp_path / "twin.pt"))
    assert (young["updates"], mature["updates"]) == (12, 20_000)
    assert young["train_args"] == mature["train_args"]
    pairs = zip(young["ema"].state_dict().values(), mature["ema"].state_dict().values(), strict=True)
    assert all(torch.equal(a, b) for a, b in pairs)
    with pytest.raises(ValueError, match="at least 20000"):
        demo_runs.mature_twin(source, tmp_path / "no.pt", updates=19_999)


def test_a_training_that_ends_too_early_is_an_error_with_its_log(demo_runs, tiny_data, tmp_path):
    data = tiny_data(tmp_path / "data", train=4, val=4)
    with pytest.raises(demo_runs.TrainingError, match="before epoch 5 was saved"):
        demo_runs.train_and_kill(tmp_path / "run", 5, data=data, epochs=1)


def test_no_tracker_of_this_environment_logs_a_training(demo_runs, tmp_path):
    """Ultralytics logs every training to an MLflow that it finds, unless pytest runs it or the settings forbid it."""
    code = "from ultralytics import settings; print(*(settings[k] for k in ('mlflow', 'raytune', 'wandb')))"
    environ = demo_runs.child_environment(tmp_path)
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False False False"
