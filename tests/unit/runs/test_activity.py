"""A training that still writes is noticed; our own processes and bystanders are not."""

import os
import signal
import subprocess
import sys
import time

import psutil
import pytest

from analyzer.runs.activity import is_training
from analyzer.runs.directory import read_run

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts its processes by a shell")

BUSY = """
import mmap, os, sys, time
lib, log, ready = sys.argv[1:4]
if lib != '-':
    held = mmap.mmap(os.open(lib, os.O_RDONLY), 0, prot=mmap.PROT_READ)
if log != '-':
    kept = open(log, 'r' if log.endswith('.csv') else 'w')
open(ready, 'w').close()
end = time.time() + 60
while time.time() < end:
    time.sleep(0.0 if lib != '-' else 0.05)
"""


@pytest.fixture
def run(tmp_path):
    folder = tmp_path / "project" / "runs" / "train"
    folder.mkdir(parents=True)
    (folder / "results.csv").write_text("epoch,time,train/x\n1,40,1\n2,80,1\n3,120,1\n")
    (folder / "args.yaml").write_text("epochs: 100\n")
    return read_run(folder)


@pytest.fixture
def orphan(tmp_path):
    """Start a process that is no descendant of this one, with names and files as asked for."""
    started = []
    script = tmp_path / "busy.py"
    script.write_text(BUSY)
    (tmp_path / "libtorch_cpu.so").write_bytes(b"x" * 4096)

    def start(cwd, torch=False, log="-", words=()):
        ready = tmp_path / f"ready{len(started)}"
        lib = str(tmp_path / "libtorch_cpu.so") if torch else "-"
        command = [sys.executable, str(script), lib, str(log), str(ready), *map(str, words)]
        # The shell in between ends at once, so that the process is adopted and no child of ours.
        line = 'cd "$0" && { "$@" >/dev/null 2>&1 & echo $!; }'
        done = subprocess.run(["sh", "-c", line, cwd, *command], capture_output=True, text=True, check=True)
        started.append(int(done.stdout))
        for _ in range(200):
            if ready.exists():
                break
            time.sleep(0.05)
        assert ready.exists()
        return started[-1]

    yield start
    for pid in started:
        os.kill(pid, signal.SIGKILL)


def touch(run):
    """Write results.csv now: after the start of the process, as a training does."""
    time.sleep(0.05)
    os.utime(run.path / "results.csv")


def test_nobody(run):
    assert is_training(run) is None


def test_open_log_of_another_process(run, orphan):
    pid = orphan("/", log=run.path / "train.log")
    assert f"Process {pid} " in is_training(run)
    assert "train.log open for writing" in is_training(run)


def test_a_reader_is_no_training(run, orphan):
    orphan("/", log=run.path / "results.csv")
    assert is_training(run) is None


def test_our_own_study_folder_is_no_training(run, orphan):
    (run.path / "drift").mkdir()
    orphan("/", log=run.path / "drift" / "worker.log")
    assert is_training(run) is None


def test_busy_torch_process_in_the_project(run, orphan):
    pid = orphan(run.path.parents[1], torch=True)
    touch(run)
    text = is_training(run)
    assert f"Process {pid} " in text
    assert "an epoch takes 40 s" in text


def test_busy_torch_process_that_names_the_run(run, orphan):
    pid = orphan("/tmp", torch=True, words=[f"model={run.path}/weights/last.pt"])
    touch(run)
    assert f"Process {pid} " in is_training(run)


def test_bystanders(run, orphan):
    orphan(run.path.parents[1], torch=False)  # near, without torch
    orphan("/tmp", torch=True)  # torch, elsewhere
    touch(run)
    assert is_training(run) is None


def test_results_csv_not_fresh(run, orphan):
    orphan(run.path.parents[1], torch=True)
    touch(run)
    assert is_training(run, now=time.time() + 1000) is None
    os.utime(run.path / "results.csv", (time.time() - 30, time.time() - 30))  # written before that process started
    assert is_training(run) is None


def test_finished_run(run, orphan):
    (run.path / "args.yaml").write_text("epochs: 3\n")
    orphan(run.path.parents[1], torch=True)
    touch(run)
    assert is_training(read_run(run.path)) is None


def test_own_processes_are_not_reported(run, tmp_path):
    log = run.path / "train.log"
    with log.open("w"):
        assert is_training(run) is None
        script = tmp_path / "busy.py"
        script.write_text(BUSY)
        ready = tmp_path / "ready"
        child = subprocess.Popen([sys.executable, script, "-", log, ready])
        try:
            while not ready.exists():
                assert child.poll() is None
                time.sleep(0.05)
            assert is_training(run) is None
        finally:
            child.kill()
            child.wait()


@pytest.mark.parametrize("error", [psutil.AccessDenied(1), psutil.NoSuchProcess(1), PermissionError(13, "no")])
def test_a_process_that_may_not_be_looked_into_is_passed_over(run, orphan, monkeypatch, error):
    """Processes of other users, and those that end while they are looked at."""
    shut, seen = (orphan("/", log=run.path / name) for name in ("first.log", "second.log"))
    real = psutil.Process.open_files

    def open_files(process):
        if process.pid == shut:
            raise error
        return real(process)

    monkeypatch.setattr(psutil.Process, "open_files", open_files)
    assert f"Process {seen} " in is_training(run)
