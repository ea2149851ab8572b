"""Facts by Ultralytics version, as plain data, and the installed versions without importing anything heavy.

The facts were read in the published wheels of the versions named: a feature is known to be absent up to one version and
present from another; between the two nobody looked, and the answer is None.
"""

from __future__ import annotations

import platform
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from types import MappingProxyType

__all__ = [
    "FEATURES",
    "TRAIN_DEFAULTS",
    "Feature",
    "groups_differ",
    "has_feature",
    "installed_versions",
    "parse_version",
    "resume_allows",
]

_Version = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Feature:
    """When something came into Ultralytics.

    Parameters
    ----------
    absent
        Last version in which it was seen to be missing.
    present
        First version in which it was seen.
    what
        In words.
    """

    absent: _Version
    present: _Version
    what: str


FEATURES: Mapping[str, Feature] = MappingProxyType(
    {
        "plain-csv": Feature((8, 3, 5), (8, 3, 10), "results.csv with `time`, plain headers and %.6g"),
        "scaler-saved": Feature((8, 3, 200), (8, 3, 225), "the AMP scaler's state is in the checkpoint"),
        "weights-first": Feature(
            (8, 3, 200), (8, 4, 0), "the optimizer's groups are weights, norms, biases; before: biases, weights, norms"
        ),
        "nan-recovery": Feature((8, 3, 200), (8, 4, 0), "last.pt is reloaded in the middle of a run after a NaN"),
        "loss-schedule-restored": Feature((8, 4, 0), (8, 4, 33), "the E2E loss schedule goes on after a resume"),
        "device-visible": Feature(
            (8, 4, 86), (8, 4, 87), "device= counts the visible GPUs; before, it replaces CUDA_VISIBLE_DEVICES"
        ),
        "loader-seeded": Feature((8, 4, 120), (8, 4, 126), "the seed reaches the loader's generator"),
        "resume-reports-ignored": Feature((8, 4, 150), (8, 4, 165), "refused arguments are warned about"),
        "stopper-saved": Feature((8, 4, 165), (8, 4, 172), "the early stopper's state is in the checkpoint"),
        "auto-optimizer-saved": Feature((8, 4, 165), (8, 4, 172), "what optimizer=auto chose is in train_args"),
    }
)

# Arguments that `check_resume` lets through, and since when (absent, present).
_ALWAYS = frozenset({"imgsz", "batch", "device", "close_mosaic", "data"})
_SINCE: Mapping[str, tuple[_Version, _Version]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("augmentations", "save_period", "workers", "cache", "patience", "time", "freeze", "val", "plots"),
            ((8, 3, 225), (8, 3, 240)),
        ),
        "distill_model": ((8, 4, 70), (8, 4, 80)),
        "save_dir": ((8, 4, 80), (8, 4, 100)),
        "channels_last": ((8, 4, 132), (8, 4, 140)),
    }
)

# Defaults of the training arguments, for a key that one of two versions does not know. Those that changed between
# 8.3.0 and 8.4.190 without changing their meaning (multi_scale: False and 0.0) are equal after normalisation.
TRAIN_DEFAULTS: Mapping[str, object] = MappingProxyType(
    {
        "time": None, "batch": 16, "imgsz": 640, "cache": False, "device": None, "workers": 8, "pretrained": True,
        "cls_remap": True, "optimizer": "auto", "seed": 0, "deterministic": True, "single_cls": False, "rect": False,
        "cos_lr": False, "close_mosaic": 10, "amp": True, "fraction": 1.0, "freeze": None, "multi_scale": 0.0,
        "compile": False, "channels_last": None, "overlap_mask": True, "mask_ratio": 4, "dropout": 0.0, "val": True,
        "split": "val", "conf": None, "iou": 0.7, "max_det": 300, "agnostic_nms": False, "classes": None, "lr0": 0.01,
        "lrf": 0.01, "momentum": 0.937, "weight_decay": 0.0005, "warmup_epochs": 3.0, "warmup_momentum": 0.8,
        "warmup_bias_lr": 0.1, "distill_model": None, "dis": 6.0, "box": 7.5, "cls": 0.5, "cls_pw": 0.0, "dfl": 1.5,
        "pose": 12.0, "kobj": 1.0, "rle": 1.0, "angle": 1.0, "dlog": 1.0, "dgrad": 0.5, "dlam": 1.0, "nbs": 64,
        "label_smoothing": 0.0, "hsv_h": 0.015, "hsv_s": 0.7, "hsv_v": 0.4, "degrees": 0.0, "translate": 0.1,
        "scale": 0.5, "shear": 0.0, "perspective": 0.0, "flipud": 0.0, "fliplr": 0.5, "bgr": 0.0, "mosaic": 1.0,
        "mixup": 0.0, "cutmix": 0.0, "copy_paste": 0.0, "copy_paste_mode": "flip", "auto_augment": "randaugment",
        "erasing": 0.4, "crop_fraction": 1.0, "augmentations": None, "end2end": None, "quantize": None,
    }
)  # fmt: skip


def parse_version(text: str | None) -> _Version | None:
    """Read a version; None where there is none.

    Examples
    --------
    >>> parse_version("8.4.190"), parse_version("8.3.5rc1"), parse_version(None)
    ((8, 4, 190), (8, 3, 5), None)
    """
    match = re.match(r"\s*v?(\d+)\.(\d+)(?:\.(\d+))?", text or "")
    return (int(match[1]), int(match[2]), int(match[3] or 0)) if match else None


def _between(version: _Version, absent: _Version, present: _Version) -> bool | None:
    if version >= present:
        return True
    return False if version <= absent else None


def has_feature(name: str, version: str | None) -> bool | None:
    """Whether a version has a feature of :data:`FEATURES`; None where it is not known.

    Examples
    --------
    >>> has_feature("scaler-saved", "8.4.0"), has_feature("scaler-saved", "8.3.100"), has_feature("scaler-saved", "?")
    (True, False, None)
    """
    parsed = parse_version(version)
    feature = FEATURES[name]
    return None if parsed is None else _between(parsed, feature.absent, feature.present)


def groups_differ(one: str | None, other: str | None) -> bool:
    """Whether two versions are known to keep the optimizer's parameter groups in different orders.

    Neither can then resume a checkpoint of the other: torch refuses to load the optimizer's state.

    Examples
    --------
    >>> groups_differ("8.3.0", "8.4.190"), groups_differ("8.3.0", "8.3.200"), groups_differ(None, "8.4.190")
    (True, False, False)
    """
    first, second = has_feature("weights-first", one), has_feature("weights-first", other)
    return first is not None and second is not None and first is not second


def resume_allows(name: str, version: str | None) -> bool:
    """Whether an argument may change on resume in a version; in doubt (version unknown or between two read ones) yes.

    Examples
    --------
    >>> resume_allows("batch", "8.3.0"), resume_allows("workers", "8.3.200"), resume_allows("lr0", "8.4.190")
    (True, False, False)
    """
    if name in _ALWAYS:
        return True
    if name not in _SINCE:
        return False
    parsed = parse_version(version)
    return parsed is None or _between(parsed, *_SINCE[name]) is not False


def installed_versions() -> dict[str, str | None]:
    """Versions of Python and of the packages that shape a training, from their metadata; None where not installed."""
    versions: dict[str, str | None] = {"python": platform.python_version()}
    for name in ("ultralytics", "torch", "torchvision", "numpy", "opencv-python", "albumentations"):
        try:
            versions[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            versions[name] = None
    return versions
