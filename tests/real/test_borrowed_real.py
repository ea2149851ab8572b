"""The usual case: default save_period, no copy kept, so the checkpoint of the seam is gone when somebody asks."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KILLED, N = 11, 3  # epochs before the seam (a regime of at least 8 predicts), replicates


def call(*arguments):
    command = [str(Path(sys.executable).parent / "drift"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=dict(os.environ))


@pytest.fixture(scope="module")
def run(tmp_path_factory, train_run, demo_runs):
    """Trained, killed and resumed for one epoch by plain Ultralytics, last.pt and best.pt left."""
    run = train_run(tmp_path_factory.mktemp("usual"), until=KILLED, epochs=30, save_period=-1)
    demo_runs.resume_and_kill(run, KILLED + 1)
    assert sorted(p.name for p in (run / "weights").iterdir()) == ["best.pt", "last.pt"]
    return run


def test_a_null_is_borrowed_from_what_is_left_and_the_verdict_says_so(run, copy_run, tmp_path):
    own = copy_run(run, tmp_path / "run")
    done = call("analyze", own, "--replicates", N)
    assert done.returncode in (0, 10, 11), done.stderr
    assert "borrowed" in done.stdout.splitlines()[0]
    report = json.loads((own / "drift" / f"borrowed-seam{KILLED + 1}" / "report.json").read_text())
    assert (report["checkpoint"], report["history_only"], report["n_replicates"]) == (None, False, N)
    borrowed = report["borrowed"]
    assert (borrowed["checkpoint"]["epoch"], borrowed["away"], borrowed["own"]) == (KILLED + 1, 1, "unknown")
    assert report["cost"]["epochs_trained"] == N
    assert any(m["p_adjusted"] is not None for m in report["metrics"])
    assert {"step": "replay", "reason": f"the checkpoint of epoch {KILLED} is gone"} in report["not_run"]
    again = json.loads(call("analyze", own, "--replicates", N, "--json").stdout)
    assert (again["cost"]["epochs_trained"], again["cost"]["reused"]) == (0, N)
    assert again["metrics"] == report["metrics"]


def test_stripped_checkpoints_leave_the_history(run, copy_run, tmp_path):
    own = copy_run(run, tmp_path / "run")
    strip = "import sys; from ultralytics.utils.torch_utils import strip_optimizer as s; [s(f) for f in sys.argv[1:]]"
    subprocess.run([sys.executable, "-c", strip, *map(str, (own / "weights").glob("*.pt"))], check=True)
    done = call("analyze", own, "--json")
    report = json.loads(done.stdout)
    assert report["history_only"] and report["borrowed"] is None and report["cost"]["epochs_trained"] == 0
    assert "stripped" in done.stderr and any("stripped" in reason for reason in report["reasons"])
    assert done.returncode == {"NOISE": 0, "NEGLIGIBLE": 0, "FAULT": 10, "INCONCLUSIVE": 11}[report["verdict"]]
