"""The guard on real resumes: a healthy one goes on unchanged, a faulty one stops, its own errors stop nothing."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LR0 = 0.01
LAST = 22  # epochs of the whole training; killed after two less, so that a resume ends by itself with its final_eval
KILLED = LAST - 2
YOLO = [sys.executable, "-m", "analyzer.integrations.yolo", "--epochs", "2"]
WORDS = ["train", "resume"]


@pytest.fixture(scope="module")
def broken_off(tmp_path_factory, train_run):
    """A run with enough epochs for its history to speak."""
    folder = tmp_path_factory.mktemp("guard")
    return train_run(folder, until=KILLED, epochs=LAST, save_period=-1, lr0=LR0)


@pytest.fixture
def own_copy(broken_off, copy_run, demo_runs, tmp_path):
    """``own_copy(name, **train_args)``: a copy that can be resumed on its own, its last.pt edited."""

    def make(name, **train_args):
        run = copy_run(broken_off, tmp_path / name)
        demo_runs.relocate(run, **train_args)
        return run

    return make


def environment(demo_runs, run):
    return {**demo_runs.child_environment(run.parent), "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def resume(demo_runs, run, command):
    return call([*command, *WORDS, f"model={run / 'weights' / 'last.pt'}"], demo_runs, run)


def call(command, demo_runs, run):
    return subprocess.run(command, env=environment(demo_runs, run), capture_output=True, text=True, check=False)


def rows(run):
    """The rows as written, without their times."""
    lines = (run / "results.csv").read_text().splitlines()
    return [line.split(",")[:1] + line.split(",")[2:] for line in lines]


def guard_json(run):
    return json.loads((run / "drift" / "guard.json").read_text())


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def kept(run):
    return [p for p in (run / "drift" / "seams").rglob("*") if p.is_file()]


KILL = """
import os, sys, time
real = os.fsync
def hold(f):
    if "checkpoint.pt" in os.readlink(f"/proc/self/fd/{f}"):
        print("in the snapshot", flush=True)
        time.sleep(600)
    real(f)
os.fsync = hold
from analyzer.integrations.yolo import main
main(sys.argv[1:])
"""


def kill_in_the_snapshot(demo_runs, run):
    command = [sys.executable, "-c", KILL, *WORDS, f"model={run / 'weights' / 'last.pt'}"]
    with subprocess.Popen(command, env=environment(demo_runs, run), stdout=subprocess.PIPE, text=True) as process:
        try:
            assert any("in the snapshot" in line for line in process.stdout)
        finally:
            process.send_signal(signal.SIGKILL)


def test_healthy_resume_goes_on_to_the_bit_even_after_a_kill_in_the_snapshot(own_copy, demo_runs):
    plain, guarded = own_copy("plain"), own_copy("guarded")
    original = sha256(guarded / "weights" / "last.pt")
    kill_in_the_snapshot(demo_runs, guarded)
    assert sha256(guarded / "weights" / "last.pt") == original
    assert [p.suffix for p in kept(guarded)] == [".tmp"]  # nothing under its final name
    done = resume(demo_runs, guarded, [*YOLO, "--on-fault", "stop"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert sorted(p.name for p in kept(guarded)) == ["checkpoint.pt", "manifest.json", "running.json"]
    copy = next(p for p in kept(guarded) if p.suffix == ".pt")
    assert sha256(copy) == original
    report = guard_json(guarded)
    assert [c["epoch"] for c in report["checks"]] == [LAST - 1, LAST]  # and not final_eval's
    assert {c["against"] for c in report["checks"]} == {"history"}
    assert (report["stopped"], report["error"], report["verdict"] == "FAULT") == (False, "", False)
    assert report["checkpoint"]["sha256"] == original
    without = resume(demo_runs, plain, [sys.executable, "-c", "from ultralytics.cfg import entrypoint; entrypoint()"])
    assert without.returncode == 0, without.stdout + without.stderr
    assert rows(guarded) == rows(plain)
    assert rows(plain)[-1][0] == str(LAST)


def test_faulty_resume_is_stopped_with_its_checkpoint_kept(own_copy, demo_runs):
    run = own_copy("faulty", lr0=LR0 * 10)
    original = sha256(run / "weights" / "last.pt")
    done = resume(demo_runs, run, [*YOLO, "--on-fault", "stop"])
    assert done.returncode == 0, done.stdout + done.stderr
    report = guard_json(run)
    assert report["stopped"], report
    assert report["verdict"] == "FAULT"
    assert "a resume multiplies the learning rate by 10" in report["reason"]  # by the audit, and by history too:
    assert [m["name"] for m in report["checks"][0]["metrics"] if m["verdict"] == "FAULT"]
    assert rows(run)[-1][0] == str(LAST - 1)
    assert "drift guard: FAULT at epoch" in done.stdout + done.stderr
    assert sha256(next(p for p in kept(run) if p.suffix == ".pt")) == original


JUMP = """
import sys
from ultralytics.utils.callbacks.base import default_callbacks
from analyzer.faults.rates import LrJump
from analyzer.integrations.yolo import main
default_callbacks["on_train_start"].append(LrJump(10.0).at_start)
main(sys.argv[1:])
"""


def test_a_faulty_epoch_is_left_inside_and_the_run_can_be_resumed_as_before(own_copy, demo_runs):
    run = own_copy("inside")
    last = run / "weights" / "last.pt"
    done = call([sys.executable, "-m", "analyzer", "replicate", str(last), "-n", "2"], demo_runs, run)
    assert done.returncode == 0, done.stderr
    original, before = sha256(last), rows(run)
    done = resume(demo_runs, run, [sys.executable, "-c", JUMP, "--on-fault", "stop"])
    assert done.returncode == 0, done.stdout + done.stderr
    report = guard_json(run)
    assert [(c["batch"], c["of"], c["rule"]) for c in report["early"]] == [(1, 4, "certain-cause")]
    assert (report["stopped"], report["checks"], report["error"]) == (True, [], "")
    assert sha256(last) == original
    assert rows(run) == before
    assert "after batch 1 of 4" in done.stdout + done.stderr
    again = resume(demo_runs, run, [*YOLO, "--on-fault", "stop"])
    assert again.returncode == 0, again.stdout + again.stderr
    assert [c["verdict"] for c in guard_json(run)["early"]] == [None, None]
    assert rows(run)[-1][0] == str(LAST)
    part = [sys.executable, "-m", "analyzer", "analyze", str(run), "--fraction", "0.5", "--replicates", "2", "--json"]
    planned = call([*part, "--dry-run"], demo_runs, run)
    assert planned.returncode == 0, planned.stderr
    document = json.loads(planned.stdout)
    assert (document["plan"]["replicates"], document["fraction"], document["replicates"]) == (2, 0.5, [])
    done = call(part, demo_runs, run)
    assert done.returncode == 11, done.stderr
    document = json.loads(done.stdout)
    assert document["rule"] == "fraction-only"
    assert document["cost"]["epochs_trained"] == 2 * 0.5
    folder = Path(document["study"]) / "replicates"
    for file in folder.glob("healthy-first0.5/*.json"):  # up to there the same path as the whole epoch of that seed
        whole = json.loads((folder / "healthy" / file.name).read_text())["replicate"]["epochs"][0]["within"]
        assert json.loads(file.read_text())["replicate"]["epochs"][0]["within"] == whole
    assert len(document["replicates"]) == 2


FAIL = """
import sys
import analyzer.pipeline.guard.check as check
def fail(*a, **k):
    raise ZeroDivisionError("on purpose")
check.check_epoch = fail
from analyzer.integrations.yolo import main
main(sys.argv[1:])
"""


def test_an_error_of_the_guard_is_one_warning_and_the_training_goes_on(own_copy, demo_runs):
    run = own_copy("failing")
    done = resume(demo_runs, run, [sys.executable, "-c", FAIL, "--on-fault", "stop"])
    assert done.returncode == 0, done.stdout + done.stderr
    assert rows(run)[-1][0] == str(LAST)
    assert (done.stdout + done.stderr).count("drift guard:") == 1
    assert guard_json(run)["error"] == "ZeroDivisionError: on purpose"


def test_drift_resume_does_it_all(own_copy, demo_runs):
    """Audit, snapshot, a null of two, the guarded resume against it, the report on the same replicates."""
    run = own_copy("whole")
    command = [sys.executable, "-m", "analyzer", "resume", str(run), "--replicates", "2", "--epochs", "1", "--json"]
    shown = call([*command, "--dry-run"], demo_runs, run)
    assert shown.returncode == 0, shown.stderr
    assert not (run / "drift").exists()
    done = call(command, demo_runs, run)
    assert done.returncode in (0, 11), done.stderr
    assert shown.stdout in done.stderr
    document = json.loads(done.stdout)
    check = guard_json(run)["checks"][0]
    assert (check["against"], check["replicates"]) == (Path(document["study"]).name, 2)
    assert document["cost"]["epochs_trained"] == 0
    assert list((run / "drift").glob("seam*/replicates/replay-*/*.json"))
    assert guard_json(run)["early"] == []  # every batch was as in the replay
    assert document["seam"]["epoch"] == KILLED + 1
    assert rows(run)[-1][0] == str(LAST)
    again = call(command, demo_runs, run)
    assert again.returncode == 12
    assert "Nothing can be resumed" in again.stderr


def test_drift_resume_stops_before_training_at_a_certain_fault(own_copy, demo_runs):
    run = own_copy("certain", lr0=LR0 * 10)
    before = rows(run)
    command = [sys.executable, "-m", "analyzer", "resume", str(run), "--on-fault", "stop"]
    done = call(command, demo_runs, run)
    assert done.returncode == 10, done.stderr
    assert "audit: hard:" in done.stderr
    assert rows(run) == before


def test_ctrl_c_ends_the_training_too(own_copy, demo_runs):
    run = own_copy("interrupted")
    command = [sys.executable, "-m", "analyzer", "resume", str(run)]
    with subprocess.Popen(
        command, env=environment(demo_runs, run), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
    ) as process:  # fmt: skip
        assert any("Starting training for" in line for line in process.stdout)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        process.stdout.read()  # ends when every process that writes there has ended
        assert process.wait() == 130
    assert kept(run)
