"""Workers at once on one CPU: every replicate is bit for bit what one worker trains, whoever is finished first."""

import json
import subprocess
import sys

import pytest

from analyzer.replicates.placement import ultralytics_threads
from analyzer.replicates.store import Store
from tests.support import engine


def analyzed(run, out, *options):
    command = [sys.executable, "-m", "analyzer", "analyze", str(run), "--out", str(out), "--no-revalidate", "--json"]
    done = subprocess.run([*command, *options], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 10, 11), done.stderr
    report = json.loads(done.stdout)
    (folder,) = out.glob("seam[0-9]*")
    return report, Store(out, folder.name), done.stderr


def rows(store):
    """Everything of the replicates but how long they took."""
    return {r.seed: [(e.epoch, e.printed, e.exact) for e in r.epochs] for r in store.all("healthy")}


@pytest.mark.skipif(
    ultralytics_threads() > 1, reason="one worker alone takes more threads here, so it is another study"
)
def test_two_workers_give_what_one_gives(resumed_run, copy_run, tmp_path):
    run = copy_run(resumed_run, tmp_path / "run")
    one, alone, _ = analyzed(run, tmp_path / "one", "--per-device", "1", "--no-replay", "--budget", "7epochs")
    two, pair, said = analyzed(run, tmp_path / "two", "--per-device", "2", "--no-replay", "--budget", "7epochs")
    assert "2 workers at once" in said
    assert alone.study == pair.study
    assert rows(alone) == rows(pair)
    for part in ("verdict", "n_replicates", "looks", "metrics"):
        assert one[part] == two[part]
    assert one["cost"]["epochs_trained"] == two["cost"]["epochs_trained"]


def test_the_tensors_are_the_same(killed_run, tmp_path):
    checkpoint = killed_run / "weights" / "last.pt"
    seeds = [11, 12, 13]
    one = engine.replicates(checkpoint, tmp_path / "one", seeds, threads=1)
    two = engine.replicates(checkpoint, tmp_path / "two", seeds, threads=1, at_once=2)
    assert [r.seed for r in two] == seeds
    for mine, other in zip(one, two, strict=True):
        assert mine.hashes == other.hashes
        assert mine.hashes[0].keys() == {"model", "ema", "optimizer"}
    assert len({r.hashes[0]["model"] for r in one}) == 3
