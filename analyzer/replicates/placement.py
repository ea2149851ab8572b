"""Where replicates are trained, and how many at once. The rest of the pipeline does not know."""

from __future__ import annotations

import importlib
import os
from dataclasses import dataclass, replace
from typing import Any

from analyzer.errors import UsageError
from analyzer.replicates.devices import Device, approximate, choose_device, count, gpu_share, named_device
from analyzer.replicates.executors.ray_cluster import connect
from analyzer.replicates.executors.ray_node import gpu_name
from analyzer.replicates.options import TrainingOptions

__all__ = ["Placement", "place", "ultralytics_threads"]

_WORTH = 20.0  # seconds of work from which a second worker pays for its start (6 to 12 s of imports and set-up)
_TYPICAL = 8  # replicates of an analysis that stops when it has seen enough (`make calibrate-resumes`: 8.4)
_MEMORY = 2 * 1024**3  # bytes that must be free for each worker that nobody asked for; the demo's takes 0.85 GB


@dataclass(frozen=True, slots=True)
class Placement:
    """The workers of a study.

    Parameters
    ----------
    devices
        One entry a worker, as Ultralytics takes it.
    threads
        CPU threads of each replicate; None where a GPU trains.
    run_threads
        What Ultralytics itself takes on this machine's CPU, for a replay; None where a GPU trains.
    ray
        Address of the Ray cluster that has the workers instead; None: they are here.
    per_device
        Workers on each GPU of a cluster.
    share
        GPUs of a worker over those of the run, at most 1.
    """

    devices: tuple[str, ...] = ("cpu",)
    threads: int | None = None
    run_threads: int | None = None
    ray: str | None = None
    per_device: int = 1
    share: float = 1.0

    @property
    def at_once(self) -> float:
        """How many replicates are finished while the run itself would train one, at the least.

        Workers of one GPU share it, with fewer GPUs or CPU threads than the run's they are as much slower, and a
        cluster may shrink to one worker.
        """
        if self.ray is not None:
            return self.share
        if self.threads is None or self.run_threads is None:
            return self.share * len(set(self.devices))
        busy = min(len(self.devices), max((os.cpu_count() or 1) // self.threads, 1))
        return busy * self.threads / self.run_threads


def ultralytics_threads() -> int:
    """CPU threads with which Ultralytics trains here (``NUM_THREADS``; it overrides OMP_NUM_THREADS)."""
    return min(8, max(1, (os.cpu_count() or 1) - 1))


def place(
    options: TrainingOptions,
    trained_on: Any,
    seconds: float | None,
    *,
    single_threaded: bool = False,
    torch: Any = None,
) -> tuple[Device, Placement]:
    """The device of a study, and the workers on it.

    On a CPU, several workers have one thread each. Threads change the last bits of a replicate, so its number is part
    of the study's name, and nobody gets several workers unasked where Ultralytics itself takes more than one thread.

    Parameters
    ----------
    options
        ``device``, ``workers_on``, ``per_device``, ``ray``, ``replicates``.
    trained_on
        ``device`` of the run's arguments.
    seconds
        What a replicate takes; None where that is not known.
    single_threaded
        Whether a study of single-threaded replicates is there, and none of the other kind.
    torch
        The torch module; a fake in tests.

    Raises
    ------
    UsageError
        A device is not here, or the devices are of different kinds.
    """
    if options.ray is not None:
        return _on_cluster(options, options.ray, trained_on)
    devices = _devices(options, trained_on, torch)
    device = devices[0]
    if len(devices) > 1:
        device = replace(device, words=f"{len(devices)} x {device.hardware}")
    replicates = options.replicates or _TYPICAL
    per_device = options.per_device or _unasked(device, seconds, replicates, single_threaded)
    workers = tuple(d.argument for _ in range(per_device) for d in devices)
    if device.argument != "cpu":
        return device, Placement(workers, share=gpu_share(device.argument, trained_on))
    threads = 1 if per_device > 1 else ultralytics_threads()
    return device, Placement(workers, threads, ultralytics_threads())


def _on_cluster(options: TrainingOptions, address: str, trained_on: Any) -> tuple[Device, Placement]:
    """The kind of device of a cluster: GPUs where it has some and nothing asks for the CPU."""
    if options.workers_on is not None:
        raise UsageError("--ray and --workers-on both say where to train.", "Give one of them.")
    ray = connect(address)
    per_device = options.per_device or 1
    if options.device is not None and count(options.device) > 1:
        raise UsageError(f"--ray trains each replicate on one device, not on {options.device}.", "Leave --device out.")
    gpus = ray.cluster_resources().get("GPU")
    if options.device not in (None, "cpu") and not gpus:
        raise UsageError(f"--device {options.device!r}: the cluster at {address!r} has no GPU.", "Leave --device out.")
    if not gpus or str(options.device or trained_on or "").lower() == "cpu":
        note = approximate("cpu", trained_on)
        return Device("cpu", "cpu (Ray)", note, "cpu"), Placement((), 1, ultralytics_threads(), address)
    kind = ray.get(ray.remote(num_gpus=1 / per_device)(gpu_name).remote())
    placement = Placement((), ray=address, per_device=per_device, share=gpu_share("0", trained_on))
    return Device("0", f"{kind} (Ray)", approximate("0", trained_on), kind), placement


def _devices(options: TrainingOptions, trained_on: Any, torch: Any) -> tuple[Device, ...]:
    if options.workers_on is None:
        return (choose_device(options.device, trained_on, torch=torch),)
    if options.device is not None:
        raise UsageError("--device and --workers-on both say where to train.", "Give one of them.")
    names = [name.strip() for name in options.workers_on.split(",") if name.strip()]
    torch = torch or importlib.import_module("torch")
    named = (named_device(name, torch, option="--workers-on") for name in names)
    found = tuple(replace(d, note=approximate(d.argument, trained_on)) for d in named)
    if not found or len({d.argument for d in found}) < len(found):
        raise UsageError(
            f"--workers-on {options.workers_on!r} names no device, or one twice.",
            "Write --workers-on 0,1; several on one device are asked for with --per-device.",
        )
    kinds = {d.hardware for d in found}
    if len(kinds) > 1:
        raise UsageError(
            f"--workers-on mixes {' and '.join(sorted(kinds))}: replicates of one null come from one kind of device.",
            "Name devices of one kind.",
        )
    return found


def _unasked(device: Device, seconds: float | None, replicates: int, single_threaded: bool) -> int:
    """How many workers where nobody said: more than one only where the replicates are the same and it pays."""
    if device.argument != "cpu" or (ultralytics_threads() > 1 and not single_threaded):
        return 1
    least = 1 if ultralytics_threads() == 1 else 2  # extends what an earlier command made
    if seconds is None or seconds * replicates < _WORTH:
        return least
    return max(least, min(os.cpu_count() or 1, _free_memory() // _MEMORY, replicates // 2))


def _free_memory() -> int:
    import psutil  # Ultralytics needs it, too

    return int(psutil.virtual_memory().available)
