"""How long work tells that it goes on: a port that the command line, tests and notebooks fill in."""

from __future__ import annotations

from typing import Protocol

__all__ = ["Progress", "Silent"]


class Progress(Protocol):
    """What a use case reports while it works; called from one thread only."""

    def start(self, total_epochs: int, what: str, *, part: float = 1.0) -> None:
        """Say how many epochs will be trained at most (stored ones left out), and for what; may be called again.

        Where only the first `part` of each is trained, whatever is told of an epoch is told of that part.
        """

    def epoch_fraction(self, done: int, of: int) -> None:
        """Say how far the running epoch is: `done` of `of` batches."""

    def finished_replicate(self, arm: str, index: int, seconds: float, reused: bool) -> None:
        """Say that replicate `index` (from 1) of an arm is there, trained in `seconds` or taken from the store."""

    def message(self, text: str) -> None:
        """Say one sentence."""

    def ask(self, question: str) -> bool | None:
        """Ask whether to go on; None where nobody is there to answer."""


class Silent:
    """A progress that says nothing."""

    def start(self, total_epochs: int, what: str, *, part: float = 1.0) -> None:
        """Nothing."""

    def epoch_fraction(self, done: int, of: int) -> None:
        """Nothing."""

    def finished_replicate(self, arm: str, index: int, seconds: float, reused: bool) -> None:
        """Nothing."""

    def message(self, text: str) -> None:
        """Nothing."""

    def ask(self, question: str) -> bool | None:
        """Nobody answers."""
        return None
