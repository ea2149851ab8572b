"""The workers of a study: one on this machine, several, or those of a cluster."""

from __future__ import annotations

from analyzer.domain.progress import Progress
from analyzer.replicates.executors.pool import Executor, Pool, scratch_folders
from analyzer.replicates.executors.ray_cluster import RayExecutor, connect
from analyzer.replicates.executors.ray_node import Demands
from analyzer.replicates.executors.worker_process import WorkerProcess
from analyzer.replicates.study import Study

__all__ = ["executor_for"]


def executor_for(study: Study, progress: Progress) -> Executor:
    """The executor of a study's placement."""
    if study.placement.ray is not None:
        return _ray_executor(study, progress, study.placement.ray)
    devices = study.placement.devices

    def moved(fraction: float) -> None:
        progress.epoch_fraction(round(1000 * fraction), 1000)

    folders = scratch_folders(study.store.path, len(devices))
    if len(devices) > 1:
        progress.message(f"{len(devices)} workers at once: {', '.join(dict.fromkeys(devices))}.")
    pairs = zip(folders, devices, strict=True)
    lanes = [WorkerProcess(folder, study.protected, device=device) for folder, device in pairs]
    return Pool(lanes, moved, progress.message)


def _ray_executor(study: Study, progress: Progress, address: str) -> Executor:
    others = ((study.other_data, study.other_sha256),) if study.other_data else ()
    demands = Demands(
        versions=study.versions,
        hardware=study.device.hardware,
        data=((study.data, str(study.data_facts["sha256"])), *others),
        cpus=1,
        gpus=0 if study.device.argument == "cpu" else 1 / study.placement.per_device,
    )
    content = study.checkpoint.path.read_bytes()
    return RayExecutor(connect(address), demands, content, study.protected, progress.message)
