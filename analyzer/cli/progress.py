"""Progress on stderr: a live bar on a terminal, one line a finished replicate otherwise."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from analyzer.report.formatting import clean, count, duration

__all__ = ["Lines", "Live", "progress_on_stderr"]


class _Clock:
    """How much is done and how long the rest will take; shared by both ways of showing it."""

    def __init__(self) -> None:
        self.start(0, "")

    def start(self, total_epochs: int, what: str, part: float = 1.0) -> None:
        """Begin a piece of work of epochs of which only a part is trained."""
        self.total, self.what, self.part = total_epochs, what, part
        self.done, self.fraction = 0, 0.0
        self.began = time.monotonic()

    def move(self, fraction: float) -> None:
        """Set how far the running epoch is; a fall means that the next one began."""
        if fraction < self.fraction:
            self.done += 1
        self.fraction = fraction

    def finish(self) -> None:
        """Count the running epoch as done."""
        self.done += 1
        self.fraction = 0.0

    def left(self) -> float | None:
        """Estimate the seconds left; None before anything is known."""
        work = self.done + self.fraction
        if work < 0.02:
            return None
        return (time.monotonic() - self.began) / work * max(self.total - work, 0.0)


class Lines:
    """One line a finished replicate, for logs.

    Parameters
    ----------
    console
        Where to write.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._clock = _Clock()

    def start(self, total_epochs: int, what: str, *, part: float = 1.0) -> None:
        """Say what begins."""
        self._clock.start(total_epochs, what, part)
        self.message(f"{what}: {count(total_epochs * part, 'epoch')} at most")

    def epoch_fraction(self, done: int, of: int) -> None:
        """Remember it for the estimate; a log does not show it."""
        self._clock.move(done / of if of else 0.0)

    def finished_replicate(self, arm: str, index: int, seconds: float, reused: bool) -> None:
        """Write the line."""
        if not reused:
            self._clock.finish()
        took = "reused" if reused else duration(seconds)
        left = self._clock.left()
        rest = "" if left is None or reused or left < 1 else f", about {duration(left)} left"
        self.message(f"{arm} replicate {index}: {took}{rest}")

    def message(self, text: str) -> None:
        """Write one line."""
        self._console.print(clean(text), markup=False, highlight=False, soft_wrap=True)

    def ask(self, question: str) -> bool | None:
        """Nobody can answer."""
        return None


class Live:
    """A bar with the time left, on a terminal.

    Parameters
    ----------
    console
        Where to draw.
    bar
        The running rich progress.
    """

    def __init__(self, console: Console, bar: Progress) -> None:
        self._console = console
        self._bar = bar
        self._clock = _Clock()
        self._task = bar.add_task("", visible=False, rest="")

    def start(self, total_epochs: int, what: str, *, part: float = 1.0) -> None:
        """Begin the bar anew."""
        self._clock.start(total_epochs, what, part)
        self._draw()

    def epoch_fraction(self, done: int, of: int) -> None:
        """Move the bar within an epoch."""
        self._clock.move(done / of if of else 0.0)
        self._draw()

    def finished_replicate(self, arm: str, index: int, seconds: float, reused: bool) -> None:
        """Move the bar; leave no line behind."""
        if not reused:
            self._clock.finish()
        self._draw()

    def message(self, text: str) -> None:
        """Write a line above the bar."""
        self._console.print(clean(text), markup=False, highlight=False)

    def ask(self, question: str) -> bool | None:
        """Ask on the terminal, where there is a keyboard too."""
        if not sys.stdin.isatty():
            return None
        self._bar.stop()
        try:
            answer = self._console.input(f"{question} [y/N] ", markup=False)
        finally:
            self._bar.start()
        return answer.strip().lower() in {"y", "yes"}

    def _draw(self) -> None:
        clock = self._clock
        left = clock.left()
        self._bar.update(
            self._task,
            visible=clock.total > 0,
            description=clock.what,
            total=max(clock.total, 1) * clock.part,
            completed=min(clock.done + clock.fraction, clock.total) * clock.part,
            rest="" if left is None or left < 1 else f"{duration(left)} left",
        )


@contextmanager
def progress_on_stderr(*, quiet: bool = False) -> Iterator[Lines | Live]:
    """Open the right kind of progress for this stderr.

    Parameters
    ----------
    quiet
        Lines even on a terminal.
    """
    console = Console(stderr=True)
    if quiet or not console.is_terminal or console.is_dumb_terminal:
        yield Lines(console)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=24),
        TextColumn("{task.completed:.1f}/{task.total:g} epochs"),
        TextColumn("{task.fields[rest]}"),
    )
    with Progress(*columns, console=console, transient=True) as bar:
        yield Live(console, bar)
