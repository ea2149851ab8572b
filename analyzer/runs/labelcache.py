"""Read Ultralytics' label caches: a pickle inside a .npy file, opened with a table of names and nothing else."""

from __future__ import annotations

import io
import pickle
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from analyzer.files import read_regular
from analyzer.runs.pickle_scan import BROKEN, DType, encode, joined_path, refuse_huge_numbers, scalar

__all__ = ["CacheFacts", "read_label_cache"]

_LIMIT = 20_000_000  # bytes, some 75,000 images: 60,000 (16 MB) took 1.8 s, and an audit has five
_HEADER = 65_536


@dataclass(frozen=True, slots=True)
class CacheFacts:
    """A label cache.

    Parameters
    ----------
    path
        The file.
    modified
        Seconds since 1970.
    hash
        Its ``hash`` field: Ultralytics uses the cache only where this fits the files; None where it was not read.
    version
        Its ``version`` field, or None.
    classes
        Image file to class index to number of instances.
    problem
        Why it was not read; empty where it was.
    """

    path: Path
    modified: float
    hash: str | None = None
    version: str | None = None
    classes: Mapping[str, Mapping[int, int]] = field(default_factory=dict)
    problem: str = ""


class _Array:
    """Stand-in for a numpy array: its state as the pickle gives it."""

    def __init__(self, *args: object) -> None:
        self.state: tuple[Any, ...] = ()

    def __setstate__(self, state: tuple[Any, ...]) -> None:
        self.state = state

    def flat(self) -> list[Any]:
        """Its elements: those of an object array, or the numbers of a plain one."""
        if len(self.state) != 5:
            return []
        dtype, content = self.state[2], self.state[4]
        if isinstance(content, list):
            return content
        code = getattr(dtype, "code", "")
        if not isinstance(content, bytes) or code[:1] not in ("f", "i", "u"):
            return []
        return list(np.frombuffer(content, dtype=np.dtype(code)))


_NAMES: dict[str, Any] = {"numpy.dtype": DType, "numpy.ndarray": _Array, "_codecs.encode": encode}
for _core in ("numpy.core", "numpy._core"):
    _NAMES[f"{_core}.multiarray._reconstruct"] = _Array
    _NAMES[f"{_core}.numeric._frombuffer"] = lambda raw, dtype, shape, order: _buffer(raw, dtype, shape)
    _NAMES[f"{_core}.multiarray.scalar"] = scalar
for _module in ("pathlib", "pathlib._local"):
    for _class in ("PosixPath", "WindowsPath", "PurePosixPath", "PureWindowsPath"):
        _NAMES[f"{_module}.{_class}"] = joined_path


def _buffer(raw: object, dtype: object, shape: object) -> _Array:
    array = _Array()
    array.state = (1, shape, dtype, False, bytes(raw) if isinstance(raw, (bytes, bytearray)) else b"")
    return array


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        full = f"{module}.{name}"
        if full not in _NAMES:
            raise pickle.UnpicklingError(f"it names {full}, which no label cache holds")
        return _NAMES[full]

    def persistent_load(self, pid: object) -> object:
        raise pickle.UnpicklingError("it refers to something outside")


def read_label_cache(path: Path) -> CacheFacts:
    """Read a ``labels/*.cache``; nothing in it is imported or run, and it is not rewritten.

    Returns
    -------
    CacheFacts
        With a `problem` where it cannot be read or names anything but arrays; never an exception for its content.
    """
    try:
        stat = path.stat()
        if stat.st_size > _LIMIT:
            return CacheFacts(
                path, stat.st_mtime, problem=f"too large to be read in time ({stat.st_size / 1e6:.0f} MB)"
            )
        raw = read_regular(path)
    except OSError as e:
        return CacheFacts(path, 0.0, problem=f"cannot be read: {e.strerror}")
    try:
        held = _content(raw)
        labels = held.get("labels")
        found = dict(filter(None, map(_image, labels if isinstance(labels, list) else ())))
    except BROKEN as e:
        text = str(e).split("\n", 1)[0][:160] or type(e).__name__
        return CacheFacts(path, stat.st_mtime, problem=text)
    stored, version = held.get("hash"), held.get("version")
    return CacheFacts(
        path, stat.st_mtime, None if stored is None else str(stored), None if version is None else str(version), found
    )


def _content(raw: bytes) -> Mapping[Any, Any]:
    """The dictionary inside the 0-dimensional object array."""
    if raw[:6] != b"\x93NUMPY":
        raise pickle.UnpicklingError("it is no numpy file")
    wide = raw[6] > 1
    length = int.from_bytes(raw[8:12] if wide else raw[8:10], "little")
    if length > _HEADER:
        raise pickle.UnpicklingError("its header is too long")
    body = raw[(12 if wide else 10) + length :]
    refuse_huge_numbers(body)
    loaded = _Reader(io.BytesIO(body)).load()
    items = loaded.flat() if isinstance(loaded, _Array) else [loaded]
    if len(items) != 1 or not isinstance(items[0], dict):
        raise pickle.UnpicklingError("it holds no dictionary")
    return items[0]


def _image(entry: object) -> tuple[str, Mapping[int, int]] | None:
    """Image file and its instances by class."""
    if not isinstance(entry, dict) or "im_file" not in entry:
        return None
    classes = entry.get("cls")
    counted = Counter(int(c) for c in (classes.flat() if isinstance(classes, _Array) else ()))
    return str(entry["im_file"]), dict(counted)
