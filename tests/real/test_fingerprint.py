"""Faults made by plain Ultralytics are named first; nothing of `analyzer.faults` takes part in making them.

The checkpoints after the seam are taken away, as where a later epoch or another run overwrote them: then the audit
has nothing to see, and only the row can tell.
"""

import subprocess
import sys
from pathlib import Path

import pytest

import analyzer
from analyzer.domain.evidence import Certainty, Verdict

SEAM_FILE = "epoch2.pt"

AT_RUN_TIME = """
import os, sys
from copy import copy
from ultralytics import YOLO

model = YOLO(sys.argv[1])
model.add_callback("on_train_start", lambda t: t.train_loader.dataset.close_mosaic(copy(t.args)))
model.add_callback("on_model_save", lambda t: os._exit(0))
model.train(resume=True)
"""


def take_away(run: Path, *kept: str):
    for path in (run / "weights").glob("*.pt"):
        if path.name not in kept:
            path.unlink()


def edited(demo_runs, run: Path, edit):
    """Change the payload of the copy's last.pt and resume from it for an epoch."""
    import torch

    last = demo_runs.relocate(run)
    payload = torch.load(last, map_location="cpu", weights_only=False)
    edit(payload)
    torch.save(payload, last)
    demo_runs.resume_and_kill(run, 4)


def lost_optimizer(killed, run, demo_runs):
    demo_runs.copy_run(killed, run, weights=("last.pt", SEAM_FILE))
    edited(demo_runs, run, lambda payload: payload["optimizer"]["state"].clear())
    take_away(run, SEAM_FILE)


def reset_ema(killed, run, demo_runs):
    demo_runs.mature_run(killed, run)
    edited(demo_runs, run, lambda payload: payload.update(updates=0))
    take_away(run, SEAM_FILE)


def older_checkpoint(killed, run, demo_runs):
    import torch

    demo_runs.copy_run(killed, run, weights=("last.pt", SEAM_FILE, "epoch0.pt"))
    older = torch.load(run / "weights" / "epoch0.pt", map_location="cpu", weights_only=False)

    def replace(payload):
        older["ema"].args = payload["ema"].args
        payload.update({k: older[k] for k in ("ema", "updates", "optimizer")})

    edited(demo_runs, run, replace)
    take_away(run, SEAM_FILE, "epoch0.pt")


def closed_mosaic(killed, run, demo_runs):
    demo_runs.copy_run(killed, run, weights=("last.pt", SEAM_FILE))
    last = demo_runs.relocate(run)
    environment = demo_runs.child_environment(run.parent)
    command = [sys.executable, "-c", AT_RUN_TIME, str(last)]
    subprocess.run(command, env=environment, check=True, capture_output=True, cwd=run.parent)
    take_away(run, SEAM_FILE)


@pytest.mark.parametrize(
    ("fault", "make"),
    [
        ("optimizer-lost", lost_optimizer),
        ("ema-reset", reset_ema),
        ("wrong-checkpoint", older_checkpoint),
        ("mosaic-state", closed_mosaic),
    ],
)
def test_a_fault_that_only_the_row_shows_is_found_by_its_fingerprint(fault, make, killed_run, demo_runs, tmp_path):
    run = tmp_path / "run"
    make(killed_run, run, demo_runs)
    result = analyzer.analyze(run, replicates=2, seed=1)
    assert not [f for f in result.audit if f.severity.value == "hard"]
    assert result.replay.outcome == "other"
    assert result.diagnosis[0].id == fault, result.fingerprint
    assert result.diagnosis[0].certainty is Certainty.CERTAIN
    assert result.verdict is Verdict.FAULT
    assert 1 <= result.fingerprint.epochs <= 6


def test_a_learning_rate_times_ten_is_named_first(killed_run, resume_run, demo_runs, tmp_path):
    run = resume_run(killed_run, tmp_path / "run", lr0=10 * demo_runs.LR0)
    causes = analyzer.analyze(run, replicates=2, seed=1).diagnosis
    assert (causes[0].id, causes[0].certainty) == ("lr-jump", Certainty.CERTAIN)
    assert "factor 10" in " ".join(causes[0].evidence)
