"""Each fault, made by plain Ultralytics, is named first by the command ``drift analyze``: ``make e2e``.

Four of them run with every test run. The faults are those of tests/measurements/diagnosis/inject_*.py:
nothing of `analyzer.faults` takes part in making them.
"""

import json
import subprocess
import sys

import pytest

from tests.measurements.diagnosis.inject_files import ResumePoint, make_files
from tests.measurements.diagnosis.measure import hidden_seam
from tests.measurements.resumer import Resumer

CLOSED = {"close_mosaic": 9}  # of ten epochs, so mosaic is closed when the resume begins
ALWAYS = ("batch-2", "ema-raw", "head-random", "mosaic-closed")

FAULTS = [
    ("not-a-resume", "runtime:state-not-loaded", {}),
    ("weights-replaced", "runtime:weights-of-older", {}),
    ("wrong-checkpoint", "files:older-file", {}),
    ("optimizer-lost", "runtime:state-cleared", {}),
    ("optimizer-changed", "runtime:optimizer-SGD", {}),
    ("lr-jump", "files:lr-10", {}),
    ("warmup-repeated", "runtime:warmup-3", {}),
    ("ema-reset", "runtime:ema-raw", {}),
    ("mosaic-state", "runtime:mosaic-closed", {}),
    ("mosaic-state", "runtime:mosaic-kept-open", CLOSED),
    ("augmentation-changed", "files:mixup", {}),
    ("wrong-data", "runtime:train-reads-val", {}),
    ("batch-changed", "files:batch-2", {}),
    ("head-rebuilt", "runtime:head-random", {}),
]


def marked(fault, way, args):
    """All but a few are left out unless asked for."""
    usual = way.partition(":")[2] in ALWAYS
    return pytest.param(fault, way, args, id=f"{fault}-{way}", marks=() if usual else pytest.mark.e2e)


@pytest.fixture(scope="module")
def resumer(tmp_path_factory):
    """The process that resumes, with Ultralytics imported once."""
    started = Resumer(tmp_path_factory.mktemp("resumer"))
    yield started
    started.process.kill()
    started.process.wait()


@pytest.fixture(scope="module")
def killed_closed(tmp_path_factory, train_run):
    """A run that was killed after mosaic had closed."""
    return train_run(tmp_path_factory.mktemp("closed"), **CLOSED)


def faulty(way, killed, run, demo_runs, resumer):
    """A copy of the killed run, resumed for an epoch with the fault."""
    demo_runs.copy_run(killed, run)
    demo_runs.relocate(run)
    place, _, name = way.partition(":")
    order = {"way": "" if place == "files" else name, "file": str(run / "weights" / "epoch0.pt")}
    if place == "files":
        order |= make_files(name, ResumePoint(run, "epoch2.pt", "epoch0.pt", run / "weights" / "epoch0.pt"))
    resumer.resume({**order, "checkpoint": str(run / "weights" / "last.pt")})


@pytest.mark.parametrize(("fault", "way", "args"), [marked(*f) for f in FAULTS])
def test_the_fault_is_named_first(fault, way, args, killed_run, request, demo_runs, resumer, tmp_path):
    killed = request.getfixturevalue("killed_closed") if args else killed_run
    run = tmp_path / "run"
    faulty(way, killed, run, demo_runs, resumer)
    command = [sys.executable, "-m", "analyzer", "analyze", str(run), "--replicates", "2", "--json"]
    if (seam := hidden_seam(run)) is not None:  # a busy machine made this epoch slower than all those before
        command += ["--seam", str(seam)]
    environment = demo_runs.child_environment(tmp_path)
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode in {0, 10, 11}, done.stderr  # how large the shift is, is not the question here
    causes = json.loads(done.stdout)["diagnosis"]["causes"]
    assert [c["id"] for c in causes][:1] == [fault], causes
