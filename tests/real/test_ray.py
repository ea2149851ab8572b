"""A Ray cluster of separate processes on this machine: a head and two nodes; one joins late, one is killed half-way.

One cluster for the whole file, since a node takes seconds to start.
"""

import json
import os
import signal
import subprocess
import sys
import time

import psutil
import pytest
from typer.testing import CliRunner

from analyzer.cli.app import app
from analyzer.pipeline.request import ReplicateRequest
from analyzer.replicates.store import Store
from analyzer.replicates.study import open_study
from analyzer.runs.checkpoint import read_checkpoint
from tests.support import engine

ray = pytest.importorskip("ray")
from ray.cluster_utils import Cluster  # noqa: E402

N = 8


@pytest.fixture(scope="module")
def cluster(one_thread):
    # Actors have a niceness of 15 by default: on a machine that does other work they would wait for minutes.
    environ = {"RAY_USAGE_STATS_ENABLED": "0", "RAY_worker_niceness": "0"}
    before = {k: os.environ.get(k) for k in environ}
    os.environ.update(environ)
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    try:
        yield made
    finally:
        made.shutdown()
        for key, value in before.items():
            os.environ.pop(key) if value is None else os.environ.update({key: value})


def replicate(checkpoint, out, *options):
    command = [sys.executable, "-m", "analyzer", "replicate", str(checkpoint), "-n", str(N), "--out", str(out)]
    return subprocess.Popen([*command, *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def finished(process):
    out, _ = process.communicate(timeout=300)
    assert process.returncode == 0, out
    return out


def files(out):
    return {p: p.read_bytes() for p in out.glob("seam[0-9]*/replicates/healthy/[0-9]*.json")}


def rows(out):
    (folder,) = out.glob("seam[0-9]*")
    return {r.seed: [(e.epoch, e.printed, e.exact) for e in r.epochs] for r in Store(out, folder.name).all("healthy")}


def wait_until(condition, process, seconds=240):
    until = time.monotonic() + seconds
    while not condition():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < until
        time.sleep(0.05)


def workers():
    """Worker processes that were started on nodes of the cluster."""
    mine = f"/yolo-drift-{os.getuid()}/"
    found = ((p.pid, " ".join(p.info["cmdline"] or ())) for p in psutil.process_iter(["cmdline"]))
    return [pid for pid, command in found if "analyzer.replicates.worker.main" in command and mine in command]


def test_a_node_that_joins_late_is_used_and_one_that_is_killed_costs_nothing(cluster, killed_run, tmp_path):
    checkpoint, out = killed_run / "weights" / "last.pt", tmp_path / "ray"
    doomed = cluster.add_node(num_cpus=1)
    process = replicate(checkpoint, out, "--ray", cluster.address)
    wait_until(lambda: files(out), process)
    (frozen,) = workers()
    os.kill(frozen, signal.SIGSTOP)  # in the middle of a replicate, which only the death of its node ends
    before = len(files(out))
    cluster.add_node(num_cpus=1)
    wait_until(lambda: len(files(out)) >= before + 2, process)  # one may have been on its way when the worker stopped
    kept = files(out)
    assert len(kept) < N
    cluster.remove_node(doomed, allow_graceful=False)
    os.kill(frozen, signal.SIGKILL)
    finished(process)
    assert kept.items() <= files(out).items()  # nothing lost, nothing made again
    assert len(rows(out)) == N
    here = engine.replicates(checkpoint, tmp_path / "here", rows(out), threads=1)
    assert rows(out) == {r.seed: [(e.epoch, e.printed, e.exact) for e in r.epochs] for r in here}
    (study,) = out.glob("seam[0-9]*")
    assert json.loads((study / "study.json").read_text())["threads"] == 1
    local = ReplicateRequest(checkpoint, per_device=2, out=tmp_path / "here")
    assert open_study(read_checkpoint(checkpoint), killed_run, local).store.study == study.name  # either extends it


def test_ctrl_c_leaves_no_worker_and_a_sound_store(cluster, killed_run, tmp_path):
    process = replicate(killed_run / "weights" / "last.pt", tmp_path / "out", "--ray", cluster.address)
    wait_until(lambda: files(tmp_path / "out"), process)
    assert workers()
    process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 130, out
    assert "Everything that was finished is kept" in out
    until = time.monotonic() + 30
    while workers() and time.monotonic() < until:
        time.sleep(0.2)
    assert workers() == []
    assert 1 <= len(rows(tmp_path / "out")) < N


def test_an_address_where_nobody_answers_is_one_sentence(killed_run, tmp_path):
    command = ["replicate", str(killed_run / "weights" / "last.pt"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(app, [*command, "--ray", "127.0.0.1:1"])
    assert done.exit_code == 2, done.output
    assert "No Ray cluster answers at '127.0.0.1:1'" in done.output
    assert "RAY_AUTH_MODE=token" in done.output
    assert "Traceback" not in done.output
