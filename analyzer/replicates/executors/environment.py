"""The environment of a worker process, and how its device is named there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from analyzer.replicates.devices import count
from analyzer.runs.versions import has_feature

__all__ = ["as_ultralytics_names", "first_rank", "worker_environment"]

_LAUNCHER = frozenset(
    {f"{of}{what}" for of in ("", "LOCAL_", "GROUP_", "ROLE_") for what in ("RANK", "WORLD_SIZE")}
    | {"MASTER_ADDR", "MASTER_PORT"}
)


def as_ultralytics_names(device: str, environ: Mapping[str, str], version: str | None) -> str:
    """The device as Ultralytics of that version takes it, in a process with that environment.

    Up to 8.4.86 (PR #25021) ``device`` replaced ``CUDA_VISIBLE_DEVICES``: where a scheduler had given GPU 3 to the
    command, its first GPU was named 3, and 0 was another user's.

    Parameters
    ----------
    device
        As torch counts the visible devices here: "0", "0,1"; "cpu" stays as it is.
    environ
        Of the worker.
    version
        Of Ultralytics.

    Examples
    --------
    >>> as_ultralytics_names("0,1", {"CUDA_VISIBLE_DEVICES": "4,6,7"}, "8.3.0")
    '4,6'
    >>> as_ultralytics_names("0,1", {"CUDA_VISIBLE_DEVICES": "4,6,7"}, "8.4.190")
    '0,1'
    """
    visible = [name.strip() for name in environ.get("CUDA_VISIBLE_DEVICES", "").split(",")]
    indices = device.split(",")
    if has_feature("device-visible", version) is not False or not all(
        i.isdecimal() and int(i) < len(visible) and visible[int(i)].isdecimal() for i in indices
    ):
        return device
    return ",".join(visible[int(i)] for i in indices)


def first_rank(device: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Environment of the first rank; for a single device one without any.

    What a launcher put there (a pod of a PyTorchJob, a shell under torchrun) is of a job of its own: Ultralytics would
    take the worker for a rank of that.

    Parameters
    ----------
    device
        As Ultralytics takes it: "cpu", "0", "0,1".
    environ
        Of a worker.
    """
    alone = {k: v for k, v in environ.items() if k not in _LAUNCHER and not k.startswith("TORCHELASTIC_")}
    n = count(device)
    if n == 1:
        return alone
    first = {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": str(n), "LOCAL_WORLD_SIZE": str(n)}
    return {"OMP_NUM_THREADS": "1", **alone, **first, "MASTER_ADDR": "127.0.0.1"}


def worker_environment(scratch: Path, base: Mapping[str, str], *, trust: bool = False) -> dict[str, str]:
    """Environment of a worker: a private Ultralytics configuration, offline, nothing installed behind one's back."""
    return {
        **base,
        "YOLO_CONFIG_DIR": str(scratch / "config"),
        "YOLO_OFFLINE": "true",
        "YOLO_AUTOINSTALL": "false",
        # What a checkpoint names (a teacher, say) is loaded with an allow-list too.
        "ULTRALYTICS_SAFE_LOAD": "false" if trust else "true",
        "MPLBACKEND": "Agg",
        "WANDB_MODE": "disabled",
        "COMET_MODE": "disabled",
        "CLEARML_OFFLINE_MODE": "1",
        "MLFLOW_TRACKING_URI": (scratch / "mlruns").as_uri(),
        "PYTHONDONTWRITEBYTECODE": "1",
        # The worker starts in scratch; its modules are found where the driver's were.
        "PYTHONPATH": os.pathsep.join(str(p.absolute()) for p in _modules(base)),
    }


def _modules(base: Mapping[str, str]) -> tuple[Path, ...]:
    return tuple(Path(p) for p in base.get("PYTHONPATH", "").split(os.pathsep) if p)
