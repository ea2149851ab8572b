"""What runs on a node of a Ray cluster: one actor that holds one warm worker process. It imports no Ray itself."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from analyzer import errors
from analyzer.domain.replicate import Replicate
from analyzer.domain.run import DataSet
from analyzer.errors import DriftError, EngineError
from analyzer.replicates.executors.pool import scratch_folder
from analyzer.replicates.executors.worker_process import WorkerDied, WorkerProcess
from analyzer.replicates.job import ArmJob
from analyzer.runs.dataset import fingerprint_dataset
from analyzer.runs.versions import installed_versions

__all__ = ["Demands", "Failure", "Node", "gpu_name"]


@dataclass(frozen=True, slots=True)
class Demands:
    """What a node must have to train replicates of a study, or they would be other ones.

    Parameters
    ----------
    versions
        Of the packages that train.
    hardware
        The kind of device, as `analyzer.replicates.devices.Device.hardware` names it.
    data
        Data sets that the arms read, each with its fingerprint.
    cpus, gpus
        Share of a node that a worker takes; a GPU share below 1 puts several on one.
    """

    versions: Mapping[str, str]
    hardware: str
    data: tuple[tuple[DataSet, str], ...]
    cpus: float
    gpus: float


@dataclass(frozen=True, slots=True)
class Failure:
    """An exception of a worker."""

    kind: str
    what: str
    hint: str
    memory: bool = False

    def error(self) -> Exception:
        """The exception again, for the driver."""
        if self.kind == "WorkerDied":
            return WorkerDied(self.what, memory=self.memory)
        return getattr(errors, self.kind, EngineError)(self.what, self.hint)


class Node:
    """Body of the actor: runs where Ray puts it, and holds one warm worker there.

    Parameters
    ----------
    demands
        What must be had here.
    checkpoint
        Content of the study's checkpoint; it is written to this node's disk.
    """

    def __init__(self, demands: Demands, checkpoint: bytes) -> None:
        self.base = _node_folder()
        self.refusal = _refusal(demands)
        self.device = "cpu" if demands.gpus == 0 else "0"  # of those that Ray lets this process see
        self.checkpoint = checkpoint
        self.worker: WorkerProcess | None = None

    def ready(self) -> str:
        """Say why replicates of this study cannot be trained here; empty where they can."""
        return self.refusal

    def train(self, job: ArmJob, protected: tuple[Path, ...], seed: int) -> Replicate | Failure:
        """Train one seed; what went wrong comes back as plain words, which travel better than exceptions."""
        job = replace(job, root=self.base, checkpoint=self._checkpoint(job.checkpoint))
        if self.worker is None:
            folder = scratch_folder(self.base / job.study)
            self.worker = WorkerProcess(folder, protected, device=self.device)
        try:
            return self.worker.train(job, seed)
        except WorkerDied as e:
            return Failure("WorkerDied", e.what, "", e.memory)
        except DriftError as e:
            return Failure(type(e).__name__, e.what, e.hint)

    def _checkpoint(self, path: Path) -> Path:
        target = self.base / "checkpoints" / str(path).strip("/").replace("/", "_")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.checkpoint)
        return target

    def close(self) -> None:
        """Stop the worker, even while `train` waits for it, and leave nothing on this node."""
        if self.worker is not None:
            self.worker.kill()
        shutil.rmtree(self.base, ignore_errors=True)


def _node_folder() -> Path:
    """A folder of this actor on its node; those of actors that are gone are removed."""
    import psutil

    root = Path(tempfile.gettempdir()) / f"yolo-drift-{os.getuid()}"
    root.mkdir(mode=0o700, exist_ok=True)
    for folder in root.iterdir():
        owner = folder.name.partition("-")[0]
        if owner.isdecimal() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{os.getpid()}-", dir=root))


def gpu_name() -> str:
    """The kind of GPU that this process sees first, as `Device.hardware` names it."""
    import torch

    return f"cuda ({torch.cuda.get_device_name(0)})" if torch.cuda.is_available() else "no GPU"


def _refusal(demands: Demands) -> str:
    """Why this node would train other replicates; empty where it would not."""
    here = installed_versions()
    other = [f"{k} {here.get(k)} instead of {v}" for k, v in demands.versions.items() if here.get(k) != v]
    if other:
        return f"{socket.gethostname()} has {', '.join(other)}: its replicates would belong to another null."
    kind = "cpu" if demands.gpus == 0 else gpu_name()
    if kind != demands.hardware:
        return f"{socket.gethostname()} has {kind} instead of {demands.hardware}."
    for data, sha256 in demands.data:
        try:
            found = fingerprint_dataset(data).sha256
        except DriftError as e:
            return f"{socket.gethostname()} cannot read the data: {e.what}"
        if found != sha256:
            return f"{socket.gethostname()} has other data at {data.yaml}."
    return ""
