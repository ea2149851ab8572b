"""Files: written whole or not at all, and read even where a stranger put them there."""

from __future__ import annotations

import contextlib
import errno
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analyzer.errors import StoreError

__all__ = ["is_lfs_pointer", "make_folder", "read_json", "read_regular", "unwritable", "write_atomically"]

_LARGEST_JSON = 500_000_000  # bytes; the largest file of a study has a few MB


def unwritable(path: Path, error: OSError) -> StoreError:
    """The error that names a place where nothing can be written."""
    return StoreError(f"Cannot write {path}: {error.strerror}.", "Free space there, or choose a folder with --out.")


def make_folder(path: Path, failure: Callable[[Path, OSError], StoreError] = unwritable) -> None:
    """Make a folder and those above it.

    Raises
    ------
    StoreError
        It cannot be made; `failure` words it.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as e:
        raise failure(path, e) from e


def write_atomically(
    path: Path, content: bytes | str, failure: Callable[[Path, OSError], StoreError] = unwritable
) -> Path:
    """Write a file so that a reader (or a power cut) sees the old content or the new one, never a part.

    Temporary name in the same folder, fsync, rename, fsync of the folder.

    Parameters
    ----------
    path
        The file; its folder is made.
    content
        Text is written as UTF-8.
    failure
        Makes the error of a place that cannot be written: the file or its folder.

    Returns
    -------
    Path
        `path`.

    Raises
    ------
    StoreError
        It cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    make_folder(path.parent, failure)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)
        with temporary.open("xb") as f:  # never through a link that lies there
            f.write(data)
            f.flush()
            os.fsync(f.fileno())
        temporary.replace(path)
    except OSError as e:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)
        raise failure(path, e) from e
    _sync_folder(path.parent)
    return path


def _sync_folder(path: Path) -> None:
    """Make a rename last through a power cut; network file systems, FUSE and Windows cannot, and need not end here."""
    with contextlib.suppress(OSError):
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def read_regular(path: Path, limit: int | None = None) -> bytes:
    """The bytes of a regular file: reading a pipe waits for ever, and a device does not end.

    Parameters
    ----------
    path
        The file.
    limit
        Bytes that it may have; by default any number.

    Raises
    ------
    OSError
        It cannot be read, is too large, or is something else; a folder as ever.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    if limit is not None and path.stat().st_size > limit:
        raise OSError(errno.EFBIG, f"it is larger than {limit} bytes", str(path))
    return path.read_bytes()


LFS_HINT = "Run `git lfs pull` in that repository."


def is_lfs_pointer(content: bytes) -> bool:
    """Whether a file holds no content but a pointer of Git LFS to it."""
    return content.startswith(b"version https://git-lfs.github.com/")


def read_json(path: Path) -> Any:
    """The document in a JSON file.

    Raises
    ------
    OSError
        As `read_regular`.
    ValueError
        It is none, or nested too deeply.
    """
    try:
        return json.loads(read_regular(path, _LARGEST_JSON))
    except RecursionError as e:
        raise ValueError("nested too deeply") from e
