"""The store of a study: one file a replicate, written whole or not at all.

Layout under ``<root>/<study>/``: ``study.json`` (what the fingerprint stands for), ``replicates/<arm>/<seed>.json``,
``report.json`` and the lock. A file carries a checksum of its body: one that was cut short or edited is set aside
and made again, never read.
"""

from __future__ import annotations

import hashlib
import json
import math
import shutil
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from filelock import BaseFileLock, FileLock, SoftFileLock, Timeout

from analyzer.domain.replicate import EpochRecord, Outcome, Replicate
from analyzer.domain.within import Within
from analyzer.errors import StoreError
from analyzer.files import make_folder, read_json, unwritable, write_atomically

__all__ = ["Store", "document_of", "within_from_body", "within_to_body"]

SCHEMA = 1


def _jsonable(values: Mapping[str, float]) -> dict[str, float | str]:
    return {k: (float(v) if math.isfinite(v) else repr(float(v))) for k, v in values.items()}


def _floats(values: Mapping[str, Any]) -> dict[str, float]:
    return {str(k): float(v) for k, v in values.items()}


def _checksum(body: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(body, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _to_body(replicate: Replicate) -> dict[str, Any]:
    body = asdict(replicate)
    body["outcome"] = replicate.outcome.value
    body["epochs"] = [_epoch_to_body(e) for e in replicate.epochs]
    body["hashes"] = [dict(h) for h in replicate.hashes]
    return body


def within_to_body(within: Within) -> dict[str, Any]:
    """An epoch from inside as plain JSON."""
    return {"batches": within.batches, "after": {str(n): _jsonable(row) for n, row in within.after.items()}}


def within_from_body(body: Mapping[str, Any]) -> Within:
    """The same read again."""
    return Within(int(body["batches"]), {int(n): _floats(row) for n, row in body["after"].items()})


def _epoch_to_body(e: EpochRecord) -> dict[str, Any]:
    body = {"epoch": e.epoch, "printed": _jsonable(e.printed), "exact": _jsonable(e.exact), "seconds": e.seconds}
    if e.within is not None:  # left out where there is none: such a file is as older versions wrote it
        body["within"] = within_to_body(e.within)
    return body


def _epoch_from_body(body: Mapping[str, Any]) -> EpochRecord:
    inside = body.get("within")
    within = None if inside is None else within_from_body(inside)
    return EpochRecord(
        int(body["epoch"]), _floats(body["printed"]), _floats(body["exact"]), float(body["seconds"]), within
    )


def _from_body(body: Mapping[str, Any]) -> Replicate:
    epochs = tuple(_epoch_from_body(e) for e in body["epochs"])
    hashes = tuple({str(k): str(v) for k, v in h.items()} for h in body["hashes"])
    return Replicate(
        str(body["arm"]), int(body["seed"]), Outcome(body["outcome"]), epochs, str(body["message"]), hashes
    )


def document_of(replicate: Replicate, study: str) -> bytes:
    """Content of a replicate's file in a study."""
    body = _to_body(replicate)
    document = {"schema": SCHEMA, "study": study, "checksum": _checksum(body), "replicate": body}
    return json.dumps(document, indent=1).encode()


class Store:
    """The files of one study.

    Parameters
    ----------
    root
        Folder that holds studies, e.g. ``RUN/drift``.
    study
        Name of the study (its fingerprint).
    """

    def __init__(self, root: Path, study: str) -> None:
        self.root = root
        self.study = study
        self.path = root / study

    def describe(self, facts: Mapping[str, Any]) -> None:
        """Keep what the fingerprint stands for in ``study.json``."""
        data = json.dumps(facts, indent=1, sort_keys=True, default=str).encode()
        target = self.path / "study.json"
        if not (target.exists() and target.read_bytes() == data):
            write_atomically(target, data)

    def file_of(self, arm: str, seed: int) -> Path:
        """Where the replicate of that arm and seed lies."""
        return self.path / "replicates" / arm / f"{seed:010d}.json"

    def put(self, replicate: Replicate) -> None:
        """Write a finished replicate, replacing a shorter one of the same seed."""
        write_atomically(self.file_of(replicate.arm, replicate.seed), document_of(replicate, self.study))

    def get(self, arm: str, seed: int) -> Replicate | None:
        """The replicate of that arm and seed; None where there is none or its file is damaged."""
        path = self.file_of(arm, seed)
        if not path.exists():
            return None
        replicate = self._read(path)
        return replicate if replicate and (replicate.arm, replicate.seed) == (arm, seed) else None

    def all(self, arm: str) -> tuple[Replicate, ...]:
        """Every readable replicate of an arm, by seed."""
        files = sorted((self.path / "replicates" / arm).glob("[0-9]*.json"))
        return tuple(r for r in map(self._read, files) if r is not None)

    def _read(self, path: Path) -> Replicate | None:
        try:
            document = read_json(path)
            body = document["replicate"]
            sound = document["schema"] == SCHEMA and document["study"] == self.study
            if not sound or document["checksum"] != _checksum(body):
                raise ValueError("checksum")
            return _from_body(body)
        except OSError as e:
            raise StoreError(f"{path} cannot be read: {e.strerror}.", "Move it away; it is made again.") from e
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
            # Set aside rather than deleted: it may be the only trace of what went wrong.
            path.replace(path.with_suffix(".damaged"))
            return None

    def _refuse_links(self) -> None:
        """A stranger's run directory may bring a link as its log or folder: it would be written through."""
        names = ("lock", "worker.log", "scratch", "replicates")
        for path in (self.path, *(self.path / n for n in names), *(self.path / "replicates").glob("*")):
            if path.is_symlink():
                raise StoreError(f"{path} is a symbolic link, and nothing is written through it.", "Choose --out.")

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the study for one driver; the kernel releases it when the driver dies, however it dies."""
        make_folder(self.path)
        self._refuse_links()
        lock = _acquired(self.path / "lock")
        try:
            for leftover in (self.path / "replicates").glob("*/.*.tmp"):
                leftover.unlink(missing_ok=True)  # half-written by a process that was killed
            shutil.rmtree(self.path / "scratch", ignore_errors=True)  # and what its worker left
            yield
        finally:
            lock.release()


def _acquired(path: Path) -> BaseFileLock:
    """The kernel's lock on a file.

    Where the file system has none, filelock raises NotImplementedError (3.12) or makes a lock file instead (4.2), which
    a killed process would leave behind: refused in both.
    """
    lock = FileLock(path)
    try:
        with warnings.catch_warnings(action="ignore"):  # of the change to a lock file
            lock.acquire(timeout=0)
        if not isinstance(lock, SoftFileLock):
            return lock
        lock.release()
    except NotImplementedError:
        pass
    except Timeout:
        if not isinstance(lock, SoftFileLock):
            what = f"Another drift process is working on the study {path.parent}."
            raise StoreError(what, "Wait for it, or stop it first.") from None
    except OSError as e:
        raise unwritable(path, e) from e
    what = f"The file system of {path.parent} cannot lock files: two drift processes would work at once."
    raise StoreError(what, "Choose a folder on another disk with --out.")
