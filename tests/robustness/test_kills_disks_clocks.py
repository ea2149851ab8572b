"""A full disk, a folder that may not be written, two drivers, a clock that jumps, kills: one sentence, nothing lost.

More kills in tests/real/test_kill.py; files cut short or edited in tests/measurements/fuzz. Mounts need root and Linux.
"""

import os
import subprocess
import sys
import threading
import time

import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.errors import StoreError
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.store import Store
from tests.measurements.robustness.kills import campaign, drive, summary
from tests.support.cheap_worker import made
from tests.support.written_run import make_run

linux = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")


def mounted(folder, *options):
    """Mount at a folder; skips where that is not allowed."""
    folder.mkdir(exist_ok=True)
    done = subprocess.run(["mount", *options, str(folder)], capture_output=True, check=False)
    if done.returncode:
        pytest.skip("mounting is not allowed here")


@pytest.fixture
def small_disk(tmp_path):
    """A disk of 200 kB: a dozen replicates."""
    disk = tmp_path / "disk"
    mounted(disk, "-t", "tmpfs", "-o", "size=200k", "tmpfs")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


# --- kills ----------------------------------------------------------------------------------------------------------


@linux
def test_kills_of_driver_and_worker_at_random_instants_lose_nothing(tmp_path):
    found = summary(campaign(tmp_path, 4, 1))
    assert sum(found["alive"].values()) >= 3
    assert [found[name] for name in ("lost", "made again", "wrong", "orphan")] == [0, 0, 0, 0]


# --- disk full ------------------------------------------------------------------------------------------------------


def test_a_full_disk_ends_in_one_sentence_and_the_rest_is_made_later(small_disk):
    store, seeds = Store(small_disk, "study"), replicate_seeds(0, 60)
    with store.lock(), pytest.raises(StoreError, match="No space left on device"):
        list(map(store.put, map(made, seeds)))
    written = [s for s in seeds if store.file_of("healthy", s).exists()]
    assert 3 <= len(written) < 60
    assert all(store.get("healthy", s) == made(s) for s in written)  # whole or not there
    assert not list(small_disk.rglob("*.tmp"))  # a half-written file would keep the disk full
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    assert drive(small_disk, "study") == tuple(made(s) for s in seeds)
    assert not list(small_disk.rglob("*.damaged"))


def test_a_run_on_a_read_only_disk_is_judged_with_its_study_elsewhere(tmp_path):
    run = make_run(tmp_path)
    mounted(run, "--bind", str(run))
    try:
        subprocess.run(["mount", "-o", "remount,ro,bind", str(run)], check=True)
        done = CliRunner().invoke(app, ["analyze", str(run), "--history-only"])
        assert done.exit_code == 12
        assert "Read-only file system" in done.stderr and "--out" in done.stderr and "Traceback" not in done.stderr
        out = tmp_path / "elsewhere"
        done = CliRunner().invoke(app, ["analyze", str(run), "--history-only", "--out", str(out)])
        assert done.exit_code in (0, 10, 11), done.stderr
        assert list(out.rglob("report.json"))
    finally:
        subprocess.run(["umount", str(run)], check=True)


# --- two drivers ----------------------------------------------------------------------------------------------------


def test_the_second_of_two_drivers_is_refused_and_the_first_goes_on(tmp_path):
    refused = []
    first = threading.Thread(target=lambda: drive(tmp_path, "study", 20))
    first.start()
    until = time.monotonic() + 30
    while not refused and time.monotonic() < until:
        try:
            with Store(tmp_path, "study").lock():
                pass
        except StoreError as e:
            refused.append(e)
        time.sleep(0.005)
    first.join()
    assert "Another drift process is working on the study" in str(refused[0])
    assert drive(tmp_path, "study", 20) == tuple(made(s) for s in replicate_seeds(0, 20))


# --- clocks ---------------------------------------------------------------------------------------------------------


def test_a_clock_that_jumps_changes_nothing(tmp_path, monkeypatch):
    """Budgets and durations come from the monotonic clock; the wall clock here runs wild."""
    jumps = iter([1e9 * (-1) ** i * i for i in range(100_000)])
    monkeypatch.setattr(time, "time", lambda: next(jumps))
    drive(tmp_path, "study", 3)
    for file in Store(tmp_path, "study").path.rglob("[0-9]*.json"):
        os.utime(file, (0, 0))  # and nothing goes by the age of a file
    assert drive(tmp_path, "study", 5) == tuple(made(s) for s in replicate_seeds(0, 5))
