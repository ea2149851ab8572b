"""How long the work may take: read from the user, kept while it runs."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass

from analyzer.errors import UsageError

__all__ = ["DEFAULT_SECONDS", "LONG_SECONDS", "Budget", "parse_budget"]

LONG_SECONDS = 30 * 60.0  # above this the user is asked
DEFAULT_SECONDS = 2 * 3600.0  # what is spent where nobody can be asked
_UNITS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}


@dataclass(frozen=True, slots=True)
class Budget:
    """A bound on time or on epochs.

    Parameters
    ----------
    seconds
        Wall time from `started`, or None.
    epochs
        Trained epochs, or None.
    started
        Reading of the clock at which the work began.
    clock
        Seconds, monotonic.
    words
        As it is shown to the user; empty where nothing bounds the work.
    """

    seconds: float | None = None
    epochs: int | None = None
    words: str = ""
    started: float = 0.0
    clock: Callable[[], float] = time.monotonic

    def allows(self, next_epochs: int, spent_epochs: int, seconds_per_epoch: float | None) -> bool:
        """Whether `next_epochs` more may be trained after `spent_epochs`, at that pace."""
        if self.epochs is not None and spent_epochs + next_epochs > self.epochs:
            return False
        if self.seconds is None:
            return True
        return self.clock() - self.started + next_epochs * (seconds_per_epoch or 0.0) <= self.seconds


def parse_budget(text: str | None) -> Budget:
    """Read ``6h``, ``45m``, ``90s``, ``1d`` or ``5epochs``.

    Raises
    ------
    UsageError
        The text is none of these.

    Examples
    --------
    >>> parse_budget("90m").seconds, parse_budget("5epochs").epochs, parse_budget(None).seconds
    (5400.0, 5, None)
    """
    if text is None:
        return Budget(started=time.monotonic())
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(epochs?|[a-z]+)\s*", text.lower())
    if match and match[2].startswith("epoch") and "." not in match[1]:
        return Budget(epochs=int(match[1]), words=f"{match[1]} epochs", started=time.monotonic())
    if match and match[2] in _UNITS:
        return Budget(seconds=float(match[1]) * _UNITS[match[2]], words=text.strip(), started=time.monotonic())
    raise UsageError(f"--budget {text!r} is no budget.", "Write a time or a number of epochs: 6h, 45m, 5epochs.")
