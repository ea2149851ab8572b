"""What a node of a cluster is asked before it trains, without Ray; with it: tests/real/test_ray.py."""

import dataclasses
import sys
from types import SimpleNamespace

import pytest

from analyzer.domain.run import DataSet
from analyzer.errors import StoreError, UsageError
from analyzer.replicates.executors import ray_node as module
from analyzer.replicates.executors.ray_cluster import connect
from analyzer.replicates.executors.ray_node import Demands, Failure, Node
from analyzer.replicates.executors.worker_process import WorkerDied
from analyzer.runs.dataset import fingerprint_dataset, resolve_dataset
from analyzer.runs.versions import installed_versions


@pytest.fixture
def demands(tmp_path, monkeypatch):
    monkeypatch.setattr(module.tempfile, "gettempdir", lambda: str(tmp_path / "node"))
    (tmp_path / "node").mkdir()
    for kind in ("train", "val"):
        (tmp_path / "data" / kind / "a").mkdir(parents=True)
        (tmp_path / "data" / kind / "a" / "1.jpg").write_bytes(b"image")
    data = resolve_dataset({"data": str(tmp_path / "data"), "task": "classify"}, run=tmp_path)
    assert isinstance(data, DataSet)
    versions = {k: v for k, v in installed_versions().items() if k in ("torch", "ultralytics")}
    return Demands(versions, "cpu", ((data, fingerprint_dataset(data).sha256),), cpus=1, gpus=0)


def refusal(demands):
    node = Node(demands, b"")
    try:
        return node.ready()
    finally:
        node.close()


def test_a_node_like_the_driver_is_taken(demands):
    assert refusal(demands) == ""


def test_a_node_that_would_train_other_replicates_is_not(demands, tmp_path):
    other = dataclasses.replace(demands, versions={**demands.versions, "torch": "1.0"})
    assert "instead of 1.0: its replicates would belong to another null" in refusal(other)
    assert "has cpu instead of cuda (A100)" in refusal(dataclasses.replace(demands, hardware="cuda (A100)"))
    (tmp_path / "data" / "val" / "a" / "1.jpg").write_bytes(b"another image")
    assert "has other data at" in refusal(demands)
    (tmp_path / "data" / "val" / "a" / "1.jpg").unlink()
    assert "cannot read the data" in refusal(demands)


def test_an_actor_leaves_nothing_and_sweeps_what_dead_ones_left(demands, tmp_path):
    (left,) = [Node(demands, b"").base]
    dead = left.with_name("999999999-gone")
    left.rename(dead)
    node = Node(demands, b"")
    assert not dead.exists()
    node.close()
    assert list(node.base.parent.iterdir()) == []


def test_errors_of_a_worker_arrive_as_what_they_were():
    assert Failure("WorkerDied", "Killed.", "", True).error().memory
    assert isinstance(Failure("WorkerDied", "Killed.", "").error(), WorkerDied)
    error = Failure("StoreError", "No space.", "Free some.").error()
    assert isinstance(error, StoreError) and str(error) == "No space. Free some."


def test_without_ray_one_sentence_says_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(UsageError, match=r"--ray needs Ray, which is not installed\. pip install"):
        connect("auto")


def test_a_cluster_that_refuses_is_one_sentence(monkeypatch):
    def init(**options):
        raise ConnectionError("Could not find any\nrunning Ray instance.")

    monkeypatch.setitem(sys.modules, "ray", SimpleNamespace(init=init, is_initialized=lambda: False))
    with pytest.raises(UsageError, match="No Ray cluster answers at 'auto': Could not find any running Ray instance"):
        connect("auto")
