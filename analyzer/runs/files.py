"""Read files that a stranger may have put there."""

from __future__ import annotations

import errno
import json
from pathlib import Path
from typing import Any

__all__ = ["read_json", "read_regular"]


def read_regular(path: Path) -> bytes:
    """The bytes of a regular file: reading a pipe waits for ever, and a device does not end.

    Raises
    ------
    OSError
        It cannot be read, or is something else; a folder as ever.
    """
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise OSError(errno.EINVAL, "it is no regular file", str(path))
    return path.read_bytes()


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
        return json.loads(read_regular(path))
    except RecursionError as e:
        raise ValueError("nested too deeply") from e
