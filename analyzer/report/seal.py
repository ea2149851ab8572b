"""Reports as files: whole or not at all, and a study's with its checksum, so that one edited later is refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

from analyzer.errors import StoreError
from analyzer.files import read_regular, write_atomically

__all__ = ["refuse_changed", "write_file", "write_sealed"]


def write_file(path: Path, content: str | bytes) -> Path:
    """Write a report so that it is there whole or not at all.

    Raises
    ------
    StoreError
        Where the folder cannot be written.
    """

    def failure(_: Path, error: OSError) -> StoreError:
        return StoreError(f"{path} cannot be written: {error.strerror or error}.")

    return write_atomically(path, content, failure)


def write_sealed(path: Path, content: str) -> Path:
    """Write a report with its checksum, in ``report.sha256`` beside it.

    The checksum is written first and keeps that of the report which is there: a kill between the two leaves a report
    that is still sound.

    Raises
    ------
    StoreError
        Where the folder cannot be written.
    """
    lines = [_digest(content.encode("utf-8"))]
    if path.is_file() and (old := _digest(path.read_bytes())) in _kept(path):
        lines.append(old)
    write_file(path.with_suffix(".sha256"), "\n".join(lines) + "\n")
    return write_file(path, content)


def refuse_changed(path: Path, content: bytes) -> None:
    """Raise where a report is not what was written; one without a checksum (copied alone) is taken as it is.

    Raises
    ------
    StoreError
        It was changed.
    """
    kept = _kept(path)
    if kept and _digest(content) not in kept:
        raise StoreError(
            f"{path} was cut short or edited after it was written.",
            "drift analyze makes it again from the replicates that are kept.",
        )


def _kept(path: Path) -> list[str]:
    try:
        return read_regular(path.with_suffix(".sha256")).decode("ascii").split()
    except (OSError, UnicodeDecodeError):
        return []


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
