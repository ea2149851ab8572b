"""`drift analyze AFTER --before RUN`: a new training from an old run's checkpoint, by plain Ultralytics."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

MARGINS = ["--margin", "loss=1000", "--margin", "map=1000"]  # four epochs are too few for the automatic ones
CHANGES = {"mosaic": 0.0, "lr0": 0.004}


@pytest.fixture(scope="module")
def continued(killed_run, demo_runs, tmp_path_factory):
    """The new run: mosaic off and another learning rate, from the old run's last.pt."""
    old = {**demo_runs.TRAIN_ARGS, "epochs": 10, "warmup_epochs": 0.0, "close_mosaic": 0, "save_period": 1}
    data = killed_run.parent / "data" / "tiny.yaml"
    return demo_runs.train_and_kill(
        tmp_path_factory.mktemp("continued") / "after",
        1,
        model=killed_run / "weights" / "last.pt",
        data=data,
        **{**old, **CHANGES},
    )


def analyze(*arguments):
    command = [sys.executable, "-m", "analyzer", "analyze", *map(str, arguments), *MARGINS]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))


def test_the_jump_is_attributed_and_adds_up(continued, killed_run, tmp_path):
    out = ["--before", killed_run, "--replicates", 2, "--out", tmp_path]
    done = analyze(continued, *out, "--json")
    assert done.returncode in (0, 11), done.stderr
    document = json.loads(done.stdout)
    assert {c["name"] for c in document["argument_changes"]} == set(CHANGES)
    assert document["cost"]["epochs_trained"] == 2 * 7  # configured, resumed, unchanged, two alone, two left out
    shares = {s["outcome"].split()[0]: s["details"] for s in document["attribution"]}
    assert list(shares) == ["plain", "a", "lr0", "mosaic", "unexplained"]
    for metric in document["metrics"]:
        parts = [details[metric["name"]]["effect"] for details in shares.values()]
        assert sum(parts) == pytest.approx(metric["observed"] - metric["before"], abs=1e-9)
    again = analyze(continued, *out)
    assert "looks like this" in again.stdout or "decide" in again.stdout
    shown = " ".join(again.stdout.split())
    assert "mosaic 1.0 -> 0.0" in shown and "0 epochs trained" in shown
    assert ": plain resume " in shown and ", new training " in shown


def test_a_stripped_checkpoint_can_be_continued(continued, killed_run, tmp_path):
    stripped = tmp_path / "stripped.pt"
    payload = torch.load(killed_run / "weights" / "last.pt", weights_only=False)
    model = payload["ema"]
    torch.save({**payload, "model": model, "ema": None, "optimizer": None, "updates": None, "epoch": -1}, stripped)
    done = analyze(
        continued, "--before", killed_run, "--checkpoint", stripped, "--replicates", 2, "--out", tmp_path, "--json"
    )
    assert done.returncode in (0, 11), done.stderr
    document = json.loads(done.stdout)
    assert document["n_replicates"] == 2 and document["continues"] == str(killed_run)
    assert document["cost"]["epochs_trained"] == 2 * 6  # a stripped checkpoint allows no plain resume
    assert not any(s["outcome"].startswith("plain resume") for s in document["attribution"])


def test_a_resume_is_no_continuation(resumed_run, killed_run):
    done = analyze(resumed_run, "--before", killed_run)
    assert done.returncode == 12
    assert "is a resume" in done.stderr and "Leave --before out" in done.stderr


def test_nothing_is_trained_for_a_plan(continued, killed_run, tmp_path):
    done = analyze(continued, "--before", killed_run, "--dry-run", "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert "7 arms" in done.stderr and not list(Path(tmp_path).iterdir())
