"""Workers on a Ray cluster: actors that each hold one warm worker process, their replicates streamed to the driver.

Only this module imports Ray, and only when ``--ray`` asks for it. The driver alone writes the study's store, so nodes
need no common file system but for the data, which every node must have under the same path.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from analyzer.domain.replicate import Outcome, Replicate
from analyzer.errors import EngineError, UsageError
from analyzer.replicates.executors.pool import LaneLost, Pool
from analyzer.replicates.executors.ray_node import Demands, Failure, Node
from analyzer.replicates.job import ArmJob
from analyzer.replicates.store import Store

__all__ = ["RayExecutor", "RayLane", "connect", "places"]

_LOOK = 5.0  # seconds between looks at what the cluster has
_MOST = 256  # lanes, each with a thread of the driver
_STARTS = 5  # actors that may die while they start, before a lane gives up
_PATIENCE = 5.0  # seconds that an actor has to clean up its node


def connect(address: str) -> Any:
    """Connect to a cluster, or start one on this machine; returns the module.

    Parameters
    ----------
    address
        ``local`` starts Ray here; ``auto`` is the cluster of this machine or of RAY_ADDRESS; else ``host:port``.

    Raises
    ------
    UsageError
        Ray is not installed, or nothing answers there.
    """
    try:
        import ray
    except ImportError:
        raise UsageError("--ray needs Ray, which is not installed.", "pip install 'yolo-drift[ray]'") from None
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # nothing is reported to anybody
    if ray.is_initialized():
        return ray
    try:
        host, _, port = address.rpartition(":")
        if host and port.isdecimal() and "/" not in host:  # Ray itself would try for minutes
            socket.create_connection((host, int(port)), timeout=10).close()
        where = {} if address == "local" else {"address": address}
        ray.init(**where, log_to_driver=False, logging_level="ERROR", include_dashboard=None if where else False)
    except (OSError, OverflowError, ValueError, RuntimeError) as e:
        reason = " ".join(str(e).split())[:200].rstrip(".")
        raise UsageError(
            f"No Ray cluster answers at {address!r}: {reason}.",
            "Start one with `ray start --head`, or let --ray local start it here; where one runs and has a token, "
            "export RAY_AUTH_MODE=token.",
        ) from e
    return ray


class RayLane:
    """One actor, made again wherever there is room when it or its node is lost.

    Parameters
    ----------
    ray
        The module, connected.
    demands, checkpoint
        Of `Node`; the checkpoint as a reference into Ray's object store.
    protected
        Folders that no worker must write to.
    """

    def __init__(self, ray: Any, demands: Demands, checkpoint: Any, protected: tuple[Path, ...]) -> None:
        self.ray = ray
        self.demands = demands
        self.checkpoint = checkpoint
        self.protected = protected
        self.device = demands.hardware
        self.log = "worker.log in the study"
        self.on_progress: Callable[[float], None] = lambda fraction: None  # an actor tells nothing before its end
        self.actor: Any = None
        self.stopped = threading.Event()
        self.closing: Any = None

    def open(self) -> None:
        """Wait until Ray has a place for the actor, and the actor says that it can train this study.

        Raises
        ------
        EngineError
            The node cannot train replicates of this study.
        LaneLost
            The lane was stopped.
        """
        for attempt in range(1, _STARTS + 1):
            if self.actor is None:
                wanted = {"num_cpus": self.demands.cpus, "num_gpus": self.demands.gpus, "max_concurrency": 2}
                options = {**wanted, "scheduling_strategy": "SPREAD", "max_restarts": 0}
                self.actor = self.ray.remote(**options)(Node).remote(self.demands, self.checkpoint)
            try:
                refusal = self._get(self.actor.ready.remote())
            except self.ray.exceptions.RayError as e:  # killed while it started, or it could not start at all
                self.actor = None
                if attempt == _STARTS:
                    words = " ".join(str(e).split())[-300:]
                    raise EngineError(f"A Ray actor could not be started: {words}", "Is drift on every node?") from e
                continue
            if refusal:
                self.ray.kill(self.actor)
                raise EngineError(str(refusal), "Every node needs the versions, the data and the device of the study.")
            return

    def train(self, job: ArmJob, seed: int) -> Replicate:
        """Train one seed on the node, and write the replicate into the driver's store when it arrives.

        Raises
        ------
        LaneLost
            The actor or its node is gone.
        WorkerDied, DriftError
            As its worker did.
        """
        try:
            found = self._get(self.actor.train.remote(job, self.protected, seed))
        except self.ray.exceptions.RayError as e:
            self.actor = None
            raise LaneLost("A Ray actor or its node is gone.") from e
        if isinstance(found, Failure):
            raise found.error()
        assert isinstance(found, Replicate)
        if found.outcome is not Outcome.FAILED:
            Store(job.root, job.study).put(found)
        return found

    def _get(self, reference: Any) -> Any:
        """What the actor answers; comes back within a second of `kill`."""
        while not self.stopped.is_set():
            done, _ = self.ray.wait([reference], timeout=1.0)
            if done:
                return self.ray.get(done[0])
        raise LaneLost("It was stopped.")

    def kill(self) -> None:
        """Stop the worker of the actor, without waiting for it."""
        self.stopped.set()
        if self.actor is not None:
            self.closing = self.actor.close.remote()

    def close(self) -> None:
        """Give the actor a moment to clean its node, then end it."""
        if self.actor is not None:
            self.ray.wait([self.closing], timeout=_PATIENCE)
            self.ray.kill(self.actor)


class RayExecutor(Pool):
    """Lanes on a cluster, as many as it has room for; nodes may come and go while it works.

    Parameters
    ----------
    ray
        The module, connected; shut down by `close`.
    demands, checkpoint, protected
        As for `RayLane`; the checkpoint as bytes.
    say
        As for `Pool`.
    """

    def __init__(
        self, ray: Any, demands: Demands, checkpoint: bytes, protected: tuple[Path, ...], say: Callable[[str], None]
    ) -> None:
        super().__init__((), lambda fraction: None, say)
        self.ray = ray
        reference = ray.put(checkpoint)
        self.make: Callable[[], RayLane] = lambda: RayLane(ray, demands, reference, protected)
        self.demands = demands
        self.looked = float("-inf")
        self.told = False
        self.tick()

    def tick(self) -> None:
        """Every few seconds: a lane for each new place of the cluster."""
        if time.monotonic() - self.looked < _LOOK:
            return
        self.looked = time.monotonic()
        room = places(self.ray.cluster_resources(), self.demands)
        # A place that was refused stays counted: it would be refused again.
        for _ in range(min(room, _MOST) - len(self.lanes)):
            self.add(self.make())
        if not self.lanes and not self.told:
            self.told = True
            self.say("The Ray cluster has no free place: waiting for a node.")

    def close(self) -> None:
        """Stop every actor and leave the cluster."""
        super().close()
        self.ray.shutdown()


def places(resources: Mapping[str, float], demands: Demands) -> int:
    """How many workers fit on a cluster.

    Examples
    --------
    >>> places({"GPU": 3.0, "CPU": 64.0}, Demands({}, "cuda (A100)", (), cpus=1, gpus=0.5))
    6
    """
    by_gpu = resources.get("GPU", 0.0) / demands.gpus if demands.gpus else float("inf")
    return int(min(by_gpu, resources.get("CPU", 0.0) / demands.cpus) + 1e-9)
