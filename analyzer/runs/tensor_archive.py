"""The numbers of a checkpoint's tensors, taken from the archive by their place: nothing is imported or unpickled."""

from __future__ import annotations

import io
import math
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from analyzer.errors import CheckpointError
from analyzer.runs.pickle_scan import Tensor

__all__ = ["Archive"]

_FORMATS: Mapping[str, tuple[str, str]] = {
    "HalfStorage": ("float16", "<f2"),
    "FloatStorage": ("float32", "<f4"),
    "DoubleStorage": ("float64", "<f8"),
    "BFloat16Storage": ("bfloat16", "<u2"),
}


class Archive:
    """The numbers of a checkpoint's tensors, by their stand-ins.

    Parameters
    ----------
    path, raw
        The file and its bytes.
    """

    def __init__(self, path: Path, raw: bytes) -> None:
        self.path = path
        self.raw = raw
        self.zip = zipfile.ZipFile(io.BytesIO(raw))
        self.whole: set[str] = set()  # members whose checksum was found right
        pickled = next(n for n in self.zip.namelist() if n == "data.pkl" or n.endswith("/data.pkl"))
        self.root = pickled.removesuffix("data.pkl")

    def format(self, tensor: Tensor) -> str | None:
        """Name of a floating-point format; None for whole numbers."""
        kind = tensor.storage[1] if isinstance(tensor.storage, tuple) and len(tensor.storage) == 5 else None
        return _FORMATS[str(kind)][0] if str(kind) in _FORMATS else None

    def numbers(self, tensor: Tensor) -> NDArray[Any]:
        """Its elements, flat; CheckpointError where the archive is too short."""
        storage = tensor.storage
        count = math.prod(tensor.shape)
        try:
            assert isinstance(storage, tuple)
            name, code = _FORMATS[str(storage[1])]
            begin, end = self._place(f"{self.root}data/{storage[2]}")
            first = begin + int(str(tensor.offset)) * np.dtype(code).itemsize
            if first < begin or first + count * np.dtype(code).itemsize > end:
                raise ValueError("outside of its storage")
            flat = np.frombuffer(self.raw, dtype=code, count=count, offset=first)
        except (AssertionError, KeyError, ValueError, zipfile.BadZipFile) as e:
            what = f"{self.path} is damaged: the numbers of a tensor are missing or changed."
            raise CheckpointError(what, "Take an older checkpoint of the run.") from e
        return (flat.astype(np.uint32) << 16).view(np.float32) if name == "bfloat16" else flat

    def _place(self, member: str) -> tuple[int, int]:
        """Where the bytes of a member lie in the file; torch stores them without compression."""
        info = self.zip.getinfo(member)
        if info.compress_type != zipfile.ZIP_STORED:
            raise ValueError("compressed")
        at = info.header_offset
        name, extra = (int.from_bytes(self.raw[at + i : at + i + 2], "little") for i in (26, 28))
        begin = at + 30 + name + extra
        end = begin + info.file_size
        if info.CRC and member not in self.whole:  # 0 where torch was told not to compute it
            if zlib.crc32(memoryview(self.raw)[begin:end]) != info.CRC:
                raise ValueError("another checksum")
            self.whole.add(member)
        return begin, end
