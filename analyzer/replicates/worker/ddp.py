"""A job on several GPUs: one process a GPU, as Ultralytics trains there, each of them a worker that hears the same.

The driver starts the first rank, which starts the others and passes every message on to them. Which rank a process is
stands in the environment where torch and Ultralytics look for it, as torchrun puts it there; everything between the
ranks is Ultralytics' own (``DistributedDataParallel``, NCCL).
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from analyzer.errors import EngineError

__all__ = ["end_as_others", "error_of_others", "other_ranks", "passed_on", "rank", "watch"]

_SHORTLY = 1.0  # seconds in which the end of a process is seen
_GRACE = 5.0  # seconds for the first rank to say itself what is wrong, when another one has ended


def rank() -> int:
    """Rank of this process; 0 where it is the only one."""
    return int(os.environ.get("RANK", "0"))


def other_ranks(arguments: list[str], log: Path) -> list[subprocess.Popen[str]]:
    """Start the other ranks of this process; none where it is no first rank of several.

    The one thing that they say is an error.

    Parameters
    ----------
    arguments
        Of the command with which this process was started.
    log
        Where they print to.
    """
    n = int(os.environ.get("WORLD_SIZE", "1"))
    if rank() > 0 or n == 1:
        return []
    from ultralytics.utils.dist import find_free_network_port

    os.environ["MASTER_PORT"] = str(find_free_network_port())
    with log.open("ab") as f:
        return [
            subprocess.Popen(
                [sys.executable, "-m", "analyzer.replicates.worker.main", *arguments],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=f, text=True,
                env={**os.environ, "RANK": str(r), "LOCAL_RANK": str(r)},
            )
            for r in range(1, n)
        ]  # fmt: skip


def passed_on(lines: Iterable[str], others: list[subprocess.Popen[str]]) -> Iterator[str]:
    """The lines, each given to the other ranks before it is acted upon here.

    Raises
    ------
    EngineError
        Another rank has ended.
    """
    for line in lines:
        for other in others:
            assert other.stdin is not None
            try:
                other.stdin.write(line)
                other.stdin.flush()
            except BrokenPipeError:
                raise EngineError("Another process of the job on several devices has ended.") from None
        yield line


def end_as_others(others: list[subprocess.Popen[str]]) -> None:
    """End this process where another rank was killed, whatever this one saw of it: the driver tries once more.

    Where it was killed as the system does for lack of memory, this one ends by the same signal, so that the driver
    sees that.
    """
    time.sleep(_SHORTLY if others else 0)
    codes = [other.poll() or 0 for other in others]
    if -signal.SIGKILL in codes:
        os.kill(os.getpid(), signal.SIGKILL)
    if min(codes, default=0) < 0:
        os._exit(1)


def error_of_others(others: list[subprocess.Popen[str]]) -> dict[str, Any] | None:
    """The error with which another rank has ended; None where none has."""
    for other in others:
        if other.poll() is not None and other.stdout is not None and (line := other.stdout.readline()):
            return {k: v for k, v in json.loads(line).items() if k != "event"}
    return None


def watch(others: list[subprocess.Popen[str]], failed: Callable[..., None]) -> None:
    """Leave when another rank has ended: what waits for it inside NCCL waits for hours.

    Parameters
    ----------
    others
        The other ranks.
    failed
        Called with the error that one of them ended with.
    """

    def look() -> None:
        while all(other.poll() is None for other in others):
            time.sleep(0.5)
        time.sleep(_GRACE)
        end_as_others(others)
        if words := error_of_others(others):
            failed(**words)
        os._exit(1)

    if others:
        threading.Thread(target=look, daemon=True).start()
