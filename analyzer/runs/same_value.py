"""One spelling for each meaning: whether two values of a training argument mean the same."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from pathlib import Path, PurePath

__all__ = ["is_automatic_device", "same_value", "spelling"]

_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$", re.IGNORECASE)
_PATHS = frozenset({"data", "distill_model", "pretrained"})


def same_value(name: str, old: object, new: object) -> bool:
    """Whether two values of one argument mean the same, across yaml and pickle, spellings and relative paths.

    Examples
    --------
    >>> same_value("lr0", "1e-3", 0.001), same_value("device", 0, "cuda:0"), same_value("cache", True, "ram")
    (True, True, True)
    >>> same_value("data", "data.yaml", "/home/me/data.yaml"), same_value("mosaic", 1.0, 0.0)
    (True, False)
    """
    a, b = _normal(name, old), _normal(name, new)
    if _equal(a, b):
        return True
    return name in _PATHS and isinstance(a, str) and isinstance(b, str) and _same_path(a, b)


def is_automatic_device(value: object) -> bool:
    """Whether a device argument leaves the choice to Ultralytics."""
    return _device(value) == ""


def spelling(value: object) -> str:
    """A value as lower-case text without outer spaces."""
    return str(value).strip().lower()


def _equal(a: object, b: object) -> bool:
    if isinstance(a, float) and isinstance(b, float):
        return math.isclose(a, b, rel_tol=1e-9, abs_tol=1e-15) or (math.isnan(a) and math.isnan(b))
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_equal(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_equal(a[k], b[k]) for k in a)
    return type(a) is type(b) and bool(a == b)


def _same_path(a: str, b: str) -> bool:
    """Whether two spellings can mean one file: the same on disk, or one the end of the other."""
    try:
        if Path(a).exists() and Path(b).exists():
            return Path(a).samefile(b)
    except (OSError, ValueError):
        pass
    parts = sorted((_parts(a), _parts(b)), key=len)
    relative = not (parts[0][:1] == ["/"] or re.match(r"[A-Za-z]:$", parts[0][0] if parts[0] else ""))
    return relative and bool(parts[0]) and parts[1][-len(parts[0]) :] == parts[0]


def _parts(text: str) -> list[str]:
    slashed = text.replace("\\", "/")
    root = ["/"] if slashed.startswith("/") else []
    return root + [p for p in slashed.split("/") if p not in ("", ".")]


def _normal(name: str, value: object) -> object:
    """One spelling for each meaning; numbers become floats, sequences lists, paths and enums text."""
    special = _SPECIAL.get(name)
    return _plain(special(value) if special else value)


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, str):
        return _plain_text(value.strip())
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_plain(v) for v in value]
    if isinstance(value, Mapping):
        return {str(k): _plain(v) for k, v in value.items()}
    item = getattr(value, "item", None)  # of a numpy or torch scalar
    if callable(item):
        value = item()
    return float(value) if isinstance(value, (int, float)) else value


def _plain_text(text: str) -> object:
    lower = text.lower()
    if lower in ("none", "null", "~"):
        return None
    if lower in ("true", "false"):
        return lower == "true"
    return float(text) if _NUMBER.match(text) else text  # yaml 1.1 reads 1e-3 as a string


def _device(value: object) -> str:
    text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else spelling("" if value is None else value)
    text = re.sub(r"cuda:|[()\[\]' ]", "", text)
    return {"cuda": "", "none": "", "-1": "", "gpu": "0"}.get(text, f"device {text}" if text else "")


def _cache(value: object) -> object:
    return {"": False, "none": False, "false": False, "true": "ram"}.get(
        spelling("" if value is None else value), value
    )


def _amp(value: object) -> object:
    return {"fp16": True, "fp32": False}.get(spelling(value), value)


def _off(value: object) -> object:
    """False, None, 0 and an empty list all mean off."""
    plain = _plain(value)
    return None if isinstance(plain, (bool, float, list)) and not plain else plain


def _square(value: object) -> object:
    items = list(value) if isinstance(value, (list, tuple)) else [value]
    return items[0] if items and all(i == items[0] for i in items) else value


_SPECIAL: Mapping[str, Callable[[object], object]] = {
    "device": _device,
    "cache": _cache,
    "amp": _amp,
    "freeze": _off,
    "multi_scale": _off,
    "compile": _off,
    "classes": _off,
    "augmentations": _off,
    "imgsz": _square,
    "optimizer": spelling,
}
