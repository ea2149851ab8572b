"""Keep the user's files, settings and trackers out of reach of the replicates."""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import Any

__all__ = ["guard_loads", "guard_writes", "quiet_settings", "redirect_caches", "spare_images"]

TRACKERS = ("clearml", "comet", "dvc", "hub", "mlflow", "neptune", "raytune", "tensorboard", "wandb")


def quiet_settings(scratch: Path) -> None:
    """Switch every tracker and the analytics off in the private settings file."""
    from ultralytics.utils import SETTINGS

    wanted: dict[str, Any] = dict.fromkeys((*TRACKERS, "sync"), False)
    wanted |= {k: str(scratch / k) for k in ("datasets_dir", "weights_dir", "runs_dir")}
    SETTINGS.update({k: v for k, v in wanted.items() if k in SETTINGS})


def redirect_caches(scratch: Path) -> None:
    """Build label caches in scratch: Ultralytics would write them into the data folder, and read pickles from there."""
    from ultralytics.data import dataset, utils

    def place(path: Path) -> Path:
        name = hashlib.sha256(str(Path(path).absolute()).encode()).hexdigest()[:16]
        folder = scratch / "labels"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.cache"

    load, save = utils.load_dataset_cache_file, utils.save_dataset_cache_file

    def load_in_scratch(path: Path) -> Any:
        return load(place(path))

    def save_in_scratch(prefix: str, path: Path, x: dict[str, Any], version: str) -> None:
        save(prefix, place(path), x, version)

    for module in (dataset, utils):
        module.load_dataset_cache_file = load_in_scratch
        module.save_dataset_cache_file = save_in_scratch


def guard_loads(scratch: Path) -> None:
    """Let Ultralytics unpickle nothing but what this process wrote, unless the checkpoint is trusted.

    A run's arguments may name further checkpoints (``pretrained``, a teacher). Only newer versions of Ultralytics have
    an allow-list, so those go through ours, in any version. To be called before Ultralytics is imported, since it keeps
    a reference to ``torch.load``.

    Parameters
    ----------
    scratch
        Where the worker's own checkpoint copy and label caches lie.
    """
    if os.environ.get("ULTRALYTICS_SAFE_LOAD") == "false":  # what `environment` says where the user trusts the file
        return
    import numpy as np
    import torch

    from analyzer.runs.checkpoint import load_payload

    inside = os.path.realpath(scratch) + os.sep
    load, arrays = torch.load, np.load

    def is_own(file: object) -> bool:
        return isinstance(file, (str, os.PathLike)) and os.path.realpath(file).startswith(inside)

    def load_listed(f: Any, *args: Any, **kwargs: Any) -> Any:
        if isinstance(f, (str, os.PathLike)) and not is_own(f):
            return load_payload(Path(f))
        return load(f, *args, **{**kwargs, "weights_only": kwargs.get("weights_only") if is_own(f) else True})

    def load_plain(file: Any, *args: Any, **kwargs: Any) -> Any:
        return arrays(file, *args, **(kwargs if is_own(file) else {**kwargs, "allow_pickle": False}))

    torch.load = load_listed
    np.load = load_plain


def guard_writes(protected: tuple[Path, ...], allowed: tuple[Path, ...]) -> None:
    """Refuse every write of this process under the protected folders, but for the allowed ones inside them.

    An audit hook (PEP 578) cannot be removed: it also stops what Ultralytics would do on its own, such as saving a
    repaired JPEG or an ``.npy`` beside the user's image.
    """
    shut = tuple(os.path.realpath(p) + os.sep for p in protected)
    open_ = tuple(os.path.realpath(p) + os.sep for p in allowed)
    changing = {"os.remove", "os.rename", "os.rmdir", "os.mkdir", "os.truncate", "os.link", "os.symlink", "os.chmod"}

    def refuse(path: Any) -> None:
        if not isinstance(path, (str, bytes, os.PathLike)):
            return  # a file descriptor that is already open
        place = os.path.realpath(os.fsdecode(path)) + os.sep
        if place.startswith(shut) and not place.startswith(open_):
            raise PermissionError(f"replicates may not write {os.fsdecode(path)}")

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, mode, flags = arguments
            if (isinstance(mode, str) and set(mode) & set("wax+")) or (
                mode is None and isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            ):
                refuse(path)
        elif event in changing:
            for path in arguments[:2] if event in {"os.rename", "os.link"} else arguments[:1]:
                refuse(path)

    sys.addaudithook(hook)


def spare_images(protected: tuple[Path, ...]) -> None:
    """Skip the repair of a truncated JPEG: Ultralytics re-saves the user's file while it reads the labels.

    The write must be skipped, not refused: an exception there would count the image as corrupt and drop it, and the
    replicate would train on other data than the user's run did.
    """
    from PIL import Image

    shut = tuple(os.path.realpath(p) + os.sep for p in protected)
    save = Image.Image.save

    def save_elsewhere(self: Any, fp: Any, *args: Any, **kwargs: Any) -> None:
        if isinstance(fp, (str, os.PathLike)) and os.path.realpath(fp).startswith(shut):
            return
        save(self, fp, *args, **kwargs)

    Image.Image.save = save_elsewhere  # type: ignore[method-assign]
