"""SIGKILL at random moments: no finished replicate is lost, none is read half, the next call finishes the study.

Seventeen kills hit a writer that does nothing but write replicates; three hit `drift` in real training, twice the
driver and once its worker. Moments are drawn from a fixed seed; what they hit depends on the machine.
"""

import contextlib
import json
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest

from analyzer.domain.progress import Silent
from analyzer.domain.replicate import HEALTHY, EpochRecord, Outcome, Replicate
from analyzer.errors import StoreError
from analyzer.replicates.budget import Budget
from analyzer.replicates.collector import Collector
from analyzer.replicates.job import ArmJob
from analyzer.replicates.seeds import replicate_seeds
from analyzer.replicates.store import Store

KILLS, SEEDS = 17, 400


def made(seed):
    """A replicate that follows from its seed, with a file large enough to be caught half-written."""
    row = {f"val/{i}": float(seed) / (i + 1) for i in range(300)}
    return Replicate("healthy", seed, Outcome.OK, (EpochRecord(1, row, row, 1.0),))


class Writer:
    """An executor that trains nothing."""

    def __init__(self, store):
        self.store = store

    def run(self, job, seeds):
        for seed in seeds:
            self.store.put(made(seed))
            yield self.store.get("healthy", seed)

    def close(self):
        pass


def extend(root, n):
    """What a driver does with its store, from the lock to the n-th replicate."""
    store = Store(root, "study")
    job = ArmJob(HEALTHY, Path("last.pt"), {}, "cpu", 1, root, root, "study")
    study = SimpleNamespace(store=store, base_seed=0, epochs=1, job=lambda arm, scratch: job)
    with store.lock():
        collector = Collector(study, Budget(), Silent(), make_executor=lambda *_: Writer(store))
        found = collector.extend(HEALTHY, (), n)
    return found, collector


def contents(folder):
    return {p.name: (p.read_bytes(), p.stat().st_mtime_ns) for p in folder.glob("[0-9]*.json")}


def written_within(folder, seconds):
    """Wait for the first replicate."""
    end = time.monotonic() + seconds
    while not contents(folder) and time.monotonic() < end:
        time.sleep(0.002)


def test_a_killed_writer_loses_nothing(tmp_path):
    draw = random.Random(1)
    store = Store(tmp_path, "study")
    folder = tmp_path / "study" / "replicates" / "healthy"
    seeds = replicate_seeds(0, SEEDS)
    before, interrupted = {}, 0
    for kill in range(KILLS):
        process = multiprocessing.get_context("fork").Process(target=extend, args=(tmp_path, SEEDS))
        process.start()
        if kill == 0:
            written_within(folder, 60)  # on a busy machine it may not have begun before it is killed
        time.sleep(draw.uniform(0.005, 0.08))
        process.kill()
        process.join()
        interrupted += process.exitcode == -signal.SIGKILL
        now = contents(folder)
        assert before.items() <= now.items()  # nothing lost, nothing made again
        for seed in seeds[: len(now)]:
            assert store.get("healthy", seed) == made(seed)
        before = now
    assert interrupted >= KILLS - 2
    assert len(before) > 0
    found, collector = extend(tmp_path, SEEDS)
    assert found == tuple(made(s) for s in seeds)
    assert (collector.reused, collector.epochs_trained) == (len(before), SEEDS - len(before))
    assert not list(folder.glob("*.damaged"))
    assert not list(folder.glob(".*.tmp"))  # what the killed writers left half-written is swept


def test_a_damaged_file_is_set_aside_and_made_again(tmp_path):
    extend(tmp_path, 3)
    file = Store(tmp_path, "study").file_of("healthy", replicate_seeds(0, 3)[1])
    whole = file.read_bytes()
    for damaged in (
        b"",
        whole[: len(whole) // 2],
        whole.replace(b'"seconds": 1.0', b'"seconds": 2.0'),
        b"\xff\xd8\xff",
    ):
        file.write_bytes(damaged)
        _, collector = extend(tmp_path, 3)
        assert (collector.reused, collector.epochs_trained) == (2, 1)
        assert file.read_bytes() == whole
        assert file.with_suffix(".damaged").read_bytes() == damaged


def test_two_drivers_never_share_a_study(tmp_path):
    with Store(tmp_path, "study").lock(), pytest.raises(StoreError, match="Another drift process"):
        extend(tmp_path, 1)


# --- real training ------------------------------------------------------------------------------------------------


def start(run):
    command = [sys.executable, "-m", "analyzer", "analyze", str(run), "--replicates", "9", "--no-replay", "--json"]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def worker_of(driver):
    """The living child that trains, whichever thread of the driver started it."""
    children = [c for c in psutil.Process(driver).children() if c.status() != psutil.STATUS_ZOMBIE]
    return next(c.pid for c in children if any("replicates.worker" in word for word in c.cmdline()))


def another_than(worker, driver, seconds):
    """Whether the driver has a living worker that is not that one (which stays its child until it is waited for)."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(StopIteration, psutil.Error):
            if worker_of(driver) != worker:
                return True
        time.sleep(0.05)
    return False


def ended(pid, seconds):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        try:
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except OSError:
            return True
        time.sleep(0.1)
    return False


def wait_for_a_trained_replicate(process):
    for line in process.stderr:
        if line.startswith("healthy replicate") and "reused" not in line:
            return
    raise AssertionError("the study ended before it was killed")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_kills_in_real_training(resumed_run, copy_run, tmp_path):
    draw = random.Random(2)
    run = copy_run(resumed_run, tmp_path / "run")
    before = {}
    for victim in ("driver", "worker", "driver"):
        process = start(run)
        wait_for_a_trained_replicate(process)
        worker = worker_of(process.pid)
        time.sleep(draw.uniform(0.0, 0.3))
        if victim == "driver":
            process.kill()
            process.wait()
            assert ended(worker, 5)  # nobody would read what it trains on
        else:
            os.kill(worker, signal.SIGKILL)
            assert another_than(worker, process.pid, 60)  # the driver starts another one ...
            wait_for_a_trained_replicate(process)  # ... and goes on
            process.kill()
            process.wait()
        process.stdout.close()
        process.stderr.close()
        (folder,) = (run / "drift").glob("*/replicates/healthy")
        now = contents(folder)
        assert before.items() <= now.items() and len(now) > len(before)
        before = now
    process = start(run)
    out, err = process.communicate()
    assert process.returncode in (0, 10, 11), err
    document = json.loads(out)
    assert document["n_replicates"] == 9
    assert document["cost"]["reused"] == len(before)
    assert document["cost"]["epochs_trained"] == 9 - len(before)
    assert before.items() <= contents(folder).items()
    assert not list((run / "drift").rglob("*.damaged"))
    assert not list((run / "drift").rglob("*.tmp"))
    assert not any((folder.parents[1] / "scratch").glob("*"))
