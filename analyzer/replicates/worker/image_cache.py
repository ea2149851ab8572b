"""Decoded images kept in memory over all replicates: each resumed epoch reads the same files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

__all__ = ["keep_images"]

_SHARE = 0.25  # of the memory that is free when the worker starts
_LEFT = 0.5  # of that memory; below, nobody keeps more: workers and ranks that start together each count all of it


class _Kept:
    """A reader of images that decodes a file once, until its budget in bytes or the machine's memory is spent."""

    def __init__(self, read: Callable[..., Any], budget: int, left: int) -> None:
        self._read = read
        self._budget = budget
        self._left = left
        self._images: dict[tuple[Any, ...], Any] = {}

    def __call__(self, filename: str, *args: Any, **kwargs: Any) -> Any:
        try:
            status = Path(filename).stat()
        except OSError:
            return self._read(filename, *args, **kwargs)  # which says what it says without us
        # A file that was changed is read again.
        key = (filename, status.st_mtime_ns, status.st_size, args, tuple(sorted(kwargs.items())))
        image = self._images.get(key)
        if image is None:
            image = self._read(filename, *args, **kwargs)
            if image is None or image.nbytes > self._budget or _available() < self._left:
                return image
            self._budget -= image.nbytes
            self._images[key] = image
        return image.copy()  # some augmentations write into the array that they are given


def _available() -> int:
    import psutil  # Ultralytics needs it, too

    return int(psutil.virtual_memory().available)


def keep_images(budget: int | None = None) -> None:
    """Let Ultralytics' data sets of this process decode each image file once.

    Loader processes are started anew for each replicate and forget what they read: only data that is loaded in the
    worker itself (``workers=0``, always so on CPU) gains. Pixels and random numbers stay the same: the reader below
    `load_image` is replaced, not Ultralytics' own ``cache=ram``, which draws the partners of a mosaic in another way.

    Parameters
    ----------
    budget
        Bytes; by default a quarter of the memory that is free now. Nothing more is kept where half of that is taken,
        by whomever.
    """
    from ultralytics.data import base

    read = getattr(base, "imread", None)  # versions before 8.3.100 or so read through cv2 itself
    if read is not None and not isinstance(read, _Kept):
        free = _available()
        base.imread = _Kept(read, int(free * _SHARE) if budget is None else budget, int(free * _LEFT))
