"""A job on two devices, as CPU processes: its replicates are bit for bit plain Ultralytics under torchrun."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from analyzer.errors import EngineError
from tests.support import engine
from tests.support.one_worker import OneWorker

SUPPORT = Path(engine.__file__).parent


@pytest.fixture
def two_ranks(monkeypatch):
    """Processes that have a rank train with gloo on CPU."""
    own = os.environ.get("PYTHONPATH")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(SUPPORT / "gloo"), *([own] if own else [])]))


def plain(checkpoint, out, seed, k, workers):
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command += [SUPPORT / "reference_resume.py", checkpoint, out, seed, k, workers]
    done = subprocess.run([str(c) for c in command], capture_output=True, text=True, check=False)
    assert out.exists(), done.stderr[-3000:]
    return json.loads(out.read_text())


def test_replicates_on_two_devices_are_plain_resumes_on_two_devices(two_ranks, tmp_path, train_run):
    checkpoint = train_run(tmp_path) / "weights" / "last.pt"
    settings = {"epochs": 2, "device": "0,1", "threads": 1, "workers": 1}  # loader processes fetch ahead
    first, other, third = engine.replicates(checkpoint, tmp_path / "drift", [7, 8, 7], **settings)
    expected = plain(checkpoint, tmp_path / "plain.json", 7, 2, 1)
    single = engine.replicates(checkpoint, tmp_path / "single", [7], epochs=2, threads=1)[0]

    for step in range(2):
        for replicate in (first, third):
            assert replicate.hashes[step] == expected[step]["hashes"]
            exact = replicate.epochs[step].exact
            assert exact == {name: expected[step]["row"][name] for name in exact}
            assert len(exact) == 10
        assert other.hashes[step]["model"] != first.hashes[step]["model"]
        assert single.hashes[step]["ema"] != first.hashes[step]["ema"]  # two shards are another null


def test_a_lost_rank_loses_no_replicate_and_none_is_left_behind(two_ranks, tmp_path, train_run):
    checkpoint = train_run(tmp_path) / "weights" / "last.pt"
    undisturbed = engine.replicates(checkpoint, tmp_path / "drift", [7], device="0,1", threads=1)[0]
    ranks, lost = set(), []

    def lose(fraction):
        first = psutil.Process(executor.worker.process.pid)
        ranks.update([first, *first.children()])
        if not lost:
            lost.extend(first.children())
            lost[0].kill()

    job, protected = engine.job(checkpoint, tmp_path / "lost", device="0,1", threads=1)
    executor = OneWorker(job.scratch, protected, lose)
    try:
        replicate = next(iter(executor.run(job, [7])))
    finally:
        executor.close()

    assert len(lost) == 1
    assert len(ranks) == 4
    assert replicate.hashes == undisturbed.hashes
    _, alive = psutil.wait_procs(ranks, timeout=10)
    assert not alive
    assert not job.scratch.exists()


def test_an_error_of_another_rank_alone_is_the_one_that_is_told(two_ranks, tmp_path, train_run, monkeypatch):
    monkeypatch.setenv("LACKS_MEMORY", "1")
    checkpoint = train_run(tmp_path) / "weights" / "last.pt"
    with pytest.raises(EngineError, match="CUDA out of memory, on one device alone"):
        engine.replicates(checkpoint, tmp_path / "drift", [7], device="0,1", threads=1)
