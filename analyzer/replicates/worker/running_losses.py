"""Read the running losses of a live trainer at the marks of its epoch."""

from __future__ import annotations

from typing import Any

from analyzer.domain.within import Within, marks
from analyzer.replicates.worker.rows import loss_row

__all__ = ["Running", "running_row"]


class Running:
    """Counts the batches of one epoch and keeps what the trainer shows at its marks.

    Reading a loss waits for the device, so nothing is read between the marks.

    Parameters
    ----------
    batches
        Of the whole epoch.
    every
        Keep every batch, for an exact comparison; only where that costs no waiting (CPU).
    """

    def __init__(self, batches: int, *, every: bool = False) -> None:
        self.batches = batches
        self.done = 0
        self.looks = frozenset(marks(batches))
        self.kept = frozenset(range(1, batches + 1)) if every else self.looks
        self.after: dict[int, dict[str, float]] = {}

    def batch_done(self, trainer: Any) -> dict[str, float] | None:
        """Count a batch; what was read where it is kept, else None."""
        self.done += 1
        if self.done not in self.kept:
            return None
        self.after[self.done] = running_row(trainer)
        return self.after[self.done]

    @property
    def within(self) -> Within:
        """All that was kept so far."""
        return Within(self.batches, dict(self.after))


def running_row(trainer: Any) -> dict[str, float]:
    """Running means of the train losses, and the learning rate of each parameter group."""
    rates = {f"lr/pg{i}": float(g["lr"]) for i, g in enumerate(trainer.optimizer.param_groups)}
    return {**loss_row("train", trainer.tloss, trainer.loss_names), **rates}
