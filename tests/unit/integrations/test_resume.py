"""`drift resume` before any training: what it would run, what it refuses, and how a training ends."""

import signal
import subprocess
import sys
import time

import pytest

from analyzer.domain.progress import Silent
from analyzer.errors import CheckpointError, EngineError, RunError
from analyzer.pipeline import resume as steps
from analyzer.pipeline.resume import ResumeRequest, plan_resume, report_request, train
from analyzer.replicates.archive import keep_checkpoint
from analyzer.runs.checkpoint import read_checkpoint


def test_the_plan_names_the_command_and_writes_nothing(run):
    files = sorted(run.path.rglob("*"))
    plan = plan_resume(ResumeRequest(run.path, epochs=2, on_fault="stop", arguments=("device=1",)))
    assert plan.command == (
        sys.executable, "-m", "analyzer.integrations.yolo", "--epochs", "2", "--on-fault", "stop", "--alpha", "0.05",
        "train", "resume", f"model={run.last}", "device=1",
    )  # fmt: skip
    assert sorted(run.path.rglob("*")) == files


def test_the_report_trains_nothing_that_was_not_asked_for(run):
    without = report_request(plan_resume(ResumeRequest(run.path)), run.last)
    assert (without.history_only, without.replicates, without.replay, without.seam) == (True, None, False, 31)
    wanted = report_request(plan_resume(ResumeRequest(run.path, replicates=4, epochs=2)), run.last)
    assert (wanted.history_only, wanted.replicates, wanted.epochs) == (False, 4, 2)


def test_replicates_are_costed(run):
    assert plan_resume(ResumeRequest(run.path, replicates=4, epochs=2)).seconds_of_replicates == pytest.approx(80)


def test_after_a_stop_by_the_guard_the_kept_seam_is_resumed(run):
    kept = keep_checkpoint(read_checkpoint(run.last), run.path / "drift")
    run.last.write_bytes(b"stripped")
    assert plan_resume(ResumeRequest(run.path)).checkpoint.path == kept


def test_a_finished_training_is_never_thrown_back(run):
    keep_checkpoint(read_checkpoint(run.last), run.path / "drift")
    run.last.write_bytes(b"stripped")
    run.append(100, [1.0, 0.5, 1.2])
    with pytest.raises(CheckpointError, match="Nothing can be resumed"):
        plan_resume(ResumeRequest(run.path))


def test_a_run_without_checkpoint_cannot_be_resumed(run):
    run.last.unlink()
    with pytest.raises(CheckpointError, match=r"no weights/last\.pt"):
        plan_resume(ResumeRequest(run.path))


@pytest.mark.parametrize(
    ("words", "device"),
    [
        ((), None),
        (("device=0,1",), "0,1"),
        (("workers=2", "device=cpu"), "cpu"),
        (("device=",), None),
        (("device=-1",), None),
    ],
)
def test_replicates_train_where_the_resume_will(run, monkeypatch, words, device):
    wanted = []
    monkeypatch.setattr(steps, "replicate", lambda request, progress: wanted.append(request))
    plan = plan_resume(ResumeRequest(run.path, replicates=4, arguments=words))
    steps.prepare(plan, Silent())
    (request,) = wanted
    assert (request.device, request.replicates, request.replay) == (device, 4, not words)


def test_a_second_training_in_one_run_is_refused(run, monkeypatch):
    monkeypatch.setattr(steps, "is_training", lambda _: "Process 1.")
    with pytest.raises(RunError, match="still running"):
        plan_resume(ResumeRequest(run.path))


def test_a_training_that_fails_is_an_error():
    with pytest.raises(EngineError, match="exit code 3"):
        train([sys.executable, "-c", "raise SystemExit(3)"])
    with pytest.raises(EngineError, match="signal 9"):
        train([sys.executable, "-c", "import os; os.kill(os.getpid(), 9)"])


def test_an_interrupted_training_is_waited_for(tmp_path):
    """SIGINT reaches this process alone, as from a job scheduler: it is passed on, and the training can clean up."""
    started, done = tmp_path / "started", tmp_path / "cleaned up"
    child = (
        f"import time\ntry:\n open({str(started)!r}, 'w').close()\n time.sleep(60)\n"
        f"finally:\n open({str(done)!r}, 'w').close()"
    )
    code = f"import sys\nfrom analyzer.pipeline.resume import train\ntrain([sys.executable, '-c', {child!r}])"
    with subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL) as parent:
        until = time.monotonic() + 60
        while not started.exists() and time.monotonic() < until:
            time.sleep(0.05)
        parent.send_signal(signal.SIGINT)
        parent.wait(40)
    assert done.exists()
    assert parent.returncode != 0
